//! The API says what the command line says, over a store of the binary's own sweep.

use serde_json::Value;

use crate::{scanner::Shell, web_server::WebServer};

async fn swept() -> (Shell, WebServer) {
    let shell = Shell::new().by_every_control();
    let run = shell
        .run(&["demo", "--accounts", "20", "--store", "scanner.db"])
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
    let server = WebServer::over(&shell, "scanner.db").await;
    (shell, server)
}

#[tokio::test]
async fn lists_have_the_same_items_in_the_same_words() {
    let (shell, server) = swept().await;
    for list in ["accounts", "sweeps", "drifts"] {
        let said = shell
            .run(&["history", list, "--format", "json", "--store", "scanner.db"])
            .await;
        let answered = server.get(&format!("/api/v1/{list}?limit=500"), None).await;
        assert_eq!(answered.json()[list], said.report()[list], "{list}");
    }
    let said = shell
        .run(&[
            "history",
            "findings",
            "--format",
            "json",
            "--store",
            "scanner.db",
        ])
        .await;
    let answered = server.get("/api/v1/findings?limit=500", None).await.json();
    let without_chains = |mut finding: Value| {
        for field in ["chain", "near_misses"] {
            finding.as_object_mut().unwrap().remove(field);
        }
        finding
    };
    let findings = said.findings();
    assert_eq!(findings.len(), 300);
    let brief: Vec<Value> = findings.iter().cloned().map(without_chains).collect();
    assert_eq!(answered["findings"], Value::Array(brief));
    for finding in findings.iter().step_by(17) {
        let text = |field: &str| finding[field].as_str().unwrap().to_owned();
        let path = format!(
            "/api/v1/explain/{}/{}",
            text("account_id"),
            text("control_id")
        );
        assert_eq!(
            &server.get(&path, None).await.json()["finding"],
            finding,
            "{path}"
        );
    }
    let report = shell.run(&["controls", "list", "--format", "json"]).await;
    let controls = server.get("/api/v1/controls", None).await.json();
    assert_eq!(controls["controls"], report.report()["controls"]);
    let report = shell
        .run(&["controls", "show", "4.15", "--format", "json"])
        .await;
    let control = server.get("/api/v1/controls/4.15", None).await.json();
    assert_eq!(control["control"], report.report());
}
