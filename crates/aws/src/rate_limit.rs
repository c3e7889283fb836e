//! Pacing under a share of AWS's quotas.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use dashmap::DashMap;
use model::{AccountId, Region};
use tokio::time::Instant;

use crate::{
    api::{Quota, Scope},
    metrics::SlowedQueue,
    pace::Pace,
};

/// Idle queues are looked for when at least this many were made since the last time.
const FEW: usize = 1024;

/// What a queue stands before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct LaneKey {
    family: &'static str,
    /// `None` for a quota of the organization as a whole.
    account: Option<AccountId>,
    /// `None` for a quota that all regions share.
    region: Option<Region>,
}

/// The queue before one quota.
struct Lane(Mutex<Pace>);

impl Lane {
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All queues: one per (account, region, API family), and per what else AWS counts by.
///
/// A queue that nobody waits in and that is as good as new is dropped now and then: accounts by
/// regions by families are more than a sweep ever uses at the same time.
pub(crate) struct RateLimits {
    /// The part of each quota that the scanner may use, in (0, 1].
    share: f64,
    start: Instant,
    lanes: DashMap<LaneKey, Arc<Lane>>,
    /// How many queues may still be made before idle ones are looked for.
    room: AtomicUsize,
}

/// The right to send one attempt. Keeps its queues, so that they hear of a throttle.
pub(crate) struct Permit {
    lanes: [Option<Arc<Lane>>; 2],
    sent: Duration,
    /// How long it was waited for.
    pub(crate) waited: Duration,
}

impl RateLimits {
    pub(crate) fn new(share: f64) -> Self {
        Self {
            share,
            start: Instant::now(),
            lanes: DashMap::new(),
            room: AtomicUsize::new(FEW),
        }
    }

    /// The time since the connection was made, which everything here counts in.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Waits until one more call of this family may be sent. Who is cancelled meanwhile loses a
    /// slot to nobody.
    pub(crate) async fn acquire(
        &self,
        account: AccountId,
        region: &Region,
        quota: Quota,
    ) -> Permit {
        let asked = self.now();
        let own = LaneKey {
            family: quota.family,
            account: Some(account),
            region: (quota.scope == Scope::AccountAndRegion).then(|| region.clone()),
        };
        let own = self.lane(own, quota.per_second, quota.burst);
        self.turn(&own).await;
        let shared = match quota.organization {
            None => None,
            Some((per_second, burst)) => {
                let key = LaneKey {
                    family: quota.family,
                    account: None,
                    region: None,
                };
                let lane = self.lane(key, per_second, burst);
                self.turn(&lane).await;
                Some(lane)
            }
        };
        let sent = self.now();
        Permit {
            lanes: [Some(own), shared],
            sent,
            waited: sent.saturating_sub(asked),
        }
    }

    /// AWS throttled what was sent with this permit: its queues slow down. Returns whether one did.
    pub(crate) fn throttled(&self, permit: &Permit, asked: Option<Duration>) -> bool {
        let now = self.now();
        let mut has_slowed = false;
        for lane in permit.lanes.iter().flatten() {
            has_slowed |= lane.pace().throttled(permit.sent, asked, now);
        }
        has_slowed
    }

    /// The queues that are slower than wanted.
    pub(crate) fn slowed(&self) -> Vec<SlowedQueue> {
        let now = self.now();
        self.lanes
            .iter()
            .filter_map(|lane| {
                let rate_factor = lane.value().pace().factor(now);
                let key = lane.key();
                (rate_factor < 1.0).then(|| SlowedQueue {
                    family: key.family,
                    account: key.account,
                    region: key.region.clone(),
                    rate_factor,
                })
            })
            .collect()
    }

    async fn turn(&self, lane: &Lane) {
        let now = self.now();
        let (ticket, mut due) = {
            let mut pace = lane.pace();
            let ticket = pace.take(now);
            (ticket, pace.wait_for(ticket, now))
        };
        while let Some(at) = due {
            tokio::time::sleep_until(self.start + at).await;
            due = lane.pace().wait_for(ticket, self.now());
        }
    }

    fn lane(&self, key: LaneKey, per_second: f64, burst: f64) -> Arc<Lane> {
        if let Some(lane) = self.lanes.get(&key) {
            return Arc::clone(&lane);
        }
        if self
            .room
            .fetch_update(Relaxed, Relaxed, |room| room.checked_sub(1))
            .is_err()
        {
            self.drop_idle();
        }
        let now = self.now();
        let lane = self.lanes.entry(key).or_insert_with(|| {
            let pace = Pace::within(per_second, burst, self.share, now);
            Arc::new(Lane(Mutex::new(pace)))
        });
        Arc::clone(&lane)
    }

