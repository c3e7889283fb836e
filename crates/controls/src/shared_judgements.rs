//! What is made of evidence that accounts share: judgements, and the documents that are stored.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use model::{
    AccountId, Judgement,
    evidence::{AccountEvidence, EvidenceDocuments},
};

/// How many different kinds of shared evidence are kept. An organization has a handful: its trails,
/// looked at in one way or the other.
const KEPT: usize = 64;

/// What was made of evidence that more accounts may share.
#[derive(Default)]
pub(crate) struct SharedJudgements {
    known: Mutex<Vec<Arc<Known>>>,
}

/// The evidence, which keeps what it shares alive, so that an address is never that of something else.
struct Known {
    digest: u64,
    evidence: AccountEvidence,
    judgements: OnceLock<Arc<[Arc<Judgement>]>>,
    documents: OnceLock<Arc<EvidenceDocuments>>,
}

impl fmt::Debug for SharedJudgements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedJudgements").finish_non_exhaustive()
    }
}

impl SharedJudgements {
    /// What was judged of the same evidence, or what `judge` says.
    pub(crate) fn judgements(
        &self,
        account: AccountId,
        evidence: &AccountEvidence,
        judge: impl FnOnce() -> Arc<[Arc<Judgement>]>,
    ) -> Arc<[Arc<Judgement>]> {
        if !may_be_shared(account, evidence) {
            return judge();
        }
        let known = self.known(evidence);
        Arc::clone(known.judgements.get_or_init(judge))
    }

    /// The same evidence as it was written out, or now is; `None` for what is not shared.
    pub(crate) fn documents(&self, evidence: &AccountEvidence) -> Option<Arc<EvidenceDocuments>> {
        let has_own = !evidence.other_gaps.is_empty() || !evidence.event_rules.is_empty();
        if has_own || !may_be_shared(evidence.account, evidence) {
            return None;
        }
        let known = self.known(evidence);
        let documents = (known.documents).get_or_init(|| Arc::new(evidence.documents()));
        Some(Arc::clone(documents))
    }

    fn known(&self, evidence: &AccountEvidence) -> Arc<Known> {
        let digest = digest(evidence);
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &&Arc<Known>| one.digest == digest && is_same(&one.evidence, evidence);
        if let Some(known) = all.iter().find(same) {
            return Arc::clone(known);
        }
        if all.len() >= KEPT {
            all.clear();
        }
        let known = Arc::new(Known {
            digest,
            evidence: AccountEvidence {
                other_gaps: Vec::new(),
                event_rules: BTreeMap::new(),
                ..evidence.clone()
            },
            judgements: OnceLock::new(),
            documents: OnceLock::new(),
        });
        all.push(Arc::clone(&known));
        known
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
