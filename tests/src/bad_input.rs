//! Bad input gets a clear error on stderr and exit code 2, and nothing is written.

use crate::scanner::{Shell, scenario, start};
use simulator::World;

async fn refused(shell: &Shell, arguments: &[&str], says: &[&str]) {
    let before = listing(shell);
    let run = shell.run(arguments).await;
    assert_eq!(run.code, 2, "{arguments:?}: {run:#?}");
    assert_eq!(run.stdout, "", "{arguments:?}");
    for text in says {
        assert!(
            run.stderr.contains(text),
            "{arguments:?} does not say `{text}`: {}",
            run.stderr
        );
    }
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    assert_eq!(listing(shell), before, "{arguments:?} wrote something");
}

fn listing(shell: &Shell) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(shell.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read(&path).unwrap_or_default(),
            )
        })
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_before_anything_happens() {
    let simulator = scenario("organization_trail").await;
    let shell = Shell::at(&simulator);
    std::fs::write(shell.path("bad.toml"), "[scope]\naccounts = [\"12\"]\n").unwrap();
    std::fs::write(shell.path("unknown.toml"), "[store]\npaht = \"x\"\n").unwrap();
    std::fs::write(
        shell.path("not.db"),
        "this is a letter, not a database; it is long enough to have a header".repeat(20),
    )
    .unwrap();
    simulator.reset_calls();
    for (arguments, says) in [
        (
            &["once", "--account", "12"][..],
            &["12", "twelve digits"][..],
        ),
        (&["once", "--account", "1234567890123"], &["twelve digits"]),
        (&["once", "--ou", "Workloads"], &["Workloads", "ou-"]),
        (&["once", "--exclude", "12345"], &["12345", "twelve digits"]),
        (&["once", "--regions", "everywhere"], &["everywhere", "all"]),
        (&["once", "--role-name", "a role"], &["a role"]),
        (&["once", "--role-for", "12=x"], &["twelve digits"]),
        (&["once", "--external-id", "!"], &["external id"]),
        (
            &["once", "--control", "4.99"],
            &["4.99", "organizations-changes"],
        ),
        (&["once", "--format", "yaml"], &["yaml", "json"]),
        (&["once", "--fail-on", "always"], &["always", "never"]),
        (&["once", "--quota-share", "7"], &["between 0.01 and 1"]),
        (&["once", "--nonsense"], &["--nonsense"]),
        (&["once", "--config", "missing.toml"], &["missing.toml"]),
        (
            &["once", "--config", "bad.toml"],
            &["bad.toml", "line 2", "accounts", "twelve digits"],
        ),
        (
            &["once", "--config", "unknown.toml"],
            &["unknown.toml", "line 2", "paht"],
        ),
        (&["once", "--store", "not.db"], &["not.db"]),
        (&["once", "--store", "missing/scanner.db"], &["missing"]),
        (&["once", "--output", "missing/report.json"], &["missing"]),
        (&["demo", "--accounts", "0"], &["between 1 and 50000"]),
        (&["explain", "--account", "111122223333"], &["scanner.db"]),
        (&["explain", "--account", "x"], &["twelve digits"]),
        (&["history", "findings"], &["scanner.db"]),
        (&["controls", "4.99"], &["4.99"]),
        (&[], &["Usage"]),
    ] {
        refused(&shell, arguments, says).await;
    }
    let asked = simulator.calls();
    let swept = asked
        .iter()
        .filter(|(key, _)| key.operation != "GetCallerIdentity")
        .count();
    assert_eq!(swept, 0, "AWS was asked: {asked:?}");
}

#[tokio::test]
async fn a_scope_that_cannot_be_swept_is_an_error_and_leaves_nothing_behind() {
    let simulator = scenario("organization_trail").await;
    let shell = Shell::at(&simulator);
    let stranger = ["once", "--account", "999988887777"];
    refused(&shell, &stranger, &["999988887777", "--no-organization"]).await;
    refused(
        &shell,
        &["once", "--no-organization", "--name", "x*"],
        &["x*", "account ids"],
    )
    .await;
    assert!(listing(&shell).is_empty());
}

#[tokio::test]
async fn a_store_of_another_organization_is_refused_and_left_alone() {
    let simulator = scenario("organization_trail").await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    let before = std::fs::read(shell.path("scanner.db")).unwrap();
    let other = start(World::generate(&simulator::GenerateOptions {
        accounts: 3,
        ..Default::default()
    }))
    .await;
    let shell_of_other = Shell::at(&other);
    let store = shell.path("scanner.db").display().to_string();
    let run = shell_of_other.once(&["--store", &store]).await;
    assert_eq!(run.code, 2, "{run:#?}");
    assert!(run.stderr.contains("organization"), "{}", run.stderr);
    assert_eq!(std::fs::read(shell.path("scanner.db")).unwrap(), before);
}

#[tokio::test]
async fn a_newer_store_is_refused() {
    let simulator = scenario("organization_trail").await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    // As a later version would leave it, said by a tool nobody here wrote.
    let insert = "import sqlite3; c = sqlite3.connect('scanner.db'); \
                  c.execute(\"insert into _sqlx_migrations values (99991231000000, 'later', '2026-01-01', 1, x'00', 0)\"); \
                  c.commit()";
    let done = tokio::process::Command::new("python3")
        .args(["-c", insert])
        .current_dir(shell.folder.path())
        .status();
    assert!(done.await.unwrap().success());
    for arguments in [
        &["once"][..],
        &["history", "sweeps"],
        &["explain", "--account", "111100000001"],
    ] {
        let run = shell.run(arguments).await;
        assert_eq!(run.code, 2, "{run:#?}");
        assert!(run.stderr.contains("newer"), "{}", run.stderr);
    }
}

#[tokio::test]
async fn without_credentials_it_says_what_was_tried() {
    let run = Shell::new()
        .with("AWS_REGION", "eu-central-1")
        .run(&["once"])
        .await;
    assert_eq!(run.code, 1, "{run:#?}");
    for text in [
        "credentials",
        "environment",
        "profile",
        "AWS_PROFILE",
        "scanner demo",
    ] {
        assert!(run.stderr.contains(text), "{text}: {}", run.stderr);
    }
}

#[tokio::test]
async fn an_environment_variable_that_nothing_reads_is_a_mistake() {
    let shell = Shell::new().with("SCANNER_ROLENAME", "x");
    let run = shell.run(&["controls"]).await;
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("SCANNER_ROLENAME") && run.stderr.contains("SCANNER_ROLE_NAME"),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn flags_beat_the_environment_which_beats_the_file() {
    let simulator = scenario("organization_trail").await;
    let shell = Shell::at(&simulator);
    std::fs::write(
        shell.path("scanner.toml"),
        "[store]\npath = \"file.db\"\n[report]\nfail_on = \"never\"\n",
    )
    .unwrap();
    let base = ["once", "--config", "scanner.toml", "--format", "json"];
    assert_eq!(shell.run(&base).await.code, 0);
    assert!(shell.path("file.db").exists());
    let shell = shell
        .with("SCANNER_STORE", "environment.db")
        .with("SCANNER_FAIL_ON", "fail");
    assert_eq!(shell.run(&base).await.code, 3);
    assert!(shell.path("environment.db").exists());
    let run = shell
        .run(&[&base[..], &["--store", "flag.db", "--fail-on", "never"]].concat())
        .await;
    assert_eq!(run.code, 0);
    assert!(shell.path("flag.db").exists());
}
