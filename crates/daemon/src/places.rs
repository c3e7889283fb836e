//! The places of the accounts that are looked at at the same time.
//!
//! An account keeps its place for as long as healthy ones take. One that waits longer gives it to the
//! next account and is waited for beside: otherwise as many silent accounts as there are places would
//! hold up all others until their deadline.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use model::AccountId;
use tokio::time::Instant;

/// How long an account keeps its place: several times what entering it and asking for its trails takes.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many accounts at the most are waited for beside. Each holds a connection and some 50 KiB; with
/// the places they stay below the 1,024 files that a process may have open unless told otherwise.
const BESIDE_AT_MOST: usize = 512;

/// Who is being looked at.
pub(crate) struct Places {
    count: usize,
    /// In the order in which they began.
    taken: VecDeque<(AccountId, Instant)>,
    beside: BTreeSet<AccountId>,
}

impl Places {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            count: count.max(1),
            taken: VecDeque::new(),
            beside: BTreeSet::new(),
        }
    }

    /// Who has waited too long by now waits beside.
    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some((account, begun)) = self.taken.front()
            && *begun + PATIENCE <= now
            && self.beside.len() < BESIDE_AT_MOST
        {
            self.beside.insert(*account);
            self.taken.pop_front();
        }
    }

    /// Whether there is a place for one more. `queued` calls wait for a quota that all accounts share:
    /// the accounts behind them count, for more of them would only wait longer.
    pub(crate) fn is_free(&self, queued: usize) -> bool {
        self.taken.len() + queued.min(self.beside.len()) < self.count
    }

    /// When the next account loses its place, if that can be.
    pub(crate) fn next_free(&self) -> Option<Instant> {
        let (_, begun) = self.taken.front()?;
        (self.beside.len() < BESIDE_AT_MOST).then(|| *begun + PATIENCE)
    }

    pub(crate) fn take(&mut self, account: AccountId, now: Instant) {
        self.taken.push_back((account, now));
    }

    pub(crate) fn leave(&mut self, account: AccountId) {
        if !self.beside.remove(&account) {
            self.taken.retain(|(other, _)| *other != account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: usize) -> AccountId {
        format!("{number:012}").parse().unwrap()
    }

    fn full(count: usize, now: Instant) -> Places {
        let mut places = Places::new(count);
        for number in 0..count {
            assert!(places.is_free(0));
            places.take(account(number), now);
        }
        places
    }

    #[test]
    fn a_place_is_free_when_its_account_is_done_or_has_waited_too_long() {
        let start = Instant::now();
        let mut places = full(3, start);
        assert!(!places.is_free(0));
        places.leave(account(1));
        assert!(places.is_free(0));
        places.take(account(7), start + PATIENCE / 2);
        places.advance(start + PATIENCE / 2);
        assert!(!places.is_free(0));
        assert_eq!(places.next_free(), Some(start + PATIENCE));
        places.advance(start + PATIENCE);
        assert!(places.is_free(0));
        assert_eq!(places.next_free(), Some(start + PATIENCE * 3 / 2));
        places.leave(account(0));
        assert_eq!((places.taken.len(), places.beside.len()), (1, 1));
    }

    #[test]
    fn who_waits_for_a_shared_quota_keeps_the_place() {
        let start = Instant::now();
        let mut places = full(3, start);
        places.advance(start + PATIENCE);
        assert!(!places.is_free(3));
        assert!(places.is_free(2));
    }

    #[test]
    fn those_beside_are_bounded() {
        let start = Instant::now();
        let mut places = full(BESIDE_AT_MOST + 2, start);
        places.advance(start + PATIENCE);
        assert!(places.is_free(0));
        assert_eq!(places.taken.len(), 2);
        assert_eq!(places.next_free(), None);
    }
}
