//! Compares one account with what was last known of it.

use std::collections::BTreeSet;

use model::{
    Account, AccountId, AccountState, ContentHash, ControlId, Drift, DriftKind, Finding,
    RememberedAccount, RememberedFinding, SeenFinding, Severity, SweepId, Verdict,
};

use crate::{
    cause::{cause_first, of_blindness, of_finding},
    chain_diff::{NodeChange, changes},
    draft::{Draft, account_side, finding_side},
    field_diff::OneSided,
    sentence, severity,
};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

/// What is known of the sweep beside the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepContext {
    /// The sweep that looks now.
    pub sweep: SweepId,
    /// The organization's management account, where there is one.
    pub management_account: Option<AccountId>,
    /// Whether a finished sweep before this one saw every account that this one is meant to see: only
    /// then is an account that nobody remembers one that joined. The first sweep of a store, accounts
    /// named by hand and a wider scope are a baseline.
    pub knows_every_account: bool,
    /// Controls that no sweep before this one judged: their findings are a baseline.
    pub new_controls: BTreeSet<ControlId>,
    /// Whether the scanner's version, its catalogue or its configuration is another than that of the
    /// sweep before: what came of that is no drift.
    pub judging_changed: bool,
}

/// One account as this sweep sees it.
#[derive(Debug, Clone, Copy)]
pub struct AccountNow<'a> {
    /// What AWS Organizations says of it.
    pub account: &'a Account,
    /// One finding for each control that was judged.
    pub findings: &'a [Finding],
    /// The hash of everything that was read for it; `None` where there was nothing to read.
    pub evidence: Option<ContentHash>,
}

/// What is not as it was last known: of the account first, then by control in the order of the findings.
///
/// What is remembered must be from before this sweep. Where nothing is remembered, there is no drift
/// but an account that joined.
pub fn compare(
    context: &SweepContext,
    remembered: Option<&RememberedAccount>,
    now: AccountNow<'_>,
) -> Vec<Drift> {
    let Some(was) = remembered else {
        return joined(context, now.account).into_iter().collect();
    };
    let comparison = Comparison { context, was, now };
    comparison.drifts()
}

fn joined(context: &SweepContext, account: &Account) -> Option<Drift> {
    context.knows_every_account.then(|| {
        Draft {
            kind: DriftKind::AccountJoined,
            severity: Severity::Low,
            account: Some(account.id),
            control: None,
            cause: DriftKind::AccountJoined.code().to_owned(),
            message: format!("{} joined the organization", sentence::account(account)),
            last_before: None,
            before: None,
            after: Some(account_side(account)),
            changes: Vec::new(),
        }
        .named(context.sweep)
    })
}

struct Comparison<'a> {
    context: &'a SweepContext,
    was: &'a RememberedAccount,
    now: AccountNow<'a>,
}

