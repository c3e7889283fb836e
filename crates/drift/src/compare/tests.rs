//! What is a drift, of which kind, and what it says.

use model::{AccountState, ChainNode, DriftSide, Link, NodeState, OuPath, Reason};
use serde_json::json;

use super::*;
use crate::fixture::{
    ALARM, FILTER, GROUP, MEMBER, OWNER, SUBSCRIPTION, TOPIC, TRAIL, account, context, cut_at,
    drift, drifts, evidence, fail, finding, gap, id, node, of_account, of_control, over, pass,
    remembered, subscription, unknown, whole_chain, with_field,
};

fn kinds(drifts: &[Drift]) -> Vec<&'static str> {
    drifts.iter().map(|drift| drift.kind.code()).collect()
}

fn without_alarm() -> Finding {
    fail(Reason::AlarmAbsent, Link::Alarm, 2, cut_at(3))
}

/// The drift from the whole chain to this one, by kind, severity and cause.
#[track_caller]
fn check(after: Finding, kind: DriftKind, severity: Severity, cause: &str) {
    let drift = drift(pass(), after);
    assert_eq!((drift.kind, drift.severity), (kind, severity), "{drift:#?}");
    assert_eq!(drift.cause, cause, "{drift:#?}");
}

fn still(chain: Vec<ChainNode>) -> Finding {
    over(chain, pass())
}

#[test]
fn a_break_names_the_resource_that_changed() {
    use DriftKind::VerdictChanged;
    let changed = |after, cause: &str| check(after, VerdictChanged, Severity::Critical, cause);
    let filter = format!("metric_filter {OWNER} eu-west-1 {FILTER} in {GROUP}");
    changed(
        fail(Reason::FilterAbsent, Link::MetricFilter, 1, cut_at(2)),
        &filter,
    );
    changed(
        fail(
            Reason::FilterIncomplete,
            Link::MetricFilter,
            2,
            with_field(2, "/pattern", json!("{ $.a = 1 }")),
        ),
        &filter,
    );
    changed(without_alarm(), &format!("alarm {ALARM}"));
    changed(
        fail(
            Reason::AlarmActionsDisabled,
            Link::Alarm,
            3,
            with_field(3, "/actions_enabled", json!(false)),
        ),
        &format!("alarm {ALARM}"),
    );
    changed(
        fail(
            Reason::TrailNotLogging,
            Link::Trail,
            0,
            with_field(0, "/status/is_logging", json!(false)),
        ),
        &format!("trail {TRAIL}"),
    );
    changed(
        finding(
            MEMBER,
            "organizations-changes",
            Reason::TrailAbsent,
            None,
            Vec::new(),
        ),
        &format!("trail {TRAIL}"),
    );
    changed(
        fail(Reason::SubscriptionAbsent, Link::Subscription, 4, cut_at(5)),
        &format!("subscription {SUBSCRIPTION}"),
    );
    let mut chain = cut_at(5);
    chain[4].read = json!("missing");
    changed(
        fail(Reason::TopicMissing, Link::Topic, 4, chain),
        &format!("topic {TOPIC}"),
    );
    // The trail was pointed to a log group without filters.
    let mut chain = cut_at(2);
    chain[0].read["log_group"] = json!("other");
    chain[1].resource = GROUP.replace(":trail", ":other");
    changed(
        fail(Reason::FilterAbsent, Link::MetricFilter, 1, chain),
        &format!("trail {TRAIL}"),
    );
}

#[test]
fn the_break_itself_comes_before_what_else_changed() {
    let mut chain = with_field(0, "/status/delivery", json!("stale"));
    chain[4].read["present"]["policy"] = json!([{"effect": "Deny"}]);
    chain.truncate(5);
    let drift = drift(
        pass(),
        fail(Reason::SubscriptionAbsent, Link::Subscription, 4, chain),
    );
    assert_eq!(drift.cause, format!("subscription {SUBSCRIPTION}"));
    assert_eq!(drift.changes.len(), 3);
    assert_eq!(drift.changes[0].of.link, Link::Subscription);
    assert_eq!(drift.changes[2].path, "/status/delivery");
}

