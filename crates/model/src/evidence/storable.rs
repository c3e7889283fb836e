//! Evidence on its way into a store.

use std::{
    hash::Hasher,
    io,
    sync::{Arc, OnceLock},
};

use serde::Serialize;

use super::{AccountEvidence, EvidenceDocuments};
use crate::ContentHash;

/// Evidence that is written out as documents when somebody needs them: for an account that is as it
/// was, nobody does.
#[derive(Debug, Clone)]
pub struct StorableEvidence {
    read: Option<Arc<AccountEvidence>>,
    documents: OnceLock<Arc<EvidenceDocuments>>,
}

impl StorableEvidence {
    /// Evidence that was not written out yet.
    pub fn read(evidence: AccountEvidence) -> Self {
        Self {
            read: Some(Arc::new(evidence)),
            documents: OnceLock::new(),
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

    /// Feeds a hash that tells this evidence from other evidence. Evidence that was written out when
    /// it was made and the same that was not need not meet in it.
    pub fn fingerprint(&self, hasher: &mut impl Hasher) {
        let Some(evidence) = &self.read else {
            return hasher.write(self.root().as_bytes());
        };
        let parts = (
            &evidence.trails,
            &evidence.other_gaps,
            pairs(&evidence.trail_details),
            pairs(&evidence.log_groups),
            pairs(&evidence.alarms),
            pairs(&evidence.mute_rules),
            pairs(&evidence.topics),
            pairs(&evidence.event_rules),
        );
        feed(&parts, hasher);
    }
}

impl From<Arc<EvidenceDocuments>> for StorableEvidence {
    fn from(documents: Arc<EvidenceDocuments>) -> Self {
        Self {
            read: None,
            documents: documents.into(),
        }
    }
}

impl PartialEq for StorableEvidence {
    fn eq(&self, other: &Self) -> bool {
        self.documents() == other.documents()
    }
}

fn pairs<K, V>(parts: &std::collections::BTreeMap<K, Arc<V>>) -> Vec<(&K, &V)> {
    parts
        .iter()
        .map(|(key, value)| (key, value.as_ref()))
        .collect()
}

/// Feeds a hasher with a value as JSON, without writing it down anywhere.
fn feed(value: &impl Serialize, hasher: &mut impl Hasher) {
    let written = serde_json::to_writer(Feed(hasher), value);
    debug_assert!(written.is_ok(), "a hasher takes everything");
    hasher.write_u8(u8::from(written.is_err()));
}

struct Feed<'h, H>(&'h mut H);

impl<H: Hasher> io::Write for Feed<'_, H> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
