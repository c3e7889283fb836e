//! A sweep: discovery, evidence, verdicts, store; the whole direction of the flow in one file.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use aws::{Api, Aws};
use controls::{Control, Judge, JudgeContext};
use discovery::{DiscoverError, Listing, ReadTags, Selection, Source};
use drift::SweepContext;
use jiff::{SignedDuration, Timestamp};
use model::{
    AccountId, Clock, ContentHash, Drift, Exception, Organization, Region, SweepHeader, SweepId,
    SweepScope, SweepState, SweepSummary, Verdict, evidence::Trail,
};
use proof::SealHash;
use scanner::{Collector, RegionScope};
use store::{JudgedAccount, OvertakenSweep, Sweeper};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    accepted::{Judged, accepted},
    account_sweep::{AccountSweep, is_open},
    commit_groups::{Commits, Committed},
    look_at_accounts::{Listed, LookAtAccounts, PAGES, list_accounts},
    metrics,
    regions_asked::RegionsAsked,
    roster::Roster,
};

/// Which regions are asked for trails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Regions {
    /// One region per account: the organization trail's home or the partition's default region,
    /// whichever answers first.
    #[default]
    Probe,
    /// These regions, in this order, until one answers.
    ProbeIn(Vec<Region>),
    /// Each of these regions.
    Each(Vec<Region>),
    /// Each region that is enabled in the account.
    All,
}

/// What to look at and how.
#[derive(Debug, Clone)]
pub struct SweepPlan {
    /// Where the account list comes from.
    pub source: Source,
    /// Which accounts are in scope.
    pub selection: Selection,
    /// Which regions are asked for trails.
    pub regions: Regions,
    /// Accounts whose alarms may be on the metrics of other accounts.
    pub monitoring_accounts: Vec<AccountId>,
    /// Whose tags are read, and remembered with the accounts.
    pub read_tags: ReadTags,
    /// By what to judge.
    pub controls: Vec<Control>,
    /// The exceptions of the configuration; `None` where there is none, which changes nothing.
    pub exceptions: Option<Vec<Exception>>,
    /// How many accounts are looked at at the same time.
    pub accounts_at_once: usize,
    /// How long an account may take. One that takes longer is looked at again when all others are
    /// done, and then is not known.
    pub account_deadline: Duration,
    /// Whether to go on with a sweep that was stopped, if it began no longer ago than this.
    pub resume_within: Option<SignedDuration>,
    /// The version that is noted with the sweep.
    pub scanner_version: String,
}

/// How far a sweep is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It has begun.
    Begun {
        /// Its number.
        sweep: SweepId,
    },
    /// More accounts are known.
    Discovered {
        /// How many are in scope so far.
        accounts: usize,
    },
    /// One more account is judged.
    Judged,
    /// A sweep that was stopped goes on.
    Resumed {
        /// Its number.
        sweep: SweepId,
        /// How many accounts were judged before.
        accounts: usize,
    },
    /// There is no sweep to go on with, so that a new one begins.
    NothingToResume {
        /// One was stopped, but another one began after it.
        overtaken: Option<OvertakenSweep>,
    },
}

/// What a sweep came to.
#[derive(Debug, Clone)]
pub struct SweepOutcome {
    /// Its number in the store.
    pub id: SweepId,
    /// What the store was told at its end.
    pub summary: SweepSummary,
    /// The organization, where one could be described.
    pub organization: Option<Organization>,
    /// The accounts that were judged.
    pub judged: BTreeSet<AccountId>,
    /// How many transactions the accounts took in the store.
    pub commits: u64,
    /// What could not be known, and what was asked that need not be, in sentences.
    pub notices: Vec<String>,
    /// How many findings are accepted by exceptions, by verdict.
    pub accepted: BTreeMap<Verdict, u64>,
    /// How many drifts were found.
    pub drifts: usize,
    /// The seal, for a sweep that came to its end.
    pub seal: Option<SealHash>,
}

/// A scope that can be swept, and its first accounts.
pub struct Discovered {
    listing: Listing,
    started_at: Timestamp,
    calls_before: u64,
}

/// The calls that assumed sessions must be allowed for a plan with these regions.
pub fn session_apis(regions: &Regions) -> Vec<Api> {
    let mut apis = scanner::SESSION_APIS.to_vec();
    apis.extend(discovery::session_apis(*regions == Regions::All));
    apis
}

