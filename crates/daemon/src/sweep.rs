//! A sweep: discovery, evidence, verdicts, store; the whole direction of the flow in one file.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws::{Api, Aws};
use controls::{Control, Judge, JudgeContext};
use discovery::{DiscoverError, Discovery, Selection, Source, discover, enabled_regions};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use model::{
    Account, AccountId, AccountState, Clock, DiscoveryState, Finding, Organization, Reason, Region,
    SweepHeader, SweepId, SweepScope, SweepState, SweepSummary, Verdict,
    evidence::{AccountEvidence, Trail},
};
use scanner::{Collector, RegionScope};
use store::{JudgedAccount, Sweeper};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::commit_groups::{Committed, commit_groups};

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
    /// By what to judge.
    pub controls: Vec<Control>,
    /// How many accounts are looked at at the same time.
    pub accounts_at_once: usize,
    /// The version that is noted with the sweep.
    pub scanner_version: String,
}

/// How far a sweep is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The accounts are known.
    Discovered {
        /// How many are in scope.
        accounts: usize,
    },
    /// One more account is judged.
    Judged,
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
    /// What could not be known, in sentences.
    pub notices: Vec<String>,
}

/// The accounts of a sweep that has begun.
#[derive(Debug, Clone)]
pub struct Discovered {
    /// What exists and is in scope.
    pub discovery: Discovery,
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
    /// Cancelled to stop between accounts; what was seen by then is kept.
    pub stop: CancellationToken,
    /// Told how far the sweep is.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl Sweep<'_> {
    /// Finds the accounts in scope. Nothing is written yet.
    pub async fn discover(&self, plan: &SweepPlan) -> Result<Discovered, DiscoverError> {
        let started_at = self.clock.now();
        let calls_before = self.aws.calls_sent();
        let discovery = discover(self.aws, plan.source, &plan.selection).await?;
        Ok(Discovered {
            discovery,
            started_at,
            calls_before,
        })
    }

    /// Reads and judges each account, and remembers what came of it.
    pub async fn run(
        &self,
        store: &Sweeper,
        plan: &SweepPlan,
        discovered: Discovered,
    ) -> Result<SweepOutcome, store::Error> {
        let Discovered {
            discovery,
            started_at,
            calls_before,
        } = discovered;
        let Discovery {
            organization,
            accounts,
            state: discovery,
            mut notices,
            ..
        } = discovery;
        (self.progress)(Progress::Discovered {
            accounts: accounts.len(),
        });

        let judge = Arc::new(Judge::new(plan.controls.clone()));
        let candidates = Arc::clone(&judge);
        let collector = Collector::new(
            self.aws.clone(),
            Arc::clone(&self.clock),
            Arc::new(move |filter| candidates.is_candidate(filter)),
            &plan.monitoring_accounts,
        );
        let organization_trails = self
            .organization_trails(&collector, organization.as_ref())
            .await;
        let looker = AccountSweep {
            aws: self.aws,
            collector: &collector,
            regions: self.region_scope(plan, &organization_trails),
            all_regions: plan.regions == Regions::All,
            judge: &judge,
            context: JudgeContext {
                organization_trails,
            },
        };
        if accounts
            .iter()
            .any(|account| is_open(account.state) && self.aws.uses_ambient_credentials(account.id))
        {
            notices.push(format!(
                "account {} is read with the ambient credentials, which no session policy can narrow",
                self.aws.caller()
            ));
        }

        let header = SweepHeader {
            scope: scope(plan),
            organization: organization.clone(),
            caller: self.aws.caller(),
            started_at,
            scanner_version: plan.scanner_version.clone(),
        };
        let id = store.begin_sweep(&header).await?;
        let (results, arriving) = mpsc::channel(plan.accounts_at_once.max(1));
        let commits = commit_groups(store, id, arriving);
        let (committed, complete) =
            tokio::join!(commits, self.look_at_all(&looker, &accounts, plan, results));
        let Committed { judged, verdicts } = committed?;

        let state = if complete {
            SweepState::Finished
        } else {
            SweepState::Interrupted
        };
        let summary = self.summary(state, discovery, verdicts, calls_before);
        store.finish_sweep(id, &summary).await?;
        report_line(id, &summary, accounts.len());
        Ok(SweepOutcome {
            id,
            summary,
            organization,
            judged,
            notices,
        })
    }

    fn summary(
        &self,
        state: SweepState,
        discovery: DiscoveryState,
        verdicts: BTreeMap<Verdict, u64>,
        calls_before: u64,
    ) -> SweepSummary {
        let api_calls = self.aws.calls_sent() - calls_before;
        SweepSummary {
            finished_at: self.clock.now(),
            state,
            discovery,
            verdicts,
            api_calls,
        }
    }

