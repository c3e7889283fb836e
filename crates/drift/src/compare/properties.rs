//! What holds for any history of findings.

use model::{AccountState, ChainNode, DriftSide, Link, NodeState, OuPath, Reason};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    fixture::{
        account, context, cut_at, drifts, evidence, fail, finding, gap, over, pass, remembered,
        unknown, with_field,
    },
    known_state::{Change, Known, KnownState, Step},
};

/// Findings on one account and control, as a world may go through them.
fn any_answer() -> impl Strategy<Value = Finding> {
    prop_oneof![
        2 => Just(unknown()),
        2 => Just(pass()),
        1 => Just(fail(Reason::AlarmAbsent, Link::Alarm, 2, cut_at(3))),
        1 => Just(fail(Reason::FilterAbsent, Link::MetricFilter, 1, cut_at(2))),
        1 => Just(fail(Reason::AlarmNeverFires, Link::Alarm, 3, with_field(3, "/threshold", json!(2)))),
        1 => Just(over(with_field(3, "/threshold", json!(0.5)), pass())),
    ]
}

fn any_history() -> impl Strategy<Value = Vec<Finding>> {
    prop::collection::vec(any_answer(), 1..8)
}

/// The change that these drifts tell of.
fn told(drifts: &[Drift]) -> Change {
    let known = |side: &Option<DriftSide>| match side {
        Some(DriftSide::Finding(side)) => Some(Known {
            reason: side.reason,
            link: side.link,
        }),
        _ => None,
    };
    let mut change = Change::default();
    for drift in drifts {
        match drift.kind {
            DriftKind::BecameUnknown => {
                change.visibility = Some(Step {
                    from: true,
                    to: false,
                });
            }
            DriftKind::VisibleAgain => {
                change.visibility = Some(Step {
                    from: false,
                    to: true,
                });
            }
            DriftKind::VerdictChanged | DriftKind::ReasonChanged => {
                change.last_known = Some(Step {
                    from: known(&drift.before),
                    to: known(&drift.after),
                });
            }
            _ => {}
        }
    }
    change
}

fn state_after(history: &[Finding]) -> KnownState {
    history
        .iter()
        .fold(KnownState::default(), KnownState::after)
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| json!(f64::from(number) / 8.0)),
        "[a-z/~]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c/~]{0,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_node() -> impl Strategy<Value = ChainNode> {
    (
        prop::sample::select(Link::ALL.to_vec()),
        prop::option::of(0_usize..8),
        "[a-c]?",
        any_value(),
        0_usize..3,
    )
        .prop_map(|(link, parent, resource, read, state)| ChainNode {
            state: [NodeState::Holds, NodeState::Broken, NodeState::Unknown][state],
            ..crate::fixture::node(link, parent, &resource, read)
        })
}

fn any_finding() -> impl Strategy<Value = Finding> {
    (
        prop::sample::select(Reason::ALL.to_vec()),
        prop::sample::select(vec!["organizations-changes", "root-usage"]),
        prop::option::of((prop::sample::select(Link::ALL.to_vec()), 0_usize..8)),
        prop::collection::vec(any_node(), 0..6),
        any::<bool>(),
    )
        .prop_map(|(reason, control, broken, chain, has_gap)| {
            let mut finding = finding(crate::fixture::MEMBER, control, reason, broken, chain);
            if has_gap {
                finding.gaps = vec![gap("sns:GetTopicAttributes", None, crate::fixture::OWNER)];
            }
            finding
        })
}

fn any_account() -> impl Strategy<Value = Account> {
    let states = vec![
        AccountState::Active,
        AccountState::Suspended,
        AccountState::Closed,
        AccountState::Unknown,
    ];
    (
        prop::sample::select(states),
        prop::option::of("[a-b]"),
        "[a-b]?",
    )
        .prop_map(|(state, ou, name)| Account {
            state,
            ou_path: ou.map(|ou| OuPath(vec![ou])),
            name,
            ..account()
        })
}

