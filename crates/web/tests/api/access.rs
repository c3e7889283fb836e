//! Who may ask what: every address of the description, for everybody who may come.

use jiff::SignedDuration;
use model::{Clock as _, TokenRole};

use crate::{
    client::{Answer, Ask},
    server::Server,
    world::account_id,
};

const OPEN: [&str; 2] = ["/healthz", "/readyz"];

/// Every operation of the description, with names filled in, and some that are not there.
async fn operations(server: &Server, by: Option<&str>) -> Vec<Ask> {
    let ask = Ask::get("/api/v1/openapi.json");
    let ask = by.map_or(ask.clone(), |token| ask.by(token));
    let described = server.ask(&ask).await.json();
    let drift = drift(server, by).await;
    let mut asks = Vec::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        let path = path
            .replace("{account}", &account_id(1).to_string())
            .replace("{control}", "root-usage")
            .replace("{sweep}", "1")
            .replace("{drift}", &drift)
            .replace("{alert}", "0123456789abcdef")
            .replace("{exception}", "0123456789");
        for method in item.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            assert!(
                ["GET", "POST", "DELETE"].contains(&method.as_str()),
                "{method}"
            );
            asks.push(Ask::new(&method, &path));
            if method == "GET" {
                asks.push(Ask::new("HEAD", &path));
            }
        }
    }
    assert!(asks.len() > 30, "{}", asks.len());
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/api/v1"),
        ("GET", "/api/v2/accounts"),
        ("GET", "/healthz/x"),
        ("PUT", "/api/v1/accounts"),
        ("DELETE", "/api/v1/accounts"),
        ("POST", "/metrics"),
    ] {
        asks.push(Ask::new(method, path));
    }
    asks
}

async fn drift(server: &Server, by: Option<&str>) -> String {
    let ask = Ask::get("/api/v1/drifts?limit=1");
    let ask = by.map_or(ask.clone(), |token| ask.by(token));
    let drifts = server.ask(&ask).await.json();
    drifts["drifts"][0]["id"].as_str().unwrap().to_owned()
}

fn is_open(ask: &Ask) -> bool {
    OPEN.contains(&ask.path.as_str())
}

fn is_change(ask: &Ask) -> bool {
    !["GET", "HEAD"].contains(&ask.method.as_str())
}

fn is_stream(ask: &Ask) -> bool {
    ask.path.ends_with("/events") && ask.method == "GET"
}

/// That it was denied, with nothing of what is known in the answer.
fn assert_denied(ask: &Ask, answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{ask:?} {answer:?}");
    if ask.method == "HEAD" {
        assert_eq!(answer.body, b"");
    } else {
        answer.problem();
    }
    assert!(!answer.text().contains("000000000001"), "{answer:?}");
    if status == 401 {
        assert!(
            answer.header("www-authenticate").starts_with("Bearer"),
            "{answer:?}"
        );
    }
}

fn assert_admitted(ask: &Ask, answer: &Answer) {
    assert!(
        ![401, 403, 421, 429].contains(&answer.status),
        "{ask:?} {answer:?}"
    );
    assert!(
        answer.status < 500 || ask.path == "/readyz",
        "{ask:?} {answer:?}"
    );
}

#[tokio::test]
async fn on_loopback_without_any_token_everybody_here_reads_and_nobody_changes() {
    let server = Server::of(3).await;
    for ask in operations(&server, None).await {
        if is_stream(&ask) {
            continue;
        }
        let answer = server.ask(&ask).await;
        if is_change(&ask) && !is_open(&ask) {
            assert_denied(&ask, &answer, 401);
        } else {
            assert_admitted(&ask, &answer);
        }
        for host in ["127.0.0.1", "[::1]", "LOCALHOST:7070"] {
            let again = server.ask(&ask.clone().at_host(host)).await;
            assert_eq!(again.status, answer.status, "{ask:?} at {host}");
        }
        for host in [
            "evil.example",
            "evil.example:7070",
            "192.0.2.1",
            "localhost.evil.example",
        ] {
            let foreign = server.ask(&ask.clone().at_host(host)).await;
            if is_open(&ask) {
                assert_eq!(foreign.status, answer.status, "{ask:?} at {host}");
            } else {
                assert_denied(&ask, &foreign, 421);
            }
        }
    }
    // The target may name a host as well.
    let foreign = Ask::get("http://evil.example/api/v1/accounts");
    assert_denied(&foreign, &server.ask(&foreign).await, 421);
    server.end().await;
}