    /// Each queue that stays allows for another one before it is looked again: the cost of looking
    /// is spread over the making of queues.
    fn drop_idle(&self) {
        let now = self.now();
        // Who waits, or may yet hear of a throttle, holds the queue.
        self.lanes
            .retain(|_, lane| Arc::strong_count(lane) > 1 || !lane.pace().is_idle(now));
        self.room.store(self.lanes.len().max(FEW), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Api;

    fn quota(per_second: f64, burst: f64) -> Quota {
        Quota {
            family: "test",
            per_second,
            burst,
            scope: Scope::AccountAndRegion,
            organization: None,
        }
    }

    fn account(id: &str) -> AccountId {
        id.parse().unwrap()
    }

    fn region(name: &str) -> Region {
        name.parse().unwrap()
    }

    #[tokio::test]
    async fn a_burst_passes_at_once_and_the_next_call_waits_its_turn() {
        let limits = RateLimits::new(0.5);
        let (account, region) = (account("111111111111"), region("us-east-1"));
        let quota = Api::DescribeMetricFilters.quota();
        for _ in 0..2 {
            let permit = limits.acquire(account, &region, quota).await;
            assert!(permit.waited < Duration::from_millis(100));
        }
        // A third within the burst of two (half of five) waits 1 / 2.5 s.
        let permit = limits.acquire(account, &region, quota).await;
        assert!(
            permit.waited >= Duration::from_millis(350),
            "{:?}",
            permit.waited
        );
    }

    #[tokio::test]
    async fn accounts_and_regions_do_not_wait_for_each_other() {
        let limits = RateLimits::new(0.01);
        let lanes = [
            ("111111111111", "us-east-1"),
            ("111111111111", "eu-west-1"),
            ("222222222222", "us-east-1"),
        ];
        for (id, name) in lanes {
            let permit = limits
                .acquire(account(id), &region(name), quota(0.1, 1.0))
                .await;
            assert!(permit.waited < Duration::from_secs(1));
        }
    }

    #[tokio::test]
    async fn a_quota_of_the_organization_holds_for_all_its_accounts() {
        let limits = RateLimits::new(1.0);
        let shared = Quota {
            scope: Scope::Account,
            organization: Some((5.0, 1.0)),
            ..quota(100.0, 100.0)
        };
        let at = region("us-east-1");
        limits.acquire(account("111111111111"), &at, shared).await;
        let second = limits.acquire(account("222222222222"), &at, shared).await;
        assert!(
            second.waited >= Duration::from_millis(150),
            "{:?}",
            second.waited
        );
    }

    #[tokio::test]
    async fn a_throttle_slows_its_own_queue_alone_and_is_shown() {
        let limits = RateLimits::new(1.0);
        let one = account("111111111111");
        let permit = limits
            .acquire(one, &region("us-east-1"), quota(10.0, 10.0))
            .await;
        limits
            .acquire(one, &region("eu-west-1"), quota(10.0, 10.0))
            .await;
        assert!(limits.throttled(&permit, None));
        assert!(!limits.throttled(&permit, None), "once for each call");
        assert_eq!(
            limits.slowed(),
            [SlowedQueue {
                family: "test",
                account: Some(one),
                region: Some(region("us-east-1")),
                rate_factor: 0.75,
            }]
        );
        let next = limits
            .acquire(one, &region("us-east-1"), quota(10.0, 10.0))
            .await;
        assert!(
            next.waited >= Duration::from_millis(400),
            "{:?}",
            next.waited
        );
    }

    #[tokio::test]
    async fn queues_that_nobody_uses_are_dropped() {
        let limits = RateLimits::new(1.0);
        let at = region("us-east-1");
        let throttled = limits
            .acquire(account("999999999999"), &at, quota(1e6, 2.0))
            .await;
        limits.throttled(&throttled, None);
        drop(throttled);
        for id in 0..20_000_u32 {
            let id = account(&format!("{id:012}"));
            limits.acquire(id, &at, quota(1e6, 2.0)).await;
        }
        assert!(limits.lanes.len() <= 2 * FEW + 2, "{}", limits.lanes.len());
        assert_eq!(
            limits.slowed().len(),
            1,
            "what was throttled is not forgotten"
        );
    }

    #[tokio::test]
    async fn a_thousand_waiters_go_in_order_and_at_the_rate() {
        let limits = Arc::new(RateLimits::new(1.0));
        let (one, at) = (account("111111111111"), region("us-east-1"));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiters = tokio::task::JoinSet::new();
        for number in 0..1000 {
            let (limits, order, at) = (Arc::clone(&limits), Arc::clone(&order), at.clone());
            waiters.spawn(async move {
                limits.acquire(one, &at, quota(1000.0, 1.0)).await;
                order.lock().unwrap().push(number);
            });
        }
        while waiters.join_next().await.is_some() {}
        let took = limits.now();
        assert!(took >= Duration::from_millis(998), "{took:?}");
        let order = order.lock().unwrap();
        // The timer wakes by the millisecond: whoever is due in the same one may change places.
        for (place, number) in order.iter().enumerate() {
            assert!(
                place.abs_diff(*number) < 50,
                "{number} went as number {place}"
            );
        }
    }
}
