//! Token buckets that cost nothing while nobody draws on them.

use std::collections::HashMap;
use std::time::Duration;

/// Below this many buckets nobody looks for full ones.
const FEW: usize = 4096;

/// Whose bucket it is, and for which quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BucketKey {
    /// The place of the quota in the table.
    pub(crate) quota: usize,
    pub(crate) account: u32,
    pub(crate) region: u32,
}

/// What one call draws on, and how that refills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draught {
    key: BucketKey,
    /// How long a token takes to come back.
    interval: Duration,
    burst: u32,
}

impl Draught {
    /// A rate that is no positive number gives one token in as long as can be told.
    pub(crate) fn new(key: BucketKey, per_second: f64, burst: f64) -> Self {
        // A nanosecond too long rather than too short: the bucket never gives more than its rate.
        let interval = Duration::try_from_secs_f64(1.0 / per_second).map_or(Duration::MAX, |it| {
            it.saturating_add(Duration::from_nanos(1))
        });
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, and bursts are small"
        )]
        let burst = burst.max(1.0).round() as u32;
        Self {
            key,
            interval,
            burst,
        }
    }
}

/// The buckets that are not full. A bucket is kept as the moment at which it will be full again, so
/// it needs no clockwork, and one whose moment has passed may be forgotten.
#[derive(Debug, Default)]
pub(crate) struct TokenBuckets {
    full_at: HashMap<BucketKey, Duration>,
    tidy_at: usize,
}

impl TokenBuckets {
    /// Takes a token out of every bucket that the call draws on, or out of none if one of them is
    /// empty. `now` is the time since any fixed moment, and never goes back.
    pub(crate) fn take(&mut self, draughts: &[Draught], now: Duration) -> bool {
        let has_token = |draught: &Draught| self.after_one_more(draught, now).is_some();
        if !draughts.iter().all(has_token) {
            return false;
        }
        for draught in draughts {
            if let Some(full_at) = self.after_one_more(draught, now) {
                self.full_at.insert(draught.key, full_at);
            }
        }
        self.tidy(now);
        true
    }

    /// When the bucket will be full again if one more token is taken, unless it has none.
    fn after_one_more(&self, draught: &Draught, now: Duration) -> Option<Duration> {
        let full_at = self
            .full_at
            .get(&draught.key)
            .map_or(now, |it| now.max(*it));
        let after = full_at.saturating_add(draught.interval);
        // How far an empty bucket is from being full.
        let longest = now.saturating_add(draught.interval.saturating_mul(draught.burst));
        (after <= longest).then_some(after)
    }

    fn tidy(&mut self, now: Duration) {
        if self.full_at.len() < self.tidy_at.max(FEW) {
            return;
        }
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.capacity() > 4 * self.full_at.len().max(FEW) {
            self.full_at.shrink_to_fit();
        }
        self.tidy_at = self.full_at.len().saturating_mul(2);
    }

    /// Fills all of them.
    pub(crate) fn fill(&mut self) {
        self.full_at.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn draught(account: u32, per_second: f64, burst: f64) -> Draught {
        let key = BucketKey {
            quota: 0,
            account,
            region: 0,
        };
        Draught::new(key, per_second, burst)
    }

    fn granted(buckets: &mut TokenBuckets, draught: Draught, asked: u32, at: Duration) -> u32 {
        (0..asked).fold(0, |sum, _| sum + u32::from(buckets.take(&[draught], at)))
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_what_comes_back() {
        for (per_second, burst) in [(8, 12), (6, 10), (600, 600)] {
            let draught = draught(1, f64::from(per_second), f64::from(burst));
            let (mut buckets, start) = (TokenBuckets::default(), Duration::from_secs(5));
            let mut granted = |at| granted(&mut buckets, draught, 2000, at);
            assert_eq!(granted(start), burst);
            assert_eq!(granted(start + Duration::from_millis(1001)), per_second);
            assert_eq!(granted(Duration::from_hours(1)), burst);
        }
    }

    #[test]
    fn buckets_do_not_draw_on_each_other() {
        let mut buckets = TokenBuckets::default();
        let now = Duration::ZERO;
        assert_eq!(granted(&mut buckets, draught(1, 1.0, 2.0), 9, now), 2);
        assert_eq!(granted(&mut buckets, draught(2, 1.0, 2.0), 9, now), 2);
    }

    #[test]
    fn a_call_that_one_bucket_refuses_costs_the_other_nothing() {
        let mut buckets = TokenBuckets::default();
        let (small, large) = (draught(1, 1.0, 1.0), draught(2, 1.0, 2.0));
        assert!(buckets.take(&[small, large], Duration::ZERO));
        assert!(!buckets.take(&[large, small], Duration::ZERO));
        assert!(buckets.take(&[large], Duration::ZERO));
    }

    #[test]
    fn buckets_that_are_full_again_are_forgotten() {
        let mut buckets = TokenBuckets::default();
        let accounts = u32::try_from(FEW * 3).unwrap();
        for account in 0..accounts {
            let now = Duration::from_secs(account.into());
            assert!(buckets.take(&[draught(account, 10.0, 10.0)], now));
        }
        assert!(buckets.full_at.len() <= FEW, "{}", buckets.full_at.len());
    }

    #[test]
    fn a_rate_that_is_none_does_not_panic() {
        for per_second in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut buckets = TokenBuckets::default();
            let _ = buckets.take(&[draught(1, per_second, f64::NAN)], Duration::MAX);
        }
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_gives_more_than_its_burst_and_rate(
            per_second in 0.5_f64..50.0,
            burst in 1_u32..20,
            steps in prop::collection::vec(0_u64..400, 1..20),
        ) {
            let draught = draught(1, per_second, burst.into());
            let (mut buckets, mut now) = (TokenBuckets::default(), Duration::ZERO);
            let mut given: Vec<Duration> = Vec::new();
            for step in steps {
                now += Duration::from_millis(step);
                while buckets.take(&[draught], now) {
                    given.push(now);
                }
            }
            for (first, from) in given.iter().enumerate() {
                for (last, until) in given.iter().enumerate().skip(first) {
                    let most = f64::from(burst) + per_second * until.saturating_sub(*from).as_secs_f64();
                    let count = u32::try_from(last - first + 1).unwrap();
                    prop_assert!(f64::from(count) <= most + 1e-6);
                }
            }
        }
    }
}