#[tokio::test]
async fn once_there_is_a_token_nothing_but_health_is_open() {
    let server = Server::of(3).await;
    let viewer = server.token("viewer", TokenRole::Viewer, None).await;
    let operator = server.token("operator", TokenRole::Operator, None).await;
    for ask in operations(&server, Some(&viewer)).await {
        if is_stream(&ask) {
            assert_denied(&ask, &server.ask(&ask).await, 401);
            continue;
        }
        let bare = server.ask(&ask).await;
        let by_viewer = server.ask(&ask.clone().by(&viewer)).await;
        let by_operator = server.ask(&ask.clone().by(&operator)).await;
        if is_open(&ask) {
            assert_admitted(&ask, &bare);
            continue;
        }
        assert_denied(&ask, &bare, 401);
        assert_admitted(&ask, &by_operator);
        if is_change(&ask) {
            assert_denied(&ask, &by_viewer, 403);
        } else {
            assert_admitted(&ask, &by_viewer);
            assert_eq!(by_viewer.status, by_operator.status, "{ask:?}");
        }
        // A name that is not ours does no harm: no browser sends our token there.
        let named = server
            .ask(&ask.clone().by(&viewer).at_host("scanner.example"))
            .await;
        assert_eq!(named.status, by_viewer.status, "{ask:?}");
    }
    server.end().await;
}

#[tokio::test]
async fn tokens_that_are_no_longer_taken_open_nothing() {
    let server = Server::of(1).await;
    let soon = server.clock.now() + SignedDuration::from_hours(1);
    let expiring = server
        .token("expiring", TokenRole::Operator, Some(soon))
        .await;
    let revoked = server.token("revoked", TokenRole::Operator, None).await;
    let accounts = Ask::get("/api/v1/accounts");
    for token in [&expiring, &revoked] {
        assert_eq!(server.ask(&accounts.clone().by(token)).await.status, 200);
    }
    server
        .journal
        .revoke_token(server.clock.now(), "revoked")
        .await
        .unwrap();
    server.clock.advance(SignedDuration::from_hours(1));
    let rows = [
        (accounts.clone().by(&expiring), "token-expired"),
        (accounts.clone().by(&revoked), "token-revoked"),
        (accounts.clone(), "token-needed"),
        (accounts.clone().by("scanner_00000000_00"), "token-unknown"),
        (
            accounts.clone().by(&revoked.replace("_72", "_73")),
            "token-unknown",
        ),
        (
            accounts
                .clone()
                .by(&format!("{}0", &revoked[..revoked.len() - 1])),
            "token-unknown",
        ),
        (
            accounts.clone().with("authorization", "Basic c2Nhbm5lcjp4"),
            "token-unknown",
        ),
        (
            Ask::get(&format!("/api/v1/accounts?token={expiring}")),
            "token-needed",
        ),
    ];
    for (ask, expected) in rows {
        let answer = server.ask(&ask).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (401, expected),
            "{ask:?}"
        );
    }
    // All are gone, and still nothing is open.
    server
        .journal
        .revoke_token(server.clock.now(), "expiring")
        .await
        .unwrap();
    assert_eq!(server.get("/api/v1/accounts").await.status, 401);
    // Until somebody says so.
    server.journal.forget_revoked_tokens().await.unwrap();
    assert_eq!(server.get("/api/v1/accounts").await.status, 200);
    server.end().await;
}

