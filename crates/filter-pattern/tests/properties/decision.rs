//! The decision agrees with trying all records of a small world.

use filter_pattern::{
    Coverage, FieldConstraint, FilterPattern, Match, MissedKind, RequiredEvent, coverage,
    may_match, noise,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::generate::{Condition, condition, condition_on_one_field, world};

fn required() -> RequiredEvent {
    RequiredEvent::new("event")
        .field("kind", FieldConstraint::equals("on"))
        .holding("flag", FieldConstraint::IsFalse)
}

fn is_required(record: &Value) -> bool {
    let is_free = |name: &str| !["kind", "flag"].contains(&name);
    let holds_strings = |value: &Value| match value {
        Value::String(_) => true,
        Value::Object(members) => members.values().all(Value::is_string),
        _ => false,
    };
    let Value::Object(members) = record else {
        return false;
    };
    record["kind"] == "on"
        && record["flag"] == false
        && members
            .iter()
            .all(|(name, value)| !is_free(name) || holds_strings(value))
}

fn check(conditions: &[Condition]) -> Result<(), TestCaseError> {
    let texts: Vec<String> = conditions.iter().map(Condition::pattern).collect();
    let patterns: Vec<FilterPattern> = texts
        .iter()
        .map(|text| FilterPattern::parse(text).unwrap())
        .collect();
    let candidates: Vec<&FilterPattern> = patterns.iter().collect();
    let records = world(&conditions.iter().collect::<Vec<_>>(), 150);
    let is_matched = |record: &Value| {
        let message = record.to_string();
        candidates
            .iter()
            .any(|candidate| candidate.matches(&message) == Match::Yes)
    };
    let answer = coverage(&[required()], &candidates);
    match &answer {
        Coverage::Covered { .. } => {
            for record in &records {
                prop_assert!(is_matched(record), "{texts:?} cover, but not {record}");
            }
        }
        Coverage::NotCovered { missed } => {
            prop_assert_eq!(missed.len(), 1);
            let missed = &missed[0];
            let witness = missed.witness.to_string();
            prop_assert!(is_required(&missed.witness), "{texts:?}: {witness}");
            for candidate in &candidates {
                prop_assert_eq!(
                    candidate.matches(&witness),
                    Match::No,
                    "{:?}: {}",
                    &texts,
                    &witness
                );
            }
            if missed.kind == MissedKind::NeverMatched {
                for record in &records {
                    prop_assert!(
                        !is_matched(record),
                        "{texts:?} never match, but do {record}"
                    );
                }
            }
            let (index, span) = missed.rejected_by.clone().unwrap();
            prop_assert!(
                texts[index]
                    .get(span)
                    .is_some_and(|part| part.contains('$'))
            );
            prop_assert!(
                is_minimal(&missed.witness, &candidates),
                "{texts:?}: {witness}"
            );
        }
        Coverage::Undecided { reason, .. } => {
            prop_assert!(false, "{texts:?} undecided: {reason}");
        }
    }
    for (candidate, text) in candidates.iter().zip(&texts) {
        if !may_match(&required(), candidate) {
            for record in &records {
                prop_assert_eq!(
                    candidate.matches(&record.to_string()),
                    Match::No,
                    "{}",
                    text
                );
            }
        }
        if let Some(noise) = noise(&[required()], candidate) {
            prop_assert_eq!(
                candidate.matches(&noise.example.to_string()),
                Match::Yes,
                "{}",
                text
            );
            prop_assert!(noise.example["kind"] != "on", "{}: {}", text, noise.example);
        }
    }
    Ok(())
}

/// Whether no free member of the record can be left out.
fn is_minimal(record: &Value, candidates: &[&FilterPattern]) -> bool {
    let Value::Object(members) = record else {
        return false;
    };
    members
        .keys()
        .filter(|name| !["kind", "flag"].contains(&name.as_str()))
        .all(|name| {
            let mut smaller = members.clone();
            smaller.remove(name);
            let message = Value::Object(smaller).to_string();
            candidates
                .iter()
                .any(|candidate| candidate.matches(&message) != Match::No)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn one_pattern_is_decided_as_by_trying_all_records(condition in condition()) {
        check(&[condition])?;
    }

    #[test]
    fn two_patterns_together_are_decided_as_by_trying_all_records(
        first in condition(),
        second in condition(),
    ) {
        check(&[first, second])?;
    }

    #[test]
    fn conditions_on_one_field_are_decided_as_by_trying_all_records(
        first in condition_on_one_field(),
        second in condition_on_one_field(),
    ) {
        check(&[first, second])?;
    }
}
