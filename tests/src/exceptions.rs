//! Exceptions lie over findings, say until when, and end with a drift.

use crate::scanner::{Shell, scenario};
use jiff::SignedDuration;
use model::{DriftKind, Exception, ExceptionScope, ExceptionSource};
use store::{DriftQuery, Store};

async fn expired(shell: &Shell) -> usize {
    let store = Store::open_reader(shell.path("scanner.db")).await.unwrap();
    let query = DriftQuery {
        kind: Some(DriftKind::ExceptionExpired),
        ..DriftQuery::default()
    };
    let drifts = store.drifts(&query).await.unwrap();
    store.close().await;
    drifts.len()
}

#[tokio::test]
async fn an_accepted_finding_keeps_its_verdict_until_the_exception_ends() {
    let simulator = scenario("log_group_class").await;
    let shell = Shell::at(&simulator);
    let first = shell.once(&[]).await;
    assert_eq!(first.code, 3);
    let add = [
        "exception",
        "add",
        "--control",
        "4.15",
        "--owner",
        "platform",
    ];
    let why = ["--reason", "all of it is being moved", "--ticket", "SEC-1"];
    let added = shell
        .run(&[&add[..], &why[..], &["--expires", "2999-12-31"]].concat())
        .await;
    assert_eq!(added.code, 0, "{}", added.stderr);

    let second = shell.once(&[]).await;
    let report = second.report();
    let failing = |finding: &&serde_json::Value| finding["verdict"] == "FAIL";
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| failing(&finding)));
    for finding in findings.iter().filter(failing) {
        assert_eq!(finding["exception"]["ticket"], "SEC-1", "{finding}");
    }
    // What is accepted neither fails nor is unknown.
    assert_eq!(second.code, 0, "{}", second.stderr);
    let table = shell.run(&["once", "--fail-on", "fail"]).await;
    assert!(
        table.stdout.contains("Accepted by exceptions:"),
        "{}",
        table.stdout
    );
    assert!(
        table.stdout.contains("by platform, SEC-1"),
        "{}",
        table.stdout
    );
    assert_eq!(expired(&shell).await, 0);
    shown_in_the_history(&shell).await;

    let list = shell.run(&["exception", "list", "--format", "json"]).await;
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    let id = list["exceptions"][0]["id"].as_str().unwrap();
    assert_eq!(shell.run(&["exception", "remove", id]).await.code, 0);
    let removed = shell.once(&[]).await;
    assert_eq!(removed.code, 3);
    let told_of_removal = expired(&shell).await;
    assert!(told_of_removal > 0);
    let list = [
        "drift",
        "list",
        "--kind",
        "exception-expired",
        "--format",
        "json",
    ];
    let list = shell.run(&list).await.stdout;
    for says in [id, "platform, SEC-1", "was removed at"] {
        assert!(list.contains(says), "{says}: {list}");
    }
    shell.once(&[]).await;
    assert_eq!(expired(&shell).await, told_of_removal, "once");
    // Another one held when the last sweep began, and holds no longer.
    let journal = Store::open_journal(shell.path("scanner.db")).await.unwrap();
    let newest = journal.store().latest_sweep().await.unwrap().unwrap();
    let exception = Exception {
        scope: ExceptionScope {
            control: "organizations-changes".parse().ok(),
            ..ExceptionScope::default()
        },
        owner: "platform".to_owned(),
        reason: "for a moment".to_owned(),
        ticket: None,
        expires_at: newest.started_at + SignedDuration::from_millis(1),
        source: ExceptionSource::Command,
    };
    let then = newest.started_at - SignedDuration::from_secs(1);
    journal.add_exception(then, &exception).await.unwrap();
    journal.close().await.unwrap();
    let third = shell.once(&[]).await;
    assert_eq!(third.code, 3);
    let told = expired(&shell).await;
    assert!(told > told_of_removal, "{told}");
    shell.once(&[]).await;
    assert_eq!(expired(&shell).await, told, "once");
}

