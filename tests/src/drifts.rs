//! Drifts are listed, shown in full and acknowledged.

use serde_json::Value;
use simulator::Simulator;
use store::{JournalKind, Store};

use crate::scanner::{Shell, scenario};

/// A sweep of a world in order, and one after a filter lost an event.
async fn broken() -> (Simulator, Shell) {
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator).with("USER", "dana");
    shell.once(&[]).await;
    simulator.advance().unwrap();
    shell.once(&[]).await;
    (simulator, shell)
}

async fn drifts(shell: &Shell, more: &[&str]) -> Vec<Value> {
    let run = shell
        .run(&[&["drift", "list", "--format", "json"], more].concat())
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
    run.report()["drifts"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_drift_is_listed_and_shown_with_what_changed_and_when() {
    let (_simulator, shell) = broken().await;
    let all = drifts(&shell, &[]).await;
    assert_eq!(all.len(), 1, "{all:#?}");
    let drift = &all[0];
    assert_eq!(drift["kind"], "verdict-changed");
    assert_eq!(drift["account_name"], "workload");
    assert_eq!(
        (&drift["last_before_sweep"], &drift["seen_sweep"]),
        (&1.into(), &2.into())
    );
    assert_eq!(drift["acknowledged"], Value::Null);
    let id = drift["id"].as_str().unwrap();
    let shown = shell.run(&["drift", "show", id]).await;
    assert_eq!(shown.code, 0, "{shown:#?}");
    for says in [
        "high verdict-changed",
        "PASS covered-by-own-trail",
        "FAIL filter-incomplete",
        "LeaveOrganization",
        "last seen as before by sweep 1",
        "first seen as it is by sweep 2",
        "scanner drift ack",
        "Next",
    ] {
        assert!(shown.stdout.contains(says), "{says}: {}", shown.stdout);
    }
    let json = shell.run(&["drift", "show", id, "--format", "json"]).await;
    let mut whole = json.report()["drift"].clone();
    assert_eq!(whole["id"], drift["id"]);
    // Looking for who did it is another's work, which may end in between.
    whole["author"] = drift["author"].clone();
    assert_eq!(&whole, drift);

    for (filter, found) in [
        (["--verdict", "fail"], 1),
        (["--verdict", "pass"], 0),
        (["--severity", "high"], 1),
        (["--severity", "critical"], 0),
        (["--kind", "account-left"], 0),
        (["--account", "111100000002"], 1),
        (["--account", "111100000001"], 0),
        (["--control", "4.15"], 1),
        (["--control", "4.1"], 0),
        (["--as-of", "1"], 0),
        (["--since", "1h"], 1),
        (["--until", "1h"], 0),
        (["--limit", "0"], 0),
    ] {
        assert_eq!(drifts(&shell, &filter).await.len(), found, "{filter:?}");
    }
}

#[tokio::test]
async fn a_drift_is_acknowledged_beside_others_and_says_by_whom() {
    let (_simulator, shell) = broken().await;
    let id = drifts(&shell, &[]).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let held = Store::open_sweeper(shell.path("scanner.db")).await.unwrap();
    let run = shell
        .run(&["drift", "ack", &id, "--note", "change 77"])
        .await;
    assert_eq!(run.code, 0, "beside a sweeper: {run:#?}");
    assert_eq!(run.stdout, format!("acknowledged by dana: {id}\n"));
    held.close().await.unwrap();
    let seen = drifts(&shell, &[]).await[0]["acknowledged"].clone();
    assert_eq!(
        (&seen["by"], &seen["note"]),
        (&"dana".into(), &"change 77".into())
    );
    let again = shell
        .run(&["drift", "ack", &id, "--same-cause", "--by", "erin"])
        .await;
    assert_eq!(again.code, 0, "{again:#?}");
    let shown = shell.run(&["drift", "show", &id]).await.stdout;
    assert!(shown.contains("acknowledged by erin at"), "{shown}");
    let table = shell.run(&["drift", "list"]).await.stdout;
    assert!(
        table.contains("acknowledged by erin") && table.contains("1 drift, 0 not acknowledged"),
        "{table}"
    );
}

#[tokio::test]
async fn who_did_it_is_told_as_the_journal_has_it() {
    let (_simulator, shell) = broken().await;
    let id = drifts(&shell, &[]).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let journal = Store::open_journal(shell.path("scanner.db")).await.unwrap();
    let author = serde_json::json!({
        "event_id": "7f3c", "event_source": "logs.amazonaws.com", "event_name": "PutMetricFilter",
        "time": "2026-01-02T02:59:00Z", "account": "111100000002", "region": "us-east-1",
        "actor": "arn:aws:sts::111100000002:assumed-role/Developer/carol",
        "session_issuer": null, "source_ip": "198.51.100.17", "user_agent": null,
    });
    let body = serde_json::json!({"outcome": "found", "author": author});
    let now = "2026-01-02T03:00:00Z".parse().unwrap();
    journal
        .record(now, JournalKind::Author, &id, &body)
        .await
        .unwrap();
    journal.close().await.unwrap();
    let found = &drifts(&shell, &[]).await[0]["author"];
    assert_eq!(
        (&found["outcome"], &found["call"]),
        (&"found".into(), &author)
    );
    let shown = shell.run(&["drift", "show", &id]).await.stdout;
    assert!(
        shown.contains("assumed-role/Developer/carol (PutMetricFilter at"),
        "{shown}"
    );
    assert!(shown.contains("198.51.100.17"), "{shown}");
}

#[tokio::test]
async fn a_drift_that_nobody_saw_is_refused() {
    let (_simulator, shell) = broken().await;
    for (arguments, says) in [
        (
            &["drift", "show", "0000000000000000"][..],
            "there is no drift 0000000000000000",
        ),
        (
            &["drift", "ack", "0000000000000000"],
            "there is no drift 0000000000000000",
        ),
        (&["drift", "show", "12"], "16 hexadecimal digits"),
        (&["drift", "ack"], "<ID>"),
        (&["drift", "list", "--severity", "bad"], "critical"),
        (&["drift", "list", "--kind", "bad"], "verdict-changed"),
    ] {
        let run = shell.run(arguments).await;
        assert_eq!(run.code, 2, "{arguments:?}: {run:#?}");
        assert!(run.stderr.contains(says), "{}", run.stderr);
    }
    let nobody = shell.with("USER", "");
    let run = nobody.run(&["drift", "ack", "0000000000000000"]).await;
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("--by NAME"), "{}", run.stderr);
}
