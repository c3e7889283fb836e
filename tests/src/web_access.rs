//! Tokens as an operator makes them: shown once, taken until they are revoked, and in no archive.

use crate::{scanner::Shell, web_server::WebServer};

const STORE: [&str; 2] = ["--store", "scanner.db"];

async fn scanner(shell: &Shell, arguments: &[&str]) -> crate::scanner::Run {
    shell.run(&[arguments, &STORE[..]].concat()).await
}

#[tokio::test]
async fn a_token_is_shown_once_and_is_taken_until_it_is_revoked() {
    let shell = Shell::new();
    let swept = shell
        .run(&["demo", "--accounts", "3", "--store", "scanner.db"])
        .await;
    assert_eq!(swept.code, 0, "{swept:#?}");
    let server = WebServer::over(&shell, "scanner.db").await;
    let accounts = "/api/v1/accounts";
    assert_eq!(server.get(accounts, None).await.status, 200);

    let create = [
        "token",
        "create",
        "dashboard",
        "--role",
        "viewer",
        "--expires",
        "90d",
    ];
    let created = scanner(&shell, &create).await;
    assert_eq!(created.code, 0, "{created:#?}");
    let token = created.stdout.trim().to_owned();
    assert!(
        token.starts_with("scanner_") && token.len() == 81,
        "{token}"
    );
    assert!(!created.stderr.contains(&token), "{}", created.stderr);
    assert_eq!(server.get(accounts, None).await.status, 401);
    assert_eq!(server.get(accounts, Some(&token)).await.status, 200);
    assert_eq!(server.get("/healthz", None).await.status, 200);
    assert_eq!(server.get("/metrics", None).await.status, 401);

    let again = scanner(&shell, &create).await;
    assert_eq!(again.code, 2, "{again:#?}");
    let (prefix, secret) = token.rsplit_once('_').unwrap();
    for format in ["table", "json"] {
        let list = scanner(&shell, &["token", "list", "--format", format]).await;
        assert!(
            list.stdout.contains("dashboard") && list.stdout.contains(prefix),
            "{list:#?}"
        );
        assert!(!list.stdout.contains(secret), "{list:#?}");
    }
    // Nothing of it leaves with what an auditor gets, and nothing that was sealed has changed.
    let export = [
        "evidence",
        "export",
        "--sweep",
        "1",
        "--output",
        "evidence.tar.zst",
    ];
    let exported = scanner(&shell, &export).await;
    assert_eq!(exported.code, 0, "{exported:#?}");
    let verified = scanner(&shell, &["evidence", "verify"]).await;
    assert_eq!(verified.code, 0, "{verified:#?}");

    let revoked = scanner(&shell, &["token", "revoke", "dashboard"]).await;
    assert_eq!(revoked.code, 0, "{revoked:#?}");
    assert_eq!(server.get(accounts, Some(&token)).await.status, 401);
    assert_eq!(server.get(accounts, None).await.status, 401);
    let again = scanner(&shell, &["token", "revoke", "dashboard"]).await;
    assert_eq!(again.code, 2, "{again:#?}");
    let forgotten = scanner(&shell, &["token", "revoke", "--forget"]).await;
    assert_eq!(forgotten.code, 0, "{forgotten:#?}");
    assert_eq!(server.get(accounts, None).await.status, 200);
}

#[tokio::test]
async fn a_token_can_be_made_before_the_first_sweep() {
    let shell = Shell::new();
    let created = scanner(&shell, &["token", "create", "first", "--role", "operator"]).await;
    assert_eq!(created.code, 0, "{created:#?}");
    let said = "made a new store at scanner.db";
    assert!(created.stderr.contains(said), "{}", created.stderr);
    let second = scanner(&shell, &["token", "create", "second", "--role", "viewer"]).await;
    assert!(!second.stderr.contains(said), "{}", second.stderr);
    assert!(shell.path("scanner.db").is_file());
    for wrong in [
        &["token", "create", "x", "--role", "admin"][..],
        &["token", "create", "a b", "--role", "viewer"],
        &["token", "create", "x"],
        &[
            "token",
            "create",
            "x",
            "--role",
            "viewer",
            "--expires",
            "2020-01-01",
        ],
        &[
            "token",
            "create",
            "x",
            "--role",
            "viewer",
            "--expires",
            "soon",
        ],
        &["token", "revoke", "nobody"],
        &["token", "revoke"],
    ] {
        let run = scanner(&shell, wrong).await;
        assert_eq!(run.code, 2, "{wrong:?} {run:#?}");
    }
}
