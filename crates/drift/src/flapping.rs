//! What goes back and forth is told in a low voice, until it comes to rest.

use jiff::{SignedDuration, Timestamp};
use model::{Drift, Severity};

/// When something flaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlapRule {
    /// How many changes within `within` make it flap.
    pub changes: usize,
    /// The time within which they are counted.
    pub within: SignedDuration,
    /// How long it must be quiet before it no longer flaps.
    pub quiet: SignedDuration,
}

impl Default for FlapRule {
    /// Four changes in a day, and a day of rest: a pipeline that breaks the chain and mends it with each
    /// run is found on its second, and somebody who tries twice is not.
    fn default() -> Self {
        Self {
            changes: 4,
            within: SignedDuration::from_hours(24),
            quiet: SignedDuration::from_hours(24),
        }
    }
}

/// Whether something that changed at these times flaps at `now`.
///
/// The times are those of the drifts of one account and control, and of one sort: either of what was last
/// known (verdict and reason), or of whether it can be seen. They may come in any order; those after
/// `now` do not count. Nothing else is remembered: equal times give an equal answer, so the history of
/// drifts is enough to go on with after a restart.
pub fn is_flapping(rule: &FlapRule, now: Timestamp, times: &[Timestamp]) -> bool {
    let mut times: Vec<Timestamp> = times.iter().copied().filter(|time| *time <= now).collect();
    times.sort_unstable();
    let mut flaps = false;
    for (index, time) in times.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|index| times.get(index));
        if previous.is_some_and(|previous| time.duration_since(*previous) >= rule.quiet) {
            flaps = false;
        }
        // The change with which the count is reached, if it is.
        let first = (index + 1).checked_sub(rule.changes.max(1));
        let first = first.and_then(|first| times.get(first));
        flaps |= first.is_some_and(|first| time.duration_since(*first) <= rule.within);
    }
    flaps && (times.last()).is_some_and(|last| now.duration_since(*last) < rule.quiet)
}

/// A drift as it is told while it flaps: no louder than low, and marked.
#[must_use]
pub fn damped(drift: Drift) -> Drift {
    Drift {
        undamped: Some(drift.undamped.unwrap_or(drift.severity)),
        severity: drift.severity.min(Severity::Low),
        ..drift
    }
}

/// A drift as it is told when it came to rest: the last one before the quiet is how things stay, and
/// nobody was told of it aloud.
#[must_use]
pub fn settled(drift: Drift) -> Drift {
    Drift {
        severity: drift.undamped.unwrap_or(drift.severity),
        undamped: None,
        ..drift
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use proptest::prelude::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_760_000_000 + minutes * 60).unwrap()
    }

    #[track_caller]
    fn check(minutes: &[i64], now: i64, expected: bool) {
        let times: Vec<Timestamp> = minutes.iter().map(|minutes| at(*minutes)).collect();
        assert_eq!(
            is_flapping(&FlapRule::default(), at(now), &times),
            expected,
            "{minutes:?} at {now}"
        );
    }

    #[test]
    fn four_changes_within_a_day_flap_until_a_day_of_quiet() {
        const DAY: i64 = 24 * 60;
        check(&[], 0, false);
        check(&[0, 10, 20], 20, false);
        check(&[0, 10, 20, 30], 30, true);
        check(&[30, 0, 20, 10], 30, true);
        check(&[0, 10, 20, 30], 20, false);
        check(&[0, 10, 20, DAY], DAY, true);
        check(&[0, 10, 20, DAY + 1], DAY + 1, false);
        // It goes on flapping while changes are less than a day apart, however few they are.
        check(&[0, 10, 20, 30, DAY, 2 * DAY - 1], 2 * DAY, true);
        check(&[0, 10, 20, 30], 30 + DAY - 1, true);
        check(&[0, 10, 20, 30], 30 + DAY, false);
        // Quiet once, it must flap anew.
        check(&[0, 10, 20, 30, 30 + DAY], 31 + DAY, false);
        check(
            &[0, 10, 20, 30, 30 + DAY, 40 + DAY, 50 + DAY, 60 + DAY],
            60 + DAY,
            true,
        );
    }

    #[test]
    fn a_damped_drift_is_low_and_marked_and_comes_back_as_it_was() {
        let loud = fixture::drift_of_severity(Severity::Critical);
        let quiet = damped(damped(loud.clone()));
        assert_eq!(quiet.severity, Severity::Low);
        assert!(quiet.is_flapping());
        assert_eq!(quiet.undamped, Some(Severity::Critical));
        assert_eq!(settled(quiet), loud);
        // What is quieter than low does not become louder.
        assert_eq!(
            damped(fixture::drift_of_severity(Severity::Info)).severity,
            Severity::Info
        );
    }

    proptest! {
        #[test]
        fn the_order_of_the_times_does_not_matter_and_quiet_ends_it(
            mut minutes in prop::collection::vec(-5000_i64..5000, 0..12), now in -6000_i64..6000,
        ) {
            let rule = FlapRule::default();
            let times: Vec<Timestamp> = minutes.iter().map(|minutes| at(*minutes)).collect();
            let flaps = is_flapping(&rule, at(now), &times);
            minutes.sort_unstable();
            let sorted: Vec<Timestamp> = minutes.iter().map(|minutes| at(*minutes)).collect();
            prop_assert_eq!(is_flapping(&rule, at(now), &sorted), flaps);
            prop_assert!(!is_flapping(&rule, at(5000 + 24 * 60), &times));
            prop_assert!(!flaps || minutes.iter().filter(|one| **one <= now).count() >= rule.changes);
        }
    }
}
