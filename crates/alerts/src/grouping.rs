//! Which drifts are told together: those of one sweep and one cause.
//!
//! A trail of the organization that stops breaks fifteen controls in ten thousand accounts. That is one
//! thing that happened, so that it is one alert, with a count.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::Timestamp;
use model::{
    AccountId, AccountSide, AlertId, ControlId, Drift, DriftId, DriftKind, DriftSide, LastsWhile,
    Severity, SweepId, Verdict,
};

#[cfg(test)]
mod tests;

/// A drift with the times of its sweeps.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenDrift {
    /// The drift.
    pub drift: Drift,
    /// When the sweep that saw it began.
    pub seen_at: Timestamp,
    /// When the last sweep that saw it as it was before began.
    pub last_before_at: Option<Timestamp>,
    /// What tells the act behind it from others of its kind (`drift::act`).
    pub act: Option<String>,
}

/// Drifts that are told together. Only one of them is kept in full: a storm has a hundred thousand.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The name of the alert that it makes.
    pub id: AlertId,
    /// The sweep that saw them.
    pub sweep: SweepId,
    /// The gravest, which stands for all.
    pub lead: SeenDrift,
    /// The highest severity.
    pub severity: Severity,
    /// The rows of all of them.
    pub rows: Vec<i64>,
    /// The accounts of all of them.
    pub accounts: BTreeSet<AccountId>,
    /// The controls of all of them.
    pub controls: BTreeSet<ControlId>,
    /// What is known of accounts that a drift is about as a whole: one that left is known nowhere else.
    pub sides: BTreeMap<AccountId, AccountSide>,
    /// Whether one of them is of an account as a whole.
    pub is_of_whole_accounts: bool,
    /// What has to be well again before the alert ends.
    pub lasts_while: Option<LastsWhile>,
    /// The beginning of the last sweep that saw any of them as it was before; the earliest counts.
    pub last_before: Option<(SweepId, Timestamp)>,
}

/// Drifts that belong together, by the name of the alert that they make.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    groups: BTreeMap<AlertId, Group>,
    are_settled: bool,
}

impl Groups {
    /// Groups of what came to rest: told anew, whatever was told of the same sweep and cause before.
    pub fn of_settled() -> Self {
        Self {
            are_settled: true,
            ..Self::default()
        }
    }

    /// Adds a drift, which is the row of this number; the name of its group.
    pub fn add(&mut self, row: i64, seen: SeenDrift) -> AlertId {
        let id = alert_of(&seen, self.are_settled);
        let drift = &seen.drift;
        let last_before = (drift.between.last_before).zip(seen.last_before_at);
        match self.groups.get_mut(&id) {
            None => {
                let group = Group {
                    id,
                    sweep: drift.between.seen,
                    severity: drift.severity,
                    rows: vec![row],
                    accounts: drift
                        .account
                        .iter()
                        .chain(&drift.accounts)
                        .copied()
                        .collect(),
                    controls: drift.control.iter().cloned().collect(),
                    sides: side(drift).into_iter().collect(),
                    is_of_whole_accounts: drift.control.is_none(),
                    lasts_while: lasts_while(drift),
                    last_before,
                    lead: seen,
                };
                self.groups.insert(id, group);
            }
            Some(group) => {
                group.rows.push(row);
                group.severity = group.severity.max(drift.severity);
                group
                    .accounts
                    .extend(drift.account.iter().chain(&drift.accounts));
                group.controls.extend(drift.control.iter().cloned());
                group.sides.extend(side(drift));
                group.is_of_whole_accounts |= drift.control.is_none();
                group.lasts_while = group.lasts_while.or(lasts_while(drift));
                // What was nowhere before has no beginning that would bracket the others.
                group.last_before = match (group.last_before, last_before) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
                if rank(drift) < rank(&group.lead.drift) {
                    group.lead = seen;
                }
            }
        }
        id
    }

    /// The groups.
    pub fn into_groups(self) -> impl Iterator<Item = Group> {
        self.groups.into_values()
    }
}

/// The gravest comes first, and of those the one that says most; then by account, so that whoever asks
/// again gets the same.
fn rank(drift: &Drift) -> (Reverse<Severity>, DriftKind, Option<AccountId>, DriftId) {
    (Reverse(drift.severity), drift.kind, drift.account, drift.id)
}

/// The name of the alert that a drift belongs to.
///
/// What changed along a chain is one thing, whether it broke a verdict, gave it another reason or only
/// changed what it rests on; so is all that was rejudged, whatever its cause.
fn alert_of(seen: &SeenDrift, is_settled: bool) -> AlertId {
    let drift = &seen.drift;
    let (family, cause) = match drift.kind {
        DriftKind::VerdictChanged if drift.is_recovery() => ("recovery", drift.cause.as_str()),
        DriftKind::VerdictChanged if verdict_after(drift) == Some(Verdict::NotApplicable) => {
            ("not-applicable", drift.cause.as_str())
        }
        DriftKind::VerdictChanged | DriftKind::ReasonChanged | DriftKind::EvidenceChanged => {
            ("chain", drift.cause.as_str())
        }
        DriftKind::Rejudged | DriftKind::ControlAdded => (drift.kind.code(), ""),
        kind => (kind.code(), drift.cause.as_str()),
    };
    let (sweep, flaps) = (drift.between.seen, drift.is_flapping());
    match &seen.act {
        Some(act) => AlertId::of(&(family, sweep, cause, flaps, is_settled, act)),
        None => AlertId::of(&(family, sweep, cause, flaps, is_settled)),
    }
}

/// The account of a drift, as AWS Organizations last told of it.
fn side(drift: &Drift) -> Option<(AccountId, AccountSide)> {
    let of_account = |side: &Option<DriftSide>| match side {
        Some(DriftSide::Account(side)) => Some(side.clone()),
        _ => None,
    };
    let side = of_account(&drift.after).or_else(|| of_account(&drift.before))?;
    Some((drift.account?, side))
}

fn verdict_after(drift: &Drift) -> Option<Verdict> {
    match &drift.after {
        Some(DriftSide::Finding(finding)) => Some(finding.verdict),
        _ => None,
    }
}

fn lasts_while(drift: &Drift) -> Option<LastsWhile> {
    match drift.kind {
        DriftKind::VerdictChanged if verdict_after(drift) == Some(Verdict::Fail) => {
            Some(LastsWhile::Broken)
        }
        DriftKind::ExceptionExpired => Some(LastsWhile::Broken),
        DriftKind::BecameUnknown => Some(LastsWhile::Unseen),
        _ => None,
    }
}