proptest! {
    /// What is told from sweep to sweep comes to what would have been told without those between.
    #[test]
    fn drifts_compose(history in any_history(), later in any_history(), at in 0_usize..8) {
        let all: Vec<Finding> = history.iter().chain(&later).cloned().collect();
        let mut steps = Change::default();
        for to in history.len()..all.len() {
            let step = told(&drifts(&all[..to], all[to].clone()));
            let composed = steps.then(step);
            prop_assert!(composed.is_some(), "{steps:?} and then {step:?}");
            steps = composed.unwrap_or_default();
        }
        let (from, to) = (state_after(&history), state_after(&all));
        // The first known answer is a baseline, and is not told.
        if from.last_known.is_some() {
            prop_assert_eq!(steps, Change::between(from, to));
        } else {
            prop_assert_eq!(steps.visibility, Change::between(from, to).visibility);
        }
        // Leaving out sweeps in which nothing could be seen changes nothing that is known.
        let at = at.min(history.len());
        let mut blinded = history.clone();
        blinded.insert(at, unknown());
        let now = all[history.len()].clone();
        let of_known = |history: &[Finding]| told(&drifts(history, now.clone())).last_known;
        prop_assert_eq!(of_known(&blinded), of_known(&history));
    }

    #[test]
    fn a_world_that_did_not_change_has_no_drift(
        mut findings in prop::collection::vec(any_finding(), 1..3), account in any_account(), judging_changed: bool,
    ) {
        findings.dedup_by(|one, other| one.control == other.control);
        let mut was = remembered(&findings);
        was.account = account.clone();
        let context = SweepContext { judging_changed, ..context() };
        for evidence in [None, Some(evidence("now")), Some(evidence("1"))] {
            let now = AccountNow { account: &account, findings: &findings, evidence };
            prop_assert_eq!(compare(&context, Some(&was), now), Vec::new());
        }
    }

    /// Any two findings and accounts are compared, equal input gives equal drifts with ids of their own,
    /// and what is UNKNOWN now tells nothing of what is known.
    #[test]
    fn comparing_is_total(
        before in prop::collection::vec(any_finding(), 0..4), after in prop::collection::vec(any_finding(), 0..4),
        accounts in (any_account(), any_account()), judging_changed: bool,
    ) {
        let mut was = remembered(&before);
        was.account = accounts.0;
        let context = SweepContext { judging_changed, ..context() };
        let now = AccountNow { account: &accounts.1, findings: &after, evidence: Some(evidence("now")) };
        let found = compare(&context, Some(&was), now);
        prop_assert_eq!(&compare(&context, Some(&was), now), &found);
        let ids: BTreeSet<_> = found.iter().map(|drift| drift.id).collect();
        prop_assert_eq!(ids.len(), found.len());
        for drift in &found {
            prop_assert!(!drift.message.is_empty() && !drift.cause.is_empty());
            prop_assert!(drift.between.last_before < Some(drift.between.seen));
            let text = model::canonical_json(drift);
            prop_assert_eq!(&serde_json::from_str::<Drift>(&text).unwrap(), drift);
            crate::suspects(drift, None);
            if drift.kind == DriftKind::VerdictChanged {
                let Some(DriftSide::Finding(side)) = &drift.after else { panic!("{drift:?}") };
                prop_assert!(!matches!(side.verdict, Verdict::Unknown | Verdict::NotApplicable));
            }
        }
        let everything = crate::grouped(found.clone());
        prop_assert!(everything.len() <= found.len());
    }

    /// What could not be read is neither there nor gone.
    #[test]
    fn reading_less_is_no_drift(cut in 0_usize..4) {
        let (at, api) = [
            (2, "logs:DescribeMetricFilters"),
            (3, "cloudwatch:DescribeAlarms"),
            (5, "sns:ListSubscriptionsByTopic"),
            (1, "sts:AssumeRole"),
        ][cut];
        let mut less = over(cut_at(at.max(2)), pass());
        less.gaps = vec![gap(api, None, crate::fixture::OWNER)];
        prop_assert_eq!(drifts(&[pass()], less.clone()), Vec::new());
        prop_assert_eq!(drifts(&[less], pass()), Vec::new());
    }
}
