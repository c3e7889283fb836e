//! How many failed attempts to come in there may be.
//!
//! Nobody guesses 256 bits: what this bounds is the work and the log that guessing makes. So it counts failures
//! alone, and whoever shows a token that is taken comes in at any time, also behind a proxy that an attacker
//! shares.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// Of one address: ten at once, and one more every six seconds.
const OF_ONE: Rate = Rate {
    every: SignedDuration::from_secs(6),
    at_once: 10,
};

/// Of all together: a hundred at once, and five more every second.
const OF_ALL: Rate = Rate {
    every: SignedDuration::from_millis(200),
    at_once: 100,
};

/// How many addresses are told apart. What comes beyond them is counted as one.
const ADDRESSES: usize = 4096;

#[derive(Debug, Clone, Copy)]
struct Rate {
    every: SignedDuration,
    at_once: i32,
}

impl Rate {
    /// Counts one more at `now` and says how long to wait where that is too many. `full_at` is when all that
    /// was counted will be forgotten.
    fn count(self, full_at: &mut Timestamp, now: Timestamp) -> Option<SignedDuration> {
        let from = (*full_at).max(now);
        let ahead = from.duration_since(now) + self.every;
        let excess = ahead - self.every * self.at_once;
        if excess.is_positive() {
            return Some(excess);
        }
        *full_at = from.checked_add(self.every).unwrap_or(from);
        None
    }
}

/// Counts failed attempts.
#[derive(Debug)]
pub(crate) struct Throttle(Mutex<Counted>);

#[derive(Debug)]
struct Counted {
    all: Timestamp,
    /// Of addresses that find no place.
    others: Timestamp,
    each: HashMap<IpAddr, Timestamp>,
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Counted {
            all: Timestamp::MIN,
            others: Timestamp::MIN,
            each: HashMap::new(),
        }))
    }

    /// Counts a failed attempt; says how long to wait if there were too many.
    pub(super) fn failed(&self, from: IpAddr, now: Timestamp) -> Option<SignedDuration> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = network(from);
        if counted.each.len() >= ADDRESSES && !counted.each.contains_key(&from) {
            counted.each.retain(|_, full_at| *full_at > now);
        }
        let Counted { all, others, each } = &mut *counted;
        let is_full = each.len() >= ADDRESSES;
        let one = match each.get_mut(&from) {
            Some(one) => one,
            None if is_full => others,
            None => each.entry(from).or_insert(Timestamp::MIN),
        };
        OF_ONE.count(one, now).or_else(|| OF_ALL.count(all, now))
    }
}

/// Who has one address of IPv6 has the network around it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn ten_at_once_and_then_one_every_six_seconds() {
        let throttle = Throttle::new();
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        for attempt in 0..10 {
            assert_eq!(throttle.failed(one, at(0)), None, "{attempt}");
        }
        let wait = throttle.failed(one, at(0)).unwrap();
        assert_eq!(wait, SignedDuration::from_secs(6));
        // Another is another's.
        assert_eq!(throttle.failed("192.0.2.2".parse().unwrap(), at(0)), None);
        assert!(throttle.failed(one, at(5)).is_some());
        assert_eq!(throttle.failed(one, at(6)), None);
        assert!(throttle.failed(one, at(6)).is_some());
        for attempt in 0..10 {
            assert_eq!(throttle.failed(one, at(1000)), None, "{attempt}");
        }
    }

    #[test]
    fn all_together_are_bounded_and_so_is_memory() {
        let throttle = Throttle::new();
        let mut refused = 0;
        for number in 0..20_000_u32 {
            let from = IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number));
            refused += u32::from(throttle.failed(from, at(0)).is_some());
        }
        assert_eq!(refused, 20_000 - 100);
        assert!(throttle.0.lock().unwrap().each.len() <= ADDRESSES);
        // What is forgotten makes room.
        assert_eq!(
            throttle.failed("192.0.2.1".parse().unwrap(), at(1000)),
            None
        );
        assert_eq!(throttle.0.lock().unwrap().each.len(), 1);
    }

    #[test]
    fn a_network_of_ipv6_is_one() {
        let throttle = Throttle::new();
        let mut refused = 0;
        for number in 0..20_u16 {
            let from = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, number));
            refused += u32::from(throttle.failed(from, at(0)).is_some());
        }
        assert_eq!(refused, 10);
    }
}
