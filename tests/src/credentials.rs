//! What people log in with keeps working.

use crate::scanner::{Shell, scenario, start};

/// A shell without credentials in its environment, and a configuration file for the SDK.
fn shell_with(config: &str) -> Shell {
    let shell = Shell::new();
    let file = shell.path("aws-config");
    std::fs::write(&file, config).unwrap();
    let file = file.display().to_string();
    shell
        .with("AWS_CONFIG_FILE", &file)
        .with("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
}

#[tokio::test]
async fn a_profile_gives_credentials_by_a_process_and_the_endpoint() {
    let simulator = scenario("organization_trail").await;
    let key = simulator.caller_credentials();
    let printed = serde_json::json!({
        "Version": 1,
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
    });
    let shell = shell_with(&format!(
        "[profile audit]\nregion = us-east-1\nendpoint_url = {}\ncredential_process = /bin/cat credentials.json\n",
        simulator.endpoint_url()
    ));
    std::fs::write(shell.path("credentials.json"), printed.to_string()).unwrap();
    for run in [
        shell
            .once(&["--profile", "audit", "--name", "member-1"])
            .await,
        shell
            .with("AWS_PROFILE", "audit")
            .once(&["--name", "member-1"])
            .await,
    ] {
        assert_eq!(run.code, 0, "{run:#?}");
        assert_eq!(
            run.answers()["member-1"],
            "PASS covered-by-organization-trail"
        );
    }
}

#[tokio::test]
async fn an_identity_center_profile_without_a_login_says_so() {
    let shell = shell_with(
        "[profile sso]\nsso_session = work\nsso_account_id = 111122223333\nsso_role_name = Audit\nregion = us-east-1\n\
         [sso-session work]\nsso_region = us-east-1\nsso_start_url = https://example.com/start\n",
    );
    let run = shell.run(&["once", "--profile", "sso"]).await;
    assert_eq!(run.code, 1, "{run:#?}");
    assert!(
        run.stderr.contains("SSO") && run.stderr.contains("aws sso login"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("`sso`"),
        "the profile is named: {}",
        run.stderr
    );
}

#[tokio::test]
async fn a_role_for_the_callers_own_account_is_assumed_and_narrowed() {
    let simulator = scenario("chain_breaks").await;
    simulator.update(|world| {
        let role = world.named("all-good").unwrap().roles[0].clone();
        world.named_mut("management").unwrap().roles.push(role);
    });
    let (id, shell) = (
        simulator.world().named("management").unwrap().id.clone(),
        Shell::at(&simulator),
    );
    let ambient = shell.once(&["--account", &id]).await;
    assert_eq!(ambient.code, 0);
    assert!(simulator.sessions().is_empty());
    assert!(
        ambient.report()["sweep"]["notices"]
            .to_string()
            .contains("ambient")
    );
    let role = format!("{id}=OrganizationAccountAccessRole");
    let assumed = shell.once(&["--account", &id, "--role-for", &role]).await;
    assert_eq!(assumed.code, 0, "{assumed:#?}");
    let session = simulator.sessions().pop().unwrap();
    assert_eq!(session.account, id);
    assert!(
        session.policy.is_some() && session.session_name.starts_with("scanner-"),
        "{session:?}"
    );
    assert!(
        !assumed.report()["sweep"]["notices"]
            .to_string()
            .contains("ambient")
    );
}

#[tokio::test]
async fn the_session_is_named_for_the_instance_and_carries_a_source_identity_if_asked() {
    let simulator = scenario("organization_trail").await;
    let shell = Shell::at(&simulator);
    shell
        .once(&[
            "--instance",
            "night-shift",
            "--source-identity",
            "audit",
            "--name",
            "uncovered*",
        ])
        .await;
    let sessions = simulator.sessions();
    assert!(!sessions.is_empty());
    for session in sessions {
        assert_eq!(session.session_name, "scanner-night-shift");
        assert_eq!(session.source_identity.as_deref(), Some("audit"));
    }
}

#[tokio::test]
async fn a_session_is_as_long_as_asked_and_an_hour_where_the_role_allows_no_more() {
    let world = simulator::World::from_toml(
        r#"
        [[account]]
        name = "management"
        [[account]]
        name = "long"
        roles = [{ max_session_seconds = 43200 }]
        [[account]]
        name = "short"
        "#,
    );
    let simulator = start(world.unwrap()).await;
    let shell = Shell::at(&simulator);
    let accounts = ["--name", "long", "--name", "short"];
    let run = shell
        .once(&[&accounts[..], &["--session-duration", "12h"]].concat())
        .await;
    assert_eq!(run.code, 3, "both were entered: {run:#?}");
    let hours: std::collections::BTreeMap<String, i64> = simulator
        .sessions()
        .into_iter()
        .map(|session| {
            let lasts = session.expires.duration_since(session.issued);
            (session.account, lasts.as_hours())
        })
        .collect();
    let id = |name| simulator.world().named(name).unwrap().id.clone();
    assert_eq!(hours[&id("long")], 12);
    assert_eq!(hours[&id("short")], 1);
}

#[tokio::test]
async fn a_scanner_that_is_a_role_itself_gets_sessions_of_an_hour() {
    let world = simulator::World::from_toml(
        r#"
        [caller]
        account = "management"
        principal = "assumed-role/scanner/host"
        [[account]]
        name = "management"
        [[account]]
        name = "member"
        count = 5
        roles = [{ max_session_seconds = 43200 }]
        "#,
    );
    let simulator = start(world.unwrap()).await;
    let shell = Shell::at(&simulator).with("SCANNER_SESSION_DURATION", "12h");
    let run = shell.once(&["--name", "member*"]).await;
    assert_eq!(run.code, 3, "all were entered: {run:#?}");
    let sessions = simulator.sessions();
    assert_eq!(sessions.len(), 5);
    for session in sessions {
        let lasts = session.expires.duration_since(session.issued);
        assert_eq!(lasts.as_hours(), 1);
    }
}
