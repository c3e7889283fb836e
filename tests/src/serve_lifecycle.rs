//! `scanner serve` begins, is stopped in every way there is, and goes on where it was.

use std::time::Duration;

use model::SweepState;
use simulator::{FaultKind, FaultRule, Simulator, World};

use crate::{
    scanner::{Shell, start},
    serving::{Serving, sweeps},
};

const ACCOUNTS: u64 = 31;

/// An organization whose sweep is some seconds long where accounts are silent.
async fn organization() -> Simulator {
    let world = World::from_toml(
        r#"
        [[account]]
        name = "management"
        trails = [{ name = "organization-trail", organization = true }]
        log_groups = [{}]
        filters = [{}]
        alarms = [{}]
        topics = [{}]
        [[account]]
        name = "member"
        count = 30
        "#,
    );
    start(world.expect("the world is valid")).await
}

/// Starts a service whose first sweep comes to a halt midway.
async fn halted<'a>(simulator: &Simulator, shell: &'a Shell, more: &[&str]) -> Serving<'a> {
    let silence = FaultRule::new(FaultKind::Silence).on("cloudtrail", "DescribeTrails");
    simulator.fault(silence.after(12));
    let mut serving = Serving::start(shell, "halted.log", more);
    (serving.sweeps("some accounts are remembered", |sweeps| {
        sweeps.first().is_some_and(|sweep| sweep.accounts_seen >= 5)
    }))
    .await;
    serving
}

/// Starts it again with everything answering, and waits for the end of the sweep.
async fn goes_on(simulator: &Simulator, shell: &Shell) {
    let done = sweeps(shell).await[0].accounts_seen;
    assert!((5..ACCOUNTS).contains(&done), "{done}");
    simulator.clear_faults();
    simulator.reset_calls();
    let mut serving = Serving::start(shell, "again.log", &[]);
    let seen = (serving.sweeps("the sweep is finished", |sweeps| {
        sweeps[0].state == SweepState::Finished
    }))
    .await;
    assert_eq!(seen.len(), 1, "it is the same sweep");
    assert_eq!(seen[0].accounts_seen, ACCOUNTS);
    // Only what was missing was entered, and never the caller's own account.
    let entered = simulator.calls().of("sts", "AssumeRole");
    assert!(entered <= ACCOUNTS - done, "{entered} after {done}");
    assert_eq!(serving.lines("a sweep goes on that was stopped").len(), 1);
    assert_eq!(serving.stop().await, Some(0));
}

#[tokio::test]
async fn a_service_that_is_asked_to_stop_midway_goes_on_there() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    let mut serving = halted(&simulator, &shell, &["--shutdown-grace", "1s"]).await;
    serving.signal("TERM").await;
    assert_eq!(serving.ended().await, Some(0), "{}", serving.said());
    assert_eq!(serving.lines("the grace is over").len(), 1);
    assert_eq!(sweeps(&shell).await[0].state, SweepState::Interrupted);
    goes_on(&simulator, &shell).await;
}

#[tokio::test]
async fn a_service_that_is_killed_goes_on_there() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    let mut serving = halted(&simulator, &shell, &[]).await;
    serving.signal("KILL").await;
    assert_eq!(serving.ended().await, None);
    assert_eq!(sweeps(&shell).await[0].state, SweepState::Running);
    goes_on(&simulator, &shell).await;
}

#[tokio::test]
async fn the_second_wish_to_stop_is_not_waited_with_and_shows_in_the_exit_code() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    let mut serving = halted(&simulator, &shell, &["--shutdown-grace", "1h"]).await;
    serving.signal("INT").await;
    serving.says("stopping: what is begun is finished").await;
    serving.signal("TERM").await;
    assert_eq!(serving.ended().await, Some(1), "{}", serving.said());
    goes_on(&simulator, &shell).await;
}

