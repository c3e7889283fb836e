//! Evidence on its way into a store.

use std::sync::{Arc, OnceLock};

use super::{AccountEvidence, EvidenceDocuments};
use crate::{ContentHash, Fingerprint};

/// Evidence that is written out as documents when somebody needs them: for an account that is as it
/// was, nobody does.
#[derive(Debug, Clone)]
pub struct StorableEvidence {
    read: Option<Arc<AccountEvidence>>,
    documents: OnceLock<Arc<EvidenceDocuments>>,
    fingerprint: OnceLock<Fingerprint>,
}

impl StorableEvidence {
    /// Evidence that was not written out yet.
    pub fn read(evidence: AccountEvidence) -> Self {
        Self {
            read: Some(Arc::new(evidence)),
            documents: OnceLock::new(),
            fingerprint: OnceLock::new(),
        }
    }

    /// The documents.
    pub fn documents(&self) -> &Arc<EvidenceDocuments> {
        self.documents.get_or_init(|| {
            let documents = self.read.as_ref().map(|evidence| evidence.documents());
            Arc::new(documents.unwrap_or_default())
        })
    }

    /// The hash of everything that was read.
    pub fn root(&self) -> ContentHash {
        self.documents().root
    }

    /// What tells this evidence from other evidence. Evidence that was written out when it was made
    /// and the same that was not need not meet in it.
    pub fn fingerprint(&self) -> Fingerprint {
        *(self.fingerprint).get_or_init(|| match &self.read {
            None => Fingerprint::of(&self.root()),
            Some(evidence) => {
                // Whose evidence it is does not count, as in the documents.
                let AccountEvidence {
                    account: _,
                    trails,
                    other_gaps,
                    trail_details,
                    log_groups,
                    alarms,
                    mute_rules,
                    topics,
                    event_rules,
                } = &**evidence;
                let chain = (trail_details, log_groups, alarms, mute_rules, topics);
                Fingerprint::of(&(trails, other_gaps, chain, event_rules))
            }
        })
    }
}

impl From<Arc<EvidenceDocuments>> for StorableEvidence {
    fn from(documents: Arc<EvidenceDocuments>) -> Self {
        Self {
            read: None,
            documents: documents.into(),
            fingerprint: OnceLock::new(),
        }
    }
}

impl PartialEq for StorableEvidence {
    fn eq(&self, other: &Self) -> bool {
        self.documents() == other.documents()
    }
}