    /// Looks at every account, and once more at those whose evidence is missing for a passing
    /// reason. Whether the sweep came to its end.
    async fn look_at_all(
        &self,
        looker: &AccountSweep<'_>,
        accounts: &[Account],
        plan: &SweepPlan,
        judged: mpsc::Sender<JudgedAccount>,
    ) -> bool {
        let later = self
            .look_at(
                looker,
                accounts.iter().collect(),
                plan,
                &judged,
                Attempt::First,
            )
            .await;
        if !later.is_empty() && !self.stop.is_cancelled() {
            looker.collector.forget_passing_failures();
            self.look_at(looker, later, plan, &judged, Attempt::Last)
                .await;
        }
        !self.stop.is_cancelled()
    }

    /// Looks at these accounts, several at once; gives back those that are to be looked at again.
    async fn look_at<'a>(
        &self,
        looker: &AccountSweep<'_>,
        accounts: Vec<&'a Account>,
        plan: &SweepPlan,
        judged: &mpsc::Sender<JudgedAccount>,
        attempt: Attempt,
    ) -> Vec<&'a Account> {
        let wanted = stream::iter(accounts).take_while(|_| {
            // The receiver only goes away when the store failed.
            let go_on = !self.stop.is_cancelled() && !judged.is_closed();
            async move { go_on }
        });
        wanted
            .map(|account| async move {
                let span = tracing::info_span!("sweep.account", account.id = %account.id);
                let look = looker.look(account, attempt).instrument(span);
                let result = self.stop.run_until_cancelled(look).await?;
                let Some(result) = result else {
                    return Some(account);
                };
                if judged.send(result).await.is_ok() {
                    (self.progress)(Progress::Judged);
                }
                None
            })
            .buffer_unordered(plan.accounts_at_once.max(1))
            .filter_map(|later| async move { later })
            .collect()
            .await
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

/// Whether roles can be assumed in an account of this state; one that is new to us may be such.
fn is_open(state: AccountState) -> bool {
    matches!(state, AccountState::Active | AccountState::Unknown)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// What failed for a passing reason is looked at again.
    First,
    /// What failed is judged as it is.
    Last,
}

/// What looking at one account takes.
struct AccountSweep<'a> {
    aws: &'a Aws,
    collector: &'a Collector,
    regions: RegionScope,
    all_regions: bool,
    judge: &'a Judge,
    context: JudgeContext,
}

impl AccountSweep<'_> {
    /// Reads and judges one account; `None` if it is to be looked at again.
    async fn look(&self, account: &Account, attempt: Attempt) -> Option<JudgedAccount> {
        if !is_open(account.state) {
            return Some(self.judged(account, None));
        }
        let (regions, region_gap) = self.regions_of(account).await;
        let mut evidence = self.collector.collect(account.id, &regions).await;
        evidence.other_gaps.extend(region_gap);
        let mut result = self.judged(account, Some(&evidence));
        // What is looked up by metric misses metric math, composite alarms, near misses and other
        // accounts: before a FAIL is said, everything is looked at.
        let look_closer = |finding: &Finding| {
            finding.verdict() == Verdict::Fail || finding.reason == Reason::AlarmUndecided
        };
        if result.findings.iter().any(look_closer) {
            evidence = self.collector.look_closer(evidence).await;
            result = self.judged(account, Some(&evidence));
        }
        let passing = evidence.gaps().iter().any(|gap| gap.class.is_passing());
        (attempt == Attempt::Last || !passing).then_some(result)
    }

    fn judged(&self, account: &Account, evidence: Option<&AccountEvidence>) -> JudgedAccount {
        JudgedAccount {
            account: account.clone(),
            evidence: evidence.map(AccountEvidence::documents),
            findings: self.judge.findings(&self.context, account, evidence),
        }
    }

    /// The regions to ask; where the list of enabled ones cannot be had, the probe regions do.
    async fn regions_of(&self, account: &Account) -> (RegionScope, Option<model::Gap>) {
        if !self.all_regions {
            return (self.regions.clone(), None);
        }
        match enabled_regions(self.aws, account.id).await {
            Ok(regions) => (RegionScope::Each(regions), None),
            Err(error) => (self.regions.clone(), Some(error.into())),
        }
    }
}

fn scope(plan: &SweepPlan) -> SweepScope {
    SweepScope {
        controls: plan
            .controls
            .iter()
            .map(|control| control.id.clone())
            .collect(),
        accounts: plan.selection.describe(),
        regions: match &plan.regions {
            Regions::Probe => Vec::new(),
            Regions::All => vec!["all".to_owned()],
            Regions::ProbeIn(regions) | Regions::Each(regions) => {
                regions.iter().map(ToString::to_string).collect()
            }
        },
    }
}

fn report_line(id: SweepId, summary: &SweepSummary, accounts: usize) {
    let count = |verdict| summary.verdicts.get(&verdict).copied().unwrap_or_default();
    tracing::info!(
        sweep.id = %id,
        accounts,
        pass = count(Verdict::Pass),
        fail = count(Verdict::Fail),
        unknown = count(Verdict::Unknown),
        not_applicable = count(Verdict::NotApplicable),
        api_calls = summary.api_calls,
        state = ?summary.state,
        "sweep ended",
    );
}