#[tokio::test]
async fn accounts_that_are_being_looked_at_are_finished() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    simulator.update(|world| {
        world.load = simulator::Load::realistic();
    });
    let slow = ["--concurrency", "4"];
    let mut serving = Serving::start(&shell, "slow.log", &slow);
    let seen = (serving.sweeps("some accounts are remembered", |sweeps| {
        sweeps.first().is_some_and(|sweep| sweep.accounts_seen >= 2)
    }))
    .await;
    assert_eq!(serving.stop().await, Some(0));
    let left = &sweeps(&shell).await[0];
    // Unless the machine was so slow that it was done by then.
    if left.state == SweepState::Interrupted {
        assert!(left.accounts_seen > seen[0].accounts_seen, "{left:#?}");
    }
}

#[tokio::test]
async fn a_second_service_on_the_same_store_is_refused() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    let mut first = Serving::start(&shell, "first.log", &[]);
    (first.sweeps("swept once", |sweeps| {
        (sweeps.first()).is_some_and(|sweep| sweep.state == SweepState::Finished)
    }))
    .await;
    let second = shell.run(&["serve"]).await;
    assert_eq!(second.code, 1, "{second:#?}");
    let says = "another process is sweeping into scanner.db";
    assert!(second.stderr.contains(says), "{}", second.stderr);
    assert_eq!(first.stop().await, Some(0));
}

#[tokio::test]
async fn a_service_without_aws_waits_for_it() {
    let simulator = organization().await;
    let endpoint = simulator.endpoint_url();
    // Nobody listens there any more.
    let shell = Shell::at(&simulator).with("AWS_ENDPOINT_URL", &endpoint);
    simulator.shutdown().await;
    let mut serving = Serving::start(&shell, "serve.log", &[]);
    serving.says("there is no connection to AWS").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(serving.stop().await, Some(0));
    assert!(sweeps(&shell).await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_used_is_said_before_anything_is_opened() {
    let simulator = organization().await;
    let shell = Shell::at(&simulator);
    let file = |name: &str, text: &str| std::fs::write(shell.path(name), text).unwrap();
    file("key.toml", "[serve]\nintervall = \"1h\"\n");
    file("value.toml", "\n[serve]\ninterval = \"never\"\n");
    file(
        "control.toml",
        "[scope]\ncontrols = [\"no-such-control\"]\n",
    );
    file("good.toml", "[serve]\ninterval = \"30m\"\n");
    file(
        "url.toml",
        "[[channel]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"https://user:pw@example.com/x\"\n\
         secret_env = \"HOOK_SECRET\"\n",
    );
    file(
        "old.toml",
        "[[exception]]\naccount = \"111111111111\"\nowner = \"platform\"\nreason = \"it is being moved\"\n\
         expires = \"2020-01-31\"\n",
    );
    for (name, says) in [
        ("key.toml", ["key.toml", "line 2", "intervall"]),
        ("value.toml", ["value.toml", "line 3", "never"]),
        (
            "control.toml",
            ["control.toml", "line 2", "no-such-control"],
        ),
        ("url.toml", ["hook", "a user or a password", "url_env"]),
    ] {
        for command in [&["serve"][..], &["config", "check"]] {
            let arguments = [command, &["--config", name]].concat();
            let run = shell.run(&arguments).await;
            assert_eq!(run.code, 2, "{arguments:?}: {run:#?}");
            for text in says {
                assert!(run.stderr.contains(text), "{arguments:?}: {}", run.stderr);
            }
        }
    }
    assert!(!shell.path("scanner.db").exists());
    let run = shell
        .run(&["config", "check", "--config", "good.toml"])
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
    assert!(run.stdout.contains("30m"), "{}", run.stdout);
    let run = shell
        .run(&["config", "check", "--config", "old.toml"])
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
    assert!(
        run.stderr.contains(
            "warning: the exception of platform (it is being moved) expired at 2020-01-31"
        ),
        "{}",
        run.stderr
    );
    // What it prints is a file that can be used.
    let example = shell.run(&["config", "show-default"]).await;
    file("example.toml", &example.stdout);
    let run = shell
        .run(&["config", "check", "--config", "example.toml"])
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
}
