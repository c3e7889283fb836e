//! Questions about the past of ten thousand accounts and fifteen controls, after forty daily sweeps.
//!
//! As of any moment one account should take less than 10 ms, the whole organization less than 1 s, and
//! the drifts of a month less than 50 ms.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::{collections::BTreeMap, sync::LazyLock};

use divan::{Bencher, black_box};
use jiff::{SignedDuration, Timestamp};
use model::{
    Account, AccountId, AccountState, ChainNode, ControlId, DiscoveryState, Drift, DriftId,
    DriftKind, Finding, Judgement, Link, NodeState, OuPath, Reason, Severity, SweepHeader, SweepId,
    SweepPair, SweepScope, SweepState, SweepSummary,
};
use store::{
    AccountQuery, AsOf, DriftQuery, FindingQuery, JudgedAccount, Store, SweepQuery, Sweeper,
};
use tokio::runtime::Runtime;

const ACCOUNTS: u64 = 10_000;
const CONTROLS: usize = 15;
/// One a day.
const SWEEPS: i64 = 40;
/// How many accounts each sweep sees break, and as many that are mended.
const CHANGES: u64 = 60;

fn main() {
    divan::main();
}

struct World {
    runtime: Runtime,
    store: Store,
    _folder: tempfile::TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    runtime.block_on(async {
        let sweeper = Store::open_sweeper(&path).await.unwrap();
        for sweep in 0..SWEEPS {
            sweep_once(&sweeper, sweep).await;
        }
        sweeper.close().await.unwrap();
    });
    let store = runtime.block_on(Store::open_reader(&path)).unwrap();
    World {
        runtime,
        store,
        _folder: folder,
    }
});

fn began(sweep: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * sweep)
}

fn controls() -> Vec<ControlId> {
    let control = |number| format!("control-{number}").parse().unwrap();
    (0..CONTROLS).map(control).collect()
}

