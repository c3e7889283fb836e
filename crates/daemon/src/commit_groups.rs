//! Results go into the store in small groups, soon after they arrive, with what is not as it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use drift::{AccountNow, FlapRule, SweepContext};
use jiff::Timestamp;
use model::{AccountId, Drift, DriftKind, GapClass, Verdict, evidence::StorableEvidence};
use store::{DriftQuery, JudgedAccount, Sweeper};
use tokio::sync::mpsc::Receiver;

use crate::metrics;

/// A group is committed when it has this many accounts,
const GROUP: usize = 100;
/// or when its first account has waited this long: a crash costs no more than this.
const WAIT: Duration = Duration::from_millis(300);

/// What was committed.
#[derive(Default)]
pub(crate) struct Committed {
    pub(crate) judged: BTreeSet<AccountId>,
    pub(crate) verdicts: BTreeMap<Verdict, u64>,
    pub(crate) gaps: BTreeMap<GapClass, u64>,
    /// How many drifts were found since the sweep began or was resumed.
    pub(crate) drifts: usize,
    /// How many transactions this process took for it.
    pub(crate) commits: u64,
}

/// Where results go, and what they are compared with.
pub(crate) struct Commits<'a> {
    pub(crate) store: &'a Sweeper,
    pub(crate) context: SweepContext,
    /// When the sweep began.
    pub(crate) started_at: Timestamp,
}

impl Commits<'_> {
    /// Commits what arrives until the senders are gone, and counts the verdicts, on top of what was
    /// committed before.
    pub(crate) async fn take(
        &self,
        mut judged: Receiver<JudgedAccount>,
        mut committed: Committed,
    ) -> Result<Committed, store::Error> {
        while let Some(first) = judged.recv().await {
            let mut group = vec![first];
            let deadline = tokio::time::Instant::now() + WAIT;
            while group.len() < GROUP {
                match tokio::time::timeout_at(deadline, judged.recv()).await {
                    Ok(Some(account)) => group.push(account),
                    Ok(None) | Err(_) => break,
                }
            }
            let drifts = self.drifts(&group).await?;
            self.store
                .commit(self.context.sweep, &group, &drifts)
                .await?;
            metrics::drifts_found(&drifts);
            committed.commits += 1;
            committed.drifts += drifts.len();
            for account in &group {
                committed.judged.insert(account.account.id);
                for finding in &account.findings {
                    *committed.verdicts.entry(finding.verdict()).or_default() += 1;
                    for gap in &finding.gaps {
                        *committed.gaps.entry(gap.class).or_default() += 1;
                    }
                }
            }
        }
        Ok(committed)
    }

    /// What is not as it was last known in these accounts.
    async fn drifts(&self, group: &[JudgedAccount]) -> Result<Vec<Drift>, store::Error> {
        let changed = self.store.changed(self.context.sweep, group).await?;
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
            for drift in drift::compare(&self.context, remembered.as_ref(), now) {
                drifts.push(self.damp(drift).await?);
            }
        }
        Ok(drifts)
    }

    /// Says a drift in a low voice where the answer goes to and fro.
    async fn damp(&self, drift: Drift) -> Result<Drift, store::Error> {
        if drift.kind != DriftKind::VerdictChanged {
            return Ok(drift);
        }
        let rule = FlapRule::default();
        let since = self.started_at.saturating_sub(rule.within);
        let earlier = DriftQuery {
            account: drift.account,
            control: drift.control.clone(),
            kind: Some(drift.kind),
            since: since.ok(),
            ..DriftQuery::default()
        };
        let earlier = self.store.store().drifts(&earlier).await?;
        let mut times: Vec<Timestamp> = earlier.iter().map(|row| row.seen_at).collect();
        times.push(self.started_at);
        let flaps = drift::is_flapping(&rule, self.started_at, &times);
        Ok(if flaps { drift::damped(drift) } else { drift })
    }
}
