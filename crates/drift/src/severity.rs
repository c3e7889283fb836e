//! How much a drift matters. The table stands in the README.

use model::{AccountState, ChangeKind, Finding, Link, Severity, Verdict};
use serde_json::Value;

use crate::{cause::is_delivery, chain_diff::NodeChange, compare::SweepContext};

/// Of another verdict.
pub(crate) fn of_verdict(context: &SweepContext, before: &Finding, after: &Finding) -> Severity {
    match after.verdict() {
        Verdict::Fail if is_of_organization(context, before, after) => Severity::Critical,
        Verdict::Fail => Severity::High,
        _ => Severity::Info,
    }
}

/// Whether the chain that broke was the organization's, or the account is the one in which its events
/// arise.
fn is_of_organization(context: &SweepContext, before: &Finding, after: &Finding) -> bool {
    context.management_account == Some(after.account)
        || match &before.covered_by {
            Some(covered_by) => covered_by.is_organization_trail,
            None => breaks_organization_trail(after),
        }
}

/// Whether what is broken hangs below an organization trail.
fn breaks_organization_trail(finding: &Finding) -> bool {
    let mut at = finding.node;
    while let Some(node) = at.and_then(|at| finding.chain.get(at)) {
        if node.link == Link::Trail {
            return node.read.get("is_organization_trail") == Some(&Value::Bool(true));
        }
        at = node
            .parent
            .filter(|parent| at.is_some_and(|at| *parent < at));
    }
    false
}

/// Of evidence that changed under an unchanged verdict.
pub(crate) fn of_evidence(verdict: Verdict, changes: &[NodeChange]) -> Severity {
    let counts = |one: &&NodeChange| one.held && !is_delivery(one);
    let mut counting = changes.iter().filter(counts).peekable();
    if verdict != Verdict::Pass || counting.peek().is_none() {
        return Severity::Info;
    }
    // Whoever replaces the subscriber of an alarm decides who is not told.
    let is_about_whom = |one: &NodeChange| {
        one.change.of.link == Link::Subscription && one.change.change == ChangeKind::Removed
    };
    if counting.any(is_about_whom) {
        Severity::Medium
    } else {
        Severity::Low
    }
}

/// Of sight that was lost.
pub(crate) fn of_blindness(context: &SweepContext, before: &Finding) -> Severity {
    match before.verdict() {
        Verdict::Pass if context.management_account == Some(before.account) => Severity::High,
        Verdict::Pass => Severity::Medium,
        _ => Severity::Low,
    }
}

/// Of an account whose state changed.
pub(crate) fn of_account_state(after: AccountState) -> Severity {
    match after {
        AccountState::Suspended | AccountState::PendingClosure | AccountState::Closed => {
            Severity::Medium
        }
        AccountState::PendingActivation | AccountState::Active | AccountState::Unknown => {
            Severity::Low
        }
    }
}

/// Of another judgement on the same evidence.
pub(crate) fn of_rejudged(before: Verdict, after: Verdict) -> Severity {
    match (before, after) {
        (Verdict::Pass, Verdict::Fail) => Severity::Medium,
        _ => Severity::Info,
    }
}
