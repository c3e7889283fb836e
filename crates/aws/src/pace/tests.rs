//! The laws of a pace, in simulated time.

use super::*;
use proptest::prelude::*;

/// Lets everybody ask at their moments and wake exactly when they are told to; says who went when.
/// `throttles` are moments at which AWS throttles what was just sent.
fn simulate(pace: &mut Pace, mut asks: Vec<Duration>, throttles: &[Duration]) -> Vec<Duration> {
    asks.sort();
    let mut went = vec![None; asks.len()];
    let mut tickets: Vec<Option<Ticket>> = vec![None; asks.len()];
    // What happens next: somebody asks or wakes, or AWS throttles.
    let mut wakes: Vec<(Duration, usize)> = asks.iter().copied().zip(0..).collect();
    let mut throttles: Vec<_> = throttles.to_vec();
    throttles.sort_by(|a, b| b.cmp(a));
    while !wakes.is_empty() {
        wakes.sort_by(|a, b| b.cmp(a));
        let (now, who) = *wakes.last().unwrap();
        if throttles.last().is_some_and(|throttle| *throttle < now) {
            let at = throttles.pop().unwrap();
            pace.throttled(at, None, at);
            continue;
        }
        wakes.pop();
        let ticket = *tickets[who].get_or_insert_with(|| pace.take(now));
        match pace.wait_for(ticket, now) {
            None => went[who] = Some(now),
            Some(due) => {
                assert!(due >= now);
                // A due moment is rounded to nanoseconds: waking that early asks once more.
                wakes.push((due.max(now + Duration::from_nanos(1)), who));
            }
        }
    }
    went.into_iter().map(Option::unwrap).collect()
}

fn moments() -> impl Strategy<Value = Vec<Duration>> {
    prop::collection::vec((0_u64..20_000).prop_map(Duration::from_millis), 1..120)
}

/// The most that may go in a time: the burst and what the rate lets through, and the one that is
/// just due at its start.
fn most(rate: f64, burst: f64, time: Duration) -> f64 {
    burst + rate * time.as_secs_f64() + 1e-3
}

proptest! {
    #[test]
    fn no_time_sees_more_than_burst_and_rate_allow(
        rate in 0.5_f64..50.0, burst in 1.0_f64..20.0, asks in moments(),
        throttles in prop::collection::vec((0_u64..30_000).prop_map(Duration::from_millis), 0..4),
    ) {
        let mut pace = Pace::new(rate, burst, Duration::ZERO);
        let went = simulate(&mut pace, asks, &throttles);
        for (first, start) in went.iter().enumerate() {
            for (last, end) in went.iter().enumerate().skip(first) {
                let count = u32::try_from(last - first + 1).unwrap();
                prop_assert!(f64::from(count) <= most(rate, burst, end.saturating_sub(*start)), "{count} in {start:?}..{end:?}");
            }
        }
    }

    #[test]
    fn who_asks_first_goes_first(
        rate in 0.5_f64..50.0, burst in 1.0_f64..20.0, asks in moments(),
        throttles in prop::collection::vec((0_u64..30_000).prop_map(Duration::from_millis), 0..4),
    ) {
        let mut pace = Pace::new(rate, burst, Duration::ZERO);
        let went = simulate(&mut pace, asks, &throttles);
        prop_assert!(went.is_sorted(), "{went:?}");
    }

    #[test]
    fn nobody_waits_while_a_grant_is_left_over(
        rate in 0.5_f64..50.0, burst in 1.0_f64..20.0, mut asks in moments(),
    ) {
        asks.sort();
        let mut pace = Pace::new(rate, burst, Duration::ZERO);
        let went = simulate(&mut pace, asks.clone(), &[]);
        // A leaky bucket computed in the other way: each goes when it asks or when the one before
        // it, `burst` ago, is a full refill past.
        let mut tokens = burst;
        let mut at = Duration::ZERO;
        for (ask, went) in asks.into_iter().zip(went) {
            let start = ask.max(at);
            tokens = (tokens + rate * start.saturating_sub(at).as_secs_f64()).min(burst);
            let wait = Duration::from_secs_f64(((1.0 - tokens) / rate).max(0.0));
            tokens = (tokens + rate * wait.as_secs_f64()).min(burst) - 1.0;
            at = start + wait;
            prop_assert!(went.abs_diff(at) < Duration::from_millis(1), "{went:?} {at:?}");
        }
    }

    #[test]
    fn a_cancelled_ticket_is_at_most_lost(
        asks in moments(), gone in prop::collection::vec(any::<bool>(), 120),
    ) {
        let (rate, burst) = (5.0, 3.0);
        let mut pace = Pace::new(rate, burst, Duration::ZERO);
        let went = simulate(&mut pace, asks, &[]);
        let stayed: Vec<_> = went.into_iter().zip(gone).filter(|(_, gone)| !gone).collect();
        for pair in stayed.windows(2) {
            prop_assert!(pair[0].0 <= pair[1].0);
        }
        for (count, end) in stayed.iter().enumerate() {
            let count = u32::try_from(count + 1).unwrap();
            prop_assert!(f64::from(count) <= most(rate, burst, end.0));
        }
    }
}

