//! Which recorded call is taken for the cause, by records as CloudTrail writes them.

use model::{AccountState, ChainNode, OuPath};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    account_left,
    compare::{AccountNow, compare},
    fixture::{
        ALARM, FILTER, GROUP, MEMBER, OWNER, REGION, SUBSCRIPTION, TOPIC, TRAIL, account, context,
        cut_at, drift, id, over, pass, remembered, subscription, whole_chain, with_field,
    },
    suspects::tests::organization,
};

const START: i64 = 1_760_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).unwrap()
}

fn window() -> Window {
    Window {
        from: at(0),
        to: at(3600),
    }
}

/// A call by an administrator, in the middle of the window.
fn call(source: &str, name: &str, request: Value) -> RecordedCall {
    RecordedCall {
        author: Author {
            event_id: format!("{source}/{name}"),
            event_source: format!("{source}.amazonaws.com"),
            event_name: name.to_owned(),
            time: at(1800),
            account: id(OWNER),
            region: REGION.parse().unwrap(),
            actor: Some("arn:aws:sts::111111111111:assumed-role/admin/mallory".to_owned()),
            session_issuer: Some("arn:aws:iam::111111111111:role/admin".to_owned()),
            source_ip: Some("192.0.2.7".to_owned()),
            user_agent: Some("aws-cli/2.31".to_owned()),
        },
        error_code: None,
        request_parameters: request,
    }
}

fn of_organizations(name: &str, request: Value) -> RecordedCall {
    let mut call = call("organizations", name, request);
    call.author.region = "us-east-1".parse().unwrap();
    call
}

fn recorded_in(account: &str, mut call: RecordedCall) -> RecordedCall {
    call.author.account = id(account);
    call
}

fn later(seconds: i64, mut call: RecordedCall) -> RecordedCall {
    call.author.time = at(1800 + seconds);
    call
}

fn becomes(chain: Vec<ChainNode>) -> Drift {
    drift(pass(), over(chain, pass()))
}

fn was(chain: Vec<ChainNode>) -> Drift {
    drift(over(chain, pass()), pass())
}

fn author(drift: &Drift, calls: &[RecordedCall]) -> Option<String> {
    let organization = organization();
    let found = find_author(drift, Some(&organization), window(), calls);
    // What cannot be the author does not count, whether it is there or not.
    let may_be = |call: &&RecordedCall| may_be_author(drift, Some(&organization), window(), call);
    let left: Vec<RecordedCall> = calls.iter().filter(may_be).cloned().collect();
    assert_eq!(
        find_author(drift, Some(&organization), window(), &left),
        found
    );
    found.map(|author| author.event_name)
}

/// The call is the author of the drift, as long as it could be: neither when AWS refused it, nor outside
/// the window, nor in another account or region, nor without its parameters.
#[track_caller]
fn check(drift: &Drift, call: &RecordedCall) {
    let name = call.author.event_name.clone();
    assert_eq!(author(drift, std::slice::from_ref(call)), Some(name));
    let refused = |change: &dyn Fn(&mut RecordedCall)| {
        let mut call = call.clone();
        change(&mut call);
        assert_eq!(author(drift, std::slice::from_ref(&call)), None, "{call:?}");
    };
    refused(&|call| call.error_code = Some("AccessDenied".to_owned()));
    refused(&|call| call.author.time = at(-1));
    refused(&|call| call.author.time = at(3601));
    refused(&|call| call.author.account = id("999999999999"));
    refused(&|call| call.author.region = "ap-south-1".parse().unwrap());
    refused(&|call| call.author.event_source = "ec2.amazonaws.com".to_owned());
    let names_resource = !matches!(
        call.author.event_name.as_str(),
        "LeaveOrganization" | "AcceptHandshake"
    );
    if names_resource {
        refused(&|call| call.request_parameters = Value::Null);
        refused(&|call| {
            let text = call.request_parameters.to_string();
            let other = text
                .replace("org", "xyz")
                .replace("security", "xyz")
                .replace(MEMBER, "888888888888")
                .replace(":trail", ":xyz")
                .replace("\"trail\"", "\"xyz\"");
            call.request_parameters = serde_json::from_str(&other).unwrap();
        });
    }
}

