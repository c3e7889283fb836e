//! When the next sweep of the whole scope begins. Pure: time and chance are arguments.

use jiff::{SignedDuration, Timestamp};

/// After a first failure; it doubles with each one in a row.
const FIRST_RETRY: SignedDuration = SignedDuration::from_secs(30);

/// However often it failed.
const LAST_RETRY: SignedDuration = SignedDuration::from_mins(15);

/// How often the whole scope is swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// From the beginning of a sweep to the beginning of the next.
    pub interval: SignedDuration,
    /// By how much later it may be, so that many scanners do not all ask at the same time.
    pub jitter: SignedDuration,
}

/// What is known of the sweeps before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Before {
    /// When the last one began that came to its end, over the same scope and by the same rules; `None`
    /// where there is none.
    pub(crate) finished: Option<Timestamp>,
    /// Whether one was stopped midway, and can be gone on with.
    pub(crate) is_unfinished: bool,
    /// What came to nothing since.
    pub(crate) failed: Option<Failed>,
}

/// Attempts that came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed {
    /// When the last of them ended.
    pub(crate) at: Timestamp,
    /// How many there were in a row.
    pub(crate) in_a_row: u32,
}

impl Failed {
    /// One more, at this time.
    pub(crate) fn again(before: Option<Self>, at: Timestamp) -> Self {
        let in_a_row = before.map_or(0, |before| before.in_a_row).saturating_add(1);
        Self { at, in_a_row }
    }

    /// When to try again: later and later, and never later than `at_most` from the failure.
    pub(crate) fn retry_at(self, at_most: SignedDuration, chance: f64) -> Timestamp {
        let doubled = 1_i32 << self.in_a_row.saturating_sub(1).min(16);
        let pause = (FIRST_RETRY.saturating_mul(doubled)).min(LAST_RETRY.min(at_most));
        later(self.at, share(pause, 0.5 + chance / 2.0))
    }
}

impl Schedule {
    /// When the next sweep begins; a time that has passed means at once. `chance` is in [0, 1).
    ///
    /// A sweep that should have begun while nobody was there to begin it, or while another one ran, is
    /// caught up once: what counts is when the last one began, not how many there should have been.
    pub(crate) fn next(&self, before: &Before, now: Timestamp, chance: f64) -> Timestamp {
        if let Some(failed) = before.failed {
            return failed.retry_at(self.interval, chance);
        }
        match before.finished {
            // A clock that was set back would otherwise put it off for as long as it was ahead.
            Some(began) if began <= now && !before.is_unfinished => {
                later(later(began, self.interval), share(self.jitter, chance))
            }
            _ => now,
        }
    }
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn share(of: SignedDuration, chance: f64) -> SignedDuration {
    let seconds = of.as_secs_f64() * chance.clamp(0.0, 1.0);
    SignedDuration::try_from_secs_f64(seconds).unwrap_or(of)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOURLY: Schedule = Schedule {
        interval: SignedDuration::from_hours(1),
        jitter: SignedDuration::from_mins(6),
    };

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + 60 * minutes).unwrap()
    }

    fn finished(minutes: i64) -> Before {
        Before {
            finished: Some(at(minutes)),
            ..Before::default()
        }
    }

    #[track_caller]
    fn check(before: Before, now: i64, chance: f64, expected: i64) {
        assert_eq!(
            HOURLY.next(&before, at(now), chance),
            at(expected),
            "{before:?} at {now}"
        );
    }

    #[test]
    fn the_next_sweep_follows_from_when_the_last_one_began() {
        // Never swept by these rules.
        check(Before::default(), 0, 0.9, 0);
        check(finished(0), 10, 0.0, 60);
        check(finished(0), 10, 0.5, 63);
        // It took longer than the interval, or nobody was there: at once.
        check(finished(0), 90, 0.0, 60);
        check(finished(0), 100_000, 0.5, 63);
        // The clock was set back.
        check(finished(500), 10, 0.5, 10);
        let unfinished = Before {
            is_unfinished: true,
            ..finished(0)
        };
        check(unfinished, 10, 0.5, 10);
    }

    #[test]
    fn what_came_to_nothing_is_tried_again_later_and_later() {
        let seconds = |in_a_row, chance| {
            let failed = Failed {
                at: at(0),
                in_a_row,
            };
            let retry = failed.retry_at(HOURLY.interval, chance);
            retry.duration_since(at(0)).as_secs()
        };
        let table = [
            (1, 0.0, 15),
            (1, 1.0, 30),
            (2, 1.0, 60),
            (3, 1.0, 120),
            (6, 1.0, 900),
            (u32::MAX, 1.0, 900),
            (u32::MAX, 0.0, 450),
        ];
        for (in_a_row, chance, expected) in table {
            assert_eq!(seconds(in_a_row, chance), expected, "{in_a_row} {chance}");
        }
        let quick = Failed {
            at: at(0),
            in_a_row: 9,
        };
        assert!(quick.retry_at(SignedDuration::from_secs(10), 1.0) <= at(1));
    }

    proptest! {
        /// However long nobody was there, one sweep begins at once, and the next one an interval later.
        #[test]
        fn a_missed_run_is_caught_up_once(away in 0_i64..1_000_000, chance in 0.0_f64..1.0) {
            let now = at(away);
            let next = HOURLY.next(&finished(0), now, chance);
            let begins = next.max(now);
            let caught_up = Before { finished: Some(begins), ..Before::default() };
            let after = HOURLY.next(&caught_up, begins, chance);
            prop_assert!(after >= later(begins, HOURLY.interval));
            prop_assert!(after <= later(begins, HOURLY.interval + HOURLY.jitter));
        }

        #[test]
        fn a_retry_is_never_before_the_failure_nor_far_from_it(
            in_a_row in 1_u32.., interval in 1_i64..100_000, chance in 0.0_f64..1.0
        ) {
            let retry = Failed { at: at(0), in_a_row }
                .retry_at(SignedDuration::from_secs(interval), chance);
            prop_assert!(retry >= at(0));
            prop_assert!(retry <= at(15));
            prop_assert!(retry <= later(at(0), SignedDuration::from_secs(interval)));
        }
    }
}
