//! Agreement with recorded answers of AWS and with patterns read by eye.
//!
//! The recordings are not part of the repository; `FILTER_PATTERN_CORPUS` names their directory.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test reports by failing"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use filter_pattern::{
    Certainty, Coverage, FieldConstraint, FilterPattern, Match, MissedKind, RequiredEvent,
    coverage, noise,
};
use serde_json::Value;

const NAMES: [&str; 18] = [
    "AcceptHandshake",
    "AttachPolicy",
    "CreateAccount",
    "CreateOrganizationalUnit",
    "CreatePolicy",
    "DeclineHandshake",
    "DeleteOrganization",
    "DeleteOrganizationalUnit",
    "DeletePolicy",
    "DetachPolicy",
    "DisablePolicyType",
    "EnablePolicyType",
    "InviteAccountToOrganization",
    "LeaveOrganization",
    "MoveAccount",
    "RemoveAccountFromOrganization",
    "UpdatePolicy",
    "UpdateOrganizationalUnit",
];

fn required() -> Vec<RequiredEvent> {
    let event = |name: &&str| {
        RequiredEvent::new(*name)
            .field(
                "eventSource",
                FieldConstraint::equals("organizations.amazonaws.com"),
            )
            .field("eventName", FieldConstraint::equals(*name))
            .holding("readOnly", FieldConstraint::IsFalse)
    };
    NAMES.iter().map(event).collect()
}

/// The lines of a recording, or `None` where there is none to compare with.
fn rows(file: &str) -> Option<Vec<Value>> {
    let Some(directory) = std::env::var_os("FILTER_PATTERN_CORPUS") else {
        eprintln!("skipped: FILTER_PATTERN_CORPUS is not set");
        return None;
    };
    let text = std::fs::read_to_string(PathBuf::from(directory).join(file)).unwrap();
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

fn names(row: &Value, key: &str) -> BTreeSet<String> {
    let values = row[key].as_array().into_iter().flatten();
    values
        .map(|value| value.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_recorded_answer_is_reproduced() {
    for row in rows("aws_native_observed.jsonl").into_iter().flatten() {
        let text = row["pattern"].as_str().unwrap();
        let parsed = FilterPattern::parse(text);
        if row["code"] != "Success" {
            let error = parsed.expect_err(text);
            assert_eq!(error.certainty(), Certainty::Refused, "{error}");
            continue;
        }
        let pattern = parsed.unwrap();
        let matched: Vec<u64> = serde_json::from_value(row["matched"].clone()).unwrap();
        for (index, message) in (0..).zip(row["messages"].as_array().unwrap()) {
            let expected = if matched.contains(&index) {
                Match::Yes
            } else {
                Match::No
            };
            let message = message.as_str().unwrap();
            assert_eq!(pattern.matches(message), expected, "{text} on {message}");
        }
    }
}

#[test]
fn every_valid_pattern_parses_and_none_makes_us_panic() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows("patterns.jsonl").into_iter().flatten() {
        let text = row["pattern"].as_str().unwrap();
        let syntax = row["oracle_syntax"].as_str().unwrap_or("not judged");
        let ours = match FilterPattern::parse(text) {
            Ok(pattern) => {
                assert_eq!(
                    FilterPattern::parse(&pattern.to_string()).as_ref(),
                    Ok(&pattern)
                );
                assert_ne!(syntax, "invalid", "{text}");
                let _ = coverage(&required(), &[&pattern]);
                let _ = noise(&required(), &pattern);
                "parses".to_owned()
            }
            Err(error) => {
                assert_ne!(syntax, "valid", "{}", error.render());
                format!("{:?}", error.certainty())
            }
        };
        *counts
            .entry(format!("{} {syntax}: {ours}", row["kind"]))
            .or_default() += 1;
    }
    eprintln!("{counts:#?}");
}

#[test]
fn every_pattern_read_by_eye_is_decided_alike() {
    let Some(patterns) = rows("patterns.jsonl") else {
        return;
    };
    let by_id: BTreeMap<String, String> = patterns
        .iter()
        .map(|row| {
            (
                row["id"].to_string(),
                row["pattern"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    for row in rows("truth_4_15.jsonl").into_iter().flatten() {
        let text = &by_id[&row["id"].to_string()];
        let parsed = FilterPattern::parse(text);
        assert_eq!(parsed.is_ok(), row["valid_syntax"] == true, "{text}");
        let Ok(pattern) = parsed else { continue };
        match coverage(&required(), &[&pattern]) {
            Coverage::Covered { .. } => assert_eq!(row["covers_all_18"], true, "{text}"),
            Coverage::NotCovered { missed } => {
                let of = |never: bool| -> BTreeSet<String> {
                    let is_wanted = |kind: &MissedKind| !never || *kind == MissedKind::NeverMatched;
                    let missed = missed.iter().filter(|missed| is_wanted(&missed.kind));
                    missed.map(|missed| missed.event.clone()).collect()
                };
                assert_eq!(of(false), names(&row, "missed"), "{text}");
                // Read as matching no record at all, but it matches those of SSO sessions.
                if row["id"] != "json-342" {
                    assert_eq!(of(true), names(&row, "missed_entirely"), "{text}");
                }
            }
            Coverage::Undecided { reason, .. } => assert_eq!(reason, "", "{text}"),
        }
    }
}