#[test]
fn a_break_of_its_own_trail_is_high_and_in_the_management_account_critical() {
    let own = |account| {
        let own = finding(
            account,
            "organizations-changes",
            Reason::CoveredByOwnTrail,
            None,
            whole_chain(),
        );
        let severity = |before: Finding| {
            let after = of_account(account, without_alarm());
            drift(before, after).severity
        };
        severity(own)
    };
    assert_eq!(own(MEMBER), Severity::High);
    assert_eq!(own(OWNER), Severity::Critical);
}

#[test]
fn a_recovery_is_info_and_has_the_cause_of_the_break() {
    let broke = drift(pass(), without_alarm());
    let mended = drift(without_alarm(), pass());
    assert_eq!(mended.severity, Severity::Info);
    assert!(mended.is_recovery() && !broke.is_recovery());
    assert_eq!(mended.cause, broke.cause);
    assert_eq!(
        broke.message,
        "organizations-changes in account shop (222222222222) went from PASS to FAIL: No alarm \
         watches the metric of the filter.; the alarm org changes is gone"
    );
}

#[test]
fn another_reason_under_the_same_verdict_is_its_own_kind() {
    let no_action = fail(
        Reason::AlarmNoAction,
        Link::Alarm,
        3,
        with_field(3, "/alarm_actions", json!([])),
    );
    let drift = drift(without_alarm(), no_action);
    assert_eq!(drift.kind, DriftKind::ReasonChanged);
    assert_eq!(drift.severity, Severity::Low);
    assert_eq!(drift.cause, format!("alarm {ALARM}"));
}

#[test]
fn other_evidence_under_the_same_verdict_is_told_by_what_it_is() {
    use DriftKind::EvidenceChanged;
    let filter = format!("metric_filter {OWNER} eu-west-1 {FILTER} in {GROUP}");
    let pattern = with_field(2, "/pattern", json!("{ $.b = 1 }"));
    check(still(pattern), EvidenceChanged, Severity::Low, &filter);
    let threshold = with_field(3, "/threshold", json!(0.5));
    check(
        still(threshold),
        EvidenceChanged,
        Severity::Low,
        &format!("alarm {ALARM}"),
    );
    let mut chain = whole_chain();
    chain[5] = subscription(4, &format!("{TOPIC}:0002"));
    let replaced = format!("subscription {SUBSCRIPTION}");
    check(still(chain), EvidenceChanged, Severity::Medium, &replaced);
    let mut chain = whole_chain();
    chain.push(subscription(4, &format!("{TOPIC}:0002")));
    let added = format!("subscription {TOPIC}:0002");
    check(still(chain), EvidenceChanged, Severity::Low, &added);
    let stale = with_field(0, "/status/delivery", json!("stale"));
    check(
        still(stale),
        EvidenceChanged,
        Severity::Info,
        &format!("trail {TRAIL}"),
    );
    let mut chain = whole_chain();
    chain.push(ChainNode {
        state: NodeState::Broken,
        ..node(Link::MetricFilter, Some(1), "never counted", json!({}))
    });
    let other = format!("metric_filter {OWNER} eu-west-1 never counted in {GROUP}");
    check(still(chain), EvidenceChanged, Severity::Info, &other);
}

#[test]
fn blindness_hides_nothing_and_fakes_nothing() {
    let history = [pass(), unknown(), unknown()];
    let found = drifts(&history, without_alarm());
    assert_eq!(kinds(&found), ["visible-again", "verdict-changed"]);
    // Bracketed by the last time it was seen whole.
    assert_eq!(found[0].between.last_before, Some(SweepId(3)));
    assert_eq!(found[1].between.last_before, Some(SweepId(1)));
    assert_eq!(found[1].between.seen, SweepId(6));
    let Some(DriftSide::Finding(before)) = &found[1].before else {
        panic!("{found:#?}");
    };
    assert_eq!(before.verdict, Verdict::Pass);
    assert_eq!(kinds(&drifts(&history, pass())), ["visible-again"]);
    assert_eq!(kinds(&drifts(&[pass()], unknown())), ["became-unknown"]);
    assert_eq!(kinds(&drifts(&history, unknown())), [""; 0]);
    // Never known before: nothing to compare with.
    assert_eq!(
        kinds(&drifts(&[unknown()], without_alarm())),
        ["visible-again"]
    );
}

