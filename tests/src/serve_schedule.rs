//! `scanner serve` sweeps when it is time, once for all that it missed, and looks again at what changed.

use std::time::Duration;

use model::SweepState;
use simulator::World;

use crate::{
    scanner::{Shell, scenario, start},
    serving::{Serving, finished, sweeps},
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
