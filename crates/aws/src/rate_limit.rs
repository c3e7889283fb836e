//! Pacing under a share of AWS's quotas.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use dashmap::DashMap;
use governor::{
    Quota as GovernorQuota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    state::{InMemoryState, NotKeyed},
};
use model::{AccountId, Region};

use crate::api::Quota;

/// A queue before one quota of one account and region.
///
/// Waiters form a queue on the lock, and only the first asks the bucket: a governor bucket by
/// itself wakes all waiters for each slot and serves them in random order.
struct Lane {
    turn: tokio::sync::Mutex<()>,
    bucket: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
    clock: DefaultClock,
}

/// One lane per (account, region, API family).
pub(crate) struct RateLimits {
    /// The part of each quota that the scanner may use, in (0, 1].
    share: f64,
    lanes: DashMap<(AccountId, Region, &'static str), Arc<Lane>>,
}

impl RateLimits {
    pub(crate) fn new(share: f64) -> Self {
        Self {
            share,
            lanes: DashMap::new(),
        }
    }

    /// Waits until one more call of this family may be sent.
    pub(crate) async fn acquire(&self, account: AccountId, region: &Region, quota: Quota) {
        let lane = Arc::clone(
            &self
                .lanes
                .entry((account, region.clone(), quota.family))
                .or_insert_with(|| Arc::new(Lane::new(quota, self.share))),
        );
        let _turn = lane.turn.lock().await;
        while let Err(not_yet) = lane.bucket.check() {
            tokio::time::sleep(not_yet.wait_time_from(lane.clock.now())).await;
        }
    }
}

impl Lane {
    fn new(quota: Quota, share: f64) -> Self {
        let clock = DefaultClock::default();
        let interval = Duration::from_secs_f64(1.0 / (quota.per_second * share).max(0.001));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "1 to 600"
        )]
        let burst = (quota.burst * share).floor().clamp(1.0, 600.0) as u32;
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let allowed = GovernorQuota::with_period(interval)
            .unwrap_or(GovernorQuota::per_second(NonZeroU32::MIN))
            .allow_burst(burst);
        let bucket = RateLimiter::direct_with_clock(allowed, clock.clone());
        Self {
            turn: tokio::sync::Mutex::new(()),
            bucket,
            clock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Api;

    #[tokio::test]
    async fn a_burst_passes_at_once_and_the_next_call_waits_its_turn() {
        let limits = RateLimits::new(0.5);
        let account = "111111111111".parse().unwrap();
        let region: Region = "us-east-1".parse().unwrap();
        let quota = Api::DescribeMetricFilters.quota();
        let start = tokio::time::Instant::now();
        for _ in 0..2 {
            limits.acquire(account, &region, quota).await;
        }
        // A third within the burst of two (half of five) waits 1 / 2.5 s.
        limits.acquire(account, &region, quota).await;
        assert!(
            start.elapsed() >= Duration::from_millis(350),
            "{:?}",
            start.elapsed()
        );
    }

    #[tokio::test]
    async fn accounts_and_regions_do_not_wait_for_each_other() {
        let limits = RateLimits::new(0.01);
        let quota = Quota {
            family: "slow",
            per_second: 0.1,
            burst: 1.0,
        };
        let lanes = [
            ("111111111111", "us-east-1"),
            ("111111111111", "eu-west-1"),
            ("222222222222", "us-east-1"),
        ];
        let all = async {
            for (account, region) in lanes {
                limits
                    .acquire(account.parse().unwrap(), &region.parse().unwrap(), quota)
                    .await;
            }
        };
        assert!(
            tokio::time::timeout(Duration::from_secs(5), all)
                .await
                .is_ok()
        );
    }
}
