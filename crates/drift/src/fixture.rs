//! Findings and accounts for tests: the one place that makes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{
    Account, AccountId, AccountState, ChainNode, ContentHash, CoveredBy, Drift, Finding, Gap,
    GapClass, Judgement, Link, NodeState, OuPath, Reason, RememberedAccount, RememberedFinding,
    SeenFinding, Severity, SweepId, Verdict,
};
use serde_json::{Value, json};

use crate::compare::{AccountNow, SweepContext, compare};

pub(crate) const OWNER: &str = "111111111111";
pub(crate) const MEMBER: &str = "222222222222";
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:111111111111:trail/org";
pub(crate) const GROUP: &str = "arn:aws:logs:eu-west-1:111111111111:log-group:trail";
pub(crate) const FILTER: &str = "org-changes";
pub(crate) const ALARM: &str = "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:org changes";
pub(crate) const TOPIC: &str = "arn:aws:sns:eu-west-1:111111111111:security";
pub(crate) const SUBSCRIPTION: &str =
    "arn:aws:sns:eu-west-1:111111111111:security:7d3f0c1e-0000-4000-8000-000000000001";

/// A finding, made in this one place.
pub(crate) fn finding(
    account: &str,
    control: &str,
    reason: Reason,
    broken: Option<(Link, usize)>,
    chain: Vec<ChainNode>,
) -> Finding {
    let covered_by = (reason.verdict() == Verdict::Pass).then(|| CoveredBy {
        trail: TRAIL.parse().unwrap(),
        account: OWNER.parse().unwrap(),
        is_organization_trail: reason == Reason::CoveredByOrganizationTrail,
    });
    Finding {
        account: account.parse().unwrap(),
        control: control.parse().unwrap(),
        judgement: Arc::new(Judgement {
            link: broken.map(|(link, _)| link),
            node: broken.map(|(_, node)| node),
            covered_by,
            chain: chain.into(),
            ..Judgement::new(reason, reason.meaning())
        }),
    }
}

/// The same finding over another chain.
pub(crate) fn over(chain: Vec<ChainNode>, finding: Finding) -> Finding {
    let mut finding = finding;
    finding.chain = chain.into();
    finding
}

pub(crate) fn node(link: Link, parent: Option<usize>, resource: &str, read: Value) -> ChainNode {
    ChainNode {
        link,
        parent,
        resource: resource.to_owned(),
        account: OWNER.parse().ok(),
        region: REGION.parse().ok(),
        state: NodeState::Holds,
        reason: None,
        message: String::new(),
        read,
    }
}

/// A chain that holds, from the organization's trail to a subscriber.
pub(crate) fn whole_chain() -> Vec<ChainNode> {
    vec![
        node(
            Link::Trail,
            None,
            TRAIL,
            json!({
                "is_multi_region": true,
                "is_organization_trail": true,
                "log_group": format!("{GROUP}:*"),
                "status": {"is_logging": true, "delivery": "fresh"},
                "selectors": {"basic": [{
                    "include_management_events": true,
                    "read_write_type": "All",
                    "exclude_management_event_sources": [],
                }], "advanced": []},
            }),
        ),
        node(
            Link::LogGroup,
            Some(0),
            GROUP,
            json!({"class": {"present": "STANDARD"}, "metric_filters": 1}),
        ),
        node(
            Link::MetricFilter,
            Some(1),
            FILTER,
            json!({
                "pattern": "{ $.eventSource = organizations.amazonaws.com }",
                "transformations": [{"metric_name": "m", "namespace": "n", "value": "1", "default_value": null, "dimensions": {}, "unit": null}],
                "field_selection_criteria": null,
                "emit_system_field_dimensions": [],
                "apply_on_transformed_logs": false,
            }),
        ),
        node(
            Link::Alarm,
            Some(2),
            ALARM,
            json!({"name": "org changes", "actions_enabled": true, "alarm_actions": [TOPIC], "threshold": 1.0}),
        ),
        node(
            Link::Topic,
            Some(3),
            TOPIC,
            json!({"present": {"policy": [], "kms_key": null, "is_fifo": false}}),
        ),
        subscription(4, SUBSCRIPTION),
    ]
}

pub(crate) fn subscription(topic: usize, arn: &str) -> ChainNode {
    node(
        Link::Subscription,
        Some(topic),
        arn,
        json!({"state": {"confirmed": arn}, "protocol": "https", "endpoint": "example.com"}),
    )
}

pub(crate) fn pass() -> Finding {
    let reason = Reason::CoveredByOrganizationTrail;
    finding(MEMBER, "organizations-changes", reason, None, whole_chain())
}

