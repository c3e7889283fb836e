//! Alerts: what people were told, what did not reach them, and that it is sent again.

use model::{AlertId, SweepId, TokenRole};
use serde_json::{Value, json};
use store::Attempt;
use web::shapes;

use crate::{
    answers::assert_shape,
    client::Ask,
    pages::parts,
    server::Server,
    world::{HOSTILE, attempt, noon, tell},
};

/// One that tells of both drifts of the first sweep, and arrived on one channel of three; and one that is over.
async fn told() -> (Server, AlertId, AlertId) {
    let server = Server::of(3).await;
    let sweeper = &server.sweeper;
    let (over, number) = tell(sweeper, SweepId(1), 1, &["hook"]).await;
    attempt(sweeper, |_| Attempt::Delivered).await;
    sweeper.end_alert(number, noon(), None).await.unwrap();
    let (lasts, _) = tell(sweeper, SweepId(2), 2, &["hook", "chat", "mail"]).await;
    attempt(sweeper, |channel| match channel {
        "hook" => Attempt::Delivered,
        "chat" => Attempt::Dead {
            error: format!("the receiver refused it: {HOSTILE}"),
        },
        _ => Attempt::Failed {
            next_at: noon(),
            error: "the receiver cannot be reached".to_owned(),
        },
    })
    .await;
    (server, over, lasts)
}

fn ids(answer: &Value) -> Vec<&str> {
    let alerts = answer["alerts"].as_array().unwrap();
    alerts
        .iter()
        .map(|alert| alert["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn alerts_are_listed_with_what_they_tell_of_and_who_was_told() {
    let (server, over, lasts) = told().await;
    let get = async |path: &str| server.get(&format!("/api/v1/{path}")).await;
    let (over, lasts) = (over.to_string(), lasts.to_string());
    let all = get("alerts").await;
    assert_shape::<shapes::AlertsAnswer>(&all);
    assert_eq!(ids(&all.json()), [lasts.as_str(), &over]);
    assert!(!all.text().contains(['\u{1b}', '\u{202e}', '\u{7}']));
    assert_eq!(ids(&get("alerts?lasts=true").await.json()), [&lasts]);
    assert_eq!(ids(&get("alerts?lasts=false").await.json()), [&over]);

    let one = get(&format!("alerts/{lasts}")).await;
    assert_shape::<shapes::AlertAnswer>(&one);
    assert!(!one.text().contains("of the notice"), "{}", one.text());
    let one = one.json();
    assert_eq!(
        (&one["alert"]["drifts"], &one["alert"]["accounts"]),
        (&json!(2), &json!(2))
    );
    let drifts = get(&format!("drifts?alert={lasts}")).await.json();
    assert_eq!(one["drifts"], drifts["drifts"]);
    let seen: Vec<&Value> = (one["drifts"].as_array().unwrap().iter())
        .map(|drift| &drift["seen_sweep"])
        .collect();
    assert_eq!(seen, [2, 2]);
    let of_alert = get(&format!("deliveries?alert={lasts}")).await;
    assert_shape::<shapes::DeliveriesAnswer>(&of_alert);
    assert_eq!(one["deliveries"], of_alert.json()["deliveries"]);

    let dead = get("deliveries?state=dead").await.json();
    assert_eq!(dead["deliveries"].as_array().unwrap().len(), 1);
    assert_eq!(dead["deliveries"][0]["channel"], "chat");
    assert_eq!(dead["deliveries"][0]["alert_id"], lasts);
    let pending = get("deliveries?state=pending").await.json();
    assert_eq!(pending["deliveries"][0]["channel"], "mail");
    let hook = get("deliveries?channel=hook").await.json();
    assert_eq!(hook["deliveries"].as_array().unwrap().len(), 2);
    assert_eq!(
        get("drifts?alert=0123456789abcdef").await.json()["drifts"],
        json!([])
    );
    server.end().await;
}

#[tokio::test]
async fn alerts_and_deliveries_come_in_parts_that_what_is_new_does_not_move() {
    let (server, _, _) = told().await;
    for (question, list) in [
        ("/api/v1/alerts?", "alerts"),
        ("/api/v1/deliveries?", "deliveries"),
        ("/api/v1/deliveries?channel=hook&", "deliveries"),
    ] {
        let whole = parts(&server, question, list, 500).await;
        assert!(whole.len() > 1, "{question}");
        assert_eq!(parts(&server, question, list, 1).await, whole, "{question}");
        let first = server.get(&format!("{question}limit=1")).await.json();
        let cursor = first["next_cursor"].as_str().unwrap();
        let number = u64::try_from(question.len()).unwrap();
        tell(&server.sweeper, SweepId(2), number, &["hook"]).await;
        let rest = server
            .get(&format!("{question}cursor={cursor}"))
            .await
            .json();
        assert_eq!(rest[list].as_array().unwrap()[..], whole[1..], "{question}");
        let other = server
            .get(&format!("/api/v1/findings?cursor={cursor}"))
            .await;
        assert_eq!(other.problem(), "other-cursor");
    }
    server.end().await;
}

#[tokio::test]
async fn what_is_asked_of_alerts_is_checked_and_unchanged_answers_cost_nothing() {
    let (server, over, _) = told().await;
    for (path, status, code) in [
        ("alerts/0123456789abcdef", 404, "no-such-alert"),
        ("alerts/x", 400, "bad-path"),
        ("alerts?lasts=maybe", 400, "bad-query"),
        ("alerts?limit=0", 400, "bad-query"),
        ("alerts?cursor=zz", 400, "bad-cursor"),
        ("alerts?colour=red", 400, "bad-query"),
        ("deliveries?state=gone", 400, "bad-query"),
        ("deliveries?alert=x", 400, "bad-query"),
        ("drifts?alert=x", 400, "bad-query"),
    ] {
        let answer = server.get(&format!("/api/v1/{path}")).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, code),
            "{path}"
        );
    }
    for path in ["alerts", "deliveries", &format!("alerts/{over}")] {
        let ask = Ask::get(&format!("/api/v1/{path}"));
        let tag = server.ask(&ask).await.header("etag").to_owned();
        let again = server.ask(&ask.with("if-none-match", &tag)).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
    }
    server.end().await;
}