#[test]
fn a_full_queue_goes_at_the_wanted_rate() {
    for (rate, burst) in [(600.0, 600.0), (500.0, 1.0), (9.0, 9.0), (0.5, 1.0)] {
        let mut pace = Pace::new(rate, burst, Duration::ZERO);
        let went = simulate(&mut pace, vec![Duration::ZERO; 3000], &[]);
        let after_burst = f64::from(3000_u32) - burst;
        let achieved = after_burst / went[2999].as_secs_f64();
        assert!(achieved >= 0.99 * rate, "{achieved} of {rate}");
        assert!(achieved <= 1.01 * rate, "{achieved} of {rate}");
    }
}

#[test]
fn a_throttle_takes_a_quarter_of_the_rate_and_time_brings_it_back() {
    let second = Duration::from_secs;
    let mut pace = Pace::new(16.0, 16.0, Duration::ZERO);
    let mut sixteenths = Vec::new();
    for throttle in [1, 2, 3, 4, 5, 6, 7, 8] {
        let at = Duration::from_millis(500 * throttle);
        assert!(pace.throttled(at, None, at));
        sixteenths.push(pace.factor(at) * 16.0);
    }
    assert_eq!(sixteenths, [12.0, 9.0, 6.0, 4.0, 3.0, 2.0, 1.0, 1.0]);
    assert!((pace.factor(second(8)) - 0.0625).abs() < 1e-9);
    assert!((pace.factor(second(9)) - 0.125).abs() < 1e-9);
    assert!((pace.factor(second(14)) - 0.1875).abs() < 1e-9);
    assert!(!pace.is_idle(second(78)));
    assert!((pace.factor(second(79)) - 1.0).abs() < 1e-9);
    assert!(pace.is_idle(second(81)));
}

#[test]
fn a_single_throttle_costs_a_list_of_a_minute_less_than_four_seconds() {
    let pages = |throttles: &[Duration]| {
        let mut pace = Pace::within(8.0, 12.0, 1.0, Duration::ZERO);
        let went = simulate(&mut pace, vec![Duration::ZERO; 500], throttles);
        went[499]
    };
    let undisturbed = pages(&[]);
    assert!(undisturbed.abs_diff(Duration::from_secs(61) + JITTER) < Duration::from_millis(1));
    let cost = pages(&[Duration::from_secs(10)]).abs_diff(undisturbed);
    assert!(cost < Duration::from_secs(4), "{cost:?}");
}

/// AWS's bucket, exactly: how many of these arrivals it refuses.
fn refused(rate: f64, burst: f64, mut arrivals: Vec<Duration>) -> usize {
    arrivals.sort();
    let (mut tokens, mut at) = (burst, Duration::ZERO);
    let mut count = 0;
    for arrival in arrivals {
        let flowed = arrival.saturating_sub(at).as_secs_f64();
        (tokens, at) = ((tokens + rate * flowed).min(burst), arrival);
        if tokens >= 1.0 - 1e-6 {
            tokens -= 1.0;
        } else {
            count += 1;
        }
    }
    count
}

/// Every call takes its own time to AWS, up to `JITTER`, drawn from a seed; the first one takes all
/// of it, as one does that opens the connection.
fn arrivals(went: &[Duration], seed: u64) -> Vec<Duration> {
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
    let mut chance = StdRng::seed_from_u64(seed);
    let arrive = |(place, went): (usize, &Duration)| {
        let late: f64 = chance.random_range(0.0..=1.0);
        *went + JITTER.mul_f64(if place == 0 { 1.0 } else { late })
    };
    went.iter().enumerate().map(arrive).collect()
}