#[tokio::test]
async fn where_others_reach_it_there_must_be_a_token() {
    let refused = Server::at("0.0.0.0").await.map(|_| ()).unwrap_err();
    assert!(
        refused.to_string().contains("scanner token create"),
        "{refused}"
    );
    let (server, token) = Server::on_the_network().await;
    assert_eq!(server.get("/api/v1/accounts").await.status, 401);
    assert_eq!(
        server
            .ask(&Ask::get("/api/v1/accounts").by(&token))
            .await
            .status,
        200
    );
    // The last one goes while it runs: then nobody comes in.
    server
        .journal
        .revoke_token(server.clock.now(), "operator")
        .await
        .unwrap();
    server.journal.forget_revoked_tokens().await.unwrap();
    for ask in [
        Ask::get("/api/v1/accounts"),
        Ask::get("/api/v1/accounts").by(&token),
    ] {
        assert_eq!(server.ask(&ask).await.status, 401);
    }
    assert_eq!(server.get("/healthz").await.status, 200);
    server.end().await;
}

#[tokio::test]
async fn too_many_wrong_tokens_are_told_to_wait_and_right_ones_come_in() {
    let server = Server::of(1).await;
    let viewer = server.token("viewer", TokenRole::Viewer, None).await;
    let wrong = Ask::get("/api/v1/accounts").by(&viewer.replace('7', "8"));
    for attempt in 0..10 {
        assert_eq!(server.ask(&wrong).await.status, 401, "{attempt}");
    }
    for _ in 0..3 {
        let answer = server.ask(&wrong).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (429, "too-many-attempts")
        );
        let wait: u32 = answer.header("retry-after").parse().unwrap();
        assert!((1..=6).contains(&wait), "{wait}");
    }
    assert_eq!(
        server
            .ask(&Ask::get("/api/v1/accounts").by(&viewer))
            .await
            .status,
        200
    );
    server.clock.advance(SignedDuration::from_secs(6));
    assert_eq!(server.ask(&wrong).await.status, 401);
    server.end().await;
}

#[tokio::test]
async fn the_last_use_of_a_token_is_noted_in_its_own_time() {
    let server = Server::of(1).await;
    let viewer = server.token("viewer", TokenRole::Viewer, None).await;
    let used = server.clock.now();
    server.ask(&Ask::get("/api/v1/accounts").by(&viewer)).await;
    let noted = || async { server.journal.store().tokens().await.unwrap()[0].last_used_at };
    let mut patience = 600;
    while noted().await.is_none() {
        patience -= 1;
        assert!(patience > 0, "the use was never noted");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(noted().await, Some(used));
    server.end().await;
}

#[tokio::test]
async fn every_answer_keeps_browsers_careful() {
    let server = Server::of(1).await;
    for ask in operations(&server, None).await {
        if is_stream(&ask) {
            continue;
        }
        let answer = server
            .ask(&ask.clone().with("origin", "https://evil.example"))
            .await;
        let expected = [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ];
        for (name, value) in expected {
            assert_eq!(answer.header(name), value, "{ask:?} {answer:?}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{ask:?} {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{ask:?} {policy}"
        );
        let cached = answer.header("cache-control");
        assert!(
            ["no-store", "private, no-cache"].contains(&cached),
            "{ask:?} {cached}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), "", "{ask:?}");
        assert!(!answer.header("x-request-id").is_empty(), "{ask:?}");
    }
    server.end().await;
}

#[tokio::test]
async fn the_description_says_how_to_come_in() {
    let server = Server::of(1).await;
    let described = server.get("/api/v1/openapi.json").await.json();
    assert_eq!(
        described["components"]["securitySchemes"]["token"]["scheme"],
        "bearer"
    );
    for (path, item) in described["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let open = operation["security"] == serde_json::json!([{}]);
            assert_eq!(open, OPEN.contains(&path.as_str()), "{path}");
            let has = |status: &str| operation["responses"].get(status).is_some();
            assert_eq!(has("401"), !open, "{path}");
        }
    }
    server.end().await;
}