/// A FAIL over this chain, broken at a node.
pub(crate) fn fail(reason: Reason, link: Link, at: usize, mut chain: Vec<ChainNode>) -> Finding {
    if let Some(node) = chain.get_mut(at).filter(|node| node.link == link) {
        node.state = NodeState::Broken;
        node.reason = Some(reason);
    }
    finding(
        MEMBER,
        "organizations-changes",
        reason,
        Some((link, at)),
        chain,
    )
}

/// The whole chain with one field of one node set.
pub(crate) fn with_field(at: usize, pointer: &str, value: Value) -> Vec<ChainNode> {
    let mut chain = whole_chain();
    *chain[at].read.pointer_mut(pointer).unwrap() = value;
    chain
}

/// The whole chain without the nodes from here on.
pub(crate) fn cut_at(at: usize) -> Vec<ChainNode> {
    let mut chain = whole_chain();
    chain.truncate(at);
    chain
}

pub(crate) fn gap(api: &str, resource: Option<&str>, account: &str) -> Gap {
    Gap {
        class: GapClass::AccessDenied,
        api: api.to_owned(),
        resource: resource.map(str::to_owned),
        account: account.parse().ok(),
        region: REGION.parse().ok(),
        sample: model::GapSample::default(),
    }
}

pub(crate) fn unknown() -> Finding {
    let mut finding = finding(
        MEMBER,
        "organizations-changes",
        Reason::AccountNotEntered,
        None,
        Vec::new(),
    );
    finding.gaps = vec![gap("sts:AssumeRole", None, MEMBER)];
    finding
}

pub(crate) fn of_control(control: &str, finding: Finding) -> Finding {
    Finding {
        control: control.parse().unwrap(),
        ..finding
    }
}

pub(crate) fn of_account(account: &str, finding: Finding) -> Finding {
    Finding {
        account: account.parse().unwrap(),
        ..finding
    }
}

pub(crate) fn account() -> Account {
    Account {
        id: MEMBER.parse().unwrap(),
        name: "shop".to_owned(),
        state: AccountState::Active,
        ou_path: Some(OuPath(vec!["r-1".to_owned(), "ou-1".to_owned()])),
        tags: None,
    }
}

/// The context of the sixth sweep.
pub(crate) fn context() -> SweepContext {
    SweepContext {
        sweep: SweepId(6),
        management_account: OWNER.parse().ok(),
        knows_every_account: true,
        new_controls: BTreeSet::new(),
        judging_changed: false,
    }
}

pub(crate) fn evidence(of: &str) -> ContentHash {
    ContentHash::of(of)
}

/// What is remembered after these findings of one control, in the sweeps 1, 2, …; each with evidence of
/// its own.
pub(crate) fn remembered(history: &[Finding]) -> RememberedAccount {
    let mut findings: BTreeMap<_, RememberedFinding> = BTreeMap::new();
    for (index, finding) in history.iter().enumerate() {
        let sweep = SweepId(i64::try_from(index).unwrap() + 1);
        let seen = SeenFinding {
            finding: finding.clone(),
            evidence: Some(evidence(&sweep.to_string())),
            since: sweep,
            confirmed: sweep,
        };
        let before_unknown = findings
            .remove(&finding.control)
            .and_then(|earlier| earlier.last_known().cloned())
            .filter(|_| finding.verdict() == Verdict::Unknown);
        let latest = RememberedFinding {
            latest: seen,
            before_unknown,
        };
        findings.insert(finding.control.clone(), latest);
    }
    RememberedAccount {
        account: account(),
        findings,
    }
}

/// The drifts of the sixth sweep after these findings.
pub(crate) fn drifts(history: &[Finding], now: Finding) -> Vec<Drift> {
    let account = account();
    let now = AccountNow {
        account: &account,
        findings: &[now],
        evidence: Some(evidence("now")),
    };
    compare(&context(), Some(&remembered(history)), now)
}

/// The one drift from a finding to another.
#[track_caller]
pub(crate) fn drift(before: Finding, after: Finding) -> Drift {
    let mut drifts = drifts(&[before], after);
    assert_eq!(drifts.len(), 1, "{drifts:#?}");
    drifts.remove(0)
}

pub(crate) fn drift_of_severity(severity: Severity) -> Drift {
    let after = fail(Reason::AlarmAbsent, Link::Alarm, 2, cut_at(3));
    Drift {
        severity,
        ..drift(pass(), after)
    }
}

pub(crate) fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}