/// It lies over what the history tells, and over no moment at which it did not hold yet.
async fn shown_in_the_history(shell: &Shell) {
    let failing = ["history", "findings", "--verdict", "fail"];
    let run = async |more: &[&str]| {
        let run = shell.run(&[&failing[..], more].concat()).await;
        assert_eq!(run.code, 0, "{run:#?}");
        run
    };
    let now = run(&["--format", "json"]).await.report();
    let finding = &now["findings"][0];
    assert_eq!(finding["exception"]["ticket"], "SEC-1", "{finding}");
    let before = run(&["--format", "json", "--as-of", "1"]).await.report();
    assert_eq!(before["findings"][0]["exception"], serde_json::Value::Null);
    for (format, says) in [
        ("table", "accepted until 2999-12-31"),
        ("ndjson", "\"ticket\":\"SEC-1\""),
        ("csv", "2999-12-31T00:00:00Z,platform"),
    ] {
        let told = run(&["--format", format]).await.stdout;
        // A table breaks lines where it must.
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(says), "{format}: {told}");
    }
    let account = finding["account_id"].as_str().unwrap();
    let explain = ["explain", "--account", account];
    let told = shell.run(&explain).await.stdout;
    assert!(told.contains("accepted until 2999-12-31"), "{told}");
    let then = shell.run(&[&explain[..], &["--as-of", "1"]].concat()).await;
    assert!(then.stdout.contains("FAIL"), "{then:#?}");
    assert!(!then.stdout.contains("accepted"), "{then:#?}");
}

#[tokio::test]
async fn an_exception_that_cannot_be_used_is_refused_and_one_that_accepts_nothing_is_said() {
    let simulator = scenario("organization_trail").await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    let base = ["exception", "add", "--owner", "me", "--reason", "because"];
    let rows: [(&[&str], &str); 6] = [
        (&["--control", "4.15"], "--expires"),
        (
            &["--control", "4.15", "--expires", "2020-01-01"],
            "expired already",
        ),
        (&["--control", "4.15", "--expires", "soon"], "2027-01-31"),
        (&["--expires", "2999-01-01"], "would accept every finding"),
        (
            &["--control", "no-such", "--expires", "2999-01-01"],
            "no-such",
        ),
        (&["--account", "12", "--expires", "2999-01-01"], "12"),
    ];
    for (flags, says) in rows {
        let run = shell.run(&[&base[..], flags].concat()).await;
        assert_eq!(run.code, 2, "{flags:?}");
        assert!(run.stderr.contains(says), "{flags:?}: {}", run.stderr);
    }
    let unknown = shell.run(&["exception", "remove", "0123456789"]).await;
    assert_eq!(unknown.code, 2);

    let nothing = ["--account", "999999999999", "--expires", "2999-01-01"];
    shell.run(&[&base[..], &nothing].concat()).await;
    let run = shell.run(&["once"]).await;
    assert!(run.stdout.contains("accepts nothing"), "{}", run.stdout);

    // The configuration brings its own and takes them away.
    let table = "[[exception]]\nowner = \"config\"\nreason = \"r\"\ncontrol = \"4.15\"\n";
    let write = |text: &str| std::fs::write(shell.path("scanner.toml"), text).unwrap();
    write(table);
    let run = shell.run(&["once", "--config", "scanner.toml"]).await;
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("expires"), "{}", run.stderr);
    write(&format!("{table}expires = \"2999-01-01\"\n"));
    shell.run(&["once", "--config", "scanner.toml"]).await;
    let owners = async || {
        let list = shell.run(&["exception", "list", "--format", "json"]).await;
        let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
        let rows = list["exceptions"].as_array().unwrap().clone();
        let owner = |row: &serde_json::Value| row["owner"].as_str().unwrap().to_owned();
        rows.iter().map(owner).collect::<Vec<_>>()
    };
    assert_eq!(owners().await, ["me", "config"]);
    // A sweep without a configuration changes nothing.
    shell.run(&["once"]).await;
    assert_eq!(owners().await.len(), 2);
    write("");
    shell.run(&["once", "--config", "scanner.toml"]).await;
    assert_eq!(owners().await, ["me"]);
}