/// The quotas that are used up: STS, the account list, reads of trails, of filters, of the organization.
const QUOTAS: [(f64, f64); 6] = [
    (600.0, 600.0),
    (8.0, 12.0),
    (10.0, 10.0),
    (5.0, 5.0),
    (1.0, 2.0),
    (30.0, 30.0),
];

#[test]
fn nobody_is_refused_at_the_whole_quota_however_calls_are_delayed() {
    for (rate, burst) in QUOTAS {
        for seed in 0..10 {
            let mut pace = Pace::within(rate, burst, 1.0, Duration::ZERO);
            let went = simulate(&mut pace, vec![Duration::ZERO; 1500], &[]);
            assert_eq!(refused(rate, burst, arrivals(&went, seed)), 0, "{rate}/s");
            let fastest = Duration::from_secs_f64((1500.0 - burst) / rate);
            assert!(went[1499] < fastest + JITTER + Duration::from_millis(1));
        }
    }
}

#[test]
fn without_something_in_hand_a_late_first_call_costs_later_ones() {
    let (rate, burst) = (8.0, 12.0);
    let mut pace = Pace::new(rate, burst, Duration::ZERO);
    let went = simulate(&mut pace, vec![Duration::ZERO; 500], &[]);
    assert!(refused(rate, burst, arrivals(&went, 1)) > 0);
}

proptest! {
    #[test]
    fn nobody_is_refused_who_comes_and_goes_either(
        which in 0..QUOTAS.len(), share in 0.05_f64..=1.0, asks in moments(), seed in any::<u64>(),
    ) {
        let (rate, burst) = QUOTAS[which];
        let mut pace = Pace::within(rate, burst, share, Duration::ZERO);
        let went = simulate(&mut pace, asks, &[]);
        prop_assert_eq!(refused(rate, burst, arrivals(&went, seed)), 0);
    }
}

#[test]
fn what_was_in_flight_when_the_rate_was_lowered_does_not_lower_it_again() {
    let at = Duration::from_millis;
    let mut pace = Pace::new(16.0, 16.0, Duration::ZERO);
    assert!(pace.throttled(at(100), None, at(150)));
    for _ in 0..50 {
        assert!(!pace.throttled(at(120), None, at(160)));
    }
    assert!((pace.factor(at(200)) - 0.75).abs() < 1e-9);
}

#[test]
fn a_throttle_puts_off_everybody_who_waits() {
    let mut pace = Pace::new(10.0, 1.0, Duration::ZERO);
    let tickets: Vec<_> = (0..11).map(|_| pace.take(Duration::ZERO)).collect();
    assert_eq!(pace.wait_for(tickets[0], Duration::ZERO), None);
    let last = pace.wait_for(tickets[10], Duration::ZERO).unwrap();
    assert_eq!(last, Duration::from_secs(1));
    pace.throttled(Duration::ZERO, None, Duration::ZERO);
    let last = pace.wait_for(tickets[10], Duration::ZERO).unwrap();
    // What 10 at 7.5 a second take, and the pause.
    assert!(last.abs_diff(Duration::from_secs_f64(0.5 + 10.0 / 7.5)) < Duration::from_micros(1));
    // AWS asks for more.
    pace.throttled(Duration::ZERO, Some(Duration::from_secs(3)), Duration::ZERO);
    let last = pace.wait_for(tickets[10], Duration::ZERO).unwrap();
    assert!(last.abs_diff(Duration::from_secs_f64(3.0 + 10.0 / 7.5)) < Duration::from_micros(1));
}

#[test]
fn what_is_foreseen_counts_with_the_rate_that_comes_back() {
    let mut pace = Pace::new(1.0, 1.0, Duration::ZERO);
    pace.throttled(Duration::from_nanos(1), None, Duration::from_nanos(1));
    let tickets: Vec<_> = (0..100)
        .map(|_| pace.take(Duration::from_nanos(2)))
        .collect();
    let foreseen = pace.wait_for(tickets[99], Duration::from_nanos(2)).unwrap();
    let (before, after) = (Duration::from_millis(2), Duration::from_micros(2));
    assert!(
        pace.wait_for(tickets[99], foreseen.saturating_sub(before))
            .is_some()
    );
    assert_eq!(pace.wait_for(tickets[99], foreseen + after), None);
}
