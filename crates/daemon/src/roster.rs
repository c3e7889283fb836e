//! Which accounts are to be looked at, and whether what was found may be committed.
//!
//! An account that is only remembered from an earlier sweep is looked at before the fresh list says
//! that it still exists. What comes of it is held until the list shows the account: one that left is
//! dropped, and one that was suspended meanwhile is not taken for one that refuses the role.

use std::collections::{BTreeSet, HashMap, VecDeque};

use model::{Account, AccountId};

#[cfg(test)]
mod tests;

/// How many results at the most wait for the fresh list. Each takes some ten kilobytes; looking
/// further ahead than this gains nothing, since the list is read faster than accounts are.
const HELD_AT_MOST: usize = 512;

/// The accounts of a sweep; `R` is what a look at one comes to.
pub(crate) struct Roster<R> {
    places: HashMap<AccountId, Place<R>>,
    /// Judged before the sweep was resumed.
    done: BTreeSet<AccountId>,
    /// To be looked at, shown by the fresh list.
    fresh: VecDeque<AccountId>,
    /// To be looked at, from memory. Those that the list has shown meanwhile are skipped.
    remembered: VecDeque<AccountId>,
    /// To be looked at once more when all others are done.
    later: Vec<AccountId>,
    /// How many looks and results rest on memory alone.
    ahead: usize,
}

struct Place<R> {
    account: Account,
    is_fresh: bool,
    stage: Stage<R>,
}

enum Stage<R> {
    Waiting,
    Looking,
    Held(R),
    Later,
    Done,
}

impl<R> Roster<R> {
    /// The roster of a sweep in which these accounts are judged already.
    pub(crate) fn without(done: BTreeSet<AccountId>) -> Self {
        Self {
            places: HashMap::new(),
            done,
            fresh: VecDeque::new(),
            remembered: VecDeque::new(),
            later: Vec::new(),
            ahead: 0,
        }
    }

    /// Takes accounts from memory, before the list shows them.
    pub(crate) fn remember(&mut self, accounts: Vec<Account>) {
        for account in accounts {
            if self.done.contains(&account.id) {
                continue;
            }
            self.remembered.push_back(account.id);
            let place = Place {
                account,
                is_fresh: false,
                stage: Stage::Waiting,
            };
            self.places.insert(place.account.id, place);
        }
    }

    /// Takes an account from the fresh list. A result that waited for it is given back, with the
    /// account as it is now.
    pub(crate) fn list(&mut self, account: Account) -> Option<(Account, R)> {
        let id = account.id;
        if self.done.contains(&id) {
            return None;
        }
        let Some(place) = self.places.get_mut(&id) else {
            let place = Place {
                account,
                is_fresh: true,
                stage: Stage::Waiting,
            };
            self.places.insert(id, place);
            self.fresh.push_back(id);
            return None;
        };
        place.account = account;
        self.confirm(id)
    }

    /// Notes that the list shows no more. What was only remembered is gone if the list is the whole
    /// one, and otherwise as good as it was.
    pub(crate) fn end_list(&mut self, is_whole: bool) -> Vec<(Account, R)> {
        if is_whole {
            self.places.retain(|_, place| place.is_fresh);
            self.remembered.clear();
            self.ahead = 0;
            return Vec::new();
        }
        let unseen: BTreeSet<AccountId> = (self.places.iter())
            .filter(|(_, place)| !place.is_fresh)
            .map(|(id, _)| *id)
            .collect();
        (unseen.into_iter())
            .filter_map(|id| self.confirm(id))
            .collect()
    }

    fn confirm(&mut self, id: AccountId) -> Option<(Account, R)> {
        let place = self.places.get_mut(&id)?;
        if place.is_fresh {
            return None;
        }
        place.is_fresh = true;
        match std::mem::replace(&mut place.stage, Stage::Done) {
            Stage::Held(result) => {
                self.ahead = self.ahead.saturating_sub(1);
                return Some((place.account.clone(), result));
            }
            Stage::Waiting => {
                place.stage = Stage::Waiting;
                self.fresh.push_back(id);
            }
            Stage::Looking => {
                place.stage = Stage::Looking;
                self.ahead = self.ahead.saturating_sub(1);
            }
            stage @ (Stage::Later | Stage::Done) => place.stage = stage,
        }
        None
    }

    /// The next account to look at, if one is due.
    pub(crate) fn next(&mut self) -> Option<Account> {
        if let Some(account) = self.next_of(true) {
            return Some(account);
        }
        if self.ahead >= HELD_AT_MOST {
            return None;
        }
        let account = self.next_of(false)?;
        self.ahead += 1;
        Some(account)
    }

    fn next_of(&mut self, is_fresh: bool) -> Option<Account> {
        loop {
            let queue = if is_fresh {
                &mut self.fresh
            } else {
                &mut self.remembered
            };
            let id = queue.pop_front()?;
            if let Some(place) = self.places.get_mut(&id)
                && place.is_fresh == is_fresh
                && matches!(place.stage, Stage::Waiting)
            {
                place.stage = Stage::Looking;
                return Some(place.account.clone());
            }
        }
    }

    /// Notes what a look came to; `None`: it is to be repeated. A result that may be committed is
    /// given back, with the account as it is now.
    pub(crate) fn looked(&mut self, id: AccountId, result: Option<R>) -> Option<(Account, R)> {
        // An account that left meanwhile has no place any more.
        let place = self.places.get_mut(&id)?;
        let Some(result) = result else {
            place.stage = Stage::Later;
            if !place.is_fresh {
                self.ahead = self.ahead.saturating_sub(1);
            }
            self.later.push(id);
            return None;
        };
        if place.is_fresh {
            place.stage = Stage::Done;
            return Some((place.account.clone(), result));
        }
        place.stage = Stage::Held(result);
        None
    }

    /// Puts those that are to be looked at again in line. Whether there are any.
    pub(crate) fn begin_last_round(&mut self) -> bool {
        for id in std::mem::take(&mut self.later) {
            if let Some(place) = self.places.get_mut(&id) {
                place.stage = Stage::Waiting;
                self.fresh.push_back(id);
            }
        }
        !self.fresh.is_empty()
    }

    /// How many accounts are in scope, as far as that is known.
    pub(crate) fn len(&self) -> usize {
        self.places.len() + self.done.len()
    }
}
