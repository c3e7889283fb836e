//! A world for tests of what comes after a sweep: accounts under one organization trail, judged as a test
//! says, compared and committed as a sweep does, in a store on disk and by a clock that is moved.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use drift::SweepContext;
use jiff::{SignedDuration, Timestamp};
use model::{
    Account, AccountId, AccountState, Arn, ChainNode, Clock as _, CoveredBy, DiscoveryState,
    Finding, FixedClock, Gap, GapClass, GapSample, Judgement, Link, NodeState, Organization,
    OuPath, Partition, Reason, SweepHeader, SweepId, SweepScope, SweepState, SweepSummary, Verdict,
    evidence::{
        AccountEvidence, Delivery, EventSelectors, StorableEvidence, TrailEvidence, TrailStatus,
    },
};
use store::{JudgedAccount, Store, Sweeper};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::commit_groups::{Commits, Committed};

pub(crate) const ORGANIZATION: &str = "organizations-changes";
pub(crate) const ROOT: &str = "root-usage";

const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:000000000001:trail/org";

pub(crate) struct SmallWorld {
    pub(crate) folder: TempDir,
    pub(crate) store: Sweeper,
    pub(crate) clock: Arc<FixedClock>,
}

pub(crate) fn account_id(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

impl SmallWorld {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sweeper(folder.path().join("store.db"))
            .await
            .unwrap();
        let noon: Timestamp = "2026-01-02T12:00:00Z".parse().unwrap();
        Self {
            folder,
            store,
            clock: Arc::new(FixedClock::new(noon)),
        }
    }

    /// The same store, as another process finds it.
    pub(crate) async fn reopened(self) -> Self {
        let Self {
            folder,
            store,
            clock,
        } = self;
        store.close().await.unwrap();
        let store = Store::open_sweeper(folder.path().join("store.db"))
            .await
            .unwrap();
        Self {
            folder,
            store,
            clock,
        }
    }

    pub(crate) fn later(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    /// A whole sweep of so many accounts, which takes ten seconds.
    pub(crate) async fn sweep(
        &self,
        accounts: u64,
        controls: &[&str],
        reason: impl Fn(u64, &str) -> Reason,
    ) -> SweepId {
        let sweep = self.begin(controls).await;
        self.commit(sweep, 1..=accounts, controls, reason).await;
        self.finish(sweep).await;
        sweep
    }

    pub(crate) async fn begin(&self, controls: &[&str]) -> SweepId {
        let header = SweepHeader {
            scope: SweepScope {
                controls: controls.iter().map(|it| it.parse().unwrap()).collect(),
                accounts: Vec::new(),
                regions: Vec::new(),
            },
            organization: Some(Organization {
                id: "o-aaaaaaaaaa".to_owned(),
                management_account: account_id(1),
                partition: Partition::new("aws"),
                delegated_administrators: Ok(Vec::new()),
            }),
            caller: account_id(1),
            started_at: self.clock.now(),
            scanner_version: "0.1.0".to_owned(),
            configuration: None,
        };
        self.store.begin_sweep(&header).await.unwrap()
    }

    pub(crate) async fn commit(
        &self,
        sweep: SweepId,
        accounts: impl IntoIterator<Item = u64>,
        controls: &[&str],
        reason: impl Fn(u64, &str) -> Reason,
    ) {
        let earlier = self.store.earlier_sweeps(sweep).await.unwrap();
        let new_controls: BTreeSet<_> = (controls.iter().map(|it| it.parse().unwrap()))
            .filter(|control| !earlier.controls.contains(control))
            .collect();
        let commits = Commits {
            store: &self.store,
            context: SweepContext {
                sweep,
                management_account: Some(account_id(1)),
                knows_every_account: earlier.knows_every_account,
                new_controls,
                judging_changed: false,
            },
            started_at: self
                .store
                .store()
                .sweep(sweep)
                .await
                .unwrap()
                .unwrap()
                .started_at,
        };
        let (judged, arriving) = mpsc::channel(64);
        let send = async {
            for number in accounts {
                let reasons = controls
                    .iter()
                    .map(|control| (*control, reason(number, control)));
                judged
                    .send(judged_account(number, reasons.collect()))
                    .await
                    .unwrap();
            }
            drop(judged);
        };
        let (committed, ()) = tokio::join!(commits.take(arriving, Committed::default()), send);
        committed.unwrap();
    }

    pub(crate) async fn finish(&self, sweep: SweepId) {
        self.later(SignedDuration::from_secs(10));
        let summary = SweepSummary {
            finished_at: self.clock.now(),
            state: SweepState::Finished,
            discovery: Some(DiscoveryState::Complete),
            verdicts: BTreeMap::new(),
            gaps: BTreeMap::new(),
            api_calls: 0,
        };
        self.store.finish_sweep(sweep, &summary).await.unwrap();
    }
}

fn judged_account(number: u64, reasons: Vec<(&str, Reason)>) -> JudgedAccount {
    let trail: Arn = TRAIL.parse().unwrap();
    let is_logging = (reasons.iter()).all(|(_, reason)| *reason != Reason::TrailNotLogging);
    let is_seen = (reasons.iter()).all(|(_, reason)| reason.verdict() != Verdict::Unknown);
    let mut evidence = AccountEvidence::of_trails(account_id(number), Vec::new());
    evidence.trail_details.insert(
        trail.clone(),
        Arc::new(TrailEvidence {
            arn: trail,
            status: if is_seen {
                Ok(TrailStatus {
                    is_logging,
                    delivery: Delivery::Fresh,
                })
            } else {
                Err(gap(number))
            },
            selectors: Ok(EventSelectors::default()),
        }),
    );
    JudgedAccount {
        account: Account {
            id: account_id(number),
            name: format!("account-{number}"),
            state: AccountState::Active,
            ou_path: Some(OuPath(vec![
                "r-root".to_owned(),
                format!("ou-root-{}", number % 2),
            ])),
            tags: None,
        },
        evidence: Some(StorableEvidence::read(evidence)),
        findings: (reasons.into_iter())
            .map(|(control, reason)| Finding {
                account: account_id(number),
                control: control.parse().unwrap(),
                judgement: Arc::new(judgement(number, reason)),
            })
            .collect(),
        basis: None,
    }
}

fn judgement(number: u64, reason: Reason) -> Judgement {
    let verdict = reason.verdict();
    let state = match verdict {
        Verdict::Pass | Verdict::NotApplicable => NodeState::Holds,
        Verdict::Fail => NodeState::Broken,
        Verdict::Unknown => NodeState::Unknown,
    };
    let read = match verdict {
        Verdict::Unknown => serde_json::Value::Null,
        _ => serde_json::json!({"status": {"is_logging": reason != Reason::TrailNotLogging}}),
    };
    let is_broken = !matches!(verdict, Verdict::Pass | Verdict::NotApplicable);
    Judgement {
        link: is_broken.then_some(Link::Trail),
        node: is_broken.then_some(0),
        covered_by: (verdict == Verdict::Pass).then(|| CoveredBy {
            trail: TRAIL.parse().unwrap(),
            account: account_id(1),
            is_organization_trail: true,
        }),
        gaps: Vec::from_iter((verdict == Verdict::Unknown).then(|| gap(number))),
        chain: vec![ChainNode {
            link: Link::Trail,
            parent: None,
            resource: TRAIL.to_owned(),
            account: Some(account_id(1)),
            region: Some("us-east-1".parse().unwrap()),
            state,
            reason: is_broken.then_some(reason),
            message: String::new(),
            read,
        }]
        .into(),
        ..Judgement::new(reason, reason.meaning())
    }
}

fn gap(number: u64) -> Gap {
    Gap {
        class: GapClass::AccessDenied,
        api: "cloudtrail:GetTrailStatus".to_owned(),
        resource: None,
        account: Some(account_id(number)),
        region: Some("us-east-1".parse().unwrap()),
        sample: GapSample::default(),
    }
}
