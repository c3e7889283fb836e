//! What is told of a sweep and not of one account's findings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::{
    Account, AccountId, ControlId, Drift, DriftId, DriftKind, DriftSide, Exception, Finding,
    RememberedAccount, Severity, SweepId, Verdict,
};

use crate::{
    compare::{SweepContext, last_seen},
    draft::{Draft, account_side, finding_side},
    sentence,
};

#[cfg(test)]
mod tests;

/// An account that the whole account list no longer shows.
pub fn account_left(context: &SweepContext, remembered: &RememberedAccount) -> Drift {
    let account: &Account = &remembered.account;
    Draft {
        kind: DriftKind::AccountLeft,
        severity: Severity::Medium,
        account: Some(account.id),
        control: None,
        cause: DriftKind::AccountLeft.code().to_owned(),
        message: format!("{} left the organization", sentence::account(account)),
        last_before: last_seen(remembered),
        before: Some(account_side(account)),
        after: None,
        changes: Vec::new(),
    }
    .named(context.sweep)
}

/// A control that is judged for the first time, once for all accounts. The first sweep of a store has
/// nothing to tell it from.
pub fn control_added(context: &SweepContext, control: &ControlId) -> Drift {
    Draft {
        kind: DriftKind::ControlAdded,
        severity: Severity::Info,
        account: None,
        control: Some(control.clone()),
        cause: format!("{} {control}", DriftKind::ControlAdded),
        message: format!("{control} is judged for the first time"),
        last_before: None,
        before: None,
        after: None,
        changes: Vec::new(),
    }
    .named(context.sweep)
}

/// An exception that accepts nothing any more.
#[derive(Debug, Clone, Copy)]
pub struct EndedException<'a> {
    /// The exception.
    pub exception: &'a Exception,
    /// When it was removed; `None` where it expired.
    pub removed_at: Option<Timestamp>,
}

impl EndedException<'_> {
    /// When it ended.
    pub fn ended_at(&self) -> Timestamp {
        let expires_at = self.exception.expires_at;
        (self.removed_at).map_or(expires_at, |removed| removed.min(expires_at))
    }

    /// Which it was, and how it ended. Somebody wrote owner, ticket and reason by hand.
    fn in_words(&self) -> String {
        let exception = self.exception;
        let ticket = (exception.ticket.as_deref()).map_or_else(String::new, |ticket| {
            format!(", {}", sentence::short(ticket))
        });
        let is_removed = (self.removed_at).is_some_and(|at| at < exception.expires_at);
        format!(
            "the exception {} of {}{ticket} ({}) {} at {:.0}",
            exception.id(),
            sentence::short(&exception.owner),
            sentence::short(&exception.reason),
            if is_removed { "was removed" } else { "expired" },
            self.ended_at(),
        )
    }
}

/// A finding that was accepted until its exception expired or was removed; `None` where there is nothing
/// left to accept. `last_before` is the last sweep that still had the exception.
pub fn exception_expired(
    context: &SweepContext,
    finding: &Finding,
    of: &Account,
    ended: EndedException<'_>,
    last_before: Option<SweepId>,
) -> Option<Drift> {
    let kind = DriftKind::ExceptionExpired;
    let severity = match finding.verdict() {
        Verdict::Fail if context.management_account == Some(finding.account) => Severity::High,
        Verdict::Fail => Severity::Medium,
        Verdict::Unknown => Severity::Low,
        Verdict::Pass | Verdict::NotApplicable => return None,
    };
    let draft = Draft {
        kind,
        severity,
        account: Some(finding.account),
        control: Some(finding.control.clone()),
        cause: format!("exception {}", ended.exception.id()),
        message: format!(
            "{} in account {} is no longer accepted: {}; it is {}: {}",
            finding.control,
            sentence::account(of),
            ended.in_words(),
            finding.verdict(),
            finding.message
        ),
        last_before,
        before: None,
        after: Some(finding_side(finding)),
        changes: Vec::new(),
    };
    Some(draft.named(context.sweep))
}

