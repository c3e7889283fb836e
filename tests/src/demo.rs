//! `scanner demo`: the whole thing without AWS, for somebody who has just arrived.

use crate::scanner::Shell;

#[tokio::test]
async fn a_newcomer_sees_every_verdict_and_can_look_further() {
    let shell = Shell::new().by_every_control();
    let run = shell.run(&["demo"]).await;
    assert_eq!(run.code, 0, "{run:#?}");
    for word in [
        "PASS",
        "FAIL",
        "UNKNOWN",
        "NOT_APPLICABLE",
        "50 accounts",
        "organization trail",
    ] {
        assert!(run.stdout.contains(word), "{word}: {}", run.stdout);
    }
    // What it says to type next works as it stands.
    let line = run
        .stdout
        .lines()
        .find(|line| line.starts_with("`scanner explain"))
        .unwrap()
        .to_owned();
    let words: Vec<&str> = line
        .trim_start_matches('`')
        .split('`')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let explained = shell.run(&words[1..]).await;
    assert_eq!(explained.code, 0, "{explained:#?}");
    assert!(
        explained.stdout.contains("◀ here the chain breaks"),
        "{}",
        explained.stdout
    );
}

#[tokio::test]
async fn equal_seeds_make_equal_worlds_and_others_do_not_collide() {
    let shell = Shell::new().by_every_control();
    let answers = |run: crate::scanner::Run| run.answers();
    let json = ["demo", "--format", "json", "--accounts", "30", "--seed"];
    let with = |seed: &'static str| [&json[..], &[seed]].concat();
    let first = answers(shell.run(&with("1")).await);
    assert_eq!(first.len(), 30);
    assert_eq!(first, answers(shell.run(&with("1")).await));
    assert_ne!(first, answers(shell.run(&with("2")).await));
    // Another size is another organization, and has a store of its own.
    let larger = shell.run(&["demo", "--accounts", "31"]).await;
    assert_eq!(larger.code, 0, "{larger:#?}");
    let failing = shell
        .run(&["demo", "--accounts", "30", "--fail-on", "fail"])
        .await;
    assert_eq!(failing.code, 3, "{failing:#?}");
}

#[tokio::test]
async fn a_report_is_the_same_on_standard_output_and_in_a_file() {
    let shell = Shell::new().by_every_control();
    let json = ["demo", "--accounts", "3", "--format", "json"];
    let to_file = [
        &json[..],
        &["--output", "report.json", "--store", "other.db"],
    ]
    .concat();
    let (shown, written) = (shell.run(&json).await, shell.run(&to_file).await);
    assert_eq!(written.stdout, "");
    let file: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(shell.path("report.json")).unwrap()).unwrap();
    assert_eq!(
        file["findings"].as_array().unwrap().len(),
        shown.findings().len()
    );
    assert_eq!(file["organization"], shown.report()["organization"]);
}

#[tokio::test]
async fn a_demo_keeps_away_from_a_real_history_and_from_the_machines_settings() {
    let shell = Shell::new()
        .by_every_control()
        .with("SCANNER_STORE", "real.db")
        .with("SCANNER_ROLE_NAME", "another-role")
        .with("HTTP_PROXY", "http://127.0.0.1:1")
        .with("ALL_PROXY", "http://127.0.0.1:1")
        .with("AWS_USE_FIPS_ENDPOINT", "true")
        .with("AWS_USE_DUALSTACK_ENDPOINT", "true");
    let run = shell.run(&["demo", "--accounts", "10"]).await;
    assert_eq!(run.code, 0, "{run:#?}");
    assert!(!shell.path("real.db").exists() && shell.path("scanner-demo-10-1.db").exists());
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let shell = Shell::new().by_every_control();
    std::fs::write(shell.path("empty.db"), "").unwrap();
    let run = shell
        .run(&["demo", "--accounts", "3", "--store", "empty.db"])
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
}