fn id(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

async fn sweep_once(sweeper: &Sweeper, number: i64) {
    let header = SweepHeader {
        scope: SweepScope {
            controls: controls(),
            ..SweepScope::default()
        },
        organization: None,
        caller: id(1),
        started_at: began(number),
        scanner_version: "0.1.0".to_owned(),
        configuration: None,
    };
    let sweep = sweeper.begin_sweep(&header).await.unwrap();
    let changed = |account: u64| {
        let step = u64::try_from(number).unwrap();
        (account + ACCOUNTS - (step * CHANGES) % ACCOUNTS) % ACCOUNTS < CHANGES
    };
    let all: Vec<u64> = (1..=ACCOUNTS).collect();
    for group in all.chunks(500) {
        let judged: Vec<JudgedAccount> = (group.iter())
            .map(|account| judged(*account, changed(*account)))
            .collect();
        let drifts: Vec<Drift> = (group.iter().filter(|account| changed(**account)))
            .map(|account| drift(*account, sweep))
            .collect();
        sweeper.commit(sweep, &judged, &drifts).await.unwrap();
    }
    let summary = SweepSummary {
        finished_at: began(number) + SignedDuration::from_mins(4),
        state: SweepState::Finished,
        discovery: Some(DiscoveryState::Complete),
        verdicts: BTreeMap::new(),
        gaps: BTreeMap::new(),
        api_calls: 0,
    };
    sweeper.finish_sweep(sweep, &summary).await.unwrap();
}

fn judged(number: u64, is_broken: bool) -> JudgedAccount {
    let account = Account {
        id: id(number),
        name: format!("account-{number}"),
        state: AccountState::Active,
        ou_path: Some(OuPath(vec![
            "r-root".to_owned(),
            format!("ou-root-{:04}", number % 20),
        ])),
        tags: None,
    };
    let reason = if is_broken {
        Reason::FilterIncomplete
    } else {
        Reason::CoveredByOwnTrail
    };
    let findings = controls().into_iter().map(|control| {
        let mut judgement = Judgement::new(reason, format!("{reason} by {control}"));
        judgement.chain = (0..5).map(|at| node(&control, at)).collect();
        Finding {
            account: account.id,
            control,
            judgement: judgement.into(),
        }
    });
    JudgedAccount {
        findings: findings.collect(),
        evidence: None,
        basis: None,
        account,
    }
}

fn node(control: &ControlId, at: usize) -> ChainNode {
    ChainNode {
        link: Link::Trail,
        parent: at.checked_sub(1),
        resource: format!("arn:aws:cloudtrail:us-east-1:000000000001:trail/{control}-{at}"),
        account: Some(id(1)),
        region: "us-east-1".parse().ok(),
        state: NodeState::Holds,
        reason: None,
        message: "it is logging all management events".to_owned(),
        read: serde_json::json!({"is_logging": true, "is_multi_region": true}),
    }
}

fn drift(number: u64, seen: SweepId) -> Drift {
    let cause = format!("filter of {number}");
    let kind = DriftKind::VerdictChanged;
    Drift {
        id: DriftId::of(kind, Some(id(number)), None, seen, &cause),
        kind,
        severity: Severity::High,
        account: Some(id(number)),
        control: controls().pop(),
        message: format!("control in account {number} went from PASS to FAIL"),
        cause,
        between: SweepPair {
            last_before: Some(SweepId(seen.0 - 1)).filter(|sweep| sweep.0 > 0),
            seen,
        },
        before: None,
        after: None,
        changes: Vec::new(),
        accounts: Vec::new(),
        undamped: None,
    }
}

/// Asks, and says how many came.
fn ask<T>(bencher: Bencher<'_, '_>, question: impl AsyncFn(&'static Store) -> T) {
    let world = &*WORLD;
    bencher.bench_local(|| black_box(world.runtime.block_on(question(&world.store))));
}

const THEN: SweepId = SweepId(SWEEPS / 2);

#[divan::bench]
fn moment_of_a_time(bencher: Bencher<'_, '_>) {
    ask(bencher, async |store| {
        store.moment(AsOf::Time(began(30))).await.unwrap()
    });
}

#[divan::bench]
fn findings_of_one_account_with_chains(bencher: Bencher<'_, '_>) {
    ask(bencher, async |store| {
        let query = FindingQuery {
            account: Some(id(7_777)),
            sweep: Some(THEN),
            ..FindingQuery::default()
        };
        assert_eq!(store.findings(&query).await.unwrap().len(), CONTROLS);
    });
}

async fn count(store: &Store, query: FindingQuery) -> usize {
    let mut pages = store.finding_pages(&query).await.unwrap();
    let mut number = 0;
    while let Some(page) = pages.next().await.unwrap() {
        number += page.len();
    }
    number
}

#[divan::bench(sample_count = 5)]
fn findings_of_all_without_chains(bencher: Bencher<'_, '_>) {
    ask(bencher, async |store| {
        let query = FindingQuery {
            sweep: Some(THEN),
            without_chains: true,
            ..FindingQuery::default()
        };
        assert_eq!(count(store, query).await, 150_000);
    });
}

#[divan::bench(sample_count = 5)]
fn findings_of_all_with_chains(bencher: Bencher<'_, '_>) {
    ask(bencher, async |store| {
        let query = FindingQuery {
            sweep: Some(THEN),
            ..FindingQuery::default()
        };
        assert_eq!(count(store, query).await, 150_000);
    });
}

#[divan::bench]
fn failing_findings(bencher: Bencher<'_, '_>) {
    ask(bencher, async |store| {
        let query = FindingQuery {
            sweep: Some(THEN),
            verdict: Some(model::Verdict::Fail),
            ..FindingQuery::default()
        };
        count(store, query).await
    });
}

#[divan::bench(sample_count = 5)]
fn findings_that_began_in_a_week(bencher: Bencher<'_, '_>) {
    ask(bencher, async |store| {
        let query = FindingQuery {
            since: Some(began(SWEEPS - 7)),
            without_chains: true,
            ..FindingQuery::default()
        };
        count(store, query).await
    });
}

#[divan::bench(sample_count = 5)]
fn accounts_as_of(bencher: Bencher<'_, '_>) {
    ask(bencher, async |store| {
        let query = AccountQuery {
            sweep: Some(THEN),
            ..AccountQuery::default()
        };
        assert_eq!(store.accounts(&query).await.unwrap().len(), 10_000);
    });
}

#[divan::bench]
fn one_account_as_of(bencher: Bencher<'_, '_>) {
    ask(bencher, async |store| {
        let query = AccountQuery {
            account: Some(id(7_777)),
            sweep: Some(THEN),
            ..AccountQuery::default()
        };
        assert_eq!(store.accounts(&query).await.unwrap().len(), 1);
    });
}

#[divan::bench]
fn drifts_of_a_month(bencher: Bencher<'_, '_>) {
    ask(bencher, async |store| {
        let query = DriftQuery {
            since: Some(began(5)),
            until: Some(began(34)),
            ..DriftQuery::default()
        };
        assert_eq!(store.drifts(&query).await.unwrap().len(), 1_800);
    });
}

#[divan::bench]
fn twenty_sweeps(bencher: Bencher<'_, '_>) {
    ask(bencher, async |store| {
        let query = SweepQuery {
            limit: Some(20),
            ..SweepQuery::default()
        };
        assert_eq!(store.sweep_list(&query).await.unwrap().len(), 20);
    });
}

#[divan::bench(sample_count = 5)]
fn differences_of_a_month(bencher: Bencher<'_, '_>) {
    ask(bencher, async |store| {
        let mut pages = (store.differences(SweepId(5), SweepId(35)).await).unwrap();
        let mut number = 0;
        while let Some(page) = pages.next().await.unwrap() {
            number += page.len();
        }
        number
    });
}
