//! A sweep that was stopped goes on where it was, or is closed with what it saw.

use std::{collections::BTreeSet, time::Duration};

use crate::scanner::{Shell, start};
use serde_json::Value;
use simulator::{FaultKind, FaultRule, Simulator, World};
use store::{FindingQuery, Store};

/// Thirty members below a good organization trail, and one that has lost sight of it.
async fn organization() -> Simulator {
    let world = World::from_toml(
        r#"
        [[account]]
        name = "management"
        trails = [{ name = "organization-trail", organization = true }]
        log_groups = [{}]
        filters = [{}]
        alarms = [{}]
        topics = [{}]
        [[account]]
        name = "blind"
        organization_trail = false
        [[account]]
        name = "member"
        count = 30
        "#,
    );
    start(world.expect("the world is valid")).await
}

const ACCOUNTS: usize = 32;

/// Begins a sweep in which most accounts are silent, and stops it when some are remembered.
async fn stopped(shell: &Shell, simulator: &Simulator, signal: &str) {
    let silence = FaultRule::new(FaultKind::Silence).on("cloudtrail", "DescribeTrails");
    simulator.fault(silence.after(12));
    let mut child = shell
        .command(&["once", "--quota-share", "1", "--format", "json"])
        .spawn()
        .unwrap();
    while seen(shell).await < 5 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let pid = child.id().unwrap().to_string();
    let sent = tokio::process::Command::new("kill")
        .args([signal, &pid])
        .status();
    assert!(sent.await.unwrap().success());
    child.wait().await.unwrap();
    simulator.clear_faults();
    simulator.reset_calls();
}

async fn latest(shell: &Shell) -> Option<Value> {
    let sweeps = shell.run(&["history", "sweeps", "--format", "json"]).await;
    let sweeps: Value = serde_json::from_str(&sweeps.stdout).ok()?;
    sweeps["sweeps"].get(0).cloned()
}

async fn seen(shell: &Shell) -> u64 {
    let latest = latest(shell).await;
    latest.map_or(0, |sweep| sweep["accounts_seen"].as_u64().unwrap())
}

/// The names of the accounts that are remembered.
async fn remembered(shell: &Shell) -> BTreeSet<String> {
    let store = Store::open_reader(shell.path("scanner.db")).await.unwrap();
    let rows = store.findings(&FindingQuery::default()).await.unwrap();
    store.close().await;
    rows.into_iter()
        .map(|row| row.account.name.clone())
        .collect()
}

/// Rows of progress, as SQLite itself counts them.
async fn progress_rows(shell: &Shell) -> String {
    let count = "import sqlite3; print(sqlite3.connect('scanner.db').execute(
        'SELECT coalesce(sum(json_array_length(accounts)), 0) FROM sweep_progress').fetchone()[0])";
    let output = tokio::process::Command::new("python3")
        .args(["-c", count])
        .current_dir(shell.folder.path())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The members that have to be entered when these are done: all but the caller's own account.
fn to_enter(done: &BTreeSet<String>) -> u64 {
    let own = usize::from(!done.contains("management"));
    (ACCOUNTS - done.len() - own) as u64
}

#[tokio::test]
async fn a_sweep_that_was_killed_goes_on_with_the_missing_accounts() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    stopped(&shell, &simulator, "-KILL").await;
    let done = remembered(&shell).await;
    assert!((5..ACCOUNTS).contains(&done.len()), "{done:?}");
    assert_eq!(progress_rows(&shell).await, done.len().to_string());

    let run = shell.once(&["--resume"]).await;
    assert!(run.stderr.contains("sweep 1 goes on"), "{}", run.stderr);
    let entered = simulator.calls().of("sts", "AssumeRole");
    assert_eq!(entered, to_enter(&done), "only what was missing");
    let whole = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, whole.code, "{run:#?}");
    assert_eq!(run.answers(), whole.answers());
    let (resumed, whole) = (run.report(), whole.report());
    assert_eq!(resumed["sweep"]["id"], 1);
    assert_eq!(resumed["sweep"]["verdicts"], whole["sweep"]["verdicts"]);
    let latest = latest(&shell).await.unwrap();
    assert_eq!(latest["state"], "finished");
    assert_eq!(latest["accounts_seen"], ACCOUNTS);
    assert_eq!(latest["verdicts"], whole["sweep"]["verdicts"]);
    assert_eq!(progress_rows(&shell).await, "0");
}

