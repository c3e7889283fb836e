//! A sweep is killed again and again, and in the end is as one that nobody disturbed.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use crate::scanner::{Shell, start};
use model::{AccountId, ContentHash, ControlId, Reason};
use simulator::{FaultKind, FaultRule, Simulator, World};
use store::{FindingQuery, Store};

const CONTROLS: usize = 15;

/// So long after it entered its first account, in milliseconds. What is found is committed after 700 or
/// at the end, so this is before, within and after that; each process goes on where the one before was
/// killed.
const KILLED_AFTER: [u64; 5] = [20, 900, 300, 1200, 710];

/// A process that committed nothing within so many milliseconds does not commit.
const LONGEST: u64 = 20_000;

/// So many accounts are shown to a process before AWS falls silent, so that no sweep ends by itself.
const SHOWN: u64 = 10;

/// Members that share the organization's trail, and some with a broken chain of their own.
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
        name = "blind"
        count = 10
        organization_trail = false
        [[account]]
        name = "member"
        count = 60
        "#,
    );
    start(world.expect("the world is valid")).await
}

type Answers = BTreeMap<(AccountId, ControlId), (Reason, String, Option<ContentHash>)>;

/// Everything that is remembered of what was found.
async fn answers(shell: &Shell) -> Answers {
    let store = Store::open_reader(shell.path("scanner.db")).await.unwrap();
    let rows = store.findings(&FindingQuery::default()).await.unwrap();
    store.close().await;
    let answer = |row: store::FindingRow| {
        let finding = row.finding;
        let said = format!("{:?}", finding.judgement);
        (
            (finding.account, finding.control.clone()),
            (finding.reason, said, row.evidence_root),
        )
    };
    rows.into_iter().map(answer).collect()
}

/// Sweeps and is killed.
async fn killed_after(shell: &Shell, simulator: &Simulator, milliseconds: u64) {
    let silence = FaultRule::new(FaultKind::Silence).on("cloudtrail", "DescribeTrails");
    simulator.fault(silence.after(SHOWN));
    simulator.reset_calls();
    let once = ["once", "--resume", "--quota-share", "1"];
    let mut child = shell.command(&once).spawn().unwrap();
    while simulator.calls().of("sts", "AssumeRole") == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    child.kill().await.unwrap();
    simulator.clear_faults();
}

#[tokio::test]
async fn a_sweep_that_is_killed_again_and_again_ends_as_one_that_nobody_disturbed() {
    let simulator = organization().await;
    let undisturbed = Shell::at(&simulator).by_every_control();
    let expected = undisturbed.once(&[]).await;
    let expected_answers = answers(&undisturbed).await;

    let shell = Shell::at(&simulator).by_every_control();
    let mut done = BTreeSet::new();
    let mut kills = VecDeque::from(KILLED_AFTER);
    while let Some(milliseconds) = kills.pop_front() {
        killed_after(&shell, &simulator, milliseconds).await;
        let found = answers(&shell).await;
        let mut of_accounts: BTreeMap<AccountId, usize> = BTreeMap::new();
        for (key, answer) in &found {
            assert_eq!(Some(answer), expected_answers.get(key));
            *of_accounts.entry(key.0).or_default() += 1;
        }
        let whole = of_accounts.values().all(|findings| *findings == CONTROLS);
        assert!(whole, "half an account: {of_accounts:?}");
        let now: BTreeSet<AccountId> = of_accounts.into_keys().collect();
        assert!(done.is_subset(&now), "an account is lost");
        done = now;
        // On a busy machine the first commit comes later.
        if kills.is_empty() && done.is_empty() && milliseconds < LONGEST {
            kills.push_back(milliseconds * 2);
        }
    }
    assert!(!done.is_empty(), "no kill came after a commit");

    let run = shell.once(&["--resume"]).await;
    assert_eq!(run.code, expected.code, "{}", run.stderr);
    assert_eq!(run.report()["sweep"]["id"], 1);
    assert_eq!(
        run.report()["sweep"]["verdicts"],
        expected.report()["sweep"]["verdicts"]
    );
    assert_eq!(answers(&shell).await, expected_answers);
}
