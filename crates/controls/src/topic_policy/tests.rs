//! One row per policy: may the alarm publish?

use super::*;
use proptest::prelude::*;

const TOPIC: &str = "arn:aws:sns:eu-west-1:111111111111:alerts";
const ALARM: &str = "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:org changes";
const FOREIGN_ALARM: &str = "arn:aws:cloudwatch:eu-west-1:222222222222:alarm:org";

fn strings(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Array(list) => list.iter().flat_map(strings).collect(),
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Null => Vec::new(),
        other => vec![other.to_string()],
    }
}

fn map(value: &serde_json::Value) -> BTreeMap<String, Vec<String>> {
    match value {
        serde_json::Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), strings(value)))
            .collect(),
        serde_json::Value::String(all) => [(all.clone(), vec![all.clone()])].into(),
        _ => BTreeMap::new(),
    }
}

fn statement(text: &str) -> PolicyStatement {
    let value: serde_json::Value =
        serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let conditions = value["Condition"].as_object().into_iter().flatten();
    let or = |value: &serde_json::Value, default: &str| match value {
        serde_json::Value::Null => default.to_owned(),
        value => value.as_str().unwrap_or_default().to_owned(),
    };
    let resources = strings(&value["Resource"]);
    let not_resources = strings(&value["NotResource"]);
    PolicyStatement {
        effect: or(&value["Effect"], "Allow"),
        principals: map(&value["Principal"]),
        not_principals: map(&value["NotPrincipal"]),
        actions: strings(&value["Action"]),
        not_actions: strings(&value["NotAction"]),
        resources: if resources.is_empty() && not_resources.is_empty() {
            vec![TOPIC.to_owned()]
        } else {
            resources
        },
        not_resources,
        conditions: conditions
            .map(|(operator, keys)| (operator.clone(), map(keys)))
            .collect(),
    }
}

fn answer(statements: &[&str], alarm: &str) -> &'static str {
    let statements: Vec<PolicyStatement> = statements.iter().map(|text| statement(text)).collect();
    match publishing(
        &statements,
        &alarm.parse().unwrap(),
        &TOPIC.parse().unwrap(),
    ) {
        Publishing::Allowed => "allowed",
        Publishing::Denied(_) => "denied",
        Publishing::Undecided(_) => "undecided",
    }
}

/// The policy that AWS gives a new topic.
const DEFAULT: &str = r#"{"Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:Publish","SNS:Subscribe"],
    "Condition":{"StringEquals":{"AWS:SourceOwner":"111111111111"}}}"#;
const SERVICE: &str =
    r#"{"Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish"}"#;

#[test]
fn the_policy_of_a_new_topic_admits_alarms_of_its_own_account_only() {
    assert_eq!(answer(&[DEFAULT], ALARM), "allowed");
    assert_eq!(answer(&[DEFAULT], FOREIGN_ALARM), "denied");
}

/// A statement for ALARM, and the answer.
const ONE_STATEMENT: &[(&str, &str)] = &[
    // Whom.
    (SERVICE, "allowed"),
    (r#"{"Principal":"*","Action":"sns:Publish"}"#, "allowed"),
    (
        r#"{"Principal":{"Service":["events.amazonaws.com","cloudwatch.amazonaws.com"]},"Action":"sns:Publish"}"#,
        "allowed",
    ),
    (
        r#"{"Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish"}"#,
        "denied",
    ),
    (
        r#"{"Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"sns:Publish"}"#,
        "undecided",
    ),
    (
        r#"{"Principal":{"AWS":"111111111111"},"Action":"sns:Publish"}"#,
        "undecided",
    ),
    (
        r#"{"Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"sns:Publish"}"#,
        "denied",
    ),
    (
        r#"{"Principal":{"AWS":"arn:aws:iam::111111111111:role/ci"},"Action":"sns:Publish"}"#,
        "denied",
    ),
    (
        r#"{"NotPrincipal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish"}"#,
        "denied",
    ),
    (
        r#"{"NotPrincipal":{"AWS":"111111111111"},"Action":"sns:Publish"}"#,
        "undecided",
    ),
    (
        r#"{"Principal":{"Martian":"x"},"Action":"sns:Publish"}"#,
        "undecided",
    ),
    (r#"{"Action":"sns:Publish"}"#, "undecided"),
    // What.
    (
        r#"{"Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"SNS:*"}"#,
        "allowed",
    ),
    (
        r#"{"Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"*"}"#,
        "allowed",
    ),
    (
        r#"{"Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Pub????"}"#,
        "allowed",
    ),
    (
        r#"{"Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Subscribe"}"#,
        "denied",
    ),
    (
        r#"{"Principal":{"Service":"cloudwatch.amazonaws.com"},"NotAction":"sns:Subscribe"}"#,
        "allowed",
    ),
    (
        r#"{"Principal":{"Service":"cloudwatch.amazonaws.com"},"NotAction":"sns:P*"}"#,
        "denied",
    ),
    // Where.
    (
        r#"{"Principal":"*","Action":"sns:Publish","Resource":"*"}"#,
        "allowed",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Resource":"arn:aws:sns:*:111111111111:*"}"#,
        "allowed",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Resource":"arn:aws:sns:eu-west-1:111111111111:other"}"#,
        "denied",
    ),
    // Under which condition.
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"StringEquals":{"aws:SourceAccount":["1","111111111111"]}}}"#,
        "allowed",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"StringEquals":{"AWS:SourceAccount":"222222222222"}}}"#,
        "denied",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:*:111111111111:alarm:*"}}}"#,
        "allowed",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:cloudwatch:eu-west-1:111111111111:alarm:other"}}}"#,
        "denied",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch*"}}}"#,
        "undecided",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"StringLike":{"aws:SourceArn":"arn:aws:cloudwatch*"}}}"#,
        "allowed",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}}"#,
        "denied",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-abcdefghij"}}}"#,
        "allowed",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"StringEquals":{"aws:SourceOrgID":"o-abcdefghij"}}}"#,
        "undecided",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"Bool":{"aws:SecureTransport":"true"}}}"#,
        "allowed",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"Null":{"aws:SourceArn":"false"}}}"#,
        "allowed",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"Null":{"aws:SourceArn":"true"}}}"#,
        "denied",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}"#,
        "undecided",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"StringEquals":{"aws:SourceAccount":"${aws:PrincipalAccount}"}}}"#,
        "undecided",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"StringEquals":{"aws:SourceAccount":"111111111111"},"DateGreaterThan":{"aws:CurrentTime":"2020"}}}"#,
        "undecided",
    ),
    (
        r#"{"Principal":"*","Action":"sns:Publish","Condition":{"StringEquals":{"aws:SourceAccount":"2"},"DateGreaterThan":{"aws:CurrentTime":"2020"}}}"#,
        "denied",
    ),
    // An effect that IAM does not know.
    (
        r#"{"Effect":"Permit","Principal":"*","Action":"sns:Publish"}"#,
        "undecided",
    ),
];

