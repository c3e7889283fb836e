//! The verdict on one account.

use std::sync::Arc;

use model::{
    Account, AccountState, Advice, AdviceCode, ChainNode, Finding, Fingerprint, Gap, GapClass,
    Judgement, Link, NodeState, Reason, Verdict,
    evidence::{AccountEvidence, MetricFilter, StorableEvidence, Trail},
};

use crate::{
    Control,
    chain::{Filters, Path, Walk},
    decide::{Decision, decide, near_misses},
    event_rule::equivalent,
    pattern_book::PatternBook,
    shared_judgements::SharedJudgements,
};

/// What is known beside the account's own evidence.
#[derive(Debug, Clone, Default)]
pub struct JudgeContext {
    /// The organization's trails, for what to say of an account that could not be entered.
    pub organization_trails: Vec<Trail>,
}

/// Judges accounts by several controls.
///
/// What accounts share is judged once: an account that shows only trails of other accounts, with the
/// very same evidence as another, gets the same findings. That changes how long it takes and nothing
/// else; [`judge`] is the definition.
#[derive(Debug)]
pub struct Judge {
    controls: Arc<[Control]>,
    book: PatternBook,
    shared: SharedJudgements,
}

impl Judge {
    /// A judge by these controls.
    pub fn new(controls: impl Into<Arc<[Control]>>) -> Self {
        Self {
            controls: controls.into(),
            book: PatternBook::default(),
            shared: SharedJudgements::default(),
        }
    }

    /// The controls, in the order of the findings.
    pub fn controls(&self) -> &[Control] {
        &self.controls
    }

    /// One finding for each control.
    pub fn findings(
        &self,
        context: &JudgeContext,
        account: &Account,
        evidence: Option<&AccountEvidence>,
    ) -> Vec<Finding> {
        let each = || {
            self.controls
                .iter()
                .map(|control| by_book(control, context, account, evidence, &self.book))
                .map(Arc::new)
                .collect()
        };
        let judgements: Arc<[Arc<Judgement>]> = match evidence {
            Some(evidence) if not_applicable(account.state).is_none() => {
                self.shared.judgements(account.id, evidence, each)
            }
            _ => each(),
        };
        (judgements.iter().zip(self.controls.iter()))
            .map(|(judgement, control)| {
                let finding = Finding {
                    account: account.id,
                    control: control.id.clone(),
                    judgement: Arc::clone(judgement),
                };
                match evidence {
                    Some(evidence) => with_own_evidence(control, evidence, finding),
                    None => finding,
                }
            })
            .collect()
    }

    /// What [`Judge::findings`] follow from, besides the account and its evidence: the controls and the
    /// context. In one process, where this, the account and the evidence are the same, so are the findings.
    pub fn basis(&self, context: &JudgeContext) -> Fingerprint {
        let JudgeContext {
            organization_trails,
        } = context;
        let controls: Vec<_> = (self.controls.iter())
            .map(|control| (&control.id, control.content_hash()))
            .collect();
        Fingerprint::of(&(controls, organization_trails))
    }

    /// The evidence as it is stored: written out once for all accounts that show the same.
    pub fn storable(&self, evidence: AccountEvidence) -> StorableEvidence {
        match self.shared.documents(&evidence) {
            Some(documents) => documents.into(),
            None => StorableEvidence::read(evidence),
        }
    }

    /// Whether a metric filter may match an event that one of the controls requires: if it cannot,
    /// nothing below it is worth reading. A pattern that is not understood may.
    pub fn is_candidate(&self, filter: &MetricFilter) -> bool {
        let pattern = self.book.pattern(&filter.pattern);
        self.controls
            .iter()
            .any(|control| self.book.concerns(control, &pattern))
    }
}

/// Judges one account by one control.
///
/// Total and pure: equal evidence gives an equal finding. An account that is not active is not
/// judged; without evidence the answer is UNKNOWN.
pub fn judge(
    control: &Control,
    context: &JudgeContext,
    account: &Account,
    evidence: Option<&AccountEvidence>,
) -> Finding {
    let judgement = by_book(control, context, account, evidence, &PatternBook::default());
    let finding = Finding {
        account: account.id,
        control: control.id.clone(),
        judgement: Arc::new(judgement),
    };
    match evidence {
        Some(evidence) => with_own_evidence(control, evidence, finding),
        None => finding,
    }
}

/// Adds what was read in the account itself and decides nothing: what else could not be read, and
/// EventBridge rules. Everything else may be shared with other accounts.
fn with_own_evidence(
    control: &Control,
    evidence: &AccountEvidence,
    mut finding: Finding,
) -> Finding {
    let rules = evidence.event_rules.values();
    let unread = rules.filter_map(|found| found.rules.as_ref().err());
    for gap in evidence.other_gaps.iter().chain(unread) {
        if !finding.gaps.contains(gap) {
            finding.gaps.push(gap.clone());
        }
    }
    if finding.verdict() == Verdict::Fail {
        let advice: Vec<Advice> = equivalent(control, evidence).collect();
        if !advice.is_empty() {
            finding.advice.extend(advice);
            finding.advice.sort();
            finding.advice.dedup();
        }
    }
    finding
}

fn by_book(
    control: &Control,
    context: &JudgeContext,
    account: &Account,
    evidence: Option<&AccountEvidence>,
    book: &PatternBook,
) -> Judgement {
    if let Some((reason, message)) = not_applicable(account.state) {
        return Judgement::new(reason, message);
    }
    let Some(evidence) = evidence else {
        return Judgement {
            link: Some(Link::Trail),
            ..Judgement::new(Reason::EvidenceGap, "nothing was read in this account")
        };
    };
    match &evidence.trails {
        Err(gap) => unread(context, gap),
        Ok(trails) => walked(control, evidence, trails, book),
    }
}