impl Comparison<'_> {
    fn drifts(&self) -> Vec<Drift> {
        let mut unseen = Vec::new();
        let mut seen = Vec::new();
        let mut known = Vec::new();
        let mut compared = BTreeSet::new();
        let mut is_applicable_otherwise = false;
        for finding in self.now.findings {
            let is_new = self.context.new_controls.contains(&finding.control);
            let Some(was) = self.was.findings.get(&finding.control).filter(|_| !is_new) else {
                continue;
            };
            if !compared.insert(&finding.control) {
                continue;
            }
            match (is_known(&was.latest.finding), is_known(finding)) {
                (true, false) => unseen.push(self.became_unknown(was, finding)),
                (false, true) => seen.push(self.visible_again(was, finding)),
                _ => {}
            }
            let Some(last) = was.last_known().filter(|_| is_known(finding)) else {
                continue;
            };
            // An account that is not in use is told once, not by control.
            match (is_applicable(&last.finding), is_applicable(finding)) {
                (true, true) => known.extend(self.known(last, finding)),
                (false, false) => {}
                _ => is_applicable_otherwise = true,
            }
        }
        let mut drifts = self.account(is_applicable_otherwise);
        drifts.extend(self.told_once(unseen, compared.len()));
        drifts.extend(self.told_once(seen, compared.len()));
        drifts.extend(
            known
                .into_iter()
                .map(|draft| draft.named(self.context.sweep)),
        );
        drifts
    }

    /// What AWS Organizations says otherwise than before. What it did not say is no change.
    fn account(&self, is_applicable_otherwise: bool) -> Vec<Drift> {
        let (was, now) = (&self.was.account, self.now.account);
        let name = sentence::account(now);
        let mut drafts = Vec::new();
        let are_states_known =
            was.state != AccountState::Unknown && now.state != AccountState::Unknown;
        if is_applicable_otherwise || (are_states_known && was.state != now.state) {
            let kind = DriftKind::AccountStateChanged;
            let severity = severity::of_account_state(now.state);
            let cause = format!("{kind} {} to {}", was.state, now.state);
            let message = format!("{name} is {}, and was {} before", now.state, was.state);
            drafts.push(self.account_draft(kind, severity, cause, message));
        }
        if let (Some(from), Some(to)) = (&was.ou_path, &now.ou_path)
            && from != to
        {
            let kind = DriftKind::AccountMoved;
            let cause = format!("{kind} {from} to {to}");
            let message = format!("{name} moved from {from} to {to}");
            drafts.push(self.account_draft(kind, Severity::Low, cause, message));
        }
        if !was.name.is_empty() && !now.name.is_empty() && was.name != now.name {
            let kind = DriftKind::AccountRenamed;
            let message = format!("{name} was called {} before", was.name);
            drafts.push(self.account_draft(kind, Severity::Info, kind.code().to_owned(), message));
        }
        drafts
            .into_iter()
            .map(|draft| draft.named(self.context.sweep))
            .collect()
    }

    fn account_draft(
        &self,
        kind: DriftKind,
        severity: Severity,
        cause: String,
        message: String,
    ) -> Draft {
        Draft {
            kind,
            severity,
            account: Some(self.now.account.id),
            control: None,
            cause,
            message,
            last_before: last_seen(self.was),
            before: Some(account_side(&self.was.account)),
            after: Some(account_side(self.now.account)),
            changes: Vec::new(),
        }
    }

    fn became_unknown(&self, was: &RememberedFinding, now: &Finding) -> Draft {
        let message = format!("can no longer be seen: {}", now.message);
        Draft {
            severity: severity::of_blindness(self.context, &was.latest.finding),
            cause: of_blindness(now),
            ..self.finding_draft(DriftKind::BecameUnknown, &was.latest, now, message)
        }
    }

    fn visible_again(&self, was: &RememberedFinding, now: &Finding) -> Draft {
        let message = match now.verdict() {
            Verdict::NotApplicable => format!("need not be seen any more: {}", now.message),
            verdict => format!("can be seen again, and is {verdict}: {}", now.message),
        };
        Draft {
            cause: of_blindness(&was.latest.finding),
            ..self.finding_draft(DriftKind::VisibleAgain, &was.latest, now, message)
        }
    }

    /// Between two findings that are known and apply.
    fn known(&self, last: &SeenFinding, now: &Finding) -> Option<Draft> {
        let before = &last.finding;
        let is_same_verdict = before.verdict() == now.verdict();
        let is_same_answer = before.reason == now.reason && before.link == now.link;
        if last.evidence.is_some() && last.evidence == self.now.evidence {
            return (!is_same_answer).then(|| self.rejudged(last, now));
        }
        let one_sided = if self.context.judging_changed {
            OneSided::Unknown
        } else {
            OneSided::Differs
        };
        let mut changes = changes(before, now, one_sided);
        if !is_same_answer && changes.is_empty() && self.context.judging_changed {
            return Some(self.rejudged(last, now));
        }
        if is_same_answer && changes.is_empty() {
            return None;
        }
        // A recovery is explained by what was broken.
        let broken = [now, before]
            .into_iter()
            .find(|finding| finding.verdict() == Verdict::Fail);
        let cause = cause_first(&mut changes, broken);
        let cause = cause.unwrap_or_else(|| of_finding(broken.unwrap_or(now)));
        let (kind, severity, message) = if !is_same_verdict {
            let severity = severity::of_verdict(self.context, before, now);
            let message = format!(
                "went from {} to {}: {}",
                before.verdict(),
                now.verdict(),
                now.message
            );
            (DriftKind::VerdictChanged, severity, message)
        } else if !is_same_answer {
            let message = format!("is still {}, but now: {}", now.verdict(), now.message);
            (DriftKind::ReasonChanged, Severity::Low, message)
        } else {
            let severity = severity::of_evidence(now.verdict(), &changes);
            (
                DriftKind::EvidenceChanged,
                severity,
                format!("is still {}", now.verdict()),
            )
        };
        let changes: Vec<_> = changes
            .into_iter()
            .map(|NodeChange { change, .. }| change)
            .collect();
        let message = match sentence::changes(&changes) {
            Some(what) => format!("{message}; {what}"),
            None => message,
        };
        Some(Draft {
            severity,
            cause,
            changes,
            ..self.finding_draft(kind, last, now, message)
        })
    }

    fn rejudged(&self, last: &SeenFinding, now: &Finding) -> Draft {
        let (before, kind) = (&last.finding, DriftKind::Rejudged);
        let message = format!(
            "is judged {} instead of {}: {}",
            now.verdict(),
            before.verdict(),
            now.message
        );
        Draft {
            severity: severity::of_rejudged(before.verdict(), now.verdict()),
            cause: format!("{kind} {} {} to {}", now.control, before.reason, now.reason),
            ..self.finding_draft(kind, last, now, message)
        }
    }

    fn finding_draft(
        &self,
        kind: DriftKind,
        before: &SeenFinding,
        now: &Finding,
        what: impl std::fmt::Display,
    ) -> Draft {
        let account = sentence::account(self.now.account);
        Draft {
            kind,
            severity: Severity::Info,
            account: Some(now.account),
            control: Some(now.control.clone()),
            cause: String::new(),
            message: format!("{} in account {account} {what}", now.control),
            last_before: Some(before.confirmed),
            before: Some(finding_side(&before.finding)),
            after: Some(finding_side(now)),
            changes: Vec::new(),
        }
    }

    /// What happened to each of several controls for one cause happened to the account.
    fn told_once(&self, drafts: Vec<Draft>, compared: usize) -> Vec<Drift> {
        let is_of_account = drafts.len() > 1
            && drafts.len() == compared
            && drafts.iter().all(|draft| draft.cause == drafts[0].cause);
        let gravest = |drafts: Vec<Draft>| drafts.into_iter().max_by_key(|draft| draft.severity);
        let drafts = if is_of_account {
            let account = sentence::account(self.now.account);
            gravest(drafts)
                .into_iter()
                .map(|draft| Draft {
                    message: match self.now.findings.first() {
                        Some(now) if draft.kind == DriftKind::BecameUnknown => {
                            format!("account {account} can no longer be seen: {}", now.message)
                        }
                        Some(now) if !is_applicable(now) => {
                            format!(
                                "account {account} need not be seen any more: {}",
                                now.message
                            )
                        }
                        _ => format!("account {account} can be seen again"),
                    },
                    control: None,
                    ..draft
                })
                .collect()
        } else {
            drafts
        };
        drafts
            .into_iter()
            .map(|draft| draft.named(self.context.sweep))
            .collect()
    }
}

fn is_known(finding: &Finding) -> bool {
    finding.verdict() != Verdict::Unknown
}

fn is_applicable(finding: &Finding) -> bool {
    finding.verdict() != Verdict::NotApplicable
}

/// The last sweep that saw the account.
pub(crate) fn last_seen(account: &RememberedAccount) -> Option<SweepId> {
    let findings = account.findings.values();
    findings.map(|finding| finding.latest.confirmed).max()
}
