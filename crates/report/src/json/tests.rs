//! The shape is a promise.

use super::*;
use crate::fixture::{covered, line, report};

#[test]
fn the_shape_of_the_report_is_pinned() {
    insta::assert_snapshot!(report(1).json());
}

#[test]
fn every_documented_field_is_always_there() {
    let json: serde_json::Value = serde_json::from_str(&report(1).json()).unwrap();
    let keys = |value: &serde_json::Value| {
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys.join(" ")
    };
    assert_eq!(
        keys(&json),
        "drifts findings organization schema_version sweep"
    );
    assert_eq!(
        keys(&json["organization"]),
        "id management_account_id verdict"
    );
    assert_eq!(
        keys(&json["sweep"]),
        "api_calls discovery finished_at id notices scanner_version scope started_at state verdicts"
    );
    for finding in json["findings"].as_array().unwrap() {
        assert_eq!(
            keys(finding),
            "account_id account_name advice chain control_id covered_by exception gaps link \
             message near_misses next_step reason verdict"
        );
        for gap in finding["gaps"].as_array().unwrap() {
            assert_eq!(
                keys(gap),
                "account api class message region request_id resource"
            );
        }
        for miss in finding["near_misses"].as_array().unwrap() {
            assert_eq!(keys(miss), "filter lacks node");
        }
        for node in finding["chain"].as_array().unwrap() {
            assert_eq!(
                keys(node),
                "account arn link message parent read reason region resource state"
            );
        }
    }
}

#[test]
fn what_the_readme_shows_is_what_is_written() {
    let readme = include_str!("../../README.md");
    let block = (readme.split_once("```json\n").unwrap().1)
        .split_once("```")
        .unwrap()
        .0;
    let plain: Vec<&str> = (block.lines())
        .map(|line| line.split_once("//").map_or(line, |(json, _)| json))
        .collect();
    let shown: serde_json::Value = serde_json::from_str(&plain.join("\n")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&report(0).json()).unwrap();
    let keys = |value: &serde_json::Value, path: &[&str]| {
        let found = path.iter().fold(value, |value, key| match value {
            serde_json::Value::Array(items) => (items.iter())
                .map(|item| &item[*key])
                .find(|found| !found.is_null() && **found != serde_json::json!([]))
                .unwrap(),
            object => &object[*key],
        });
        let found = found.as_array().map_or(found, |items| &items[0]);
        found
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    for path in [
        &[][..],
        &["sweep"],
        &["sweep", "scope"],
        &["organization"],
        &["findings"],
        &["findings", "gaps"],
        &["findings", "chain"],
        &["findings", "advice"],
    ] {
        assert_eq!(keys(&shown, path), keys(&written, path), "{path:?}");
    }
}

#[test]
fn hostile_text_is_the_same_to_a_parser_and_harmless_on_a_terminal() {
    let hostile = "\u{1b}[2J \u{202e}\u{9b}\u{7f} \u{2028} \u{e0041} \"\\ ü東";
    let mut report = report(1);
    std::sync::Arc::make_mut(&mut report.entries[0].account).name = hostile.to_owned();
    report.entries[0].finding.message = hostile.repeat(3);
    let text = report.json();
    assert!(
        !text.chars().any(|c| c != '\n' && text::is_hostile(c)),
        "{text:?}"
    );
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["findings"][0]["account_name"], hostile);
    assert_eq!(json["findings"][0]["message"], hostile.repeat(3));
}

#[test]
fn a_report_without_an_organization_says_null() {
    let mut report = report(0);
    report.sweep = SweepLine {
        id: None,
        finished_at: None,
        discovery: Some(DiscoveryState::NotAsked),
        api_calls: None,
        ..line()
    };
    report.organization = None;
    report.entries = vec![covered(1)];
    let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    assert!(json["organization"].is_null());
    assert!(json["sweep"]["id"].is_null());
    assert_eq!(json["sweep"]["discovery"]["state"], "not_asked");
    assert_eq!(json["sweep"]["verdicts"]["PASS"], 1);
    assert_eq!(json["sweep"]["verdicts"]["FAIL"], 0);
    assert_eq!(
        json["findings"][0]["covered_by"]["trail_arn"],
        "arn:aws:cloudtrail:us-east-1:000000000001:trail/org-trail"
    );
}

#[test]
fn a_writer_that_fails_is_reported() {
    struct FullDisk;
    impl Write for FullDisk {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let report = report(1);
    let entries = report.entries.iter().cloned();
    let error = write(&report, entries, FullDisk).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}
