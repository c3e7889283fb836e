//! What is answered: the shapes that are described, as of any moment, and nothing twice.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use web::shapes;

use crate::{
    client::{Answer, Ask},
    server::Server,
    world::{self, HOSTILE, account_id},
};

/// That an answer has the shape, with nothing lost and nothing made up.
pub(crate) fn assert_shape<T: DeserializeOwned + Serialize>(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    let read: T =
        serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{error}: {json:#}"));
    let mut written = serde_json::to_value(read).unwrap();
    // serde writes the tag of an enum first, and order is nothing in JSON.
    written.sort_all_objects();
    let mut json = json;
    json.sort_all_objects();
    assert_eq!(written, json);
}

#[tokio::test]
async fn answers_have_the_shapes_that_are_described() {
    let server = Server::of(4).await;
    let get = async |path: &str| server.get(&format!("/api/v1/{path}")).await;
    assert_shape::<shapes::OrganizationAnswer>(&get("organization").await);
    assert_shape::<shapes::AccountsAnswer>(&get("accounts").await);
    assert_shape::<shapes::AccountAnswer>(&get("accounts/000000000001").await);
    assert_shape::<shapes::FindingsAnswer>(&get("findings").await);
    assert_shape::<shapes::FindingsAnswer>(&get("findings?as_of=1&verdict=UNKNOWN").await);
    assert_shape::<shapes::FindingAnswer>(&get("explain/000000000001/root-usage").await);
    assert_shape::<shapes::FindingAnswer>(&get("explain/000000000002/4.15?as_of=1").await);
    assert_shape::<shapes::SweepsAnswer>(&get("sweeps").await);
    assert_shape::<shapes::SweepAnswer>(&get("sweeps/1").await);
    assert_shape::<shapes::DriftsAnswer>(&get("drifts").await);
    let drifts = get("drifts").await.json();
    let drift = drifts["drifts"][0]["id"].as_str().unwrap();
    assert_shape::<shapes::DriftAnswer>(&get(&format!("drifts/{drift}")).await);
    assert_shape::<shapes::ExceptionsAnswer>(&get("exceptions?all=true").await);
    assert_shape::<shapes::ControlsAnswer>(&get("controls").await);
    for control in get("controls").await.json()["controls"].as_array().unwrap() {
        let id = control["id"].as_str().unwrap();
        assert_shape::<shapes::ControlAnswer>(&get(&format!("controls/{id}")).await);
    }
    assert_shape::<shapes::StatusAnswer>(&get("status").await);
    assert_shape::<shapes::Alive>(&server.get("/healthz").await);
    server.is_ready();
    assert_shape::<shapes::Ready>(&server.get("/readyz").await);
    assert_eq!(server.get("/metrics").await.text(), "scanner_up 1\n");
    server.end().await;
}

#[tokio::test]
async fn it_is_ready_when_the_service_is() {
    let server = Server::empty().await;
    let waits_for = async || {
        let answer = server.get("/readyz").await;
        let json = answer.json();
        assert_eq!(answer.status == 200, json["is_ready"] == true, "{json}");
        json["waits_for"].clone()
    };
    assert_eq!(waits_for().await, "starting");
    assert_eq!(server.get("/healthz").await.status, 200);
    server.is_ready();
    assert_eq!(waits_for().await, Value::Null);
    server
        .status
        .send_modify(|status| std::sync::Arc::make_mut(status).is_stopping = true);
    assert_eq!(waits_for().await, "stopping");
    server.end().await;
}

#[tokio::test]
async fn the_organization_counts_what_the_lists_have() {
    let server = Server::of(8).await;
    let answer = server.get("/api/v1/organization").await.json();
    let organization = &answer["organization"];
    assert_eq!(organization["id"], "o-aaaaaaaaaa");
    assert_eq!(organization["accounts"], 8);
    for verdict in ["PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"] {
        let list = server
            .get(&format!("/api/v1/findings?verdict={verdict}"))
            .await
            .json();
        let listed = list["findings"].as_array().unwrap().len();
        assert_eq!(organization["verdicts"][verdict], listed, "{verdict}");
    }
    let own = server
        .get("/api/v1/explain/000000000001/organizations-changes")
        .await
        .json();
    assert_eq!(organization["verdict"], own["finding"]["verdict"]);
    // And so it was then.
    let then = server.get("/api/v1/organization?as_of=1").await.json();
    let own = server
        .get("/api/v1/explain/000000000001/organizations-changes?as_of=1")
        .await
        .json();
    assert_eq!(then["organization"]["verdict"], own["finding"]["verdict"]);
    assert_eq!(then["as_of"]["sweep"], 1);
    server.end().await;
}

#[tokio::test]
async fn before_the_first_sweep_lists_are_empty_and_nothing_is_there() {
    let server = Server::empty().await;
    for list in [
        "accounts",
        "findings",
        "drifts",
        "sweeps",
        "exceptions",
        "alerts",
        "deliveries",
    ] {
        let answer = server.get(&format!("/api/v1/{list}")).await;
        assert_eq!(answer.status, 200, "{list}");
        assert_eq!(answer.json()[list], serde_json::json!([]), "{list}");
        assert_eq!(answer.json()["as_of"], Value::Null, "{list}");
    }
    for one in [
        "organization",
        "accounts/000000000001",
        "explain/000000000001/4.15",
        "findings?as_of=1h",
    ] {
        let answer = server.get(&format!("/api/v1/{one}")).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (404, "no-history"),
            "{one}"
        );
    }
    server.end().await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_said() {
    let server = Server::of(2).await;
    let running = server.sweeper.begin_sweep(&world::header(3)).await.unwrap();
    let running = format!("findings?as_of={running}");
    let rows = [
        ("findings?as_of=soon", 400, "bad-query"),
        ("findings?as_of=-2h", 400, "bad-query"),
        ("findings?as_of=2030-01-01", 400, "bad-moment"),
        ("findings?as_of=0", 400, "bad-query"),
        ("findings?as_of=99", 404, "no-such-sweep"),
        ("findings?as_of=2026-01-01", 404, "before-history"),
        (&running, 409, "sweep-under-way"),
        ("accounts/000000000009", 404, "no-such-account"),
        ("accounts/1", 400, "bad-path"),
        ("accounts/%FF", 400, "bad-path"),
        ("accounts/000000000001?as_of=99", 404, "no-such-sweep"),
        ("accounts/000000000001?limit=3", 400, "bad-query"),
        ("explain/000000000001/unheard-of", 404, "no-such-control"),
        ("explain/000000000009/4.15", 404, "no-such-finding"),
        ("explain/000000000001/4.1", 404, "no-such-finding"),
        ("sweeps/99", 404, "no-such-sweep"),
        ("sweeps/0", 400, "bad-path"),
        ("sweeps/x", 400, "bad-path"),
        ("sweeps/99999999999999999999", 400, "bad-path"),
        ("drifts/0123456789abcdef", 404, "no-such-drift"),
        ("drifts/x", 400, "bad-path"),
        ("drifts?kind=unheard-of", 400, "bad-query"),
        ("controls/unheard-of", 404, "no-such-control"),
        ("exceptions?all=perhaps", 400, "bad-query"),
        ("nothing", 404, "no-such-address"),
    ];
    for (path, status, problem) in rows {
        let answer = server.get(&format!("/api/v1/{path}")).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, problem),
            "{path}"
        );
        // Where the store lies is nobody's business.
        assert!(!answer.text().contains("scanner.db"), "{}", answer.text());
    }
    let put = server.ask(&Ask::new("PUT", "/api/v1/sweeps")).await;
    assert_eq!(put.status, 401);
    let options = server.ask(&Ask::new("OPTIONS", "/api/v1/sweeps")).await;
    assert_eq!(
        (options.status, options.problem().as_str()),
        (405, "method-not-allowed")
    );
    let allowed = options.header("allow");
    assert!(
        allowed.contains("GET") && allowed.contains("POST"),
        "{options:?}"
    );
    server.end().await;
}

