//! What changed between sweeps, and who did it: each kind of drift once, by the binary against the
//! simulator, read from the store that it left behind.
//!
//! `exception-expired` is not among them: nobody can accept a finding yet.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::SignedDuration;
use model::{
    Clock as _, Drift, Judgement, Reason, SweepHeader, SweepId, SweepState, SweepSummary,
    SystemClock,
};
use serde_json::Value;
use simulator::{
    Simulator,
    world::{Actor, ChainNames, Change, EventDelay, Operation},
};
use store::{DriftQuery, FindingQuery, JournalKind, JudgedAccount, Store};

use crate::scanner::{Run, Shell, scenario};

/// How many entries of the timeline are of the first day.
const FIRST_DAY: usize = 17;

struct Told {
    drift: Drift,
    author: Option<Value>,
}

/// The drifts that a sweep found, as the store has them.
async fn drifts(shell: &Shell, sweep: i64) -> Vec<Told> {
    let store = Store::open_reader(shell.path("scanner.db")).await.unwrap();
    let of_sweep = DriftQuery {
        from_sweep: Some(SweepId(sweep)),
        to_sweep: Some(SweepId(sweep)),
        ..DriftQuery::default()
    };
    let rows = store.drifts(&of_sweep).await.unwrap();
    let ids: Vec<_> = rows.iter().map(|row| row.drift.id).collect();
    let records = store.journal_of_drifts(JournalKind::Author, &ids);
    let mut records = records.await.unwrap();
    store.close().await;
    (rows.into_iter())
        .map(|row| Told {
            author: records.remove(&row.drift.id).map(|record| record.body),
            drift: row.drift,
        })
        .collect()
}

fn id(simulator: &Simulator, name: &str) -> String {
    simulator.world().named(name).unwrap().id.clone()
}

/// What is told of a drift, in one line: kind, control or account, what it comes from, who did it.
fn line(told: &Told) -> String {
    let drift = &told.drift;
    let of = if drift.control.is_some() {
        "control"
    } else {
        "account"
    };
    // A filter's cause names its log group last, an account's is but the kind.
    let cause = drift.cause.split(' ').next().unwrap_or_default();
    let who = match &told.author {
        None => "nobody asked".to_owned(),
        Some(body) if body["outcome"] == "found" => {
            let author = &body["author"];
            let actor = author["actor"].as_str().unwrap_or("?");
            let name = actor.rsplit('/').next().unwrap_or_default();
            format!("{} by {name}", author["event_name"].as_str().unwrap())
        }
        Some(body) => body["outcome"].as_str().unwrap().to_owned(),
    };
    format!("{} of {of}, {cause}: {who}", drift.kind)
}

/// Compares the drifts of a sweep with a table of accounts by name.
fn assert_drifts(simulator: &Simulator, told: &[Told], expected: &[(&str, &str)]) {
    let names: BTreeMap<String, String> = (simulator.world().accounts().iter())
        .map(|account| (account.id.clone(), account.name.clone()))
        .collect();
    let mut found: Vec<(String, String)> = (told.iter())
        .map(|told| {
            let account = told.drift.account.map(|id| id.to_string());
            let name = account.and_then(|id| names.get(&id).cloned());
            (name.unwrap_or_default(), line(told))
        })
        .collect();
    found.sort();
    let mut expected: Vec<(String, String)> = (expected.iter())
        .map(|(name, line)| ((*name).to_owned(), (*line).to_owned()))
        .collect();
    expected.sort();
    assert_eq!(found, expected);
}

fn of<'a>(told: &'a [Told], account: &str) -> &'a Told {
    let is_it = |told: &&Told| {
        told.drift
            .account
            .is_some_and(|id| id.to_string() == account)
    };
    told.iter().find(is_it).expect("a drift of the account")
}

fn lookups(simulator: &Simulator) -> u64 {
    simulator.calls().of("cloudtrail", "LookupEvents")
}

