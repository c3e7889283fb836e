//! A small world to remember, for tests.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use model::{
    Account, AccountId, AccountState, ChainNode, ContentHash, DiscoveryState, Finding, Gap,
    GapClass, GapSample, Judgement, Link, NodeState, Organization, OuPath, Partition, Reason,
    SweepHeader, SweepId, SweepScope, SweepState, SweepSummary,
    evidence::{
        AccountEvidence, Delivery, EventSelectors, StorableEvidence, TrailEvidence, TrailStatus,
    },
};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::{JudgedAccount, Store, Sweeper};

/// A folder that goes away with the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) async fn sweeper(&self) -> Sweeper {
        Store::open_sweeper(self.file("store.db")).await.unwrap()
    }

    /// Names of everything in it, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A plain connection, as another program would have one.
pub(crate) async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(
        &SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true),
    )
    .await
    .unwrap()
}

pub(crate) async fn number(path: &Path, query: &'static str) -> i64 {
    let mut connection = raw(path).await;
    let number = sqlx::query_scalar(query)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    number
}

pub(crate) fn account_id(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

pub(crate) fn account(number: u64) -> Account {
    Account {
        id: account_id(number),
        name: format!("account-{number}"),
        state: AccountState::Active,
        ou_path: Some(OuPath(vec!["r-root".to_owned(), "ou-root-prod".to_owned()])),
        tags: None,
    }
}

pub(crate) fn organization(id: &str) -> Organization {
    Organization {
        id: id.to_owned(),
        management_account: account_id(1),
        partition: Partition::new("aws"),
        delegated_administrators: Ok(vec![account_id(9)]),
    }
}

pub(crate) fn noon() -> Timestamp {
    "2026-01-02T12:00:00.123456Z".parse().unwrap()
}

pub(crate) fn header() -> SweepHeader {
    SweepHeader {
        scope: SweepScope {
            controls: vec!["organizations-changes".parse().unwrap()],
            accounts: Vec::new(),
            regions: Vec::new(),
        },
        organization: Some(organization("o-aaaaaaaaaa")),
        caller: account_id(1),
        started_at: noon(),
        scanner_version: "0.1.0".to_owned(),
        configuration: None,
    }
}

pub(crate) fn summary() -> SweepSummary {
    SweepSummary {
        finished_at: noon() + SignedDuration::from_secs(42),
        state: SweepState::Finished,
        discovery: Some(DiscoveryState::Complete),
        verdicts: [(Reason::TrailAbsent.verdict(), 3)].into(),
        gaps: BTreeMap::new(),
        api_calls: 17,
    }
}

pub(crate) fn gap(request_id: &str) -> Gap {
    Gap {
        class: GapClass::AccessDenied,
        api: "cloudtrail:DescribeTrails".to_owned(),
        resource: None,
        account: Some(account_id(2)),
        region: Some("us-east-1".parse().unwrap()),
        sample: GapSample {
            message: "AccessDenied: not authorized".to_owned(),
            request_id: Some(request_id.to_owned()),
        },
    }
}

pub(crate) fn finding(number: u64, reason: Reason) -> Finding {
    Finding {
        account: account_id(number),
        control: "organizations-changes".parse().unwrap(),
        judgement: Arc::new(judgement(reason)),
    }
}

fn judgement(reason: Reason) -> Judgement {
    Judgement {
        link: Some(Link::Trail),
        node: Some(0),
        chain: vec![ChainNode {
            link: Link::Trail,
            parent: None,
            resource: "arn:aws:cloudtrail:us-east-1:000000000001:trail/org".to_owned(),
            account: Some(account_id(1)),
            region: Some("us-east-1".parse().unwrap()),
            state: NodeState::Broken,
            reason: Some(reason),
            message: reason.meaning().to_owned(),
            read: serde_json::json!({"is_logging": false}),
        }]
        .into(),
        ..Judgement::new(reason, reason.meaning())
    }
}

/// Evidence that shares the organization's trail with every other account.
pub(crate) fn evidence(number: u64, is_logging: bool) -> AccountEvidence {
    let trail: model::Arn = "arn:aws:cloudtrail:us-east-1:000000000001:trail/org"
        .parse()
        .unwrap();
    let mut evidence = AccountEvidence::of_trails(account_id(number), Vec::new());
    evidence.trail_details.insert(
        trail.clone(),
        Arc::new(TrailEvidence {
            arn: trail,
            status: Ok(TrailStatus {
                is_logging,
                delivery: Delivery::Fresh,
            }),
            selectors: Ok(EventSelectors::default()),
        }),
    );
    evidence
}

pub(crate) fn judged(number: u64, reason: Reason) -> JudgedAccount {
    JudgedAccount {
        account: account(number),
        evidence: Some(StorableEvidence::read(evidence(
            number,
            reason != Reason::TrailNotLogging,
        ))),
        findings: vec![finding(number, reason)],
        basis: None,
    }
}

/// One whole sweep.
pub(crate) async fn sweep(sweeper: &Sweeper, accounts: &[JudgedAccount]) -> SweepId {
    let sweep = sweeper.begin_sweep(&header()).await.unwrap();
    sweeper.commit(sweep, accounts, &[]).await.unwrap();
    sweeper.finish_sweep(sweep, &summary()).await.unwrap();
    sweep
}

pub(crate) fn evidence_root(number: u64) -> ContentHash {
    evidence(number, true).documents().root
}

/// One whole sweep that begins so many hours after noon.
pub(crate) async fn sweep_at(
    sweeper: &Sweeper,
    hours: i64,
    accounts: &[JudgedAccount],
    drifts: &[model::Drift],
) -> SweepId {
    let later = SignedDuration::from_hours(hours);
    let mut header = header();
    header.started_at += later;
    let sweep = sweeper.begin_sweep(&header).await.unwrap();
    sweeper.commit(sweep, accounts, drifts).await.unwrap();
    let mut summary = summary();
    summary.finished_at += later;
    sweeper.finish_sweep(sweep, &summary).await.unwrap();
    sweep
}