/// One sweep: what it works with.
pub struct Sweep<'a> {
    /// The connection to AWS.
    pub aws: &'a Aws,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Cancelled to stop between accounts: those that are being looked at are finished, and everything
    /// that was seen by then is kept.
    pub stop: CancellationToken,
    /// Cancelled, after the other or with it, to drop what is being looked at as well.
    pub cut: CancellationToken,
    /// Told how far the sweep is.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl Sweep<'_> {
    /// Finds the organization and its first accounts. Nothing is written yet.
    pub async fn discover(&self, plan: &SweepPlan) -> Result<Discovered, DiscoverError> {
        let started_at = self.clock.now();
        let calls_before = self.aws.calls_sent();
        let listing = Listing::open(self.aws, plan.source, &plan.selection, plan.read_tags).await?;
        Ok(Discovered {
            listing,
            started_at,
            calls_before,
        })
    }

    /// Reads and judges each account, and remembers what came of it.
    ///
    /// The list of accounts is read on meanwhile. What an earlier sweep remembers is looked at
    /// without waiting for it, where ids and names decide the scope.
    pub async fn run(
        &self,
        store: &Sweeper,
        plan: &SweepPlan,
        discovered: Discovered,
    ) -> Result<SweepOutcome, store::Error> {
        let Discovered {
            listing,
            started_at,
            calls_before,
        } = discovered;
        let organization = listing.organization().cloned();
        let header = SweepHeader {
            scope: plan.scope(),
            organization: organization.clone(),
            caller: self.aws.caller(),
            started_at,
            scanner_version: plan.scanner_version.clone(),
            configuration: Some(plan.configuration()),
        };
        let (id, before, calls_noted) = self.begin(store, plan, &header).await?;
        tracing::Span::current().record("sweep.id", id.0);
        let mut roster = Roster::without(before.judged.clone());
        if listing.is_of_organization() && plan.selection.decides_from_memory() {
            let mut remembered = store.store().remembered_accounts().await?;
            // One that was closed has to show again before it is known to be open.
            remembered.retain(|account| is_open(account.state) && plan.selection.takes(account));
            roster.remember(remembered);
        }

        if let Some(exceptions) = &plan.exceptions {
            store.reconcile_exceptions(started_at, exceptions).await?;
        }
        let context = self.context(store, id, &header).await?;
        let into_store = Commits {
            store,
            context,
            started_at,
        };
        let (pages, arriving_pages) = mpsc::channel(PAGES);
        let (results, arriving_results) = mpsc::channel(plan.accounts_at_once.max(1));
        let (discovery, (is_complete, regions_notice), committed) = tokio::join!(
            list_accounts(listing, pages, &self.stop),
            self.look_at_all(plan, organization.as_ref(), roster, arriving_pages, results),
            into_store.take(arriving_results, before),
        );
        let Committed {
            judged,
            verdicts,
            gaps,
            mut drifts,
            commits,
        } = committed?;

        let mut notices = Vec::new();
        let mut state = None;
        if let Some(discovery) = discovery {
            if let Some(members) = &discovery.members {
                drifts += departures(store, &into_store.context, members, &judged).await?;
            }
            notices = discovery.notices;
            state = Some(discovery.state);
        }
        drifts += new_controls(store, &into_store.context).await?;
        let of_sweep = Judged {
            accounts: &judged,
            controls: &header.scope.controls,
        };
        let accepted = accepted(store, &into_store.context, started_at, &of_sweep).await?;
        store.record_drifts(&accepted.expired).await?;
        metrics::drifts_found(&accepted.expired);
        drifts += accepted.expired.len();
        notices.extend(accepted.notices);
        notices.extend(regions_notice);
        notices.extend(self.ambient_notice(&judged));
        let summary = SweepSummary {
            finished_at: self.clock.now(),
            state: if is_complete {
                SweepState::Finished
            } else {
                SweepState::Interrupted
            },
            discovery: state,
            verdicts,
            gaps,
            api_calls: calls_noted + self.aws.calls_sent() - calls_before,
        };
        let seal = store.finish_sweep(id, &summary).await?;
        report_line(id, &summary, judged.len(), drifts, seal);
        Ok(SweepOutcome {
            id,
            summary,
            organization,
            judged,
            commits,
            notices,
            accepted: accepted.verdicts,
            drifts,
            seal,
        })
    }

    /// What the accounts of this sweep are compared with.
    async fn context(
        &self,
        store: &Sweeper,
        sweep: SweepId,
        header: &SweepHeader,
    ) -> Result<SweepContext, store::Error> {
        let earlier = store.earlier_sweeps(sweep).await?;
        let judging = (header.scanner_version.clone(), header.configuration);
        let controls = header.scope.controls.iter();
        Ok(SweepContext {
            sweep,
            management_account: (header.organization.as_ref()).map(|it| it.management_account),
            knows_every_account: earlier.knows_every_account,
            new_controls: controls
                .filter(|control| !earlier.controls.contains(control))
                .cloned()
                .collect(),
            judging_changed: earlier.last.is_some_and(|last| last != judging),
        })
    }

    /// Begins a sweep or goes on with one that was stopped: its number, what it committed, and how
    /// many calls it took.
    async fn begin(
        &self,
        store: &Sweeper,
        plan: &SweepPlan,
        header: &SweepHeader,
    ) -> Result<(SweepId, Committed, u64), store::Error> {
        if let Some(window) = plan.resume_within {
            let not_before = header.started_at.saturating_sub(window);
            let not_before = not_before.unwrap_or(Timestamp::MIN);
            if let Some(resumed) = store.resume_sweep(header, not_before).await? {
                let (sweep, accounts) = (resumed.id, resumed.judged.len());
                (self.progress)(Progress::Resumed { sweep, accounts });
                let committed = Committed {
                    judged: resumed.judged,
                    verdicts: resumed.verdicts,
                    gaps: resumed.gaps,
                    drifts: 0,
                    commits: 0,
                };
                return Ok((sweep, committed, resumed.api_calls));
            }
            let overtaken = store.overtaken_sweep(header, not_before).await?;
            (self.progress)(Progress::NothingToResume { overtaken });
        }
        let sweep = store.begin_sweep(header).await?;
        (self.progress)(Progress::Begun { sweep });
        Ok((sweep, Committed::default(), 0))
    }

    /// Looks at every account that is remembered or listed. Whether it came to its end, and what
    /// asking several regions added.
    async fn look_at_all(
        &self,
        plan: &SweepPlan,
        organization: Option<&Organization>,
        roster: Roster<JudgedAccount>,
        pages: mpsc::Receiver<Listed>,
        judged: mpsc::Sender<JudgedAccount>,
    ) -> (bool, Option<String>) {
        let judge = Arc::new(Judge::new(plan.controls.clone()));
        let candidates = Arc::clone(&judge);
        let collector = Collector::new(
            self.aws.clone(),
            Arc::clone(&self.clock),
            Arc::new(move |filter| candidates.is_candidate(filter)),
            &plan.monitoring_accounts,
        );
        // The list of accounts goes on being read meanwhile.
        let trails = self.organization_trails(&collector, organization);
        let Some(organization_trails) = self.stop.run_until_cancelled(trails).await else {
            return (false, None);
        };
        let home = organization_trails.first().map(|trail| &trail.home_region);
        let probe = home
            .cloned()
            .unwrap_or_else(|| self.aws.partition().default_region());
        let regions_asked = RegionsAsked::beyond(probe);
        let context = JudgeContext {
            organization_trails,
        };
        let looker = AccountSweep {
            aws: self.aws,
            collector: &collector,
            regions: self.region_scope(plan, &context.organization_trails),
            all_regions: plan.regions == Regions::All,
            regions_asked: &regions_asked,
            judge: &judge,
            basis: judge.basis(&context),
            context,
            deadline: plan.account_deadline,
        };
        let look = LookAtAccounts {
            looker: &looker,
            roster,
            accounts_at_once: plan.accounts_at_once.max(1),
            stop: &self.stop,
            cut: &self.cut,
            progress: self.progress,
        };
        let is_complete = look.run(pages, judged).await;
        (is_complete, regions_asked.notice())
    }

    /// What is to be said where the account of the credentials was read without a role.
    fn ambient_notice(&self, judged: &BTreeSet<AccountId>) -> Option<String> {
        let mut judged = judged.iter();
        judged
            .any(|account| self.aws.uses_ambient_credentials(*account))
            .then(|| {
                format!(
                    "account {} is read with the ambient credentials, which no session policy can narrow",
                    self.aws.caller()
                )
            })
    }

    /// The organization's trails, as the management account shows them, or else the account of the
    /// credentials.
    async fn organization_trails(
        &self,
        collector: &Collector,
        organization: Option<&Organization>,
    ) -> Vec<Trail> {
        let Some(organization) = organization else {
            return Vec::new();
        };
        let region = self.aws.partition().default_region();
        for account in [organization.management_account, self.aws.caller()] {
            if let Ok(trails) = collector.organization_trails(account, &region).await {
                return trails;
            }
        }
        Vec::new()
    }

    fn region_scope(&self, plan: &SweepPlan, organization_trails: &[Trail]) -> RegionScope {
        match &plan.regions {
            Regions::ProbeIn(regions) => RegionScope::Probe(regions.clone()),
            Regions::Each(regions) => RegionScope::Each(regions.clone()),
            Regions::Probe | Regions::All => {
                let mut regions: Vec<Region> = organization_trails
                    .iter()
                    .map(|trail| trail.home_region.clone())
                    .collect();
                regions.push(self.aws.partition().default_region());
                let mut seen = BTreeSet::new();
                regions.retain(|region| seen.insert(region.clone()));
                RegionScope::Probe(regions)
            }
        }
    }
}

