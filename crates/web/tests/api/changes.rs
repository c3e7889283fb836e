//! What an operator changes, and who is remembered for it.

use model::TokenRole;
use serde_json::{Value, json};

use crate::{client::Ask, server::Server};

struct Operated {
    server: Server,
    token: String,
}

impl Operated {
    async fn of(accounts: u64) -> Self {
        let server = Server::of(accounts).await;
        let token = server.token("on-call", TokenRole::Operator, None).await;
        Self { server, token }
    }

    async fn post(&self, path: &str, body: &Value) -> crate::client::Answer {
        self.server
            .ask(&Ask::post(path, body).by(&self.token))
            .await
    }

    async fn get(&self, path: &str) -> Value {
        self.server
            .ask(&Ask::get(path).by(&self.token))
            .await
            .json()
    }
}

#[tokio::test]
async fn a_sweep_is_asked_for_whole_or_in_part() {
    let operated = Operated::of(1).await;
    let bare = Ask::new("POST", "/api/v1/sweeps").by(&operated.token);
    let answer = operated.server.ask(&bare).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.json()["sweep"], "queued");
    assert_eq!(answer.header("location"), "/api/v1/status");
    let rows = [
        (json!({}), 202),
        (json!({"accounts": ["000000000001"]}), 202),
        (json!({"ous": ["ou-root-dev00001"]}), 202),
        (json!({"accounts": ["1"]}), 422),
        (json!({"accounts": "000000000001"}), 422),
        (json!({"ous": ["prod"]}), 422),
        (json!({"regions": []}), 422),
        (json!({"accounts": vec!["000000000001"; 1001]}), 422),
        (json!([]), 422),
        (json!(null), 422),
    ];
    for (body, status) in rows {
        let answer = operated.post("/api/v1/sweeps", &body).await;
        assert_eq!(answer.status, status, "{body:.80} {}", answer.text());
    }
    for (body, problem) in [
        (
            json!({"accounts": ["000000000001", "999999999999"]}),
            "no-such-account",
        ),
        (json!({"ous": ["ou-root-nowhere1"]}), "no-such-ou"),
    ] {
        let answer = operated.post("/api/v1/sweeps", &body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.problem(), problem, "{body}");
    }
    let plain = bare
        .clone()
        .with("content-type", "text/plain")
        .saying(b"{}".to_vec());
    assert_eq!(operated.server.ask(&plain).await.problem(), "media-type");
    let broken = bare
        .with("content-type", "application/json")
        .saying(b"{".to_vec());
    assert_eq!(operated.server.ask(&broken).await.problem(), "bad-json");
    let reload = Ask::new("POST", "/api/v1/config/reload").by(&operated.token);
    assert_eq!(
        operated.server.ask(&reload).await.json()["configuration"],
        "reloaded"
    );
    operated.server.end().await;
}

#[tokio::test]
async fn a_drift_is_acknowledged_by_whoever_holds_the_token() {
    let operated = Operated::of(1).await;
    let drift = operated.get("/api/v1/drifts").await["drifts"][0].clone();
    assert_eq!(drift["acknowledged"], Value::Null);
    let path = format!("/api/v1/drifts/{}/ack", drift["id"].as_str().unwrap());
    let answer = operated
        .post(&path, &json!({"note": "  seen \u{1b} it "}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let acknowledged = &answer.json()["drift"]["acknowledged"];
    assert_eq!(acknowledged["by"], "on-call");
    assert_eq!(acknowledged["note"], "seen \u{1b} it");
    let again = &operated.get("/api/v1/drifts").await["drifts"][0];
    assert_eq!(&again["acknowledged"], acknowledged);
    for (body, status) in [
        (json!({"note": " "}), 422),
        (json!({"note": "x".repeat(501)}), 422),
        (json!({"by": "somebody else"}), 422),
    ] {
        assert_eq!(operated.post(&path, &body).await.status, status, "{body}");
    }
    let unknown = operated
        .post("/api/v1/drifts/0123456789abcdef/ack", &json!({}))
        .await;
    assert_eq!(unknown.problem(), "no-such-drift");
    operated.server.end().await;
}

#[tokio::test]
async fn an_exception_comes_goes_and_shows_in_the_findings() {
    let operated = Operated::of(2).await;
    let exception = json!({
        "account_id": "000000000001", "control_id": "4.15", "owner": "platform", "reason": "is being moved",
        "ticket": "SEC-1", "expires_at": "2026-02-01T00:00:00Z",
    });
    let added = operated.post("/api/v1/exceptions", &exception).await;
    assert_eq!(added.status, 201, "{}", added.text());
    let place = added.header("location").to_owned();
    let added = added.json()["exception"].clone();
    assert_eq!(added["control_id"], "organizations-changes");
    assert_eq!(
        (&added["source"], &added["state"]),
        (&json!("api"), &json!("in_force"))
    );
    assert_eq!(
        operated.post("/api/v1/exceptions", &exception).await.status,
        200
    );
    assert_eq!(
        operated.get("/api/v1/exceptions").await["exceptions"],
        json!([added])
    );
    let findings = operated.get("/api/v1/findings?account=000000000001").await;
    for finding in findings["findings"].as_array().unwrap() {
        let is_meant = finding["control_id"] == "organizations-changes"
            && ["FAIL", "UNKNOWN"].contains(&finding["verdict"].as_str().unwrap());
        assert_eq!(finding["exception"].is_object(), is_meant, "{finding}");
    }

    let remove = Ask::new("DELETE", &place).by(&operated.token);
    let removed = operated.server.ask(&remove).await;
    assert_eq!((removed.status, removed.body.len()), (204, 0));
    assert_eq!(
        operated.server.ask(&remove).await.problem(),
        "no-such-exception"
    );
    assert_eq!(
        operated.get("/api/v1/exceptions").await["exceptions"],
        json!([])
    );
    let all = operated.get("/api/v1/exceptions?all=true").await;
    assert_eq!(all["exceptions"][0]["state"], "removed");

    let with = |field: &str, value: Value| {
        let mut other = exception.clone();
        other[field] = value;
        other
    };
    for body in [
        with("expires_at", json!("2020-01-01T00:00:00Z")),
        with("expires_at", json!("2026-02-01")),
        with("owner", json!("")),
        with("reason", json!("x".repeat(501))),
        with("account_id", json!("1")),
        with("control_id", json!("unheard-of")),
        with("reason_code", json!("unheard-of")),
        with("colour", json!("red")),
        json!({"owner": "a", "reason": "b", "expires_at": "2026-02-01T00:00:00Z"}),
        json!({}),
    ] {
        let answer = operated.post("/api/v1/exceptions", &body).await;
        assert_eq!(answer.status, 422, "{body} {}", answer.text());
        answer.problem();
    }
    operated.server.end().await;
}
