//! What the store remembers of the last sweeps, as far as it decides when the next one begins and what is
//! looked at again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::{AccountId, DiscoveryState, SweepId, SweepScope, SweepState, Verdict};
use store::{DriftQuery, FindingQuery, Store, SweepRow};

use crate::{
    SweepPlan,
    recheck::{Found, Looked},
    schedule::{Before, Failed},
};

/// How many sweeps after the last one of the whole scope are looked through. Where somebody asked for more
/// than this, the earlier ones are passed over.
const MOST_SWEEPS: u32 = 200;

/// The last sweeps, seen from a plan for the whole scope.
#[derive(Debug, Default)]
pub(crate) struct KnownSweeps {
    /// What decides when the next one begins.
    pub(crate) before: Before,
    /// The last finished one of the whole scope and those after it, in their order; empty where there
    /// is none.
    pub(crate) looked: Vec<Looked>,
    /// The management account, where it is known.
    pub(crate) management: Option<AccountId>,
    /// When the last one of the whole scope ended.
    pub(crate) finished_at: Option<Timestamp>,
}

impl KnownSweeps {
    /// Reads them. Sweeps that another version made, or other rules, count for nothing: what they judged
    /// has to be judged anew.
    pub(crate) async fn of(
        store: &Store,
        plan: &SweepPlan,
        now: Timestamp,
    ) -> Result<Self, store::Error> {
        let scope = plan.scope();
        let Some(whole) = store.last_finished_sweep(&scope).await? else {
            return Ok(Self {
                before: Before {
                    is_unfinished: is_unfinished(store.latest_sweep().await?.as_ref(), plan, now),
                    ..Before::default()
                },
                ..Self::default()
            });
        };
        let management = (whole.organization.as_ref()).map(|it| it.management_account);
        let is_by_same_rules = whole.scanner_version == plan.scanner_version
            && whole.configuration == Some(plan.configuration());
        let mut sweeps = store.sweeps(Some(MOST_SWEEPS)).await?;
        let before = Before {
            finished: is_by_same_rules.then_some(whole.started_at),
            is_unfinished: is_unfinished(sweeps.first(), plan, now),
            failed: ended_early(&whole).map(|at| Failed::again(None, at)),
        };
        let finished_at = whole.finished_at;
        sweeps.retain(|sweep| sweep.id >= whole.id);
        if !sweeps.iter().any(|sweep| sweep.id == whole.id) {
            sweeps.push(whole);
        }
        sweeps.reverse();
        Ok(Self {
            before,
            looked: looked(store, &sweeps).await?,
            management,
            finished_at,
        })
    }
}

/// When a sweep ended that could not read the whole account list, for a reason that passes.
pub(crate) fn ended_early(sweep: &SweepRow) -> Option<Timestamp> {
    match &sweep.discovery {
        Some(DiscoveryState::Incomplete { gap }) if gap.class.is_passing() => sweep.finished_at,
        _ => None,
    }
}

/// Whether the latest sweep can be gone on with: the store decides by the same.
fn is_unfinished(latest: Option<&SweepRow>, plan: &SweepPlan, now: Timestamp) -> bool {
    let (Some(latest), Some(within)) = (latest, plan.resume_within) else {
        return false;
    };
    matches!(latest.state, SweepState::Running | SweepState::Interrupted)
        && latest.scope == plan.scope()
        && latest.scanner_version == plan.scanner_version
        && now.duration_since(latest.started_at) <= within
}

async fn looked(store: &Store, sweeps: &[SweepRow]) -> Result<Vec<Looked>, store::Error> {
    let Some(first) = sweeps.first() else {
        return Ok(Vec::new());
    };
    let mut looked: BTreeMap<SweepId, Looked> = (sweeps.iter().enumerate())
        .filter_map(|(place, sweep)| {
            let is_part = place > 0 && sweep.state == SweepState::Finished;
            let looked = Looked {
                ended_at: sweep.finished_at?,
                at: if is_part {
                    named(&sweep.scope)
                } else {
                    BTreeSet::new()
                },
                troubles: BTreeMap::new(),
            };
            Some((sweep.id, looked))
        })
        .collect();
    let drifts = DriftQuery {
        from_sweep: Some(first.id),
        ..DriftQuery::default()
    };
    let mut pages = store.drift_pages(&drifts).await?;
    while let Some(page) = pages.next().await? {
        for row in page {
            let drift = row.drift;
            if let Some(account) = drift.account
                && let Some(found) = Found::by(drift.kind)
                && let Some(sweep) = looked.get_mut(&drift.between.seen)
            {
                let cause = (found, drift.cause);
                let known = sweep
                    .troubles
                    .entry(account)
                    .or_insert_with(|| cause.clone());
                // What changed comes before what cannot be seen.
                *known = cause.min(known.clone());
            }
        }
    }
    let unknown = FindingQuery {
        verdict: Some(Verdict::Unknown),
        since: Some(first.started_at),
        without_chains: true,
        ..FindingQuery::default()
    };
    let mut pages = store.finding_pages(&unknown).await?;
    while let Some(page) = pages.next().await? {
        for row in page {
            if let Some(sweep) = looked.get_mut(&row.since_sweep) {
                let finding = &row.finding;
                (sweep.troubles.entry(finding.account))
                    .or_insert_with(|| (Found::Unknown, finding.reason.to_string()));
            }
        }
    }
    Ok(looked.into_values().collect())
}

/// The accounts that a sweep of a part was made for.
fn named(scope: &SweepScope) -> BTreeSet<AccountId> {
    (scope.accounts.iter())
        .filter_map(|selector| selector.strip_prefix('&')?.parse().ok())
        .collect()
}
