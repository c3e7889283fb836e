//! A world in which nothing changed leaves nothing new behind.

use std::collections::BTreeMap;

use crate::scanner::{Shell, scenario};
use jiff::SignedDuration;
use simulator::Simulator;
use store::{FindingQuery, FindingRow, Store};

async fn rows(shell: &Shell, name: &str) -> Vec<FindingRow> {
    let store = Store::open_reader(shell.path(name)).await.unwrap();
    let rows = store.findings(&FindingQuery::default()).await.unwrap();
    store.close().await;
    rows
}

/// Sweeps in two stores, and twice in the first.
async fn evidence_twice(simulator: &Simulator) {
    let shell = Shell::at(simulator);
    shell.once(&["--store", "one.db"]).await;
    let first = rows(&shell, "one.db").await;
    // Delivery times, alarm states and list orders move with every request; credentials are new.
    tokio::time::sleep(SignedDuration::from_millis(1100).unsigned_abs()).await;
    shell.once(&["--store", "one.db"]).await;
    shell.once(&["--store", "other.db"]).await;

    let second = rows(&shell, "one.db").await;
    assert!(!first.is_empty());
    assert_eq!(first.len(), second.len());
    assert!(
        second
            .iter()
            .all(|row| row.since_sweep.0 == 1 && row.until_sweep.is_none()),
        "a new finding row"
    );

    let roots = |rows: &[FindingRow]| -> BTreeMap<_, _> {
        rows.iter()
            .map(|row| (row.finding.account, row.evidence_root))
            .collect()
    };
    let other = rows(&shell, "other.db").await;
    assert_eq!(
        roots(&first),
        roots(&other),
        "the evidence of the same world differs"
    );
    assert!(
        other
            .iter()
            .filter(|row| row.evidence_root.is_some())
            .count()
            > 1
    );
}

#[tokio::test]
async fn two_sweeps_of_an_unchanged_world_leave_identical_evidence_and_no_new_row() {
    evidence_twice(&scenario("chain_breaks").await).await;
    evidence_twice(&scenario("organization_trail").await).await;
}

#[tokio::test]
async fn a_change_shows_in_the_account_it_concerns_and_nowhere_else() {
    let simulator = scenario("chain_breaks").await;
    let shell = Shell::at(&simulator);
    shell.once(&["--store", "scanner.db"]).await;
    simulator.update(|world| {
        for alarm in &mut world.named_mut("all-good").unwrap().alarms {
            alarm.actions_enabled = false;
        }
    });
    let run = shell.once(&["--store", "scanner.db"]).await;
    assert_eq!(run.answers()["all-good"], "FAIL alarm-actions-disabled");
    let changed: Vec<_> = rows(&shell, "scanner.db")
        .await
        .into_iter()
        .filter(|row| row.since_sweep.0 == 2)
        .collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].account.name, "all-good");
}

#[tokio::test]
async fn history_lists_what_sweeps_saw() {
    let simulator = scenario("organization_trail").await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    shell.once(&["--exclude", "member-*"]).await;
    let sweeps = shell.run(&["history", "sweeps", "--format", "json"]).await;
    let sweeps: serde_json::Value = serde_json::from_str(&sweeps.stdout).unwrap();
    assert_eq!(sweeps["sweeps"].as_array().unwrap().len(), 2);
    assert_eq!(
        sweeps["sweeps"][0]["scope"]["accounts"],
        serde_json::json!(["!member-*"])
    );
    let unknown = shell
        .run(&[
            "history",
            "findings",
            "--verdict",
            "unknown",
            "--format",
            "json",
        ])
        .await;
    let unknown: serde_json::Value = serde_json::from_str(&unknown.stdout).unwrap();
    assert_eq!(unknown["findings"].as_array().unwrap().len(), 4);
    // What the second sweep did not look at is still known.
    let all = shell.run(&["history", "findings"]).await;
    assert!(all.stdout.contains("member-1"), "{}", all.stdout);
}
