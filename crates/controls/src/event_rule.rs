//! Does an EventBridge rule tell somebody of the required events?
//!
//! The benchmark's procedure does not know such rules, so they are advice and never a PASS. Only what
//! is certain counts: a rule pattern whose every condition a required event is known to meet.

use filter_pattern::{FieldConstraint, RequiredEvent};
use model::{Advice, AdviceCode, evidence::AccountEvidence};
use serde_json::{Map, Value};

use crate::Control;

/// How CloudTrail's records are called on an event bus (EventBridge User Guide, events from
/// CloudTrail).
const API_CALL: &str = "AWS API Call via CloudTrail";
const SIGN_IN: &str = "AWS Console Sign In via CloudTrail";

/// The rules that send some of the required events to a target, one sentence each.
pub(crate) fn equivalent<'e>(
    control: &'e Control,
    evidence: &'e AccountEvidence,
) -> impl Iterator<Item = Advice> + use<'e> {
    let required = control.required_events();
    let places = evidence.event_rules.values();
    let rules = places.flat_map(|found| {
        let rules = found.rules.iter().flatten();
        rules.map(move |rule| (&found.place, rule))
    });
    rules.filter_map(move |(place, rule)| {
        let pattern: Value = serde_json::from_str(&rule.pattern).ok()?;
        let taken = required.iter().filter(|event| takes(&pattern, event)).count();
        if taken == 0 || rule.targets.is_empty() {
            return None;
        }
        let message = format!(
            "the EventBridge rule `{}` sends {taken} of the {} required events, as far as they arise in {}, to {}: another way to be told, which is not the chain that the benchmark describes",
            rule.name,
            required.len(),
            place.region,
            rule.targets.join(" and "),
        );
        Some(Advice {
            code: AdviceCode::EventBridgeRule,
            message,
        })
    })
}

/// Whether the pattern certainly takes the event.
fn takes(pattern: &Value, event: &RequiredEvent) -> bool {
    let Value::Object(conditions) = pattern else {
        return false;
    };
    let is_sign_in = field(event, "eventSource") == Some("signin.amazonaws.com");
    let kind = if is_sign_in { SIGN_IN } else { API_CALL };
    conditions
        .iter()
        .all(|(key, condition)| match key.as_str() {
            "source" => field(event, "eventSource")
                .and_then(|source| source.strip_suffix(".amazonaws.com"))
                .is_some_and(|service| any_equals(condition, &format!("aws.{service}"))),
            "detail-type" => any_equals(condition, kind),
            "detail" => condition
                .as_object()
                .is_some_and(|detail| meets(detail, "", event)),
            _ => false,
        })
}

fn meets(conditions: &Map<String, Value>, path: &str, event: &RequiredEvent) -> bool {
    conditions.iter().all(|(key, condition)| {
        let path = format!("{path}{key}");
        match condition {
            Value::Object(nested) => meets(nested, &format!("{path}."), event),
            _ => field(event, &path).is_some_and(|value| any_equals(condition, value)),
        }
    })
}

/// What a record of the event holds in a field, where that is one text.
fn field<'e>(event: &'e RequiredEvent, path: &str) -> Option<&'e str> {
    match event.fields.get(path).or_else(|| event.holds.get(path)) {
        Some(FieldConstraint::Equals(value)) => Some(value),
        _ => None,
    }
}

/// Whether one of the alternatives is this text, or a prefix of it.
fn any_equals(alternatives: &Value, text: &str) -> bool {
    let Value::Array(alternatives) = alternatives else {
        return false;
    };
    alternatives.iter().any(|one| match one {
        Value::String(wanted) => wanted == text,
        Value::Object(operator) if operator.len() == 1 => operator
            .get("prefix")
            .and_then(Value::as_str)
            .is_some_and(|prefix| text.starts_with(prefix)),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(pattern: &str) -> usize {
        let catalog = crate::Catalog::embedded().unwrap();
        let control = catalog.find("organizations-changes").unwrap();
        let pattern: Value = serde_json::from_str(pattern).unwrap();
        let required = control.required_events().iter();
        required.filter(|event| takes(&pattern, event)).count()
    }

    #[test]
    fn only_what_a_rule_certainly_takes_counts() {
        let rows = [
            (r#"{"source":["aws.organizations"]}"#, 18),
            (
                r#"{"source":["aws.organizations"],"detail-type":["AWS API Call via CloudTrail"]}"#,
                18,
            ),
            (
                r#"{"detail":{"eventSource":["organizations.amazonaws.com"]}}"#,
                18,
            ),
            (
                r#"{"source":[{"prefix":"aws."}],"detail":{"eventName":["MoveAccount","LeaveOrganization","CloseAccount"]}}"#,
                2,
            ),
            (r#"{"detail":{"eventName":[{"prefix":"Create"}]}}"#, 3),
            (r#"{"source":["aws.iam"]}"#, 0),
            (
                r#"{"source":["aws.organizations"],"account":["111111111111"]}"#,
                0,
            ),
            (
                r#"{"source":["aws.organizations"],"detail":{"userIdentity":{"type":["Root"]}}}"#,
                0,
            ),
            (
                r#"{"source":["aws.organizations"],"detail":{"eventName":[{"anything-but":["MoveAccount"]}]}}"#,
                0,
            ),
            (
                r#"{"source":["aws.organizations"],"detail-type":["AWS Console Sign In via CloudTrail"]}"#,
                0,
            ),
            (r#"["source"]"#, 0),
            (r"{}", 18),
        ];
        for (pattern, expected) in rows {
            assert_eq!(taken(pattern), expected, "{pattern}");
        }
    }
}
