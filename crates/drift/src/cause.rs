//! What a drift comes from: the key that drifts of one cause share.

use model::{AccountId, ChainNode, ChainResource, Finding, Reason};

use crate::chain_diff::NodeChange;

/// The resource at which a finding is broken; for something absent, the one below which it would be.
pub(crate) fn broken_resource(finding: &Finding) -> Option<ChainResource> {
    let node = finding.chain.get(finding.node?)?;
    Some(resource(finding, node))
}

fn resource(finding: &Finding, node: &ChainNode) -> ChainResource {
    let parent = node.parent.and_then(|parent| finding.chain.get(parent));
    ChainResource {
        link: node.link,
        resource: node.resource.clone(),
        account: node.account,
        region: node.region.clone(),
        within: parent.map(|parent| parent.resource.clone()),
    }
}

/// Puts the change first that explains best why `broken` is broken, and gives its key.
///
/// A change at the broken link comes before one above it, and that before one elsewhere; what did its
/// part comes before what never did.
pub(crate) fn cause_first(changes: &mut [NodeChange], broken: Option<&Finding>) -> Option<String> {
    let way = broken.map(way_to).unwrap_or_default();
    let link = broken.and_then(|finding| finding.link);
    changes.sort_by_key(|one| {
        let of = &one.change.of;
        let is_on_way = way
            .iter()
            .any(|step| step == of || of.within.as_deref() == Some(step.resource.as_str()));
        // What the trail says of its delivery is a consequence more often than a cause.
        let is_volatile = is_delivery(one);
        let is_at_link = link == Some(of.link);
        let is_elsewhere = (!(is_on_way && is_at_link), !is_on_way);
        // Of what was replaced, what is gone comes first.
        let order = (of.link, one.change.change);
        (is_elsewhere, is_volatile, !one.held, order)
    });
    changes.first().map(|one| one.change.of.cause())
}

/// Whether the change is in what CloudTrail says of its delivery, which nobody sets.
pub(crate) fn is_delivery(one: &NodeChange) -> bool {
    one.change.path.starts_with("/status/delivery")
}

/// The broken node and all that led to it.
fn way_to(finding: &Finding) -> Vec<ChainResource> {
    let mut way = Vec::new();
    let mut at = finding.node;
    while let Some(node) = at.and_then(|at| finding.chain.get(at)) {
        way.push(resource(finding, node));
        // A parent stands before its children; anything else would lead in circles.
        at = node
            .parent
            .filter(|parent| at.is_some_and(|at| *parent < at));
    }
    way
}

/// The cause of a drift of which nothing is known but how the finding is.
pub(crate) fn of_finding(finding: &Finding) -> String {
    match (broken_resource(finding), &finding.covered_by) {
        (Some(resource), _) => resource.cause(),
        (None, Some(covered_by)) => format!("trail {}", covered_by.trail),
        (None, None) => format!("account {} {}", finding.account, finding.reason),
    }
}

/// Why a finding is UNKNOWN, in a form that accounts share that lost sight for the same reason.
pub(crate) fn of_blindness(finding: &Finding) -> String {
    let Some(gap) = finding.gaps.first() else {
        return of_finding(finding);
    };
    if finding.reason == Reason::AccountNotEntered {
        // The role has another ARN in each account; that it went is one event.
        return format!("{} {}", finding.reason.code(), gap.class.as_str());
    }
    let is_own = |account: AccountId| account == finding.account;
    if gap.account.is_none_or(is_own) {
        return format!("gap {} {}", gap.api, gap.class.as_str());
    }
    format!("gap {gap}")
}
