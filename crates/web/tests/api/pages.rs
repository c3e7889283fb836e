//! Lists in parts come to the whole list, of one moment, whatever happens meanwhile.

use proptest::{
    prelude::{Strategy as _, any},
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use serde_json::Value;

use crate::{client::Ask, server::Server, world};

/// Reads a list to its end, in parts of this size.
pub(crate) async fn parts(server: &Server, question: &str, list: &str, size: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let more = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let answer = server.get(&format!("{question}limit={size}{more}")).await;
        assert_eq!(answer.status, 200, "{question}: {}", answer.text());
        let page = answer.json();
        let part = page[list].as_array().unwrap();
        assert!(part.len() <= size, "{question}");
        items.extend(part.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => {
                assert_eq!(part.len(), size, "a part that goes on is full");
                cursor = Some(next.to_owned());
            }
            None => return items,
        }
    }
}

#[tokio::test]
async fn parts_of_any_size_come_to_the_whole_with_any_filters() {
    let server = Server::of(9).await;
    let lists = [
        (
            "findings",
            vec!["account=000000000002", "control=root-usage", "verdict=FAIL"],
        ),
        ("accounts", vec!["control=root-usage", "verdict=UNKNOWN"]),
        (
            "drifts",
            vec![
                "account=000000000002",
                "severity=info",
                "kind=account-renamed",
            ],
        ),
    ];
    let shared = [
        format!("ou={}", world::OU),
        "as_of=1".to_owned(),
        "as_of=2".to_owned(),
    ];
    let question = (0..lists.len(), any::<u8>(), 0..4_usize, 1..12_usize);
    let mut runner = TestRunner::deterministic();
    for _ in 0..60 {
        let (list, chosen, more, size) = question.new_tree(&mut runner).unwrap().current();
        let (list, filters): &(&str, Vec<&str>) = &lists[list];
        let mut question = format!("/api/v1/{list}?");
        for (place, filter) in filters.iter().enumerate() {
            if chosen >> place & 1 == 1 {
                question.push_str(&format!("{filter}&"));
            }
        }
        if let Some(filter) = shared.get(more) {
            question.push_str(&format!("{filter}&"));
        }
        let whole = parts(&server, &question, list, 500).await;
        assert_eq!(
            parts(&server, &question, list, size).await,
            whole,
            "{question} by {size}"
        );
    }
    server.end().await;
}

#[tokio::test]
async fn parts_are_of_one_moment_while_a_sweep_commits() {
    let server = Server::of(6).await;
    let whole = parts(&server, "/api/v1/findings?", "findings", 500).await;
    assert_eq!(whole.len(), 18);
    let first = server.get("/api/v1/findings?limit=5").await.json();
    let cursor = first["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(first["as_of"]["sweep"], 2);

    // A sweep under way shows in no list as of now, nor in the parts that follow.
    let sweep = server.sweeper.begin_sweep(&world::header(2)).await.unwrap();
    world::commit(&server.sweeper, sweep, 2, 7).await;
    assert_eq!(
        parts(&server, "/api/v1/findings?", "findings", 4).await,
        whole
    );
    world::finish(&server.sweeper, sweep, 2).await;
    let rest = server
        .get(&format!("/api/v1/findings?limit=500&cursor={cursor}"))
        .await
        .json();
    assert_eq!(rest["as_of"]["sweep"], 2);
    let mut items = first["findings"].as_array().unwrap().clone();
    items.extend(rest["findings"].as_array().unwrap().iter().cloned());
    // What has ended meanwhile says since when; what was so then is the same.
    let then = |items: &[Value]| -> Vec<(Value, Value, Value)> {
        let key = |item: &Value| {
            (
                item["account_id"].clone(),
                item["control_id"].clone(),
                item["reason"].clone(),
            )
        };
        items.iter().map(key).collect()
    };
    assert_eq!(then(&items), then(&whole));
    let now = server.get("/api/v1/findings?limit=500").await.json();
    assert_eq!(now["as_of"]["sweep"], 3);
    assert_ne!(then(now["findings"].as_array().unwrap()), then(&whole));
    server.end().await;
}

#[tokio::test]
async fn drifts_that_arrive_do_not_move_older_ones() {
    let server = Server::of(3).await;
    let whole = parts(&server, "/api/v1/drifts?", "drifts", 500).await;
    assert_eq!(whole.len(), 4);
    let first = server.get("/api/v1/drifts?limit=1").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    world::sweep(&server.sweeper, 2, 3).await;
    let rest = server
        .get(&format!("/api/v1/drifts?limit=9&cursor={cursor}"))
        .await
        .json();
    assert_eq!(rest["drifts"].as_array().unwrap()[..], whole[1..]);
    server.end().await;
}

#[tokio::test]
async fn what_is_no_cursor_of_the_question_is_refused() {
    let server = Server::of(6).await;
    let page = server
        .get("/api/v1/findings?verdict=FAIL&limit=1")
        .await
        .json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let rows = [
        (
            format!("/api/v1/findings?verdict=PASS&cursor={cursor}"),
            "other-cursor",
        ),
        (format!("/api/v1/findings?cursor={cursor}"), "other-cursor"),
        (
            format!("/api/v1/accounts?verdict=FAIL&cursor={cursor}"),
            "other-cursor",
        ),
        ("/api/v1/findings?cursor=".to_owned(), "bad-cursor"),
        ("/api/v1/findings?cursor=zz".to_owned(), "bad-cursor"),
        (
            format!("/api/v1/findings?cursor={}", "31".repeat(5000)),
            "bad-cursor",
        ),
        ("/api/v1/findings?limit=0".to_owned(), "bad-query"),
        ("/api/v1/findings?limit=501".to_owned(), "bad-query"),
        ("/api/v1/findings?limit=x".to_owned(), "bad-query"),
        ("/api/v1/findings?limit=1&limit=2".to_owned(), "bad-query"),
        ("/api/v1/findings?colour=red".to_owned(), "bad-query"),
        ("/api/v1/findings?account=1".to_owned(), "bad-query"),
        ("/api/v1/findings?verdict=pass".to_owned(), "bad-query"),
        ("/api/v1/findings?ou=prod".to_owned(), "bad-query"),
        (
            "/api/v1/findings?control=no-such-control".to_owned(),
            "no-such-control",
        ),
    ];
    for (path, expected) in rows {
        let answer = server.get(&path).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, expected),
            "{path}"
        );
    }
    // Another size goes on with the same list.
    let more = format!("/api/v1/findings?verdict=FAIL&limit=7&cursor={cursor}");
    assert_eq!(server.ask(&Ask::get(&more)).await.status, 200);
    server.end().await;
}