/// What the second sweep tells, by account.
const AFTER_THE_FIRST_DAY: &[(&str, &str)] = &[
    (
        "filter-deleted",
        "verdict-changed of control, metric_filter: DeleteMetricFilter by carol",
    ),
    (
        "mended",
        "verdict-changed of control, alarm: EnableAlarmActions by dave",
    ),
    (
        "broken-elsewhere",
        "reason-changed of control, metric_filter: DeleteMetricFilter by erin",
    ),
    (
        "filter-narrower",
        "evidence-changed of control, metric_filter: PutMetricFilter by frank",
    ),
    (
        "threshold-lower",
        "evidence-changed of control, alarm: PutMetricAlarm by grace",
    ),
    (
        "subscriber-replaced",
        "evidence-changed of control, subscription: Unsubscribe by heidi",
    ),
    (
        "subscriber-left",
        "evidence-changed of control, subscription: not_found",
    ),
    (
        "history-denied",
        "verdict-changed of control, metric_filter: denied",
    ),
    (
        "shut-and-broken",
        "became-unknown of control, account-not-entered: nobody asked",
    ),
    (
        "shut-for-a-day",
        "became-unknown of control, account-not-entered: nobody asked",
    ),
    (
        "removed",
        "account-left of account, account-left: RemoveAccountFromOrganization by ivan",
    ),
    // It alone has the record, and nobody gets in any more.
    ("leaves", "account-left of account, account-left: denied"),
    (
        "moved",
        "account-moved of account, account-moved: MoveAccount by judy",
    ),
    (
        "closed",
        "account-state-changed of account, account-state-changed: CloseAccount by ken",
    ),
    (
        "suspended",
        "account-state-changed of account, account-state-changed: not_found",
    ),
    (
        "renamed-by-hand",
        "account-renamed of account, account-renamed: not_found",
    ),
    (
        "newcomer",
        "account-joined of account, account-joined: CreateAccount by laura",
    ),
];

/// What the third sweep tells. What was known before an account was shut counts.
const AFTER_THE_SECOND_DAY: &[(&str, &str)] = &[
    (
        "shut-and-broken",
        "verdict-changed of control, alarm: DeleteAlarms by mallory",
    ),
    (
        "shut-and-broken",
        "visible-again of control, account-not-entered: nobody asked",
    ),
    (
        "shut-for-a-day",
        "visible-again of control, account-not-entered: nobody asked",
    ),
];

#[tokio::test]
async fn each_kind_of_drift_is_told_once_with_who_did_it() {
    let simulator = scenario("drift_kinds").await;
    let shell = Shell::at(&simulator).with("SCANNER_AUTHOR_WAIT", "4s");
    let first = shell.once(&[]).await;
    assert_eq!(first.report()["drifts"], Value::Array(Vec::new()));
    assert_eq!(drifts(&shell, 1).await.len(), 0);
    assert_eq!(lookups(&simulator), 0);

    for _ in 0..FIRST_DAY {
        simulator.advance().unwrap().unwrap();
    }
    simulator.update(|world| {
        world.named_mut("renamed").unwrap().name = "renamed-by-hand".to_owned();
    });
    let second = shell.once(&[]).await;
    let told = drifts(&shell, 2).await;
    assert_drifts(&simulator, &told, AFTER_THE_FIRST_DAY);
    let carol = &of(&told, &id(&simulator, "filter-deleted"))
        .author
        .as_ref()
        .unwrap()["author"];
    assert_eq!(carol["source_ip"], "198.51.100.17");
    assert_eq!(carol["user_agent"], "Terraform/1.9");
    assert_eq!(
        carol["actor"],
        "arn:aws:sts::111100000002:assumed-role/Developer/carol"
    );
    assert_eq!(
        carol["session_issuer"],
        "arn:aws:iam::111100000002:role/Developer"
    );
    let denied = &of(&told, &id(&simulator, "history-denied"))
        .author
        .as_ref()
        .unwrap()["gap"];
    assert_eq!(denied["class"], "access-denied");
    assert_eq!(denied["api"], "cloudtrail:LookupEvents");
    let left = &of(&told, &id(&simulator, "leaves"))
        .author
        .as_ref()
        .unwrap()["gap"];
    assert_eq!(left["api"], "sts:AssumeRole");
    assert_told_in(&second, "verdict-changed", "DeleteMetricFilter");

    while simulator.advance().unwrap().is_some() {}
    shell.once(&[]).await;
    let told = drifts(&shell, 3).await;
    assert_drifts(&simulator, &told, AFTER_THE_SECOND_DAY);
    let broken = told.iter().find(|told| told.author.is_some()).unwrap();
    assert_eq!(broken.drift.between.last_before, Some(SweepId(1)));
}

