//! `scanner serve` sweeps when it is time, once for all that it missed, and looks again at what changed.

use std::{process::Stdio, time::Duration};

use model::SweepState;
use simulator::World;
use tokio::io::AsyncReadExt as _;

use crate::{
    scanner::{Shell, scenario, start},
    serving::{Serving, finished, sweeps},
    web_server::request_with,
};

#[tokio::test]
async fn sweeps_follow_each_other_at_the_interval_and_what_was_missed_is_made_up_for_once() {
    let world = World::from_toml("[[account]]\nname = \"management\"\nchain = \"complete\"\n");
    let simulator = start(world.unwrap()).await;
    let shell = Shell::at(&simulator);
    let interval = ["--interval", "3s"];
    let mut serving = Serving::start(&shell, "first.log", &interval);
    let before = (serving.sweeps("swept three times", |sweeps| finished(sweeps) >= 3)).await;
    assert_eq!(serving.stop().await, Some(0));
    for pair in before.windows(2) {
        let pause = pair[1].started_at.duration_since(pair[0].started_at);
        assert!(pause.as_secs_f64() >= 3.0, "{pause:?}");
    }
    // One line for each sweep, with its number.
    let ended = std::fs::read_to_string(shell.path("first.log")).unwrap();
    let ended = ended.matches("sweep ended").count();
    assert_eq!(ended, sweeps(&shell).await.len());

    // Three of them go by.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let was = finished(&sweeps(&shell).await);
    let mut serving = Serving::start(&shell, "second.log", &interval);
    let after = (serving.sweeps("swept twice more", |sweeps| finished(sweeps) >= was + 2)).await;
    assert_eq!(serving.stop().await, Some(0));
    let pause = after[was + 1]
        .started_at
        .duration_since(after[was].started_at);
    assert!(
        pause.as_secs_f64() >= 3.0,
        "one at once, and then not before its time: {pause:?}"
    );
}

#[tokio::test]
async fn a_change_is_looked_at_again_and_its_author_is_found_beside_sweeps() {
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator);
    let soon = ["--interval", "4s", "--recheck-after-drift", "1s"];
    let mut serving = Serving::start(&shell, "serve.log", &soon);
    serving
        .sweeps("swept once", |sweeps| finished(sweeps) == 1)
        .await;
    simulator.advance().unwrap().expect("the filter is broken");
    let workload = format!("&{}", simulator.world().named("workload").unwrap().id);
    let seen = (serving.sweeps("looked at again", |sweeps| {
        (sweeps.iter()).any(|sweep| {
            sweep.state == SweepState::Finished && sweep.scope.accounts == [workload.as_str()]
        })
    }))
    .await;
    let again = seen.iter().filter(|sweep| !sweep.scope.accounts.is_empty());
    assert_eq!(again.count(), 1);
    // Who did it is known without anybody having waited for it.
    let line = "looked for the authors of drifts";
    (serving.until("the author is found", async |it| {
        it.lines(line)
            .iter()
            .any(|line| line["fields"]["found"] != 0)
    }))
    .await;
    assert_eq!(serving.stop().await, Some(0));
}

#[tokio::test]
async fn an_exception_that_expires_is_told_without_waiting_for_the_next_sweep() {
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator);
    simulator.advance().unwrap().expect("the filter is broken");
    let run = shell.once(&[]).await;
    assert_eq!(run.code, 3, "{run:#?}");
    let expires = jiff::SignedDuration::from_secs(20);
    let expires = model::Clock::now(&model::SystemClock)
        .checked_add(expires)
        .unwrap();
    let added = shell
        .run(&[
            "exception",
            "add",
            "--control",
            "organizations-changes",
            "--owner",
            "platform",
            "--reason",
            "it is being mended",
            "--expires",
            &format!("{expires:.0}"),
        ])
        .await;
    assert_eq!(added.code, 0, "{added:#?}");
    // A sweep that sees it in force; the next one is an hour away.
    assert_eq!(shell.once(&[]).await.code, 0);
    let before = sweeps(&shell).await.len();
    let none = ["--recheck-accounts", "0"];
    let mut serving = Serving::start(&shell, "serve.log", &none);
    (serving.sweeps("another sweep", |sweeps| finished(sweeps) > before)).await;
    assert_eq!(serving.stop().await, Some(0));
    let drifts = shell
        .run(&["drift", "list", "--kind", "exception-expired"])
        .await;
    assert!(drifts.stdout.contains("no longer accepted"), "{drifts:#?}");
}

