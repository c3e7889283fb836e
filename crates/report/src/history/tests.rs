//! Lists from the history.

use std::sync::Arc;

use super::*;
use crate::{
    AsOfLine, PastAccount, PastDrift,
    fixture::{account_id, assert_fits, line, past_account, past_drift, past_finding, past_sweep},
    json::{Listed, write_list},
};
use model::{AccountState, Exception, ExceptionScope, ExceptionSource, Reason, Severity, SweepId};

fn sweeps() -> Vec<PastSweep> {
    let mut running = past_sweep();
    running.sweep.id = Some(SweepId(13));
    running.sweep.state = SweepState::Running;
    running.sweep.finished_at = None;
    running.sweep.discovery = None;
    running.sweep.api_calls = None;
    running.sweep.scope.accounts = vec!["ou-ab12-prod".to_owned()];
    running.verdicts.clear();
    (running.accounts_seen, running.drifts, running.seal) = (3, 0, None);
    vec![running, past_sweep()]
}

fn findings() -> Vec<PastFinding> {
    let mut past = past_finding();
    let mut now = past.clone();
    past.entry.exception = Some(exception());
    now.entry.finding.reason = Reason::CoveredByOwnTrail;
    now.entry.finding.message = "covered".to_owned();
    now.until_sweep = None;
    vec![past, now]
}

fn exception() -> Arc<Exception> {
    Arc::new(Exception {
        scope: ExceptionScope::default(),
        owner: "platform".to_owned(),
        reason: "is being moved".to_owned(),
        ticket: Some("SEC-12".to_owned()),
        expires_at: "2027-01-31T00:00:00Z".parse().unwrap(),
        source: ExceptionSource::Command,
    })
}

fn accounts() -> Vec<PastAccount> {
    let mut closed = past_account();
    closed.account.id = "000000000002".parse().unwrap();
    closed.account.name = "old".to_owned();
    closed.account.state = AccountState::Suspended;
    closed.account.ou_path = None;
    closed.account.tags = Some(
        [("cost-center", "1234"), ("owner", "platform team")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    );
    closed.verdicts = [(Verdict::NotApplicable, 15)].into();
    vec![past_account(), closed]
}

/// One that stands alone, and two of one cause.
fn drifts() -> Vec<Vec<PastDrift>> {
    let alone = past_drift();
    let mut others: Vec<PastDrift> = (2..4)
        .map(|number| {
            let mut other = past_drift();
            other.drift.account = Some(account_id(number));
            other.drift.severity = Severity::High;
            other.acknowledged = None;
            other
        })
        .collect();
    others[1].who = None;
    vec![others, vec![alone]]
}

fn wide() -> Options {
    Options {
        width: 120,
        ..Options::default()
    }
}

#[test]
fn sweeps_are_a_line_each() {
    insta::assert_snapshot!(render_sweeps(&sweeps(), &wide()));
}

#[test]
fn findings_say_since_when() {
    insta::assert_snapshot!(render_findings(&findings(), &wide()));
}

#[test]
fn accounts_say_what_they_come_to_and_when_they_were_seen() {
    insta::assert_snapshot!(render_accounts(&accounts(), &wide()));
}

#[test]
fn drifts_of_one_cause_stand_in_one_row() {
    insta::assert_snapshot!(render_drifts(drifts(), &wide()));
}

#[test]
fn a_list_of_the_past_says_as_of_when() {
    let line = AsOfLine {
        sweep: SweepId(12),
        state: SweepState::Finished,
        finished_at: line().finished_at,
    };
    assert_eq!(
        as_of(&line),
        "As of sweep 12, which finished at 2026-01-02 03:04:47Z\n\n"
    );
}

#[test]
fn lists_fit_the_terminal() {
    let account = "000000000001";
    assert_fits(|look| render_sweeps(&sweeps(), look), &["finished"]);
    assert_fits(
        |look| render_findings(&findings(), look),
        &[account, "SEC-12"],
    );
    assert_fits(
        |look| render_accounts(&accounts(), look),
        &[account, "SUSPENDED"],
    );
    let drift = drifts()[0][0].drift.id.to_string();
    assert_fits(|look| render_drifts(drifts(), look), &[account, &drift]);
}

#[test]
fn an_empty_list_says_so() {
    let options = Options::default();
    assert_eq!(render_sweeps(&[], &options), "No sweep fits.\n");
    assert_eq!(render_findings(&[], &options), "No finding fits.\n");
    assert_eq!(render_accounts(&[], &options), "No account fits.\n");
    assert_eq!(render_drifts(Vec::new(), &options), "No drift fits.\n");
}

fn json<T: Listed + Clone>(items: &[T]) -> String {
    let mut out = Vec::new();
    write_list(None, items.iter().cloned(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn lists_from_the_history_are_json_as_well() {
    insta::assert_snapshot!(json(&sweeps()));
    insta::assert_snapshot!(json(&accounts()));
    insta::assert_snapshot!(json(&drifts().concat()[..1]));
    let json: serde_json::Value = serde_json::from_str(&json(&findings())).unwrap();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["as_of"], serde_json::Value::Null);
    assert_eq!(json["findings"][0]["account_id"], "000000000001");
    assert_eq!(json["findings"][0]["since_sweep"], 3);
    assert_eq!(json["findings"][0]["since"], "2026-01-02T03:04:05Z");
    assert_eq!(json["findings"][0]["until_sweep"], 12);
    assert_eq!(json["findings"][0]["exception"]["ticket"], "SEC-12");
    assert_eq!(json["findings"][1]["exception"], serde_json::Value::Null);
    assert_eq!(json["findings"][1]["until_sweep"], serde_json::Value::Null);
}

#[test]
fn json_lines_hold_the_same_items() {
    let mut out = Vec::new();
    crate::ndjson::write(drifts().concat().into_iter(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&json(&drifts().concat())).unwrap();
    let lines: Vec<serde_json::Value> = (text.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(&serde_json::Value::from(lines), &whole["drifts"]);
}
