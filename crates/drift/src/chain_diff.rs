//! What changed along the chains of two findings that are both known.
//!
//! Nodes are the same where their link, resource, account, region and everything above them are. What
//! could not be read on one side is no change: blindness never looks like an act.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{
    AccountId, Arn, ChainNode, ChainResource, ChangeKind, FieldChange, Finding, Gap, Link,
    NodeState, Reason, Region, Verdict,
};
use serde_json::Value;

use crate::field_diff::{OneSided, differences};

#[cfg(test)]
mod tests;

/// A change, and whether it is one of something that did its part.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NodeChange {
    pub(crate) change: FieldChange,
    pub(crate) held: bool,
}

/// The changes from one finding to another, each once, in the order of the chain.
///
/// Where a resource came or went, what hangs below it is not named as well.
pub(crate) fn changes(before: &Finding, after: &Finding, one_sided: OneSided) -> Vec<NodeChange> {
    if before.chain == after.chain {
        return Vec::new();
    }
    let mut names = Names::default();
    let old = Chain::of(before, &mut names);
    let new = Chain::of(after, &mut names);
    let mut found = Vec::new();
    let mut renamed = BTreeSet::new();
    for (name, nodes) in &old.nodes {
        let others = new.nodes.get(name).map_or(&[][..], Vec::as_slice);
        for (node, other) in nodes.iter().zip(others) {
            let changed = field_changes(&old, node, other, one_sided);
            // A filter may be worthless for what others publish: its alarms were then not looked at.
            let is_judged_otherwise =
                node.link == Link::MetricFilter && node.reason != other.reason;
            if is_judged_otherwise
                || changed
                    .iter()
                    .any(|change| names_what_is_below(&change.change))
            {
                renamed.insert(*name);
            }
            found.extend(changed);
        }
    }
    one_side(&old, &new, &renamed, ChangeKind::Removed, &mut found);
    one_side(&new, &old, &renamed, ChangeKind::Added, &mut found);
    found.sort_by(|one, other| order(&one.change).cmp(&order(&other.change)));
    // The same resource stands below everything that leads to it.
    found.dedup_by(|later, earlier| {
        let is_same = later.change == earlier.change;
        earlier.held |= is_same && later.held;
        is_same
    });
    found
}

fn order(change: &FieldChange) -> (&ChainResource, ChangeKind, &str, String, String) {
    (
        &change.of,
        change.change,
        &change.path,
        change.before.to_string(),
        change.after.to_string(),
    )
}

/// What tells a node from its siblings.
type Step<'f> = (Link, &'f str, Option<AccountId>, Option<&'f Region>);

/// One number for each place in either tree.
#[derive(Default)]
struct Names<'f> {
    of: HashMap<(Option<usize>, Step<'f>), usize>,
}

/// The chain of a finding, by the names of its nodes.
struct Chain<'f> {
    finding: &'f Finding,
    /// Nodes of one name differ in nothing but what was read.
    nodes: BTreeMap<usize, Vec<&'f ChainNode>>,
    parents: BTreeMap<usize, Option<usize>>,
}

impl<'f> Chain<'f> {
    fn of(finding: &'f Finding, names: &mut Names<'f>) -> Self {
        let mut chain = Self {
            finding,
            nodes: BTreeMap::new(),
            parents: BTreeMap::new(),
        };
        let mut by_index: Vec<usize> = Vec::with_capacity(finding.chain.len());
        for node in finding.chain.iter() {
            // A parent stands before its children; anything else is none.
            let parent = node.parent.and_then(|parent| by_index.get(parent)).copied();
            let step = (
                node.link,
                node.resource.as_str(),
                node.account,
                node.region.as_ref(),
            );
            let next = names.of.len();
            let name = *names.of.entry((parent, step)).or_insert(next);
            by_index.push(name);
            chain.parents.insert(name, parent);
            chain.nodes.entry(name).or_default().push(node);
        }
        for nodes in chain.nodes.values_mut().filter(|nodes| nodes.len() > 1) {
            nodes.sort_by_cached_key(|node| node.read.to_string());
        }
        chain
    }

    fn parent(&self, node: &ChainNode) -> Option<&'f ChainNode> {
        self.finding.chain.get(node.parent?)
    }

    fn resource(&self, node: &ChainNode) -> ChainResource {
        ChainResource {
            link: node.link,
            resource: node.resource.clone(),
            account: node.account,
            region: node.region.clone(),
            within: self.parent(node).map(|parent| parent.resource.clone()),
        }
    }
}