fn not_applicable(state: AccountState) -> Option<(Reason, &'static str)> {
    match state {
        // A state that is new to us may be one in which the account can be entered.
        AccountState::Active | AccountState::Unknown => None,
        AccountState::Suspended => Some((Reason::AccountSuspended, "the account is suspended")),
        AccountState::PendingClosure | AccountState::Closed => Some((
            Reason::AccountClosing,
            "the account is closed or being closed",
        )),
        AccountState::PendingActivation => {
            Some((Reason::AccountNotActivated, "the account is not active yet"))
        }
    }
}

/// The trails of the account could not be listed: nobody looked.
fn unread(context: &JudgeContext, gap: &Gap) -> Judgement {
    let entered = gap.api != "sts:AssumeRole";
    let reason = if entered {
        Reason::EvidenceGap
    } else {
        Reason::AccountNotEntered
    };
    let mut advice = Vec::new();
    for trail in &context.organization_trails {
        let owner = trail
            .arn
            .account()
            .map_or_else(String::new, |owner| format!(" of account {owner}"));
        advice.push(Advice {
            code: AdviceCode::OrganizationTrailShouldCover,
            message: format!(
                "the organization trail {}{owner} is meant to cover this account, but nobody looked",
                trail.arn
            ),
        });
    }
    let message = match (reason, gap.class) {
        (Reason::AccountNotEntered, GapClass::AccessDenied) => {
            "the role could not be assumed: it is missing, or its trust policy does not admit the scanner".to_owned()
        }
        (Reason::AccountNotEntered, class) => format!("the role could not be assumed: the call {}", class.in_words()),
        _ => gap.to_string(),
    };
    Judgement {
        link: Some(Link::Trail),
        advice,
        gaps: vec![gap.clone()],
        ..Judgement::new(reason, message)
    }
}

fn walked(
    control: &Control,
    evidence: &AccountEvidence,
    trails: &[Trail],
    book: &PatternBook,
) -> Judgement {
    let over = |filters| {
        let walk = Walk::over(control, evidence, trails, book, filters);
        let decision = decide(control, &walk, book);
        (walk, decision)
    };
    let (mut walk, mut decision) = over(Filters::Meant);
    // More filters never break what is proven, but they may prove it, or be what is not known. Where
    // they change nothing, they explain nothing.
    if decision.reason.verdict() != Verdict::Pass {
        let (all, by_all) = over(Filters::All);
        if by_all.reason.verdict() != decision.reason.verdict() {
            (walk, decision) = (all, by_all);
        }
    }
    let near_misses = match decision.reason.verdict() {
        Verdict::Fail | Verdict::Unknown => near_misses(control, &walk, book),
        Verdict::Pass | Verdict::NotApplicable => Vec::new(),
    };
    let mut gaps = walk.gaps();
    if let Some(decisive) = &decision.gap {
        // What would have decided comes first.
        gaps.retain(|gap| gap != decisive);
        gaps.insert(0, decisive.clone());
    }
    let mut advice = decision.advice.clone();
    advice.sort();
    advice.dedup();
    let mut chain = walk.nodes;
    name_filters(control, &walk.paths, book, &mut chain);
    let message = with_resource(&decision, &chain);
    Judgement {
        reason: decision.reason,
        link: decision.link,
        node: decision.node,
        message,
        covered_by: decision.covered_by,
        advice,
        gaps,
        near_misses,
        chain: chain.into(),
    }
}

/// Says which resource a sentence is about, unless it does already. A filter has no ARN, so its log
/// group's tells where it is.
fn with_resource(decision: &Decision, chain: &[ChainNode]) -> String {
    let message = &decision.message;
    let Some(node) = decision.node.and_then(|node| chain.get(node)) else {
        return message.clone();
    };
    let resource = match node.link {
        Link::MetricFilter if decision.link == Some(Link::MetricFilter) => {
            let group = node.parent.and_then(|parent| chain.get(parent));
            group.map(|group| group.resource.as_str())
        }
        Link::Trail | Link::LogGroup => Some(node.resource.as_str()),
        _ => Some(node.resource.as_str()).filter(|_| node.reason == Some(decision.reason)),
    };
    match resource {
        Some(resource) if !message.contains(resource) => format!("{message} ({resource})"),
        _ => message.clone(),
    }
}

/// Says at each filter's node what it matches by itself.
fn name_filters(
    control: &Control,
    paths: &[Path<'_>],
    book: &PatternBook,
    chain: &mut [ChainNode],
) {
    let required = control.required_events();
    for path in paths {
        let (Some(pattern), Some(node)) = (
            &path.pattern,
            path.node.and_then(|node| chain.get_mut(node)),
        ) else {
            continue;
        };
        if node.state != NodeState::Holds || !node.message.is_empty() {
            continue;
        }
        let alone = book.answer(control, [pattern]);
        let of_all = format!("{} of {} required events", alone.covered, required.len());
        if alone.is_covered() {
            node.message = match required.len() {
                1 => "matches the required event".to_owned(),
                all => format!("matches all {all} required events"),
            };
        } else if let Some(reason) = alone.undecided.as_ref().filter(|_| alone.may_be_covered()) {
            node.state = NodeState::Unknown;
            node.reason = Some(Reason::FilterUndecided);
            node.message =
                format!("matches {of_all} for certain; the rest is not decided: {reason}");
        } else {
            let obstacle = alone.obstacle("it");
            node.message = format!("matches {of_all}: {}", obstacle.message);
            node.state = NodeState::Broken;
            node.reason = Some(obstacle.reason);
        }
    }
}

#[cfg(test)]
mod tests;