#[test]
fn one_unknown_for_another_reason_is_no_drift() {
    let mut other = unknown();
    other.reason = Reason::EvidenceGap;
    other.gaps = vec![gap("cloudtrail:DescribeTrails", None, MEMBER)];
    assert_eq!(drifts(&[pass(), unknown()], other), []);
}

#[test]
fn gaps_that_decide_nothing_and_advice_are_no_drift() {
    let mut after = pass();
    after.gaps = vec![gap("cloudtrail:DescribeTrails", None, MEMBER)];
    after.message = "said otherwise".to_owned();
    after.chain = (after.chain.iter().cloned())
        .map(|node| ChainNode {
            message: "said otherwise".to_owned(),
            ..node
        })
        .collect();
    assert_eq!(drifts(&[pass()], after), []);
}

#[test]
fn the_same_evidence_with_another_answer_is_rejudged() {
    let was = remembered(&[pass()]);
    let account = account();
    let same = Some(evidence(&SweepId(1).to_string()));
    let compared = |context: &SweepContext, finding: Finding, evidence| {
        let findings = &[finding];
        let now = AccountNow {
            account: &account,
            findings,
            evidence,
        };
        compare(context, Some(&was), now)
    };
    let found = compared(&context(), without_alarm(), same);
    assert_eq!(kinds(&found), ["rejudged"]);
    assert_eq!(found[0].severity, Severity::Medium);
    assert_eq!(
        found[0].cause,
        "rejudged organizations-changes covered-by-organization-trail to alarm-absent"
    );
    assert_eq!(compared(&context(), pass(), same), []);
    // Other evidence that does not show in the chain: ours, if we changed; the world's, if not.
    let otherwise = fail(
        Reason::FilterMetricWorthless,
        Link::MetricFilter,
        2,
        whole_chain(),
    );
    let other = Some(evidence("other"));
    let changed = SweepContext {
        judging_changed: true,
        ..context()
    };
    assert_eq!(
        kinds(&compared(&changed, otherwise.clone(), other)),
        ["rejudged"]
    );
    let found = compared(&context(), otherwise, other);
    assert_eq!(kinds(&found), ["verdict-changed"]);
    assert_eq!(found[0].changes, []);
    let filter = format!("metric_filter {OWNER} eu-west-1 {FILTER} in {GROUP}");
    assert_eq!(found[0].cause, filter);
    // Our own change does not hide one of the world.
    assert_eq!(
        kinds(&compared(&changed, without_alarm(), other)),
        ["verdict-changed"]
    );
}

#[test]
fn what_is_new_is_a_baseline() {
    let account = account();
    let now = AccountNow {
        account: &account,
        findings: &[without_alarm()],
        evidence: None,
    };
    let joined = compare(&context(), None, now);
    assert_eq!(kinds(&joined), ["account-joined"]);
    let first = SweepContext {
        knows_every_account: false,
        ..context()
    };
    assert_eq!(compare(&first, None, now), []);
    // A control that was never judged, or not in this account.
    let was = remembered(&[of_control("root-usage", pass())]);
    assert_eq!(compare(&context(), Some(&was), now), []);
    let new = SweepContext {
        new_controls: ["organizations-changes".parse().unwrap()].into(),
        ..context()
    };
    assert_eq!(compare(&new, Some(&remembered(&[pass()])), now), []);
}

/// What is told of an account that was, and is now, as these say.
fn of_accounts(
    before: impl Fn(&mut Account),
    after: impl Fn(&mut Account),
    history: &[Finding],
    now: &[Finding],
) -> Vec<Drift> {
    let mut was = remembered(history);
    before(&mut was.account);
    let mut account = account();
    after(&mut account);
    let now = AccountNow {
        account: &account,
        findings: now,
        evidence: None,
    };
    compare(&context(), Some(&was), now)
}