fn field_changes(
    chain: &Chain<'_>,
    before: &ChainNode,
    after: &ChainNode,
    one_sided: OneSided,
) -> Vec<NodeChange> {
    let held = before.state == NodeState::Holds || after.state == NodeState::Holds;
    differences(&before.read, &after.read, one_sided)
        .into_iter()
        .filter(|one| {
            let is_unread = one.before.is_null() || one.after.is_null();
            let is_blind = is_unread && is_null_where_unread(before.link, &one.path);
            !is_blind && !is_of_other_controls(before.link, &one.path)
        })
        .map(|one| NodeChange {
            change: FieldChange {
                of: chain.resource(before),
                change: ChangeKind::Changed,
                path: one.path,
                before: one.before.clone(),
                after: one.after.clone(),
            },
            held,
        })
        .collect()
}

/// Fields that hold null where they could not be read.
fn is_null_where_unread(link: Link, path: &str) -> bool {
    matches!(
        (link, path),
        (Link::Trail, "/status" | "/selectors")
            | (Link::LogGroup, "/class" | "")
            | (Link::Topic, "")
    )
}

/// How many filters a log group has tells of filters on other events too; those that matter are nodes.
fn is_of_other_controls(link: Link, path: &str) -> bool {
    link == Link::LogGroup && path == "/metric_filters"
}

/// Whether the field decides what stands below the resource: what came or went there is no further
/// change.
fn names_what_is_below(change: &FieldChange) -> bool {
    let path = change.path.as_str();
    match change.of.link {
        Link::Trail => path == "/log_group" || path == "/is_multi_region",
        Link::LogGroup => path.starts_with("/class"),
        Link::MetricFilter => path.starts_with("/transformations"),
        Link::Alarm => path.starts_with("/alarm_actions"),
        Link::Topic => path.is_empty(),
        Link::Subscription => false,
    }
}

/// The nodes that only one side has.
fn one_side(
    here: &Chain<'_>,
    there: &Chain<'_>,
    renamed: &BTreeSet<usize>,
    change: ChangeKind,
    found: &mut Vec<NodeChange>,
) {
    for (name, nodes) in &here.nodes {
        let others = there.nodes.get(name).map_or(0, Vec::len);
        let parent = here.parents.get(name).copied().flatten();
        let is_below =
            parent.is_some_and(|it| renamed.contains(&it) || !there.nodes.contains_key(&it));
        if is_below {
            continue;
        }
        for node in nodes.iter().skip(others) {
            let of = here.resource(node);
            if !is_certain(node, &of, here.finding, there.finding) {
                continue;
            }
            let read = node.read.clone();
            let (before, after) = match change {
                ChangeKind::Added => (Value::Null, read),
                ChangeKind::Removed | ChangeKind::Changed => (read, Value::Null),
            };
            found.push(NodeChange {
                change: FieldChange {
                    of,
                    change,
                    path: String::new(),
                    before,
                    after,
                },
                held: node.state == NodeState::Holds,
            });
        }
    }
}

/// Whether a node that the other side lacks was looked for there in the same way.
fn is_certain(node: &ChainNode, of: &ChainResource, here: &Finding, there: &Finding) -> bool {
    match node.link {
        // A multi-region trail shows in every region; which other trails show depends on the region
        // that happened to answer.
        Link::Trail => node.read.get("is_multi_region") == Some(&Value::Bool(true)),
        // What stands above names them.
        Link::LogGroup | Link::Topic => true,
        Link::MetricFilter | Link::Subscription => !is_out_of_sight(of, &there.gaps),
        // All alarms are only sure to be listed before a FAIL is said; a PASS shows those on the metric.
        // Alarms on a metric of the same name elsewhere show where the list was short enough.
        Link::Alarm if node.reason == Some(Reason::AlarmOtherMetric) => false,
        Link::Alarm => {
            let is_looked_closer =
                there.verdict() == Verdict::Pass && here.verdict() != Verdict::Pass;
            !is_looked_closer && !is_out_of_sight(of, &there.gaps)
        }
    }
}

/// Whether a gap may be why a resource does not show.
fn is_out_of_sight(of: &ChainResource, gaps: &[Gap]) -> bool {
    let service = match of.link {
        Link::Trail => "cloudtrail",
        Link::LogGroup | Link::MetricFilter => "logs",
        Link::Alarm => "cloudwatch",
        Link::Topic | Link::Subscription => "sns",
    };
    gaps.iter().any(|gap| {
        let is_of_account = gap
            .account
            .is_none_or(|account| of.account == Some(account));
        let asked = gap.api.split(':').next().unwrap_or_default();
        if asked == "sts" {
            return is_of_account;
        }
        let is_of_region =
            (gap.region.as_ref()).is_none_or(|region| of.region.as_ref() == Some(region));
        let names_another = gap.resource.as_deref().is_some_and(|resource| {
            let resource = resource.strip_suffix(":*").unwrap_or(resource);
            resource.parse::<Arn>().is_ok() && of.within.as_deref() != Some(resource)
        });
        asked == service && is_of_account && is_of_region && !names_another
    })
}