#[tokio::test]
async fn an_operator_sends_again_what_was_given_up() {
    let (server, over, lasts) = told().await;
    let viewer = server.token("viewer", TokenRole::Viewer, None).await;
    let operator = server.token("on-call", TokenRole::Operator, None).await;
    let retry = |alert: &str| Ask::new("POST", &format!("/api/v1/alerts/{alert}/retry"));
    let lasts = lasts.to_string();
    let by_viewer = server.ask(&retry(&lasts).by(&viewer)).await;
    assert_eq!(by_viewer.status, 403, "{}", by_viewer.text());
    let answer = server.ask(&retry(&lasts).by(&operator)).await;
    assert_shape::<shapes::RetryAnswer>(&answer);
    assert_eq!(answer.json()["retried"], 1);
    let chat = server
        .ask(&Ask::get("/api/v1/deliveries?channel=chat").by(&operator))
        .await
        .json();
    assert_eq!(chat["deliveries"][0]["state"], "pending");
    assert_eq!(chat["deliveries"][0]["attempts"], 0);
    // It is rung for, so that nobody waits for the next round.
    assert_eq!(*server.woken.borrow(), [daemon::TaskName::DeliverAlerts]);
    for (alert, retried) in [(lasts, 0), (over.to_string(), 0)] {
        let answer = server.ask(&retry(&alert).by(&operator)).await;
        assert_eq!(answer.json()["retried"], retried);
    }
    assert_eq!(server.woken.borrow().len(), 1);
    let unknown = server.ask(&retry("0123456789abcdef").by(&operator)).await;
    assert_eq!(unknown.problem(), "no-such-alert");
    server.end().await;
}
