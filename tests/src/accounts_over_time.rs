//! Accounts as they were: their tags at several times, and one that left.

use serde_json::{Value, json};
use simulator::{FaultKind, FaultRule, Simulator};

use crate::scanner::{Run, Shell, scenario};

const TAGGED: &str = "111100000002";
const LEAVES: &str = "111100000003";

async fn ok(shell: &Shell, arguments: &[&str]) -> Run {
    let run = shell.run(arguments).await;
    assert_eq!(run.code, 0, "{arguments:?}: {run:#?}");
    run
}

/// The account as `history accounts` tells it.
async fn account(shell: &Shell, more: &[&str]) -> Value {
    let ask = ["history", "accounts", "--account", TAGGED, "--format"];
    let run = ok(shell, &[&ask[..], &["json"], more].concat()).await;
    run.report()["accounts"][0].clone()
}

fn change(simulator: &Simulator) {
    assert!(simulator.advance().unwrap().is_some());
}

#[tokio::test]
async fn tags_are_told_as_of_any_time_and_are_no_drift() {
    let simulator = scenario("accounts_over_time").await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    assert_eq!(account(&shell, &[]).await["tags"], Value::Null);
    assert_eq!(
        simulator.calls().of("organizations", "ListTagsForResource"),
        0
    );
    shell.once(&["--read-tags"]).await;
    change(&simulator);
    // Nobody reads them, so they are what they were.
    shell.once(&[]).await;
    std::fs::write(shell.path("tags.toml"), "[scope]\nread_tags = true\n").unwrap();
    shell.once(&["--config", "tags.toml"]).await;
    // It is in scope by its tags, and so they are read and kept; when they are gone, nobody looks.
    change(&simulator);
    shell.once(&["--tag", "environment=production"]).await;
    shell.once(&["--read-tags"]).await;

    let staging = json!({ "environment": "staging" });
    let production = json!({ "environment": "production", "owner": "payments" });
    for (sweep, tags, since) in [
        ("1", Value::Null, 1),
        ("2", staging.clone(), 2),
        ("3", staging, 2),
        ("4", production.clone(), 4),
        ("5", production, 4),
        ("6", json!({}), 6),
    ] {
        let then = account(&shell, &["--as-of", sweep]).await;
        assert_eq!(then["tags"], tags, "sweep {sweep}");
        assert_eq!(then["since_sweep"], since, "sweep {sweep}");
    }
    let ask = ["history", "accounts", "--as-of", "4"];
    let table = ok(&shell, &ask).await.stdout;
    assert!(table.contains("owner=payments"), "{table}");
    let csv = ok(&shell, &[&ask[..], &["--format", "csv"]].concat()).await;
    assert!(
        csv.stdout.contains(r#""{""environment"":""production"""#),
        "{}",
        csv.stdout
    );
    let drifts = ok(&shell, &["drift", "list", "--format", "json"]).await;
    assert_eq!(drifts.report()["drifts"], json!([]));

    ok(
        &shell,
        &["evidence", "export", "--sweep", "4", "-o", "four.evidence"],
    )
    .await;
    ok(&shell, &["evidence", "verify", "four.evidence"]).await;
    ok(&shell, &["store", "check"]).await;
}

#[tokio::test]
async fn tags_that_may_not_be_read_are_said_once_and_stay_what_they_were() {
    let simulator = scenario("accounts_over_time").await;
    let shell = Shell::at(&simulator);
    shell.once(&["--read-tags"]).await;
    let read = account(&shell, &[]).await["tags"].clone();
    assert_eq!(read, json!({ "environment": "staging" }));
    simulator
        .fault(FaultRule::new(FaultKind::AccessDenied).on("organizations", "ListTagsForResource"));
    simulator.reset_calls();
    let run = shell.once(&["--read-tags"]).await;
    // The account list is the whole one all the same.
    assert_eq!(run.code, 0, "{}", run.stderr);
    let notices = run.report()["sweep"]["notices"].clone();
    let told = notices.to_string();
    assert!(told.contains("the tags of 3 accounts"), "{told}");
    assert!(told.contains("organizations:ListTagsForResource"), "{told}");
    assert_eq!(
        simulator.calls().of("organizations", "ListTagsForResource"),
        1
    );
    assert_eq!(account(&shell, &[]).await["tags"], read);
}

#[tokio::test]
async fn an_account_that_left_is_explained_as_of_before() {
    let simulator = scenario("accounts_over_time").await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    for _ in 0..3 {
        change(&simulator);
    }
    shell.once(&[]).await;
    shell.once(&[]).await;
    for more in [&[][..], &["--as-of", "2"]] {
        let run = shell
            .run(&[&["explain", "--account", LEAVES], more].concat())
            .await;
        assert_eq!(run.code, 2, "{run:#?}");
        assert!(
            run.stderr
                .contains("left the organization: sweep 2, which began at "),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains("--as-of 1"), "{}", run.stderr);
    }
    let then = ok(&shell, &["explain", "--account", LEAVES, "--as-of", "1"]).await;
    assert!(
        then.stdout.contains("covered-by-own-trail"),
        "{}",
        then.stdout
    );
    let never = shell.run(&["explain", "--account", "999999999999"]).await;
    assert_eq!(never.code, 2);
    assert!(
        never
            .stderr
            .contains("knows nothing of account 999999999999")
    );
}

#[tokio::test]
async fn sweeps_are_listed_by_the_ou_that_they_looked_into() {
    let simulator = scenario("accounts_over_time").await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    shell.once(&["--account", TAGGED]).await;
    shell.once(&["--account", LEAVES]).await;
    let path = account(&shell, &[]).await["ou_path"].clone();
    let path = path.as_array().unwrap();
    let of = async |ou: &Value| {
        let ask = ["history", "sweeps", "--format", "json", "--ou"];
        let run = ok(&shell, &[&ask[..], &[ou.as_str().unwrap()]].concat()).await;
        let sweeps = run.report()["sweeps"].as_array().unwrap().clone();
        sweeps
            .iter()
            .map(|sweep| sweep["id"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&path[0]).await, [3, 2, 1], "the root");
    assert_eq!(of(&path[2]).await, [2, 1], "Workloads/Staging");
    assert_eq!(of(&json!("ou-ab12-34cdefgh")).await, [0; 0]);
}
