//! What was seen can be asked for as of any moment, in every form.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use simulator::{FaultKind, FaultRule, Simulator};

use crate::scanner::{Run, Shell, scenario};

/// A week: a filter loses an event, is mended, an alarm goes silent; an account joins at the end.
async fn week() -> (Simulator, Shell) {
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator);
    loop {
        shell.once(&[]).await;
        if simulator.advance().unwrap().is_none() {
            return (simulator, shell);
        }
    }
}

async fn list(shell: &Shell, arguments: &[&str]) -> Vec<Value> {
    let run = json(shell, arguments).await;
    let lists = ["accounts", "sweeps", "findings", "drifts", "differences"];
    let list = lists.iter().find_map(|list| run[*list].as_array());
    list.unwrap_or_else(|| panic!("{run:#}")).clone()
}

async fn json(shell: &Shell, arguments: &[&str]) -> Value {
    let run = shell
        .run(&[arguments, &["--format", "json"]].concat())
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
    let json = run.report();
    assert_eq!(json["schema_version"], 1);
    json
}

fn texts(list: &[Value], field: &str) -> Vec<String> {
    let text = |item: &Value| item[field].as_str().unwrap_or_default().to_owned();
    list.iter().map(text).collect()
}

async fn reason_of_workload(shell: &Shell, as_of: &str) -> String {
    let arguments = [
        "history",
        "findings",
        "--account",
        "111100000002",
        "--as-of",
        as_of,
    ];
    let findings = list(shell, &arguments).await;
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings[0]["reason"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_time_and_a_sweep_lead_back_to_the_same_answer() {
    let (_simulator, shell) = week().await;
    let sweeps = list(&shell, &["history", "sweeps"]).await;
    assert_eq!(sweeps.len(), 9);
    for (sweep, reason) in [
        (1, "covered-by-own-trail"),
        (2, "filter-incomplete"),
        (4, "alarm-actions-disabled"),
        (9, "account-suspended"),
    ] {
        assert_eq!(reason_of_workload(&shell, &sweep.to_string()).await, reason);
        // Each sweep began after the one before had finished.
        let finished = sweeps[9 - sweep]["finished_at"].as_str().unwrap();
        assert_eq!(reason_of_workload(&shell, finished).await, reason);
        let explained = shell
            .run(&[
                "explain",
                "--account",
                "111100000002",
                "--as-of",
                &sweep.to_string(),
            ])
            .await;
        assert!(explained.stdout.contains(reason), "{explained:#?}");
        assert!(explained.stdout.contains(&format!("As of sweep {sweep}")));
    }
    let now = list(
        &shell,
        &["history", "findings", "--account", "111100000002"],
    )
    .await;
    assert_eq!(now[0]["reason"], "account-suspended");
    let began = list(
        &shell,
        &["history", "findings", "--since", "1d", "--as-of", "2"],
    )
    .await;
    assert_eq!(began.len(), 2);
    assert!(
        list(&shell, &["history", "findings", "--until", "1d"])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn accounts_and_sweeps_tell_what_came_of_them() {
    let (_simulator, shell) = week().await;
    let accounts = list(&shell, &["history", "accounts"]).await;
    assert_eq!(
        texts(&accounts, "account_name"),
        ["management", "workload", "newcomer"]
    );
    assert_eq!(texts(&accounts, "state"), ["ACTIVE", "SUSPENDED", "ACTIVE"]);
    assert_eq!(accounts[1]["since_sweep"], 9);
    assert_eq!(accounts[0]["since_sweep"], 1);
    assert!(
        accounts
            .iter()
            .all(|account| account["confirmed_sweep"] == 9)
    );
    let then = json(&shell, &["history", "accounts", "--as-of", "2"]).await;
    assert_eq!(then["as_of"]["sweep"], 2);
    let failing = list(
        &shell,
        &["history", "accounts", "--as-of", "2", "--verdict", "fail"],
    )
    .await;
    assert_eq!(texts(&failing, "account_name"), ["workload"]);
    assert_eq!(failing[0]["verdicts"]["FAIL"], 1);
    let root = accounts[0]["ou_path"][0].as_str().unwrap();
    assert_eq!(
        list(&shell, &["history", "accounts", "--ou", root])
            .await
            .len(),
        3
    );

    let sweeps = list(&shell, &["history", "sweeps"]).await;
    let drifts = list(&shell, &["history", "drifts"]).await;
    let counted: u64 = sweeps
        .iter()
        .map(|sweep| sweep["drifts"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, drifts.len() as u64);
    assert!(texts(&sweeps, "seal").iter().all(|seal| seal.len() == 64));
    assert_eq!(
        list(&shell, &["history", "sweeps", "--as-of", "4"])
            .await
            .len(),
        4
    );
    assert!(
        list(&shell, &["history", "sweeps", "--until", "1h"])
            .await
            .is_empty()
    );
    for what in ["accounts", "sweeps", "findings", "drifts"] {
        let table = shell.run(&["history", what, "--as-of", "2"]).await;
        assert_eq!(table.code, 0, "{table:#?}");
        assert!(
            table
                .stdout
                .starts_with("As of sweep 2, which finished at "),
            "{}",
            table.stdout
        );
    }
}

#[tokio::test]
async fn lines_and_cells_can_be_read_by_programs() {
    let (_simulator, shell) = week().await;
    for what in ["accounts", "sweeps", "findings", "drifts"] {
        let whole = list(&shell, &["history", what]).await;
        let lines = shell.run(&["history", what, "--format", "ndjson"]).await;
        let lines: Vec<Value> = (lines.stdout.lines())
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines, whole, "{what}");
        let csv = shell.run(&["history", what, "--format", "csv"]).await;
        // By a reader that nobody here wrote.
        let read = "import csv, sys; rows = list(csv.reader(open('list.csv', newline='')))\n\
                    assert all(len(row) == len(rows[0]) for row in rows); print(len(rows))";
        std::fs::write(shell.path("list.csv"), &csv.stdout).unwrap();
        let rows = tokio::process::Command::new("python3")
            .args(["-c", read])
            .current_dir(shell.folder.path())
            .output()
            .await
            .unwrap();
        assert!(rows.status.success(), "{rows:?}");
        let rows = String::from_utf8(rows.stdout).unwrap();
        assert_eq!(rows.trim(), (whole.len() + 1).to_string(), "{what}");
    }
}

#[tokio::test]
async fn two_moments_are_compared_without_what_was_undone_in_between() {
    let (_simulator, shell) = week().await;
    let kinds =
        async |from: &str, to: &str| texts(&list(&shell, &["diff", from, to]).await, "kind");
    assert_eq!(kinds("1", "2").await, ["verdict-changed"]);
    assert_eq!(kinds("1", "3").await, [""; 0], "it was mended");
    assert_eq!(kinds("2", "2").await, [""; 0]);
    assert_eq!(kinds("4", "5").await, ["became-unknown"]);
    let all = list(&shell, &["diff", "1", "0s"]).await;
    let mut found = texts(&all, "kind");
    found.sort();
    assert_eq!(found, ["account-joined", "account-state-changed"]);
    let changes = list(&shell, &["diff", "1", "2"]).await;
    assert_eq!(changes[0]["changes"][0]["link"], "metric_filter");
    let table = shell.run(&["diff", "1", "2"]).await.stdout;
    assert!(table.contains("1 difference in 1 account"), "{table}");
    assert!(
        shell
            .run(&["diff", "3", "3"])
            .await
            .stdout
            .contains("nothing is different")
    );
}

async fn refused(shell: &Shell, arguments: &[&str], says: &str) {
    let run: Run = shell.run(arguments).await;
    assert_eq!(run.code, 2, "{arguments:?}: {run:#?}");
    assert_eq!(run.stdout, "", "{arguments:?}");
    assert!(
        run.stderr.contains(says),
        "{arguments:?} does not say `{says}`: {}",
        run.stderr
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_said_with_what_could_be() {
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator);
    let before: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    shell.once(&[]).await;
    let missing = ["history", "accounts", "--store", "missing.db"];
    refused(&shell, &missing, "there is no store at missing.db").await;
    for what in ["accounts", "sweeps", "findings", "drifts"] {
        let ask = async |more: &[&str], says| {
            refused(&shell, &[&["history", what], more].concat(), says).await;
        };
        ask(
            &["--as-of", "yesterday"],
            "a time such as 2026-01-02T03:04:05Z",
        )
        .await;
        ask(&["--as-of", "2026-02-30"], "the number of a sweep").await;
        ask(
            &["--as-of", "2026-01-02T03:04:05"],
            "an age such as 2h or 7d",
        )
        .await;
        ask(
            &["--as-of", "9"],
            "there is no sweep 9 in scanner.db; the last one is 1",
        )
        .await;
        ask(
            &["--as-of", &before.to_string()],
            "its history begins with sweep 1, which finished at",
        )
        .await;
        ask(&["--as-of", "7d"], "its history begins with sweep 1").await;
        ask(&["--as-of", "9000-01-01"], "lies in the future").await;
        ask(&["--since", "9000-01-01"], "lies in the future").await;
        ask(
            &["--since", "1h", "--until", "2h"],
            "nothing lies between them",
        )
        .await;
        ask(&["--format", "xml"], "ndjson").await;
        ask(
            &["--organization", "o-somebodyelse"],
            "not of organization o-somebodyelse",
        )
        .await;
    }
    for what in ["accounts", "sweeps", "findings", "drifts"] {
        let ask = async |more: &[&str], says| {
            refused(&shell, &[&["history", what], more].concat(), says).await;
        };
        ask(&["--ou", "Workloads"], "ou-").await;
        ask(&["--control", "4.99"], "4.99").await;
        ask(&["--verdict", "bad"], "not_applicable").await;
        ask(&["--account", "12"], "twelve digits").await;
    }
    refused(&shell, &["diff", "1"], "<B>").await;
    refused(&shell, &["diff", "1", "2"], "there is no sweep 2").await;
    shell.once(&[]).await;
    refused(&shell, &["diff", "2", "1"], "name the earlier moment first").await;
    let explain = ["explain", "--account", "111100000002", "--as-of", "7d"];
    refused(&shell, &explain, "its history begins with sweep 1").await;
}

#[tokio::test]
async fn readers_work_while_a_sweep_runs() {
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    simulator.fault(FaultRule::new(FaultKind::Silence).on("cloudtrail", "GetEventSelectors"));
    let mut sweep = shell
        .command(&["once", "--quota-share", "1", "--format", "json"])
        .spawn()
        .unwrap();
    while list(&shell, &["history", "sweeps"]).await.len() < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let sweeps = list(&shell, &["history", "sweeps"]).await;
    assert_eq!(sweeps[0]["state"], "running");
    assert_eq!(list(&shell, &["history", "accounts"]).await.len(), 2);
    assert_eq!(
        reason_of_workload(&shell, "1").await,
        "covered-by-own-trail"
    );
    assert_eq!(
        reason_of_workload(&shell, "0s").await,
        "covered-by-own-trail"
    );
    assert!(list(&shell, &["diff", "1", "1"]).await.is_empty());
    refused(
        &shell,
        &["history", "findings", "--as-of", "2"],
        "sweep 2 in scanner.db has not ended yet",
    )
    .await;
    sweep.kill().await.unwrap();
}