impl SweepPlan {
    /// The hash of what decides how it judges, beside the scanner's version and the scope's accounts.
    pub fn configuration(&self) -> ContentHash {
        let controls: Vec<_> = self.controls.iter().map(Control::content_hash).collect();
        ContentHash::of(&(controls, self.scope().regions, &self.monitoring_accounts))
    }

    /// What it is meant to look at, as a sweep notes it.
    pub fn scope(&self) -> SweepScope {
        SweepScope {
            controls: (self.controls.iter())
                .map(|control| control.id.clone())
                .collect(),
            accounts: self.selection.describe(),
            regions: match &self.regions {
                Regions::Probe => Vec::new(),
                Regions::All => vec!["all".to_owned()],
                Regions::ProbeIn(regions) | Regions::Each(regions) => {
                    regions.iter().map(ToString::to_string).collect()
                }
            },
        }
    }
}

/// Ends what is known of accounts that left, and notes that they did. How many.
async fn departures(
    store: &Sweeper,
    context: &SweepContext,
    members: &BTreeSet<AccountId>,
    judged: &BTreeSet<AccountId>,
) -> Result<usize, store::Error> {
    let gone = store.departed(members, judged).await?;
    if gone.is_empty() {
        return Ok(0);
    }
    let remembered = store.remembered(context.sweep, &gone).await?;
    let drifts: Vec<Drift> = (gone.iter())
        .filter_map(|account| remembered.get(account))
        .map(|account| drift::account_left(context, account))
        .collect();
    store
        .record_departures(context.sweep, &gone, &drifts)
        .await?;
    metrics::drifts_found(&drifts);
    Ok(drifts.len())
}

/// Notes controls that are judged for the first time, unless everything is. How many.
async fn new_controls(store: &Sweeper, context: &SweepContext) -> Result<usize, store::Error> {
    if !context.knows_every_account {
        return Ok(0);
    }
    let drifts: Vec<Drift> = (context.new_controls.iter())
        .map(|control| drift::control_added(context, control))
        .collect();
    store.record_drifts(&drifts).await?;
    metrics::drifts_found(&drifts);
    Ok(drifts.len())
}

fn report_line(
    id: SweepId,
    summary: &SweepSummary,
    accounts: usize,
    drifts: usize,
    seal: Option<SealHash>,
) {
    let count = |verdict| summary.verdicts.get(&verdict).copied().unwrap_or_default();
    tracing::info!(
        sweep.id = %id,
        accounts,
        pass = count(Verdict::Pass),
        fail = count(Verdict::Fail),
        unknown = count(Verdict::Unknown),
        not_applicable = count(Verdict::NotApplicable),
        api_calls = summary.api_calls,
        drifts,
        state = ?summary.state,
        // Whoever notes it can tell later whether anything before it was altered.
        seal = seal.map(tracing::field::display),
        "sweep ended",
    );
}