#[test]
fn changes_of_trails_have_their_authors() {
    let stopped = becomes(with_field(0, "/status/is_logging", json!(false)));
    check(
        &stopped,
        &call("cloudtrail", "StopLogging", json!({"name": TRAIL})),
    );
    check(
        &stopped,
        &call("cloudtrail", "StopLogging", json!({"name": "org"})),
    );
    let started = was(with_field(0, "/status/is_logging", json!(false)));
    check(
        &started,
        &call("cloudtrail", "StartLogging", json!({"name": "org"})),
    );
    let gone = becomes(Vec::new());
    check(
        &gone,
        &call("cloudtrail", "DeleteTrail", json!({"name": TRAIL})),
    );
    let narrowed = json!({"name": "org", "isOrganizationTrail": false});
    check(&gone, &call("cloudtrail", "UpdateTrail", narrowed.clone()));
    let made = json!({"name": "org", "s3BucketName": "b", "isMultiRegionTrail": true});
    check(&was(Vec::new()), &call("cloudtrail", "CreateTrail", made));
    let selectors = becomes(with_field(
        0,
        "/selectors/basic/0/read_write_type",
        json!("ReadOnly"),
    ));
    let request = json!({"trailName": "org", "eventSelectors": [{"readWriteType": "ReadOnly"}]});
    check(
        &selectors,
        &call("cloudtrail", "PutEventSelectors", request),
    );
    let single = becomes(with_field(0, "/is_multi_region", json!(false)));
    let request = json!({"name": TRAIL, "isMultiRegionTrail": false});
    check(&single, &call("cloudtrail", "UpdateTrail", request));
    // An update of something else did not do it.
    assert_eq!(
        author(&single, &[call("cloudtrail", "UpdateTrail", narrowed)]),
        None
    );
    let pointed = becomes(with_field(0, "/log_group", json!("other")));
    let request = json!({"name": "org", "cloudWatchLogsLogGroupArn": "other"});
    check(&pointed, &call("cloudtrail", "UpdateTrail", request));
}

