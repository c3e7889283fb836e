//! schemathesis, which nobody here wrote, goes through every address by the description of the API: no answer
//! says that something is wrong with us, and none is one that the description does not know.

use std::{env, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{scanner::Shell, web_server::WebServer};

/// Starting Python and some thousand requests.
const PATIENCE: Duration = Duration::from_mins(8);

#[tokio::test]
async fn no_answer_is_a_surprise() {
    let shell = Shell::new();
    let swept = shell
        .run(&["demo", "--accounts", "10", "--store", "scanner.db"])
        .await;
    assert_eq!(swept.code, 0, "{swept:#?}");
    let create = [
        "token",
        "create",
        "all",
        "--role",
        "operator",
        "--store",
        "scanner.db",
    ];
    let token = shell.run(&create).await.stdout.trim().to_owned();
    let server = WebServer::over(&shell, "scanner.db").await;

    let described = server.get("/api/v1/openapi.json", Some(&token)).await;
    std::fs::write(shell.path("openapi.json"), &described.body).unwrap();
    let mut command = Command::new("python3");
    command.env_clear().current_dir(shell.folder.path());
    let installed = env::var_os("SCHEMATHESIS_PYTHONPATH").or_else(|| env::var_os("PYTHONPATH"));
    let kept = [
        ("PATH", env::var_os("PATH")),
        ("HOME", Some(shell.folder.path().into())),
        ("PYTHONPATH", installed),
    ];
    for (name, value) in kept {
        command.envs(value.map(|value| (name, value)));
    }
    command
        .args(["-m", "schemathesis.cli", "run", "openapi.json"])
        .args(["--url", &format!("http://{}", server.address)])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        // A stream has no end.
        .args(["--exclude-path", "/api/v1/events"])
        .args(["--checks", CHECKS])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "20",
        ])
        .arg("--generation-deterministic")
        .args(["--no-color", "--warnings", "off"])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output
        .expect("it ends in time")
        .expect("python3 is installed");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(
        !failed.contains("No module named"),
        "{failed}; `cargo xtask test` installs schemathesis and runs this test with it"
    );
    assert!(output.status.success(), "{said}\n{failed}");
    // It did not find nothing by looking at nothing.
    assert!(said.contains("Tested: 2"), "{said}");
}

/// Without `ignored_auth`: it guesses tokens, and is soon told to wait, as whoever guesses is. `crates/web` tries
/// every address without a token.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
response_headers_conformance,response_schema_conformance,unsupported_method,allow_header_conformance";