#[tokio::test]
async fn a_sweep_that_was_interrupted_goes_on_likewise() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    stopped(&shell, &simulator, "-INT").await;
    assert_eq!(latest(&shell).await.unwrap()["state"], "interrupted");
    let done = remembered(&shell).await;
    let run = shell.once(&["--resume"]).await;
    assert_eq!(simulator.calls().of("sts", "AssumeRole"), to_enter(&done));
    assert_eq!(run.findings().len(), ACCOUNTS);
    assert_eq!(run.report()["sweep"]["id"], 1);
    assert_eq!(progress_rows(&shell).await, "0");
}

#[tokio::test]
async fn a_sweep_that_is_not_resumed_is_closed_as_abandoned_with_what_it_saw() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    stopped(&shell, &simulator, "-KILL").await;
    let done = remembered(&shell).await.len() as u64;
    let run = shell.once(&[]).await;
    assert_eq!(run.report()["sweep"]["id"], 2);
    assert_eq!(run.findings().len(), ACCOUNTS);
    let sweeps = shell.run(&["history", "sweeps", "--format", "json"]).await;
    let sweeps: Value = serde_json::from_str(&sweeps.stdout).unwrap();
    let first = &sweeps["sweeps"][1];
    assert_eq!(first["state"], "abandoned", "{first:#}");
    assert_eq!(first["accounts_seen"], done);
    let counts = first["verdicts"].as_object().unwrap().values();
    assert_eq!(counts.filter_map(Value::as_u64).sum::<u64>(), done);
    let table = shell.run(&["history", "sweeps"]).await.stdout;
    assert!(table.contains("abandoned"), "{table}");
    assert_eq!(progress_rows(&shell).await, "0");
}

#[tokio::test]
async fn with_nothing_to_resume_a_new_sweep_begins_and_it_is_said() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    for sweep in [1, 2] {
        let run = shell.once(&["--resume"]).await;
        assert!(run.stderr.contains("nothing to resume"), "{}", run.stderr);
        assert_eq!(run.report()["sweep"]["id"], sweep);
        assert_eq!(run.findings().len(), ACCOUNTS);
    }
}

#[tokio::test]
async fn another_scope_is_another_sweep() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    stopped(&shell, &simulator, "-KILL").await;
    let run = shell.once(&["--resume", "--name", "member-*"]).await;
    assert!(run.stderr.contains("nothing to resume"), "{}", run.stderr);
    assert_eq!(run.report()["sweep"]["id"], 2);
    assert_eq!(run.findings().len(), 30);
}

#[tokio::test]
async fn a_sweep_that_another_one_overtook_is_said_and_not_taken_for_an_earlier_version_s() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    stopped(&shell, &simulator, "-INT").await;
    shell.once(&["--name", "blind"]).await;
    let run = shell.once(&["--resume"]).await;
    assert!(
        run.stderr.contains(
            "sweep 1 was stopped, and cannot be gone on with because sweep 2 began after it"
        ),
        "{}",
        run.stderr
    );
    assert_eq!(run.report()["sweep"]["id"], 3);
    assert_eq!(run.findings().len(), ACCOUNTS);
    let verified = shell
        .run(&["evidence", "verify", "--store", "scanner.db"])
        .await;
    assert_eq!(verified.code, 0, "{verified:#?}");
    assert!(
        verified.stdout.contains(
            "1 sweep did not come to its end and has no seal of its own: the next seal is over it."
        ),
        "{}",
        verified.stdout
    );
    assert!(
        !verified.stdout.contains("earlier version"),
        "{}",
        verified.stdout
    );
}