#[tokio::test]
async fn of_an_account_that_left_is_said_when_and_what_could_be_asked() {
    let server = Server::of(3).await;
    let third = server.sweeper.begin_sweep(&world::header(3)).await.unwrap();
    world::commit(&server.sweeper, third, 3, 2).await;
    let gone = [world::account_id(3)];
    let departed = server.sweeper.record_departures(third, &gone, &[]).await;
    departed.unwrap();
    world::finish(&server.sweeper, third, 3).await;
    for path in ["accounts/000000000003", "explain/000000000003/4.15"] {
        let answer = server.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, 404, "{path}");
        let detail = answer.json()["detail"].clone();
        assert_eq!(
            detail,
            "Account 000000000003 left the organization: sweep 3, which began at 2026-01-02T15:00:00Z, no longer \
             found it. Ask with as_of=2 for what it was like.",
            "{path}"
        );
        let then = server.get(&format!("/api/v1/{path}?as_of=2")).await;
        assert_eq!(then.status, 200, "{path}");
    }
    server.end().await;
}

#[tokio::test]
async fn an_unchanged_answer_costs_a_304() {
    let server = Server::of(3).await;
    let findings = Ask::get("/api/v1/findings?limit=2");
    let paths = [
        "organization",
        "accounts",
        "accounts/000000000001",
        "findings?limit=2",
        "drifts",
        "explain/000000000001/4.15",
        "sweeps",
        "controls",
        "exceptions",
        "openapi.json",
    ];
    let mut tags = Vec::new();
    for path in paths {
        let ask = Ask::get(&format!("/api/v1/{path}"));
        let first = server.ask(&ask).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{path}: {first:?}");
        assert!(!tags.contains(&tag), "{path}");
        let again = server.ask(&ask.clone().with("if-none-match", &tag)).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), tag, "{path}");
        let other = server
            .ask(&ask.clone().with("if-none-match", "W/\"0\""))
            .await;
        assert_eq!((other.status, other.body), (200, first.body), "{path}");
        let head = server
            .ask(&Ask {
                method: "HEAD".to_owned(),
                ..ask
            })
            .await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("etag"), tag, "{path}");
        tags.push(tag);
    }
    // Another sweep, and another exception, are other answers.
    let tag = async || server.ask(&findings).await.header("etag").to_owned();
    let before = tag().await;
    world::sweep(&server.sweeper, 2, 3).await;
    let after = tag().await;
    assert_ne!(before, after);
    let operator = server
        .token("operator", model::TokenRole::Operator, None)
        .await;
    let exception = serde_json::json!({
        "account_id": "000000000001", "owner": "platform", "reason": "x", "expires_at": "2026-02-01T00:00:00Z"
    });
    let added = server
        .ask(&Ask::post("/api/v1/exceptions", &exception).by(&operator))
        .await;
    assert_eq!(added.status, 201, "{}", added.text());
    let excepted = server.ask(&findings.clone().by(&operator)).await;
    assert_ne!(excepted.header("etag"), after);
    // It ends by itself, and that is another answer as well.
    server
        .clock
        .advance(jiff::SignedDuration::from_hours(24 * 60));
    let ended = server.ask(&findings.by(&operator)).await;
    assert_ne!(ended.header("etag"), excepted.header("etag"));
    server.end().await;
}