/// The JSON report tells of a drift, and who did it.
fn assert_told_in(run: &Run, kind: &str, event_name: &str) {
    let report = run.report();
    let drifts = report["drifts"].as_array().unwrap();
    let is_it = |drift: &&Value| {
        drift["kind"] == kind && drift["author"]["author"]["event_name"] == event_name
    };
    let told = drifts
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("{drifts:#?}"));
    assert_eq!(told["severity"], "high");
    assert_eq!(told["between"]["last_before"], 1);
    assert_eq!(told["ids"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_broken_organization_trail_is_one_cause_that_is_asked_for_once() {
    let simulator = scenario("organization_trail").await;
    simulator.update(|world| {
        world.event_history.settings.delay = EventDelay::fixed(SignedDuration::ZERO);
    });
    let shell = Shell::at(&simulator).with("SCANNER_AUTHOR_WAIT", "30s");
    shell.once(&[]).await;
    let archive = id(&simulator, "log-archive");
    let deletion = Operation::DeleteMetricFilter {
        log_group: ChainNames::default().log_group,
        filter: "organizations-changes".to_owned(),
    };
    let mallory = Actor::with_arn(format!("arn:aws:iam::{archive}:user/mallory"));
    simulator
        .change(&Change::new(&archive, "us-east-1", deletion), &mallory)
        .unwrap();
    simulator.reset_calls();
    let run = shell.run(&["once", "--quota-share", "1"]).await;
    let told = drifts(&shell, 2).await;
    assert_eq!(told.len(), 7, "{}", run.stdout);
    for told in &told {
        assert_eq!(
            line(told),
            "verdict-changed of control, metric_filter: DeleteMetricFilter by mallory"
        );
    }
    let causes: std::collections::BTreeSet<_> = told.iter().map(|told| &told.drift.cause).collect();
    assert_eq!(causes.len(), 1);
    // DeleteMetricFilter, PutMetricFilter, DeleteLogGroup.
    assert_eq!(lookups(&simulator), 3);
    // People read it once, after the report.
    let (_, section) = run
        .stdout
        .split_once("\nChanges since the last sweep\n")
        .unwrap();
    assert!(
        section.contains("critical  7 accounts, such as:"),
        "{section}"
    );
    assert_eq!(
        section
            .matches(":user/mallory, DeleteMetricFilter at")
            .count(),
        1,
        "{section}"
    );
    assert!(
        run.stderr.contains("asking CloudTrail who did it"),
        "{}",
        run.stderr
    );
}

/// Changes the filter of `workload`, in a world whose events take five minutes to show up.
async fn broken_with_late_events(wait: &str) -> (Simulator, Shell) {
    let simulator = scenario("timeline").await;
    simulator.update(|world| {
        let five_minutes = SignedDuration::from_mins(5);
        world.event_history.settings.delay = EventDelay::fixed(five_minutes);
    });
    let shell = Shell::at(&simulator).with("SCANNER_AUTHOR_WAIT", wait);
    shell.once(&[]).await;
    simulator.advance().unwrap();
    (simulator, shell)
}

const CAROL: &str = "verdict-changed of control, metric_filter: PutMetricFilter by carol";

#[tokio::test]
async fn an_event_that_shows_up_late_is_found_by_looking_again() {
    let (simulator, shell) = broken_with_late_events("20s").await;
    let events_arrive = async {
        while lookups(&simulator) == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        simulator.advance_by(SignedDuration::from_mins(5)).unwrap();
    };
    let (run, ()) = tokio::join!(shell.once(&[]), events_arrive);
    assert_eq!(run.code, 3, "the exit code is the sweep's");
    assert_eq!(line(&drifts(&shell, 2).await[0]), CAROL);
}

#[tokio::test]
async fn what_was_not_found_is_said_and_found_after_a_later_sweep() {
    let (simulator, shell) = broken_with_late_events("0").await;
    shell.once(&[]).await;
    let unasked = &drifts(&shell, 2).await[0];
    assert_eq!(unasked.author, None);
    assert_eq!(lookups(&simulator), 0);

    // A sweep that found nothing looks for what is still open, and waits for nothing.
    let patient = shell.with("SCANNER_AUTHOR_WAIT", "10m");
    let run = patient.once(&[]).await;
    assert_eq!(run.report()["drifts"], Value::Array(Vec::new()));
    assert_eq!(drifts(&patient, 3).await.len(), 0);
    let not_found = drifts(&patient, 2).await[0].author.clone().unwrap();
    assert_eq!(not_found["outcome"], "not_found");
    assert_eq!(not_found["is_whole"], true);
    assert_eq!(not_found["asked"][0]["event_name"], "PutMetricFilter");

    simulator.advance_by(SignedDuration::from_mins(5)).unwrap();
    patient.once(&[]).await;
    assert_eq!(line(&drifts(&patient, 2).await[0]), CAROL);
    // Nobody asks twice.
    simulator.reset_calls();
    patient.once(&[]).await;
    assert_eq!(lookups(&simulator), 0);
}

#[tokio::test]
async fn an_interrupt_ends_the_wait_and_leaves_the_exit_code_to_the_sweep() {
    let (simulator, shell) = broken_with_late_events("10m").await;
    let mut child = shell
        .command(&["once", "--quota-share", "1"])
        .spawn()
        .unwrap();
    let pid = child.id().unwrap().to_string();
    while lookups(&simulator) == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The answer is there by now, and the next look is seconds away.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let sent = tokio::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(sent.await.unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(10), child.wait());
    assert_eq!(ended.await.unwrap().unwrap().code(), Some(3));
    let told = &drifts(&shell, 2).await[0];
    assert_eq!(told.author.as_ref().unwrap()["outcome"], "not_found");
}

#[tokio::test]
async fn what_changed_with_the_scanner_is_nobodys_doing() {
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator).with("SCANNER_AUTHOR_WAIT", "10m");
    shell.once(&[]).await;
    judge_otherwise(&shell).await;
    shell.once(&[]).await;
    let by_another_version = drifts(&shell, 3).await;
    assert_drifts(
        &simulator,
        &by_another_version,
        &[("workload", "rejudged of control, rejudged: nobody asked")],
    );
    // Another control is told once, for all accounts.
    shell
        .once(&["--control", "organizations-changes,root-usage"])
        .await;
    let with_another_control = drifts(&shell, 4).await;
    assert_drifts(
        &simulator,
        &with_another_control,
        &[("", "control-added of control, control-added: nobody asked")],
    );
    assert_eq!(lookups(&simulator), 0);
}

/// A sweep by an older version, to which the same chain of `workload` was not enough.
async fn judge_otherwise(shell: &Shell) {
    let sweeper = Store::open_sweeper(shell.path("scanner.db")).await.unwrap();
    let store = sweeper.store();
    let last = store.sweep(SweepId(1)).await.unwrap().unwrap();
    let rows = store.findings(&FindingQuery::default()).await.unwrap();
    let row = (rows.into_iter())
        .find(|row| row.account.name == "workload")
        .unwrap();
    let mut finding = row.finding.clone();
    finding.judgement = Arc::new(Judgement {
        covered_by: None,
        reason: Reason::AlarmNeverFires,
        ..(*finding.judgement).clone()
    });
    let now = SystemClock.now();
    let header = SweepHeader {
        scope: last.scope.clone(),
        organization: last.organization.clone(),
        caller: last.caller,
        started_at: now,
        scanner_version: "0.0.1".to_owned(),
        configuration: last.configuration,
    };
    let sweep = sweeper.begin_sweep(&header).await.unwrap();
    let judged = JudgedAccount {
        account: (*row.account).clone(),
        evidence: None,
        findings: vec![finding],
        basis: None,
    };
    sweeper.commit(sweep, &[judged], &[]).await.unwrap();
    let summary = SweepSummary {
        finished_at: now,
        state: SweepState::Finished,
        discovery: last.discovery,
        verdicts: BTreeMap::new(),
        gaps: BTreeMap::new(),
        api_calls: 0,
    };
    sweeper.finish_sweep(sweep, &summary).await.unwrap();
    sweeper.close().await.unwrap();
}
