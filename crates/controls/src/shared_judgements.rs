//! Findings of accounts that share all their evidence.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use model::{AccountId, Finding, evidence::AccountEvidence};

/// How many different kinds of shared evidence are kept. An organization has a handful: its trails,
/// looked at in one way or the other.
const KEPT: usize = 64;

/// What was judged of evidence that more accounts may share.
#[derive(Default)]
pub(crate) struct SharedJudgements {
    known: Mutex<Vec<Known>>,
}

/// The evidence, which keeps what it shares alive, so that an address is never that of something else.
struct Known {
    digest: u64,
    evidence: AccountEvidence,
    findings: Arc<[Finding]>,
}

impl fmt::Debug for SharedJudgements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedJudgements").finish_non_exhaustive()
    }
}

impl SharedJudgements {
    /// The findings for an account: those of the same evidence with the account's own id, or those
    /// that `judge` gives.
    pub(crate) fn findings(
        &self,
        account: AccountId,
        evidence: &AccountEvidence,
        judge: impl FnOnce() -> Vec<Finding>,
    ) -> Vec<Finding> {
        if !may_be_shared(account, evidence) {
            return judge();
        }
        let digest = digest(evidence);
        let known = |known: &[Known]| {
            let same = |one: &&Known| one.digest == digest && is_same(&one.evidence, evidence);
            known.iter().find(same).map(|one| Arc::clone(&one.findings))
        };
        let found = known(&self.known.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(findings) = found {
            let own = |finding: &Finding| Finding {
                account,
                ..finding.clone()
            };
            return findings.iter().map(own).collect();
        }
        let findings = judge();
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT {
            all.clear();
        }
        all.push(Known {
            digest,
            evidence: evidence.clone(),
            findings: findings.clone().into(),
        });
        findings
    }
}

/// Whether other accounts may have the same evidence: all trails belong to somebody else.
fn may_be_shared(account: AccountId, evidence: &AccountEvidence) -> bool {
    let foreign =
        |trail: &model::evidence::Trail| trail.arn.account().is_some_and(|owner| owner != account);
    let trails = evidence.trails.as_deref().unwrap_or_default();
    !trails.is_empty() && trails.iter().all(foreign)
}

/// Where the shared parts lie.
fn addresses<K, V>(parts: &BTreeMap<K, Arc<V>>) -> impl Iterator<Item = usize> {
    parts.values().map(|part| Arc::as_ptr(part).addr())
}

fn digest(evidence: &AccountEvidence) -> u64 {
    let mut hasher = DefaultHasher::new();
    for trail in evidence.trails.iter().flatten() {
        trail.arn.hash(&mut hasher);
    }
    for part in addresses(&evidence.trail_details)
        .chain(addresses(&evidence.log_groups))
        .chain(addresses(&evidence.alarms))
        .chain(addresses(&evidence.mute_rules))
        .chain(addresses(&evidence.topics))
    {
        part.hash(&mut hasher);
    }
    hasher.finish()
}

/// Whether the evidence is the very same, apart from whose it is. A part that is equal but not the
/// same one counts as another: it is then judged on its own.
fn is_same(one: &AccountEvidence, other: &AccountEvidence) -> bool {
    fn same<K, V>(one: &BTreeMap<K, Arc<V>>, other: &BTreeMap<K, Arc<V>>) -> bool {
        addresses(one).eq(addresses(other))
    }
    one.trails == other.trails
        && same(&one.trail_details, &other.trail_details)
        && same(&one.log_groups, &other.log_groups)
        && same(&one.alarms, &other.alarms)
        && same(&one.mute_rules, &other.mute_rules)
        && same(&one.topics, &other.topics)
}