#[tokio::test]
async fn names_that_would_do_harm_are_data() {
    let server = Server::of(2).await;
    for path in [
        "accounts",
        "findings",
        "drifts",
        "explain/000000000001/root-usage",
    ] {
        let answer = server.get(&format!("/api/v1/{path}")).await;
        assert!(
            answer
                .header("content-type")
                .starts_with("application/json"),
            "{path}"
        );
        let text = answer.text();
        assert!(
            !text.contains(['\u{1b}', '\u{202e}', '\u{7}']),
            "{path}: {text}"
        );
    }
    let account = server.get("/api/v1/accounts/000000000001").await.json();
    assert_eq!(
        account["account"]["account_name"],
        format!("account 1 {HOSTILE}")
    );
    // What somebody asks for comes back as data too.
    let asked = server.get("/api/v1/findings?control=%3Cscript%3E%1b").await;
    assert_eq!(asked.status, 400);
    assert!(!asked.text().contains('\u{1b}'));
    server.end().await;
}

#[tokio::test]
async fn a_request_keeps_its_id_if_that_can_be_shown() {
    let server = Server::of(1).await;
    let ask = Ask::get("/api/v1/nothing");
    let id = async |ask: Ask| server.ask(&ask).await.header("x-request-id").to_owned();
    assert_eq!(
        id(ask.clone().with("x-request-id", "abc-1.2_3")).await,
        "abc-1.2_3"
    );
    let own = id(ask.clone()).await;
    assert_ne!(own, id(ask.clone()).await);
    for bad in ["a b", "", "<x>", &"x".repeat(65)] {
        assert_ne!(id(ask.clone().with("x-request-id", bad)).await, bad);
    }
    server.end().await;
}

#[tokio::test]
async fn answers_are_compressed_for_whoever_can_read_that() {
    let server = Server::of(20).await;
    let ask = Ask::get("/api/v1/findings");
    let plain = server.ask(&ask).await;
    let small = server.ask(&ask.with("accept-encoding", "gzip")).await;
    assert_eq!(small.header("content-encoding"), "gzip");
    assert_eq!(small.header("etag"), plain.header("etag"));
    assert!(
        small.body.len() * 4 < plain.body.len(),
        "{} {}",
        small.body.len(),
        plain.body.len()
    );
    assert!(small.body.starts_with(&[0x1f, 0x8b]));
    server.end().await;
}

#[tokio::test]
async fn explaining_has_the_chain_and_lists_have_not() {
    let server = Server::of(1).await;
    let id = account_id(1);
    let list = server
        .get(&format!("/api/v1/findings?account={id}&control=root-usage"))
        .await
        .json();
    let brief = &list["findings"][0];
    let full = server
        .get(&format!("/api/v1/explain/{id}/root-usage"))
        .await
        .json();
    let full = &full["finding"];
    assert_eq!(full["chain"][0]["read"]["pattern"], HOSTILE);
    for (field, value) in full.as_object().unwrap() {
        match field.as_str() {
            "chain" | "near_misses" => assert_eq!(brief.get(field), None),
            _ => assert_eq!(&brief[field], value, "{field}"),
        }
    }
    server.end().await;
}
