//! Which accounts are looked at again soon after something was found in them. Pure: what the sweeps since
//! the last one of the whole scope came to is an argument.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::{AccountId, DriftKind};

#[cfg(test)]
mod tests;

/// An account is looked at again so often between two sweeps of the whole scope, each time after twice the
/// pause: what comes and goes must not be followed for ever.
const IN_A_ROW: u32 = 2;

/// What becomes due within this time is looked at together.
const TOGETHER: SignedDuration = SignedDuration::from_secs(30);

/// How soon something is looked at again, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecheckRule {
    /// How long after something changed.
    pub after_drift: SignedDuration,
    /// How long after something could not be seen.
    pub after_unknown: SignedDuration,
    /// How many accounts at the most; zero for none at all. Where more are in trouble, one stands for
    /// all that have the same cause.
    pub accounts_at_most: usize,
}

/// What was found in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    /// Something is not as it was.
    Drift,
    /// Something can no longer be seen, or never could.
    Unknown,
}

impl Found {
    /// What a drift asks to be looked at again for; `None` if it will not be otherwise in minutes.
    pub(crate) fn by(kind: DriftKind) -> Option<Self> {
        match kind {
            DriftKind::VerdictChanged | DriftKind::ReasonChanged | DriftKind::EvidenceChanged => {
                Some(Self::Drift)
            }
            DriftKind::BecameUnknown => Some(Self::Unknown),
            DriftKind::VisibleAgain
            | DriftKind::AccountJoined
            | DriftKind::AccountLeft
            | DriftKind::AccountMoved
            | DriftKind::AccountStateChanged
            | DriftKind::AccountRenamed
            | DriftKind::ControlAdded
            | DriftKind::Rejudged
            | DriftKind::ExceptionExpired => None,
        }
    }
}

/// What a sweep found that is worth a second look, by account: what, and from which cause.
pub(crate) type Troubles = BTreeMap<AccountId, (Found, String)>;

/// A sweep that ended, as far as this is concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Looked {
    /// When it ended.
    pub(crate) ended_at: Timestamp,
    /// The accounts that it was made for, if it came to its end; the first one is of the whole scope, and
    /// names none.
    pub(crate) at: BTreeSet<AccountId>,
    /// What it found.
    pub(crate) troubles: Troubles,
}

/// Accounts to be looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recheck {
    /// Not before this time.
    pub(crate) at: Timestamp,
    /// These.
    pub(crate) accounts: BTreeSet<AccountId>,
}

impl RecheckRule {
    /// What is to be looked at again, and when. `looked` are the last finished sweep of the whole scope and
    /// those after it, in their order.
    ///
    /// An account that was looked at since it was found in trouble is done with, unless it was found so
    /// again.
    pub(crate) fn next(&self, management: Option<AccountId>, looked: &[Looked]) -> Option<Recheck> {
        if self.accounts_at_most == 0 {
            return None;
        }
        let mut due: BTreeMap<AccountId, Timestamp> = BTreeMap::new();
        for (place, sweep) in looked.iter().enumerate() {
            for account in self.worth_a_look(management, &sweep.troubles) {
                let Some((found, _)) = sweep.troubles.get(&account) else {
                    continue;
                };
                let (before, after) = looked.split_at(place + 1);
                let has = |sweeps: &[Looked]| {
                    let with = sweeps.iter().filter(|sweep| sweep.at.contains(&account));
                    u32::try_from(with.count()).unwrap_or(u32::MAX)
                };
                let in_a_row = has(before);
                if in_a_row >= IN_A_ROW || has(after) > 0 {
                    continue;
                }
                let pause = match found {
                    Found::Drift => self.after_drift,
                    Found::Unknown => self.after_unknown,
                };
                let pause = pause.saturating_mul(1 << in_a_row);
                let at = sweep.ended_at.checked_add(pause);
                due.insert(account, at.unwrap_or(Timestamp::MAX));
            }
        }
        let first = *due.values().min()?;
        let together = first.checked_add(TOGETHER).unwrap_or(first);
        let accounts = (due.into_iter())
            .filter(|(_, at)| *at <= together)
            .map(|(account, _)| account)
            .take(self.accounts_at_most)
            .collect();
        Some(Recheck {
            at: first,
            accounts,
        })
    }

    /// All accounts in trouble, or, where these are too many, one for each cause, the most frequent causes
    /// first: what ten thousand accounts have in common shows in one of them.
    fn worth_a_look(&self, management: Option<AccountId>, troubles: &Troubles) -> Vec<AccountId> {
        if troubles.len() <= self.accounts_at_most {
            return troubles.keys().copied().collect();
        }
        let mut causes: BTreeMap<&(Found, String), (usize, AccountId)> = BTreeMap::new();
        for (account, cause) in troubles {
            let (count, stands_for) = causes.entry(cause).or_insert((0, *account));
            *count += 1;
            if Some(*account) == management {
                *stands_for = *account;
            }
        }
        let mut causes: Vec<(usize, AccountId)> = causes.into_values().collect();
        causes.sort_by_key(|(count, account)| (std::cmp::Reverse(*count), *account));
        (causes.into_iter())
            .map(|(_, account)| account)
            .take(self.accounts_at_most)
            .collect()
    }
}