#[tokio::test]
async fn what_somebody_asked_for_is_looked_at_when_the_store_is_free_again() {
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator);
    let workload = simulator.world().named("workload").unwrap().id.clone();
    let mut serving = Serving::start(&shell, "serve.log", &["--interval", "1h"]);
    serving
        .sweeps("swept once", |sweeps| finished(sweeps) == 1)
        .await;
    let operator = ["token", "create", "o", "--role", "operator", "--store"];
    let token = shell.run(&[&operator[..], &["scanner.db"]].concat()).await;
    assert_eq!(token.code, 0, "{token:#?}");

    // Another program has the store longer than anybody waits for it.
    let script = "import sqlite3, sys; c = sqlite3.connect('scanner.db', isolation_level=None); \
                c.execute('BEGIN IMMEDIATE'); print('!', end='', flush=True); sys.stdin.read()";
    let mut other = tokio::process::Command::new("python3")
        .args(["-c", script])
        .current_dir(shell.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut mark = [0];
    let told = other.stdout.as_mut().unwrap().read_exact(&mut mark);
    tokio::time::timeout(Duration::from_mins(1), told)
        .await
        .expect("it holds the store")
        .unwrap();

    let served = serving.lines("the API is served");
    let headers = [
        format!("authorization: Bearer {}", token.stdout.trim()),
        "content-type: application/json".to_owned(),
    ];
    let asked = request_with(
        served[0]["fields"]["listen"].as_str().unwrap(),
        "POST /api/v1/sweeps",
        &headers,
        &format!("{{\"accounts\": [\"{workload}\"]}}"),
    )
    .await;
    assert_eq!(asked.status, 202, "{asked:?}");
    serving.says("a sweep came to nothing").await;
    drop(other.stdin.take());
    other.wait().await.unwrap();
    let seen = (serving.sweeps("looked at it", |sweeps| finished(sweeps) == 2)).await;
    assert_eq!(seen[1].scope.accounts, [format!("&{workload}")]);
    assert_eq!(serving.stop().await, Some(0));
}

#[tokio::test]
async fn a_store_that_is_taken_away_or_replaced_ends_the_service_and_a_backup_brings_it_back() {
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator);
    let hourly = ["--interval", "1h"];
    let mut serving = Serving::start(&shell, "first.log", &hourly);
    serving
        .sweeps("swept once", |sweeps| finished(sweeps) == 1)
        .await;
    let at = ["--store", "scanner.db"];
    let backup = [&["store", "backup", "backup.db"], &at[..]].concat();
    assert_eq!(shell.run(&backup).await.code, 0);
    let restore = [&["store", "restore", "backup.db"], &at[..]].concat();
    let busy = shell.run(&restore).await;
    assert_eq!(busy.code, 1, "{busy:#?}");
    std::fs::copy(shell.path("backup.db"), shell.path("other.db")).unwrap();
    std::fs::rename(shell.path("other.db"), shell.path("scanner.db")).unwrap();
    assert_eq!(serving.ended().await, Some(1));
    assert_eq!(serving.lines("the store is lost").len(), 1);

    let restored = shell.run(&restore).await;
    assert_eq!(restored.code, 0, "{restored:#?}");
    assert!(
        restored.stderr.contains("scanner.db.replaced-1"),
        "{restored:#?}"
    );
    let check = shell.run(&[&["store", "check"], &at[..]].concat()).await;
    assert_eq!(check.code, 0, "{check:#?}");
    let mut serving = Serving::start(&shell, "second.log", &["--interval", "3s"]);
    serving
        .sweeps("swept twice", |sweeps| finished(sweeps) == 2)
        .await;
    assert_eq!(serving.stop().await, Some(0));
}
