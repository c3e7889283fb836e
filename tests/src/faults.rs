//! One bad account, one bad moment: the rest is unharmed.

use crate::scanner::{Shell, scenario, start};
use simulator::World;
use std::time::Duration;

fn world(fault: &str) -> World {
    let text = format!(
        r#"
        [[account]]
        name = "management"
        trails = [{{ name = "organization-trail", organization = true }}]
        log_groups = [{{}}]
        filters = [{{}}]
        alarms = [{{}}]
        topics = [{{}}]
        [[account]]
        name = "member"
        count = 30
        {fault}
        "#
    );
    World::from_toml(&text).expect("the world is valid")
}

#[tokio::test]
async fn a_throttled_shared_lookup_is_tried_again_before_anybody_is_judged() {
    let fault = r#"
        [[fault]]
        kind = "throttled"
        service = "logs"
        operation = "DescribeMetricFilters"
        times = 6
    "#;
    let simulator = start(world(fault)).await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 0, "{run:#?}");
    assert!(
        run.answers()
            .values()
            .all(|answer| answer == "PASS covered-by-organization-trail"),
        "{:?}",
        run.answers()
    );
}

#[tokio::test]
async fn what_stays_throttled_is_unknown_and_names_the_call() {
    let fault = r#"
        [[fault]]
        kind = "throttled"
        service = "sns"
    "#;
    let simulator = start(world(fault)).await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 4, "{run:#?}");
    assert!(
        run.answers()
            .values()
            .all(|answer| answer == "UNKNOWN evidence-gap"),
        "{:?}",
        run.answers()
    );
    let finding = run.finding("member-7");
    let gaps = finding["gaps"].as_array().unwrap();
    for api in ["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"] {
        let gap = gaps.iter().find(|gap| gap["api"] == api);
        assert_eq!(gap.unwrap()["class"], "throttled", "{finding:#}");
    }
}

#[tokio::test]
async fn server_errors_and_dropped_connections_are_survived() {
    let fault = r#"
        [[fault]]
        kind = "internal-error"
        times = 3
        [[fault]]
        kind = "disconnect"
        service = "cloudtrail"
        times = 3
    "#;
    let simulator = start(world(fault)).await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 0, "{run:#?}");
}

#[tokio::test]
async fn a_malformed_answer_is_unknown_and_never_a_verdict() {
    let fault = r#"
        [[fault]]
        kind = "malformed"
        service = "cloudwatch"
    "#;
    let simulator = start(world(fault)).await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 4, "{run:#?}");
    assert!(
        run.answers()
            .values()
            .all(|answer| answer.starts_with("UNKNOWN")),
        "{:?}",
        run.answers()
    );
}

#[tokio::test]
async fn a_half_read_account_list_is_said_and_shows_in_the_exit_code() {
    let fault = r#"
        [[fault]]
        kind = "access-denied"
        service = "organizations"
        operation = "ListAccounts"
        skip = 1
    "#;
    let simulator = start(world(fault)).await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 4, "{run:#?}");
    let report = run.report();
    assert_eq!(report["sweep"]["discovery"]["state"], "incomplete");
    assert_eq!(
        report["sweep"]["discovery"]["gap"]["api"],
        "organizations:ListAccounts"
    );
    let gap = &report["sweep"]["discovery"]["gap"];
    assert!(
        gap["message"].as_str().unwrap().contains("AccessDenied"),
        "{gap}"
    );
    assert!(gap["request_id"].is_string(), "{gap}");
    assert_eq!(
        run.findings().len(),
        20,
        "the first page is looked at all the same"
    );
}

#[tokio::test]
async fn an_account_that_was_named_is_looked_at_though_its_page_was_not_read() {
    let fault = r#"
        [[fault]]
        kind = "access-denied"
        service = "organizations"
        operation = "ListAccounts"
        skip = 1
    "#;
    let simulator = start(world(fault)).await;
    let last = simulator.world().named("member-30").unwrap().id.clone();
    let run = Shell::at(&simulator).once(&["--account", &last]).await;
    assert_eq!(run.findings()[0]["account_id"], last.as_str(), "{run:#?}");
    assert_eq!(run.findings()[0]["verdict"], "PASS");
    assert_eq!(run.code, 4, "the list is incomplete all the same");
}

#[tokio::test]
async fn an_interrupt_during_discovery_ends_at_once_and_leaves_nothing() {
    let fault = r#"
        [[fault]]
        kind = "silence"
        service = "organizations"
        operation = "ListAccounts"
    "#;
    let simulator = start(world(fault)).await;
    let shell = Shell::at(&simulator);
    let mut child = shell
        .command(&["once", "--format", "json"])
        .spawn()
        .unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let pid = child.id().unwrap().to_string();
    assert!(
        tokio::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .await
            .unwrap()
            .success()
    );
    let status = tokio::time::timeout(Duration::from_secs(5), child.wait())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(!shell.path("scanner.db").exists());
}

#[tokio::test]
async fn an_expired_token_is_replaced() {
    let fault = r#"
        [[fault]]
        kind = "expired-token"
        service = "cloudtrail"
        operation = "DescribeTrails"
        account = "member-7"
        times = 1
    "#;
    let simulator = start(world(fault)).await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 0, "{run:#?}");
}

#[tokio::test]
async fn a_sweep_that_is_interrupted_keeps_what_it_saw_and_says_so() {
    let fault = r#"
        [[fault]]
        kind = "silence"
        service = "cloudtrail"
        operation = "DescribeTrails"
        skip = 12
    "#;
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let simulator = start(world(fault)).await;
        let shell = Shell::at(&simulator);
        let mut child = shell
            .command(&["once", "--quota-share", "1", "--format", "json"])
            .spawn()
            .unwrap();
        let pid = child.id().unwrap().to_string();
        // By then the accounts that answer have answered, and were committed.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let sent = tokio::process::Command::new("kill")
            .args([&format!("-{signal}"), &pid])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
        let status = tokio::time::timeout(Duration::from_secs(20), child.wait())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(status.code(), Some(code));
        let sweeps = shell.run(&["history", "sweeps", "--format", "json"]).await;
        let sweeps: serde_json::Value = serde_json::from_str(&sweeps.stdout).unwrap();
        assert_eq!(sweeps["sweeps"][0]["state"], "interrupted");
        assert!(
            sweeps["sweeps"][0]["accounts_seen"].as_u64().unwrap() >= 5,
            "{sweeps:#}"
        );
    }
}

#[tokio::test]
async fn a_second_sweeper_on_the_same_store_is_refused() {
    let fault = r#"
        [[fault]]
        kind = { slow = 2000 }
        service = "cloudtrail"
    "#;
    let simulator = start(world(fault)).await;
    let shell = Shell::at(&simulator);
    let mut first = shell
        .command(&["once", "--quota-share", "1", "--format", "json"])
        .spawn()
        .unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let second = shell.once(&[]).await;
    assert_eq!(second.code, 1, "{second:#?}");
    assert!(second.stderr.contains("scanner.db"), "{}", second.stderr);
    // Readers work beside it.
    assert_eq!(shell.run(&["history", "sweeps"]).await.code, 0);
    assert_eq!(first.wait().await.unwrap().code(), Some(0));
    assert!(scenario("chain_breaks").await.sessions().is_empty());
}