#[test]
fn one_statement_at_a_time() {
    for (policy, expected) in ONE_STATEMENT {
        assert_eq!(answer(&[policy], ALARM), *expected, "{policy}");
    }
}

#[test]
fn a_denial_outranks() {
    let rows = [
        (
            r#"{"Effect":"Deny","Principal":"*","Action":"sns:Publish"}"#,
            "denied",
        ),
        (
            r#"{"Effect":"Deny","Principal":"*","Action":"sns:*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#,
            "allowed",
        ),
        (
            r#"{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}}"#,
            "denied",
        ),
        (
            r#"{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Condition":{"StringNotEqualsIfExists":{"aws:SourceAccount":"111111111111"}}}"#,
            "allowed",
        ),
        (
            r#"{"Effect":"Deny","Principal":"*","Action":"sns:Subscribe"}"#,
            "allowed",
        ),
        (
            r#"{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}"#,
            "undecided",
        ),
        (
            r#"{"Effect":"Deny","NotPrincipal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish"}"#,
            "allowed",
        ),
    ];
    for (policy, expected) in rows {
        assert_eq!(answer(&[SERVICE, policy], ALARM), expected, "{policy}");
        // A statement that is open never makes up for one that is missing.
        assert_eq!(answer(&[policy], ALARM), "denied", "{policy}");
    }
    assert_eq!(answer(&[], ALARM), "denied");
}

proptest! {
    /// A further grant never takes the right away, a further denial never gives it.
    #[test]
    fn statements_add_up(picks in proptest::collection::vec(0..6usize, 0..5)) {
        let pool = [
            DEFAULT,
            SERVICE,
            r#"{"Principal":{"AWS":"111111111111"},"Action":"sns:Publish"}"#,
            r#"{"Effect":"Deny","Principal":"*","Action":"sns:*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#,
            r#"{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}"#,
            r#"{"Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish"}"#,
        ];
        let some: Vec<&str> = picks.iter().map(|pick| pool[*pick]).collect();
        let rank = |answer: &str| match answer { "denied" => 0, "undecided" => 1, _ => 2 };
        let before = rank(answer(&some, ALARM));
        let with = |one: &'static str| rank(answer(&[some.as_slice(), &[one]].concat(), ALARM));
        prop_assert!(with(SERVICE) >= before);
        prop_assert!(with(pool[4]) <= before);
        prop_assert_eq!(with(r#"{"Effect":"Deny","Principal":"*","Action":"*"}"#), 0);
    }

    #[test]
    fn wildcards_agree_with_their_meaning(wanted in "[ab*?]{0,6}", held in "[ab]{0,6}") {
        fn slow(wanted: &[u8], held: &[u8]) -> bool {
            match (wanted.first(), held.first()) {
                (None, held) => held.is_none(),
                (Some(b'*'), _) => slow(&wanted[1..], held) || (!held.is_empty() && slow(wanted, &held[1..])),
                (Some(w), Some(h)) => (*w == b'?' || w == h) && slow(&wanted[1..], &held[1..]),
                (Some(_), None) => false,
            }
        }
        prop_assert_eq!(like(&wanted, &held), slow(wanted.as_bytes(), held.as_bytes()));
    }
}