#[test]
fn a_suspended_account_is_told_once_and_not_by_control() {
    let not_applicable = || {
        let reason = Reason::AccountSuspended;
        finding(MEMBER, "organizations-changes", reason, None, Vec::new())
    };
    let both = |one: Finding| [one.clone(), of_control("root-usage", one)];
    let suspend = |account: &mut Account| account.state = AccountState::Suspended;
    let found = of_accounts(|_| (), suspend, &both(pass()), &both(not_applicable()));
    assert_eq!(kinds(&found), ["account-state-changed"]);
    assert_eq!(found[0].severity, Severity::Medium);
    assert_eq!(found[0].control, None);
    assert_eq!(found[0].between.last_before, Some(SweepId(2)));
    let found = of_accounts(
        suspend,
        |_| (),
        &both(not_applicable()),
        &both(without_alarm()),
    );
    assert_eq!(kinds(&found), ["account-state-changed"]);
    // A state that AWS did not say in between hides nothing.
    let blind = |account: &mut Account| account.state = AccountState::Unknown;
    let found = of_accounts(blind, suspend, &both(pass()), &both(not_applicable()));
    assert_eq!(kinds(&found), ["account-state-changed"]);
    assert_eq!(of_accounts(|_| (), blind, &both(pass()), &both(pass())), []);
    let close = |account: &mut Account| account.state = AccountState::Closed;
    let found = of_accounts(
        suspend,
        close,
        &both(not_applicable()),
        &both(not_applicable()),
    );
    assert_eq!(kinds(&found), ["account-state-changed"]);
}

#[test]
fn a_move_and_a_name_are_told_where_both_are_known() {
    let go = |account: &mut Account| account.ou_path = Some(OuPath(vec!["r-1".to_owned()]));
    let found = of_accounts(|_| (), go, &[pass()], &[pass()]);
    assert_eq!(kinds(&found), ["account-moved"]);
    assert_eq!(found[0].cause, "account-moved r-1/ou-1 to r-1");
    let rename = |account: &mut Account| account.name = "store".to_owned();
    let found = of_accounts(|_| (), rename, &[pass()], &[pass()]);
    assert_eq!(kinds(&found), ["account-renamed"]);
    let blind = |account: &mut Account| {
        account.name = String::new();
        account.ou_path = None;
    };
    assert_eq!(of_accounts(|_| (), blind, &[pass()], &[pass()]), []);
    assert_eq!(of_accounts(blind, |_| (), &[pass()], &[pass()]), []);
}

#[test]
fn an_account_that_is_lost_from_sight_is_told_once() {
    let both = |one: Finding| [one.clone(), of_control("root-usage", one)];
    let same = |_: &mut Account| ();
    let found = of_accounts(same, same, &both(pass()), &both(unknown()));
    assert_eq!(kinds(&found), ["became-unknown"]);
    assert_eq!(found[0].control, None);
    assert_eq!(found[0].account, Some(id(MEMBER)));
    assert_eq!(found[0].cause, "account-not-entered access-denied");
    assert_eq!(found[0].severity, Severity::Medium);
    let found = of_accounts(same, same, &both(unknown()), &both(pass()));
    assert_eq!(kinds(&found), ["visible-again"]);
    // One control of two that is lost is told of that control.
    let [one, _] = both(unknown());
    let found = of_accounts(
        same,
        same,
        &both(pass()),
        &[one, of_control("root-usage", pass())],
    );
    assert_eq!(kinds(&found), ["became-unknown"]);
    assert!(found[0].control.is_some());
}

#[test]
fn losing_sight_of_the_management_account_is_worse() {
    let lost = |before: Finding| drift(before, of_account(OWNER, unknown())).severity;
    assert_eq!(lost(of_account(OWNER, pass())), Severity::High);
    assert_eq!(lost(of_account(OWNER, without_alarm())), Severity::Low);
}

#[test]
fn a_drift_survives_its_json_form() {
    for drift in [
        drift(pass(), without_alarm()),
        drift(pass(), unknown()),
        of_accounts(
            |_| (),
            |account| account.state = AccountState::Closed,
            &[pass()],
            &[pass()],
        )
        .remove(0),
    ] {
        let text = model::canonical_json(&drift);
        let read: Drift = serde_json::from_str(&text).unwrap();
        assert_eq!(read, drift);
        assert_eq!(model::canonical_json(&read), text);
    }
}
