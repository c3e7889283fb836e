//! Accounts stream through a sweep: it does not wait for the whole list, nor for the slowest.

use std::{collections::BTreeSet, time::Duration};

use crate::scanner::{Run, Shell, start};
use simulator::{FaultKind, FaultRule, Simulator, World, world::AccountState};

fn world() -> World {
    World::from_toml(
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
        count = 49
        "#,
    )
    .expect("the world is valid")
}

const COVERED: &str = "PASS covered-by-organization-trail";

/// From now on every page of accounts but the first is late.
fn delay_pages(simulator: &Simulator) {
    let slow = FaultRule::new(FaultKind::Slow(2500)).on("organizations", "ListAccounts");
    simulator.fault(slow.after(1));
}

/// Sweeps; how many roles were assumed before the last page of accounts was asked for.
async fn roles_before_the_last_page(shell: &Shell, simulator: &Simulator) -> (Run, u64) {
    simulator.reset_calls();
    let watch = async {
        let mut roles = 0;
        while simulator.calls().of("organizations", "ListAccounts") < 3 {
            roles = simulator.calls().of("sts", "AssumeRole");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        roles
    };
    tokio::join!(shell.once(&[]), watch)
}

#[tokio::test]
async fn scanning_starts_with_the_first_page_of_accounts() {
    let simulator = start(world()).await;
    delay_pages(&simulator);
    let shell = Shell::at(&simulator);
    let (run, roles) = roles_before_the_last_page(&shell, &simulator).await;
    // The first page without the management account, which is the caller's own.
    assert_eq!(roles, 19);
    assert_eq!(run.code, 0, "{run:#?}");
    assert_eq!(run.findings().len(), 50);
    assert_eq!(run.report()["sweep"]["discovery"]["state"], "complete");
}

#[tokio::test]
async fn a_later_sweep_starts_from_memory_and_believes_the_fresh_list() {
    let simulator = start(world()).await;
    let shell = Shell::at(&simulator);
    assert_eq!(shell.once(&[]).await.findings().len(), 50);
    simulator.update(|world| {
        let mut newcomer = world.named("member-1").unwrap().clone();
        newcomer.name = "newcomer".to_owned();
        newcomer.id = "987654321098".to_owned();
        world.add(newcomer);
        world.named_mut("member-45").unwrap().state = AccountState::Suspended;
        world.named_mut("member-46").unwrap().name = "renamed".to_owned();
        world.named_mut("member-47").unwrap().is_member = false;
    });
    delay_pages(&simulator);
    let (run, roles) = roles_before_the_last_page(&shell, &simulator).await;
    assert_eq!(roles, 49, "all members that are remembered");
    let answers = run.answers();
    assert_eq!(answers["newcomer"], COVERED);
    assert_eq!(answers["renamed"], COVERED);
    assert_eq!(answers["member-45"], "NOT_APPLICABLE account-suspended");
    let names: BTreeSet<&str> = answers.keys().map(String::as_str).collect();
    assert!(!names.contains("member-47") && !names.contains("member-46"));
    assert_eq!(run.findings().len(), 50);
    let known = shell.run(&["history", "findings"]).await.stdout;
    assert!(!known.contains("member-47"), "{known}");

    // It is not remembered any more, so nobody goes there.
    let (_, roles) = roles_before_the_last_page(&shell, &simulator).await;
    assert_eq!(
        roles, 48,
        "with the newcomer, without those that left or are suspended"
    );
}

#[tokio::test]
async fn half_a_list_takes_nothing_from_what_is_remembered() {
    let simulator = start(world()).await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    let denied = FaultRule::new(FaultKind::AccessDenied).on("organizations", "ListAccounts");
    simulator.fault(denied.after(1));
    let run = shell.once(&[]).await;
    assert_eq!(run.code, 4, "{run:#?}");
    assert_eq!(run.report()["sweep"]["discovery"]["state"], "incomplete");
    assert_eq!(run.findings().len(), 50);
    assert!(run.answers().values().all(|answer| answer == COVERED));
}

#[tokio::test]
async fn a_scope_of_names_is_decided_by_the_fresh_list() {
    let simulator = start(world()).await;
    let shell = Shell::at(&simulator);
    shell.once(&[]).await;
    simulator.update(|world| {
        world.named_mut("member-48").unwrap().name = "renamed".to_owned();
    });
    delay_pages(&simulator);
    let run = shell.once(&["--name", "member-4?"]).await;
    assert_eq!(run.findings().len(), 9, "{:?}", run.answers());
    assert!(!run.answers().contains_key("member-48"));
}

#[tokio::test]
async fn an_account_that_never_answers_holds_nobody_and_is_unknown_in_the_end() {
    let simulator = start(world()).await;
    let silent = simulator.world().named("member-7").unwrap().id.clone();
    let silence = FaultRule::new(FaultKind::Silence).on("cloudtrail", "DescribeTrails");
    simulator.fault(silence.in_account(&silent));
    let shell = Shell::at(&simulator);
    let begun = std::time::Instant::now();
    let run = shell.once(&["--account-deadline", "3"]).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{run:#?}");
    assert_eq!(run.code, 4, "{run:#?}");
    let finding = run.finding("member-7");
    assert_eq!(finding["verdict"], "UNKNOWN");
    let gap = &finding["gaps"][0];
    assert_eq!(gap["class"], "timed-out", "{finding:#}");
    assert!(
        gap["message"].as_str().unwrap().contains("deadline of 3 s"),
        "{gap:#}"
    );
    let others = run.answers();
    let others = others.iter().filter(|(name, _)| *name != "member-7");
    assert!(others.clone().count() == 49 && others.clone().all(|(_, answer)| answer == COVERED));
    let asked = simulator.calls().filter(|call| call.account == silent);
    assert_eq!(
        asked.of("cloudtrail", "DescribeTrails"),
        2,
        "once at the end"
    );
}

#[tokio::test]
async fn an_account_that_was_slow_is_read_at_the_end_of_the_sweep() {
    let simulator = start(world()).await;
    let slow = simulator.world().named("member-7").unwrap().id.clone();
    let silence = FaultRule::new(FaultKind::Silence).on("cloudtrail", "DescribeTrails");
    simulator.fault(silence.in_account(&slow).times(1));
    let run = Shell::at(&simulator)
        .once(&["--account-deadline", "3"])
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
    assert_eq!(run.answers()["member-7"], COVERED);
}

#[tokio::test]
async fn more_silent_accounts_than_places_hold_up_nobody() {
    let simulator = start(world()).await;
    let id = |number: usize| {
        let world = simulator.world();
        world.named(&format!("member-{number}")).unwrap().id.clone()
    };
    let silent: BTreeSet<String> = (1..=16).map(id).collect();
    for account in &silent {
        let silence = FaultRule::new(FaultKind::Silence).on("cloudtrail", "DescribeTrails");
        simulator.fault(silence.in_account(account));
    }
    let shell = Shell::at(&simulator);
    let sweep = shell.once(&["--concurrency", "8", "--account-deadline", "5"]);
    let asked = |are_silent: bool| {
        let asked = simulator.calls();
        let asked = asked.filter(|call| silent.contains(&call.account) == are_silent);
        asked.of("cloudtrail", "DescribeTrails")
    };
    // The management account is asked twice.
    let others = async {
        while asked(false) < 49 - 16 + 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        asked(true)
    };
    let (run, asked_meanwhile) = tokio::join!(sweep, others);
    assert!(
        asked_meanwhile <= 16,
        "none of them had come to its deadline"
    );
    let answers = run.answers();
    let covered = answers.values().filter(|answer| *answer == COVERED);
    assert_eq!(covered.count(), 50 - 16, "{answers:?}");
    assert_eq!(run.code, 4, "{run:#?}");
}
