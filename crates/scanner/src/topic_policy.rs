//! The policy of a topic, read by an allow-list of elements.
//!
//! A statement that is only half understood could be taken to allow what it does not: a policy with
//! anything outside the grammar of IAM (IAM User Guide, "Grammar of the IAM JSON policy language")
//! is not understood as a whole.

use std::collections::BTreeMap;

use model::evidence::PolicyStatement;
use serde_json::{Map, Value};

/// Keys of conditions whose values are somebody's text, such as the URL or mailbox that may
/// subscribe. None of them is part of what CloudWatch asks when it publishes, so their values
/// decide nothing, and they are not kept.
const TEXT_KEYS: [&str; 3] = ["sns:endpoint", "aws:referer", "aws:useragent"];

/// The statements of a policy, in their order; `None` if anything in it was not understood.
pub(crate) fn parse_policy(text: &str) -> Option<Vec<PolicyStatement>> {
    let Ok(Value::Object(policy)) = serde_json::from_str(text) else {
        return None;
    };
    let mut statements = None;
    for (element, value) in policy {
        match (element.as_str(), value) {
            ("Version", Value::String(version)) => {
                matches!(version.as_str(), "2008-10-17" | "2012-10-17").then_some(())?;
            }
            ("Id", Value::String(_)) => {}
            ("Statement", Value::Array(list)) => {
                statements = Some(list.into_iter().map(statement).collect::<Option<_>>()?);
            }
            ("Statement", one) => statements = Some(vec![statement(one)?]),
            _ => return None,
        }
    }
    statements
}

fn statement(value: Value) -> Option<PolicyStatement> {
    let Value::Object(elements) = value else {
        return None;
    };
    let of_either = |one, other| elements.contains_key(one) && elements.contains_key(other);
    let is_contradictory = of_either("Principal", "NotPrincipal")
        || of_either("Action", "NotAction")
        || of_either("Resource", "NotResource");
    let has_action = elements.contains_key("Action") || elements.contains_key("NotAction");
    if is_contradictory || !has_action {
        return None;
    }
    let mut statement = PolicyStatement::default();
    for (element, value) in elements {
        match (element.as_str(), value) {
            ("Sid", Value::String(_)) => {}
            ("Effect", Value::String(effect)) if effect == "Allow" || effect == "Deny" => {
                statement.effect = effect;
            }
            ("Principal", value) => statement.principals = principals(value)?,
            ("NotPrincipal", value) => statement.not_principals = principals(value)?,
            ("Action", value) => statement.actions = texts(value)?,
            ("NotAction", value) => statement.not_actions = texts(value)?,
            ("Resource", value) => statement.resources = texts(value)?,
            ("NotResource", value) => statement.not_resources = texts(value)?,
            ("Condition", Value::Object(operators)) => {
                statement.conditions = conditions(operators)?;
            }
            _ => return None,
        }
    }
    (!statement.effect.is_empty()).then_some(statement)
}

fn principals(value: Value) -> Option<BTreeMap<String, Vec<String>>> {
    match value {
        Value::String(all) if all == "*" => {
            Some(BTreeMap::from([("*".to_owned(), vec!["*".to_owned()])]))
        }
        Value::Object(kinds) if !kinds.is_empty() => kinds
            .into_iter()
            .map(|(kind, value)| {
                let known = ["AWS", "Service", "Federated", "CanonicalUser"];
                known.contains(&kind.as_str()).then_some(())?;
                Some((kind, texts(value)?))
            })
            .collect(),
        _ => None,
    }
}

/// A string or a list of strings, sorted. An empty list is none: it would read as an element that
/// is absent, which says the opposite.
fn texts(value: Value) -> Option<Vec<String>> {
    listed(value, |value| match value {
        Value::String(text) => Some(text),
        _ => None,
    })
}

fn listed(value: Value, text: impl Fn(Value) -> Option<String>) -> Option<Vec<String>> {
    let values = match value {
        Value::Array(values) => values,
        one => vec![one],
    };
    let mut texts: Vec<String> = values.into_iter().map(text).collect::<Option<_>>()?;
    texts.sort();
    (!texts.is_empty()).then_some(texts)
}

fn conditions(
    operators: Map<String, Value>,
) -> Option<BTreeMap<String, BTreeMap<String, Vec<String>>>> {
    operators
        .into_iter()
        .map(|(operator, keys)| {
            let Value::Object(keys) = keys else {
                return None;
            };
            let keys = keys.into_iter().map(|(key, value)| {
                let mut values = listed(value, condition_value)?;
                if TEXT_KEYS.contains(&key.to_ascii_lowercase().as_str()) {
                    values = vec!["…".to_owned()];
                }
                Some((key, values))
            });
            Some((operator, keys.collect::<Option<_>>()?))
        })
        .collect()
}