#[test]
fn changes_of_log_groups_and_filters_have_their_authors() {
    let missing = becomes(with_field(1, "/class", json!("missing")));
    check(
        &missing,
        &call("logs", "DeleteLogGroup", json!({"logGroupName": "trail"})),
    );
    let back = was(with_field(1, "/class", json!("missing")));
    check(
        &back,
        &call("logs", "CreateLogGroup", json!({"logGroupName": "trail"})),
    );
    let gone = becomes(cut_at(2));
    let named = json!({"logGroupName": "trail", "filterName": FILTER});
    check(&gone, &call("logs", "DeleteMetricFilter", named.clone()));
    check(
        &gone,
        &call("logs", "DeleteLogGroup", json!({"logGroupName": "trail"})),
    );
    let by_arn = json!({"logGroupIdentifier": format!("{GROUP}:*"), "filterName": FILTER});
    check(&gone, &call("logs", "PutMetricFilter", by_arn));
    let pattern = becomes(with_field(2, "/pattern", json!("{ $.a = 1 }")));
    let put = |pattern: &str| {
        json!({"logGroupName": "trail", "filterName": FILTER, "filterPattern": pattern,
            "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}]})
    };
    check(
        &pattern,
        &call("logs", "PutMetricFilter", put("{ $.a = 1 }")),
    );
    // A pattern that is not the one that is seen was put after, or before somebody put this one.
    assert_eq!(
        author(
            &pattern,
            &[call("logs", "PutMetricFilter", put("{ $.b = 1 }"))]
        ),
        None
    );
    assert_eq!(
        author(&pattern, &[call("logs", "DeleteMetricFilter", named)]),
        None
    );
}

#[test]
fn changes_of_alarms_have_their_authors() {
    let name = "org changes";
    let many = json!({"alarmNames": ["another", name]});
    let gone = becomes(cut_at(3));
    check(&gone, &call("monitoring", "DeleteAlarms", many.clone()));
    let disabled = becomes(with_field(3, "/actions_enabled", json!(false)));
    check(
        &disabled,
        &call("monitoring", "DisableAlarmActions", many.clone()),
    );
    let put =
        |enabled: Value| json!({"alarmName": name, "actionsEnabled": enabled, "threshold": 1.0});
    check(
        &disabled,
        &call("monitoring", "PutMetricAlarm", put(json!(false))),
    );
    let enabled = was(with_field(3, "/actions_enabled", json!(false)));
    check(
        &enabled,
        &call("monitoring", "EnableAlarmActions", many.clone()),
    );
    check(
        &enabled,
        &call(
            "monitoring",
            "PutCompositeAlarm",
            json!({"alarmName": name}),
        ),
    );
    for call in [
        call("monitoring", "EnableAlarmActions", many),
        call("monitoring", "PutMetricAlarm", put(json!(true))),
        call("monitoring", "PutMetricAlarm", put(json!("false"))),
    ] {
        assert_eq!(
            author(&disabled, std::slice::from_ref(&call)),
            None,
            "{call:?}"
        );
    }
    let threshold = becomes(with_field(3, "/threshold", json!(5)));
    check(
        &threshold,
        &call("monitoring", "PutMetricAlarm", put(json!(true))),
    );
    assert!(ALARM.ends_with(name));
}

#[test]
fn changes_of_topics_and_subscriptions_have_their_authors() {
    let topic = json!({"topicArn": TOPIC});
    let missing = becomes(with_field(4, "", json!("missing")));
    check(&missing, &call("sns", "DeleteTopic", topic.clone()));
    let back = was(with_field(4, "", json!("missing")));
    check(
        &back,
        &call("sns", "CreateTopic", json!({"name": "security"})),
    );
    let policy = becomes(with_field(4, "/present/policy", json!([{}])));
    let set = |name: &str| json!({"topicArn": TOPIC, "attributeName": name, "attributeValue": "x"});
    check(&policy, &call("sns", "SetTopicAttributes", set("Policy")));
    assert_eq!(
        author(
            &policy,
            &[call("sns", "SetTopicAttributes", set("DisplayName"))]
        ),
        None
    );
    let label = json!({"topicArn": TOPIC, "label": "l"});
    check(&policy, &call("sns", "AddPermission", label.clone()));
    check(&policy, &call("sns", "RemovePermission", label));
    let key = becomes(with_field(4, "/present/kms_key", json!("alias/aws/sns")));
    check(
        &key,
        &call("sns", "SetTopicAttributes", set("KmsMasterKeyId")),
    );
    let gone = becomes(cut_at(5));
    check(
        &gone,
        &call(
            "sns",
            "Unsubscribe",
            json!({"subscriptionArn": SUBSCRIPTION}),
        ),
    );
    check(&gone, &call("sns", "DeleteTopic", topic));
    let mut chain = whole_chain();
    chain.push(subscription(4, &format!("{TOPIC}:0002")));
    let new = becomes(chain);
    let hidden = "HIDDEN_DUE_TO_SECURITY_REASONS";
    let subscribe = json!({"topicArn": TOPIC, "protocol": "email", "endpoint": hidden});
    check(&new, &call("sns", "Subscribe", subscribe));
    let confirm = json!({"topicArn": TOPIC, "token": hidden});
    check(&new, &call("sns", "ConfirmSubscription", confirm));
}

fn of_account(change: impl Fn(&mut model::Account)) -> Drift {
    let mut account = account();
    change(&mut account);
    let now = AccountNow {
        account: &account,
        findings: &[pass()],
        evidence: None,
    };
    compare(&context(), Some(&remembered(&[pass()])), now).remove(0)
}

#[test]
fn changes_of_accounts_have_their_authors() {
    let moved = of_account(|account| account.ou_path = Some(OuPath(vec!["r-1".to_owned()])));
    let request =
        json!({"accountId": MEMBER, "sourceParentId": "ou-1", "destinationParentId": "r-1"});
    check(&moved, &of_organizations("MoveAccount", request));
    let named = json!({"accountId": MEMBER});
    let closed = of_account(|account| account.state = AccountState::PendingClosure);
    check(&closed, &of_organizations("CloseAccount", named.clone()));
    let left = account_left(&context(), &remembered(&[pass()]));
    check(
        &left,
        &of_organizations("RemoveAccountFromOrganization", named.clone()),
    );
    let itself = |name: &str| recorded_in(MEMBER, of_organizations(name, Value::Null));
    check(&left, &itself("LeaveOrganization"));
    let mut renamed = of_organizations("PutAccountName", named);
    renamed.author.event_source = "account.amazonaws.com".to_owned();
    check(
        &of_account(|account| account.name = "other".to_owned()),
        &renamed,
    );
}

fn joined() -> Drift {
    let account = account();
    let now = AccountNow {
        account: &account,
        findings: &[],
        evidence: None,
    };
    compare(&context(), None, now).remove(0)
}

#[test]
fn an_account_that_joined_was_invited_or_made() {
    let request = json!({"target": {"type": "ACCOUNT", "id": MEMBER}, "notes": "n"});
    check(
        &joined(),
        &of_organizations("InviteAccountToOrganization", request),
    );
    let accepted = of_organizations(
        "AcceptHandshake",
        json!({"handshakeId": "h-examplehandshakeid111"}),
    );
    check(&joined(), &recorded_in(MEMBER, accepted));
    let asked = of_organizations(
        "CreateAccount",
        json!({"accountName": "****", "email": "****"}),
    );
    let made = |account: &str| {
        let status = json!({"id": "car-1", "state": "SUCCEEDED", "accountId": account});
        of_organizations(
            "CreateAccountResult",
            json!({"createAccountStatus": status}),
        )
    };
    let name = Some("CreateAccount".to_owned());
    assert_eq!(author(&joined(), &[asked.clone(), made(MEMBER)]), name);
    // Who asked does not name the account: without the result, or with two who asked, nobody knows.
    assert_eq!(author(&joined(), std::slice::from_ref(&asked)), None);
    assert_eq!(
        author(&joined(), &[asked.clone(), made("888888888888")]),
        None
    );
    assert_eq!(
        author(&joined(), &[asked.clone(), later(1, asked), made(MEMBER)]),
        None
    );
    assert_eq!(author(&joined(), &[made(MEMBER)]), None);
}

#[test]
fn one_change_seen_in_many_accounts_is_asked_for_once() {
    let broken = becomes(cut_at(3));
    let elsewhere = Drift {
        account: Some(id(OWNER)),
        message: "the same in another account".to_owned(),
        ..broken.clone()
    };
    assert_eq!(author_key(&broken), author_key(&elsewhere));
    assert_ne!(author_key(&broken), author_key(&becomes(cut_at(2))));
    let mut later = broken.clone();
    later.between.last_before = None;
    assert_ne!(author_key(&broken), author_key(&later));
    // Accounts join one by one, though the cause is the same.
    let one = joined();
    let another = Drift {
        account: Some(id(OWNER)),
        ..one.clone()
    };
    assert_eq!(one.cause, another.cause);
    assert_ne!(author_key(&one), author_key(&another));
}

#[test]
fn the_latest_call_that_could_lead_here_is_the_author() {
    let disabled = becomes(with_field(3, "/actions_enabled", json!(false)));
    let names = json!({"alarmNames": ["org changes"]});
    let disable = |seconds, id: &str| {
        let mut call = later(
            seconds,
            call("monitoring", "DisableAlarmActions", names.clone()),
        );
        id.clone_into(&mut call.author.event_id);
        call
    };
    let enable = later(20, call("monitoring", "EnableAlarmActions", names.clone()));
    let calls = [disable(10, "second"), disable(0, "first"), enable];
    let found = find_author(&disabled, None, window(), &calls).unwrap();
    assert_eq!(found.event_id, "second");
}

#[test]
fn a_request_of_another_shape_fits_nothing() {
    let huge = "x".repeat(1 << 20);
    let deep = (0..100).fold(json!("org"), |inner, _| json!({"name": inner}));
    let shapes = [
        Value::Null,
        json!(7),
        json!("org"),
        json!(["org"]),
        json!({}),
        json!({"name": ["org"]}),
        json!({"name": {"org": true}}),
        json!({"name": 7}),
        json!({"name": null}),
        json!({"name": huge}),
        json!({"name": "ORG"}),
        json!({"alarmNames": "org changes"}),
        json!({"alarmNames": {"member": ["org changes"]}}),
        json!({"alarmNames": vec![json!(null); 1000]}),
        json!({"alarmName": ["org changes"]}),
        deep,
    ];
    let drifts = [
        becomes(with_field(0, "/status/is_logging", json!(false))),
        becomes(cut_at(3)),
        becomes(cut_at(2)),
        becomes(cut_at(5)),
    ];
    for shape in shapes {
        let calls = [
            call("cloudtrail", "StopLogging", shape.clone()),
            call("monitoring", "DeleteAlarms", shape.clone()),
            call("logs", "DeleteMetricFilter", shape.clone()),
            call("sns", "Unsubscribe", shape),
        ];
        for drift in &drifts {
            assert_eq!(author(drift, &calls), None);
        }
    }
    // Upper and lower case of a parameter's name differ between services.
    let calls = [call("cloudtrail", "StopLogging", json!({"Name": "org"}))];
    assert!(author(&drifts[0], &calls).is_some());
}

proptest! {
    /// Neither any request nor any window is too odd.
    #[test]
    fn finding_an_author_is_total(text in "\\PC{0,40}", key in "[a-zA-Z]{0,12}", from in any::<i32>(), to in any::<i32>(), which in 0_usize..4) {
        let shape = [json!({key.clone(): text}), json!({key.clone(): [text.clone()]}), json!([text.clone()]), json!({"target": {key: text}})];
        let calls = ["StopLogging", "DeleteTrail", "UpdateTrail"].map(|name| call("cloudtrail", name, shape[which].clone()));
        let window = Window { from: at(from.into()), to: at(to.into()) };
        let organization = organization();
        for drift in [becomes(Vec::new()), joined()] {
            if let Some(author) = find_author(&drift, Some(&organization), window, &calls) {
                prop_assert!((window.from..=window.to).contains(&author.time));
            }
        }
    }
}
