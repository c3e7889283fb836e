//! What was seen can be taken away, verified and cared for; what was altered is noticed.

use crate::scanner::{Run, Shell, scenario};

async fn ok(shell: &Shell, arguments: &[&str]) -> Run {
    let run = shell.run(arguments).await;
    assert_eq!(run.code, 0, "{arguments:?}: {} {}", run.stdout, run.stderr);
    run
}

/// Alters the store as another program would.
async fn alter(shell: &Shell, statement: &str) {
    let script = "import sqlite3, sys; db = sqlite3.connect('scanner.db'); db.execute(sys.argv[1]); db.commit()";
    let output = tokio::process::Command::new("python3")
        .args(["-c", script, statement])
        .current_dir(shell.folder.path())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn an_archive_verifies_until_a_byte_of_it_is_altered() {
    let simulator = scenario("organization_trail").await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    shell.once(&[]).await;
    ok(
        &shell,
        &["evidence", "export", "--sweep", "1", "-o", "all.evidence"],
    )
    .await;
    let whole = ok(&shell, &["evidence", "verify", "all.evidence"]).await;
    assert!(
        whole.stdout.contains("Everything fits: sweep 1"),
        "{}",
        whole.stdout
    );
    let account = whole_account(&shell).await;
    let one = [
        "evidence",
        "export",
        "--sweep",
        "2",
        "--account",
        &account,
        "-o",
        "one.evidence",
    ];
    let one = ok(&shell, &one).await;
    let seal = one
        .stderr
        .split("its seal is ")
        .nth(1)
        .unwrap()
        .trim()
        .to_owned();
    ok(
        &shell,
        &["evidence", "verify", "one.evidence", "--expect", &seal],
    )
    .await;
    let other = seal.replace(|digit: char| digit.is_ascii_digit(), "a");
    let run = shell
        .run(&["evidence", "verify", "one.evidence", "--expect", &other])
        .await;
    assert_eq!(run.code, 3, "{}", run.stderr);
    let whole = format!(
        "one.evidence is whole in itself, but the noted seal {other} is not among its seals (sweeps 1 to 2)"
    );
    assert!(run.stderr.contains(&whole), "{}", run.stderr);
    assert!(!run.stderr.contains("altered"), "{}", run.stderr);

    let again = shell
        .run(&["evidence", "export", "--sweep", "2", "-o", "one.evidence"])
        .await;
    assert_eq!(again.code, 2, "nothing is overwritten");
    let mut bytes = std::fs::read(shell.path("all.evidence")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(shell.path("all.evidence"), bytes).unwrap();
    let run = shell.run(&["evidence", "verify", "all.evidence"]).await;
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("was altered"), "{}", run.stderr);
    std::fs::write(shell.path("no.evidence"), "hello").unwrap();
    let run = shell.run(&["evidence", "verify", "no.evidence"]).await;
    assert_eq!(run.code, 2, "{}", run.stderr);
    let run = shell
        .run(&["evidence", "export", "--sweep", "99", "-o", "x"])
        .await;
    assert_eq!(run.code, 2, "{}", run.stderr);
}

async fn whole_account(shell: &Shell) -> String {
    let list = ok(shell, &["history", "findings", "--format", "json"]).await;
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    list["findings"][0]["account_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_store_is_verified_copied_and_pruned_and_what_was_altered_is_named() {
    let simulator = scenario("organization_trail").await;
    let shell = Shell::at(&simulator);
    for _ in 0..3 {
        shell.once(&[]).await;
    }
    let verified = ok(&shell, &["evidence", "verify", "--store", "scanner.db"]).await;
    assert!(
        verified.stdout.contains("The last seal is of sweep 3"),
        "{}",
        verified.stdout
    );
    let sound = ok(&shell, &["store", "check"]).await.stdout;
    assert_eq!(
        sound,
        "scanner.db is sound, and what is sealed is as it was sealed.\n"
    );
    ok(&shell, &["store", "migrate"]).await;
    ok(&shell, &["store", "backup", "copy.db"]).await;
    assert_eq!(shell.run(&["store", "backup", "copy.db"]).await.code, 2);
    ok(&shell, &["store", "check", "--store", "copy.db"]).await;
    ok(&shell, &["store", "prune", "--keep-from", "3", "--compact"]).await;
    ok(&shell, &["evidence", "verify", "--store", "scanner.db"]).await;
    let info = ok(&shell, &["store", "info"]).await;
    assert!(info.stdout.contains("Seals         3"), "{}", info.stdout);

    alter(
        &shell,
        "UPDATE account_states SET name = name || '!' WHERE id = 1",
    )
    .await;
    let run = shell
        .run(&["evidence", "verify", "--store", "scanner.db"])
        .await;
    assert_eq!(run.code, 3, "{} {}", run.stdout, run.stderr);
    assert!(run.stderr.contains("altered"), "{}", run.stderr);
    // The file is whole, which is all that a quick look is about.
    let quick = ok(&shell, &["store", "check", "--quick"]).await.stdout;
    assert!(quick.contains("scanner.db is sound"), "{quick}");
    let run = shell.run(&["store", "check"]).await;
    assert_eq!(run.code, 3, "{run:#?}");
    assert!(
        (run.stdout).starts_with("scanner.db was altered since it was sealed: "),
        "{}",
        run.stdout
    );
    assert_eq!(run.stdout.lines().count(), 1, "{}", run.stdout);
    // A document that is gone is damage.
    alter(
        &shell,
        "DELETE FROM documents WHERE id = (SELECT min(detail) FROM findings)",
    )
    .await;
    for more in [&[][..], &["--quick"]] {
        let run = shell.run(&[&["store", "check"], more].concat()).await;
        assert_eq!(run.code, 3, "{run:#?}");
        assert!(
            run.stdout.contains("scanner.db is damaged"),
            "{}",
            run.stdout
        );
    }
}