fn condition_value(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_policy_that_sns_writes_for_a_new_topic_is_understood() {
        let text = r#"{
            "Version": "2008-10-17",
            "Id": "__default_policy_ID",
            "Statement": [{
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": { "AWS": "*" },
                "Action": ["SNS:Publish", "SNS:GetTopicAttributes"],
                "Resource": "arn:aws:sns:us-east-1:111111111111:alerts",
                "Condition": { "StringEquals": { "AWS:SourceOwner": "111111111111" } }
            }]
        }"#;
        let expected = PolicyStatement {
            effect: "Allow".to_owned(),
            principals: BTreeMap::from([("AWS".to_owned(), list(&["*"]))]),
            actions: list(&["SNS:GetTopicAttributes", "SNS:Publish"]),
            resources: list(&["arn:aws:sns:us-east-1:111111111111:alerts"]),
            conditions: BTreeMap::from([(
                "StringEquals".to_owned(),
                BTreeMap::from([("AWS:SourceOwner".to_owned(), list(&["111111111111"]))]),
            )]),
            ..PolicyStatement::default()
        };
        assert_eq!(parse_policy(text), Some(vec![expected]));
    }

    #[test]
    fn the_negated_elements_and_the_order_of_statements_are_kept() {
        let text = r#"{"Statement": [
            {"Effect": "Deny", "NotPrincipal": {"Service": ["b", "a"]}, "NotAction": "sns:Subscribe", "NotResource": "x"},
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
             "Condition": {"Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"k": [10, 9.5]}}}
        ]}"#;
        let [deny, allow] = &parse_policy(text).unwrap()[..] else {
            panic!("two statements");
        };
        assert_eq!(deny.effect, "Deny");
        assert_eq!(deny.not_principals["Service"], list(&["a", "b"]));
        assert_eq!(deny.not_actions, list(&["sns:Subscribe"]));
        assert_eq!(deny.not_resources, list(&["x"]));
        assert_eq!(allow.principals["*"], list(&["*"]));
        assert_eq!(
            allow.conditions["Bool"]["aws:SecureTransport"],
            list(&["true"])
        );
        assert_eq!(
            allow.conditions["NumericLessThan"]["k"],
            list(&["10", "9.5"])
        );
    }

    #[test]
    fn equal_policies_in_another_spelling_are_equal_evidence() {
        let one = r#"{"Statement":[{"Effect":"Allow","Action":["b","a"],"Principal":{"AWS":["2","1"]}}]}"#;
        let other = r#"{"Statement":{"Principal":{"AWS":["1","2"]},"Action":["a","b"],"Effect":"Allow","Sid":"x"}}"#;
        assert!(parse_policy(one).is_some());
        assert_eq!(parse_policy(one), parse_policy(other));
    }

    #[test]
    fn text_that_may_be_a_secret_is_not_kept() {
        let text = r#"{"Id": "SECRET", "Statement": {"Sid": "SECRET", "Effect": "Allow", "Action": "sns:Subscribe",
            "Condition": {"StringLike": {"SNS:Endpoint": "https://hooks.example.com/SECRET"},
                          "StringEquals": {"aws:Referer": ["SECRET"], "aws:UserAgent": "SECRET"}}}}"#;
        let policy = parse_policy(text).unwrap();
        assert!(!format!("{policy:?}").contains("SECRET"), "{policy:?}");
        assert!(policy[0].conditions["StringLike"].contains_key("SNS:Endpoint"));
    }

    #[test]
    fn what_is_outside_the_grammar_is_not_understood() {
        let statement = |elements: &str| format!(r#"{{"Statement":[{{{elements}}}]}}"#);
        let rows = [
            String::new(),
            "not JSON".to_owned(),
            "null".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            r#"{"Statement":null}"#.to_owned(),
            r#"{"Statement":"Allow"}"#.to_owned(),
            r#"{"Statement":[[]]}"#.to_owned(),
            r#"{"Version":"2040-01-01","Statement":[]}"#.to_owned(),
            r#"{"Version":1,"Statement":[]}"#.to_owned(),
            r#"{"statement":[],"Statement":[]}"#.to_owned(),
            statement(r#""Action":"a""#),
            statement(r#""Effect":"Allow""#),
            statement(r#""Effect":"allow","Action":"a""#),
            statement(r#""Effect":["Allow"],"Action":"a""#),
            statement(r#""Effect":"Allow","Action":"a","Sid":1"#),
            statement(r#""Effect":"Allow","Action":"a","NotAction":"b""#),
            statement(r#""Effect":"Allow","Action":"a","Resource":"b","NotResource":"c""#),
            statement(r#""Effect":"Allow","Action":"a","Principal":"*","NotPrincipal":"*""#),
            statement(r#""Effect":"Allow","Action":[]"#),
            statement(r#""Effect":"Allow","Action":7"#),
            statement(r#""Effect":"Allow","Action":["a",null]"#),
            statement(r#""Effect":"Allow","Action":[["a"]]"#),
            statement(r#""Effect":"Allow","Action":"a","Principal":"111111111111""#),
            statement(r#""Effect":"Allow","Action":"a","Principal":{}"#),
            statement(r#""Effect":"Allow","Action":"a","Principal":{"AWS":[]}"#),
            statement(r#""Effect":"Allow","Action":"a","Principal":{"Aws":"*"}"#),
            statement(r#""Effect":"Allow","Action":"a","Condition":null"#),
            statement(r#""Effect":"Allow","Action":"a","Condition":{"Bool":"x"}"#),
            statement(r#""Effect":"Allow","Action":"a","Condition":{"Bool":{"k":[]}}"#),
            statement(r#""Effect":"Allow","Action":"a","Condition":{"Bool":{"k":{"x":1}}}"#),
            statement(r#""Effect":"Allow","Action":"a","Unless":"b""#),
            format!(
                r#"{{"Statement":{}{}}}"#,
                "[".repeat(5_000),
                "]".repeat(5_000)
            ),
        ];
        for text in rows {
            assert_eq!(parse_policy(&text), None, "{text}");
        }
        assert_eq!(parse_policy(r#"{"Statement":[]}"#), Some(Vec::new()));
    }
}