/// Folds drifts of one kind and cause into one notice that names the accounts.
///
/// Meant for the drifts of one sweep, such as all that were rejudged. A drift that stands alone is left
/// as it is; the notice takes before, after and changes from the first.
pub fn grouped(drifts: impl IntoIterator<Item = Drift>) -> Vec<Drift> {
    let grouped = grouped_with_ids(drifts).into_iter();
    grouped.map(|(notice, _)| notice).collect()
}

/// The same, each with the names of the drifts that it stands for.
pub fn grouped_with_ids(drifts: impl IntoIterator<Item = Drift>) -> Vec<(Drift, Vec<DriftId>)> {
    (groups(drifts, |drift| drift, |_| None).into_iter())
        .filter_map(|drifts| {
            let ids = drifts.iter().map(|drift| drift.id).collect();
            Some((notice(drifts)?, ids))
        })
        .collect()
}

/// Puts together what is of one kind, sweep and cause, and went from the same verdict to the same; where
/// each is an act of its own, what [`act`](crate::act) says of it has to be the same as well.
pub fn groups<T>(
    items: impl IntoIterator<Item = T>,
    drift: impl Fn(&T) -> &Drift,
    act: impl Fn(&T) -> Option<String>,
) -> Vec<Vec<T>> {
    type Way = (Option<Verdict>, Option<Verdict>);
    type Key = (DriftKind, SweepId, String, Way, Option<String>);
    let mut groups: BTreeMap<Key, Vec<T>> = BTreeMap::new();
    for item in items {
        let act = act(&item);
        let drift = drift(&item);
        let way = (
            verdict(drift.before.as_ref()),
            verdict(drift.after.as_ref()),
        );
        let key = (
            drift.kind,
            drift.between.seen,
            drift.cause.clone(),
            way,
            act,
        );
        groups.entry(key).or_default().push(item);
    }
    groups.into_values().collect()
}

fn verdict(side: Option<&DriftSide>) -> Option<Verdict> {
    match side {
        Some(DriftSide::Finding(finding)) => Some(finding.verdict),
        _ => None,
    }
}

fn notice(drifts: Vec<Drift>) -> Option<Drift> {
    let accounts: BTreeSet<AccountId> = (drifts.iter())
        .flat_map(|drift| drift.account.iter().chain(&drift.accounts))
        .copied()
        .collect();
    let controls: BTreeSet<Option<ControlId>> =
        drifts.iter().map(|drift| drift.control.clone()).collect();
    let severity = drifts.iter().map(|drift| drift.severity).max();
    let undamped = drifts
        .iter()
        .map(|drift| drift.undamped.unwrap_or(drift.severity))
        .max();
    // Sweeps are numbered upwards: the earliest pair brackets all of them.
    let last_before = drifts
        .iter()
        .map(|drift| drift.between.last_before)
        .min()
        .flatten();
    let is_alone = drifts.len() == 1;
    let is_flapping = drifts.iter().all(Drift::is_flapping);
    let mut first = drifts
        .into_iter()
        .min_by_key(|drift| (drift.account, drift.id))?;
    if is_alone {
        return Some(first);
    }
    let count = accounts.len();
    first.message = match (first.kind, controls.len()) {
        (_, 1) if count > 1 => format!("{count} accounts, such as: {}", first.message),
        (_, several) if count > 1 => {
            format!(
                "{count} accounts and {several} controls, such as: {}",
                first.message
            )
        }
        (_, several) => format!("{several} controls, such as: {}", first.message),
    };
    first.account = first.account.filter(|_| count < 2);
    first.control = first.control.filter(|_| controls.len() < 2);
    first.accounts = if count > 1 {
        accounts.into_iter().collect()
    } else {
        Vec::new()
    };
    first.severity = severity.unwrap_or(first.severity);
    first.undamped = undamped.filter(|_| is_flapping);
    first.between.last_before = last_before;
    first.id = DriftId::of(
        first.kind,
        first.account,
        first.control.as_ref(),
        first.between.seen,
        &format!(
            "{} {:?} to {:?}",
            first.cause,
            verdict(first.before.as_ref()),
            verdict(first.after.as_ref())
        ),
    );
    Some(first)
}
