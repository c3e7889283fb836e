//! Sweeps, by the steps of `daemon/sweep.rs` and `daemon/commit_groups.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::{Duration, Instant},
};

use drift::{AccountNow, FlapRule, SweepContext};
use jiff::{SignedDuration, Timestamp};
use model::{
    AccountId, Clock, ControlId, DiscoveryState, Drift, DriftKind, FixedClock, GapClass,
    Organization, Partition, SweepHeader, SweepId, SweepScope, SweepState, SweepSummary, Verdict,
    evidence::StorableEvidence,
};
use store::{DriftQuery, JudgedAccount, Store, Sweeper};

use crate::{Outcome, measures, world::World};

const GROUP: usize = 100;

pub(crate) struct Sweeps {
    store: Sweeper,
    clock: FixedClock,
    controls: Vec<ControlId>,
    last: SweepId,
}

/// What a sweep took.
pub(crate) struct Swept {
    /// The time in which the store was asked or told something.
    pub(crate) store: Duration,
    /// The CPU time of all but making up what was found, in seconds.
    pub(crate) cpu: f64,
    pub(crate) drifts: usize,
}

/// Adds up what the calls of the store take.
#[derive(Default)]
struct Stopwatch(Duration);

impl Stopwatch {
    async fn time<T>(&mut self, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = work.await;
        self.0 += begun.elapsed();
        done
    }
}

impl Sweeps {
    pub(crate) async fn open(path: &Path, controls: Vec<ControlId>) -> Outcome<Self> {
        Ok(Self {
            store: Store::open_sweeper(path).await?,
            clock: FixedClock::new("2026-01-01T00:00:00Z".parse()?),
            controls,
            last: SweepId(0),
        })
    }

    /// Goes on where another process ended.
    pub(crate) fn go_on(&mut self, last: SweepId, now: Timestamp) {
        self.clock = FixedClock::new(now);
        self.last = last;
    }

    pub(crate) fn last(&self) -> SweepId {
        self.last
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn close(self) -> Outcome<()> {
        Ok(self.store.close().await?)
    }

    /// One sweep, an hour after the one before.
    pub(crate) async fn sweep(&mut self, world: &World) -> Outcome<Swept> {
        self.clock.advance(SignedDuration::from_hours(1));
        let mut watch = Stopwatch::default();
        let (cpu, mut made_up) = (measures::cpu()?, 0.0);
        let header = self.header()?;
        let store = &self.store;
        let sweep = watch.time(store.begin_sweep(&header)).await?;
        watch.time(store.store().remembered_accounts()).await?;
        let earlier = watch.time(store.earlier_sweeps(sweep)).await?;
        let judging = (header.scanner_version.clone(), header.configuration);
        let controls = header.scope.controls.iter();
        let context = SweepContext {
            sweep,
            management_account: (header.organization.as_ref()).map(|it| it.management_account),
            knows_every_account: earlier.knows_every_account,
            new_controls: controls
                .filter(|control| !earlier.controls.contains(control))
                .cloned()
                .collect(),
            judging_changed: earlier.last.is_some_and(|last| last != judging),
        };

        let mut drifts = 0;
        let mut judged: BTreeSet<AccountId> = BTreeSet::new();
        let mut verdicts: BTreeMap<Verdict, u64> = BTreeMap::new();
        let mut gaps: BTreeMap<GapClass, u64> = BTreeMap::new();
        let mut found = world.found(sweep);
        loop {
            let before = measures::cpu()?;
            let group: Vec<JudgedAccount> = found.by_ref().take(GROUP).collect();
            made_up += measures::cpu()? - before;
            if group.is_empty() {
                break;
            }
            let found = self.drifts(&context, &group, &mut watch).await?;
            watch.time(store.commit(sweep, &group, &found)).await?;
            drifts += found.len();
            for account in &group {
                judged.insert(account.account.id);
                for finding in &account.findings {
                    *verdicts.entry(finding.verdict()).or_default() += 1;
                    for gap in &finding.gaps {
                        *gaps.entry(gap.class).or_default() += 1;
                    }
                }
            }
        }

        let gone = watch.time(store.departed(&world.ids(), &judged)).await?;
        if !gone.is_empty() {
            let remembered = watch.time(store.remembered(sweep, &gone)).await?;
            let left: Vec<Drift> = (gone.iter())
                .filter_map(|account| remembered.get(account))
                .map(|account| drift::account_left(&context, account))
                .collect();
            watch
                .time(store.record_departures(sweep, &gone, &left))
                .await?;
            drifts += left.len();
        }
        let summary = SweepSummary {
            finished_at: self.clock.now() + SignedDuration::from_secs(90),
            state: SweepState::Finished,
            discovery: Some(DiscoveryState::Complete),
            verdicts,
            gaps,
            api_calls: 24_510,
        };
        watch.time(store.finish_sweep(sweep, &summary)).await?;
        self.last = sweep;
        Ok(Swept {
            store: watch.0,
            cpu: measures::cpu()? - cpu - made_up,
            drifts,
        })
    }

    async fn drifts(
        &self,
        context: &SweepContext,
        group: &[JudgedAccount],
        watch: &mut Stopwatch,
    ) -> Outcome<Vec<Drift>> {
        let changed = watch.time(self.store.changed(context.sweep, group)).await?;
        let mut drifts = Vec::new();
        for judged in group {
            let Some(remembered) = changed.get(&judged.account.id) else {
                continue;
            };
            let now = AccountNow {
                account: &judged.account,
                findings: &judged.findings,
                evidence: judged.evidence.as_ref().map(StorableEvidence::root),
            };
            for drift in drift::compare(context, remembered.as_ref(), now) {
                drifts.push(watch.time(self.damp(drift)).await?);
            }
        }
        Ok(drifts)
    }

    async fn damp(&self, drift: Drift) -> Outcome<Drift> {
        if drift.kind != DriftKind::VerdictChanged {
            return Ok(drift);
        }
        let rule = FlapRule::default();
        let now = self.clock.now();
        let earlier = DriftQuery {
            account: drift.account,
            control: drift.control.clone(),
            kind: Some(drift.kind),
            since: now.saturating_sub(rule.within).ok(),
            ..DriftQuery::default()
        };
        let earlier = self.store.store().drifts(&earlier).await?;
        let mut times: Vec<Timestamp> = earlier.iter().map(|row| row.seen_at).collect();
        times.push(now);
        let flaps = drift::is_flapping(&rule, now, &times);
        Ok(if flaps { drift::damped(drift) } else { drift })
    }

    fn header(&self) -> Outcome<SweepHeader> {
        let owner = World::owner()?;
        Ok(SweepHeader {
            scope: SweepScope {
                controls: self.controls.clone(),
                accounts: Vec::new(),
                regions: Vec::new(),
            },
            organization: Some(Organization {
                id: "o-exampleorgid".to_owned(),
                management_account: owner,
                partition: Partition::new("aws"),
                delegated_administrators: Ok(Vec::new()),
            }),
            caller: owner,
            started_at: self.clock.now(),
            scanner_version: "0.1.0".to_owned(),
            configuration: Some(model::ContentHash::of("year")),
        })
    }
}
