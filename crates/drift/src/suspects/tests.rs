//! Which calls are looked for, change by change.

use model::{Account, AccountState, Finding, Reason};
use serde_json::json;

use super::*;
use crate::{
    account_left,
    compare::{AccountNow, compare},
    fixture::{
        ALARM, MEMBER, OWNER, REGION, TOPIC, account, context, cut_at, drift, fail, finding, id,
        node, over, pass, remembered, subscription, unknown, whole_chain, with_field,
    },
};

pub(crate) fn organization() -> Organization {
    Organization {
        id: "o-1".to_owned(),
        management_account: id(OWNER),
        partition: model::Partition::new("aws"),
        delegated_administrators: Ok(Vec::new()),
    }
}

/// Which calls are looked for when the whole chain becomes this one.
#[track_caller]
fn check(chain: Vec<model::ChainNode>, expected: &[&str]) {
    let drift = drift(pass(), over(chain, pass()));
    check_drift(&drift, expected);
    for suspect in suspects(&drift, None) {
        assert_eq!(
            (suspect.account, suspect.region.as_str()),
            (id(OWNER), REGION)
        );
    }
}

#[track_caller]
fn check_drift(drift: &Drift, expected: &[&str]) {
    let mut names: Vec<String> = suspects(drift, Some(&organization()))
        .into_iter()
        .map(|suspect| format!("{} {}", suspect.event_source, suspect.event_name))
        .collect();
    names.sort();
    names.dedup();
    let mut expected: Vec<String> = expected
        .iter()
        .map(|name| match name.split_once(' ') {
            Some((service, name)) => format!("{service}.amazonaws.com {name}"),
            None => (*name).to_owned(),
        })
        .collect();
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn each_change_has_the_calls_that_make_it() {
    check(
        cut_at(2),
        &[
            "logs DeleteMetricFilter",
            "logs PutMetricFilter",
            "logs DeleteLogGroup",
        ],
    );
    check(
        with_field(2, "/pattern", json!("{ $.a = 1 }")),
        &["logs PutMetricFilter"],
    );
    check(
        with_field(1, "/class", json!("missing")),
        &["logs DeleteLogGroup"],
    );
    check(
        with_field(1, "/class/present", json!("DELIVERY")),
        &["logs DeleteLogGroup", "logs CreateLogGroup"],
    );
    check(
        cut_at(3),
        &[
            "monitoring DeleteAlarms",
            "monitoring PutMetricAlarm",
            "monitoring PutCompositeAlarm",
        ],
    );
    check(
        with_field(3, "/actions_enabled", json!(false)),
        &[
            "monitoring DisableAlarmActions",
            "monitoring PutMetricAlarm",
            "monitoring PutCompositeAlarm",
        ],
    );
    check(
        with_field(3, "/threshold", json!(5)),
        &["monitoring PutMetricAlarm", "monitoring PutCompositeAlarm"],
    );
    check(
        with_field(0, "/status/is_logging", json!(false)),
        &["cloudtrail StopLogging", "cloudtrail CreateTrail"],
    );
    check(
        with_field(0, "/selectors/basic/0/read_write_type", json!("ReadOnly")),
        &["cloudtrail PutEventSelectors", "cloudtrail CreateTrail"],
    );
    check(
        with_field(0, "/log_group", json!(null)),
        &["cloudtrail UpdateTrail", "cloudtrail CreateTrail"],
    );
    check(
        with_field(0, "/is_multi_region", json!(false)),
        &["cloudtrail UpdateTrail", "cloudtrail CreateTrail"],
    );
    check(
        Vec::new(),
        &["cloudtrail DeleteTrail", "cloudtrail UpdateTrail"],
    );
    check(with_field(4, "", json!("missing")), &["sns DeleteTopic"]);
    check(
        with_field(4, "/present/policy", json!([{}])),
        &[
            "sns SetTopicAttributes",
            "sns AddPermission",
            "sns RemovePermission",
            "sns CreateTopic",
        ],
    );
    check(
        with_field(4, "/present/kms_key", json!("alias/aws/sns")),
        &["sns SetTopicAttributes", "sns CreateTopic"],
    );
    check(cut_at(5), &["sns Unsubscribe", "sns DeleteTopic"]);
    let mut chain = whole_chain();
    chain.push(subscription(4, &format!("{TOPIC}:0002")));
    check(chain, &["sns Subscribe", "sns ConfirmSubscription"]);
    let mut chain = whole_chain();
    chain.push(node(Link::MetricFilter, Some(1), "second", json!({})));
    check(chain, &["logs PutMetricFilter"]);
    let mut chain = whole_chain();
    chain.push(node(Link::Alarm, Some(2), &format!("{ALARM} 2"), json!({})));
    check(
        chain,
        &["monitoring PutMetricAlarm", "monitoring PutCompositeAlarm"],
    );
}

#[test]
fn the_way_back_has_calls_of_its_own() {
    let back = |chain: Vec<model::ChainNode>| drift(over(chain, pass()), pass());
    let enabled = back(with_field(3, "/actions_enabled", json!(false)));
    check_drift(
        &enabled,
        &[
            "monitoring EnableAlarmActions",
            "monitoring PutMetricAlarm",
            "monitoring PutCompositeAlarm",
        ],
    );
    let logging = back(with_field(0, "/status/is_logging", json!(false)));
    check_drift(&logging, &["cloudtrail StartLogging"]);
    check_drift(
        &back(with_field(4, "", json!("missing"))),
        &["sns CreateTopic"],
    );
    let present = back(with_field(1, "/class", json!("missing")));
    check_drift(&present, &["logs CreateLogGroup"]);
    check_drift(
        &back(Vec::new()),
        &["cloudtrail CreateTrail", "cloudtrail UpdateTrail"],
    );
}

#[test]
fn only_the_cause_is_suspected() {
    let mut chain = with_field(3, "/threshold", json!(0.5));
    chain.truncate(5);
    let broken = fail(Reason::SubscriptionAbsent, Link::Subscription, 4, chain);
    let drift = drift(pass(), broken);
    assert_eq!(drift.changes.len(), 2);
    check_drift(&drift, &["sns Unsubscribe", "sns DeleteTopic"]);
}

#[test]
fn an_account_changes_by_calls_in_the_management_account_or_its_own() {
    let changed = |change: &dyn Fn(&mut Account), findings: &[Finding]| {
        let mut account = account();
        change(&mut account);
        let now = AccountNow {
            account: &account,
            findings,
            evidence: None,
        };
        compare(&context(), Some(&remembered(findings)), now).remove(0)
    };
    let moved = changed(
        &|account| account.ou_path = Some(model::OuPath(Vec::new())),
        &[pass()],
    );
    check_drift(&moved, &["organizations MoveAccount"]);
    let suspect = suspects(&moved, Some(&organization())).remove(0);
    assert_eq!(suspect.account, id(OWNER));
    assert_eq!(suspect.region.as_str(), "us-east-1");
    assert_eq!(suspect.resource, MEMBER);
    let closed = changed(
        &|account| account.state = AccountState::PendingClosure,
        &[pass()],
    );
    check_drift(&closed, &["organizations CloseAccount"]);
    let opened = changed(
        &|account| account.state = AccountState::PendingActivation,
        &[pass()],
    );
    check_drift(&opened, &[]);
    let named = changed(&|account| account.name = "other".to_owned(), &[pass()]);
    check_drift(&named, &["account PutAccountName"]);
    check_drift(
        &account_left(&context(), &remembered(&[pass()])),
        &[
            "organizations RemoveAccountFromOrganization",
            "organizations LeaveOrganization",
        ],
    );
    let account = account();
    let now = AccountNow {
        account: &account,
        findings: &[],
        evidence: None,
    };
    let joined = compare(&context(), None, now).remove(0);
    check_drift(
        &joined,
        &[
            "organizations CreateAccount",
            "organizations CreateAccountResult",
            "organizations InviteAccountToOrganization",
            "organizations AcceptHandshake",
        ],
    );
    assert_eq!(suspects(&joined, None), []);
}

#[test]
fn nobody_is_suspected_of_what_nobody_did() {
    check_drift(&drift(pass(), unknown()), &[]);
    check(
        with_field(0, "/status/delivery", json!("stale")),
        &["cloudtrail UpdateTrail"],
    );
    // What broke beside the chain has no changes.
    let otherwise = finding(
        MEMBER,
        "organizations-changes",
        Reason::FilterMetricWorthless,
        Some((Link::MetricFilter, 2)),
        whole_chain(),
    );
    check_drift(&drift(pass(), otherwise), &[]);
}
