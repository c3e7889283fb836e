//! Seals: each finished sweep under one hash, together with everything that was sealed before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{
    AccountId, ContentHash, DiscoveryState, GapClass, SweepId, SweepScope, SweepState, Verdict,
};
use serde::{Deserialize, Serialize};
use sha2::Digest;

use crate::{
    batch::BatchHash,
    digest::{digest_type, labelled},
    merkle::TreeHead,
    misfit::Misfit,
};

#[cfg(test)]
mod tests;

/// How a seal is computed. Another way would have another number, and another label.
pub const SEAL_VERSION: u32 = 1;

const LABEL: &[u8] = b"scanner-proof/seal/1\0";

digest_type! {
    /// The hash of a seal: it stands for the sweep and for everything that was sealed before.
    SealHash, "seal hash"
}

/// What a seal says of the sweep as a whole. Its canonical JSON is kept beside the seal.
///
/// A field that is added later must not be serialised where it is absent: headers that were sealed
/// before must keep their text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealHeader {
    /// The sweep.
    pub sweep: SweepId,
    /// The id of the organization, where there is one.
    pub organization_id: Option<String>,
    /// The document that describes the organization.
    pub organization: Option<ContentHash>,
    /// The account of the ambient credentials.
    pub caller: AccountId,
    /// What the sweep was meant to look at.
    pub scope: SweepScope,
    /// The version of the scanner.
    pub scanner_version: String,
    /// The hash of the configuration that it ran with, where that was noted.
    pub configuration: Option<ContentHash>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How it ended.
    pub state: SweepState,
    /// Whether the account list was the whole one; `None` where it was stopped while it was read.
    pub discovery: Option<DiscoveryState>,
    /// How many findings have which verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// What was not seen: how many gaps of which class the findings have. Each of them stands in the
    /// document of its finding.
    pub gaps: BTreeMap<GapClass, u64>,
    /// How many accounts were committed.
    pub accounts_seen: u64,
    /// How many findings were committed, changed or not.
    pub findings_seen: u64,
    /// How many calls were sent to AWS.
    pub api_calls: u64,
    /// Which accounts it saw; `None` in headers from before that was noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<SeenAccounts>,
    /// The sweeps since the seal before that have none of their own, such as one that was stopped: their
    /// rows as a batch. `None` where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsealed: Option<BatchHash>,
    /// The sweep before which the store had dropped what was known, when this one ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_from: Option<SweepId>,
}

/// Which accounts a sweep saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenAccounts {
    /// Every one that was known when it ended.
    All,
    /// Those in the document with this hash: a list of ids.
    Only(ContentHash),
}

impl SealHeader {
    /// The text that is hashed.
    pub fn canonical(&self) -> String {
        model::canonical_json(self)
    }
}

/// A seal.
///
/// Its hash is SHA-256 over a label with the version, and the fields in the order in which they stand
/// here: numbers as 8 bytes, big-endian, digests as their 32 bytes, the previous seal with a byte
/// before it that says whether there is one. Each has its length, so no two seals hash the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// How the hash is computed: [`SEAL_VERSION`].
    pub version: u32,
    /// The sweep.
    pub sweep: SweepId,
    /// The seal before; `None` for the first one.
    pub previous: Option<SealHash>,
    /// The hash of the header's canonical JSON.
    pub header: ContentHash,
    /// What is known of every account when the sweep ended.
    pub accounts: TreeHead,
    /// The drifts that the sweep found.
    pub drifts: BatchHash,
    /// What arrived since the seal before: authors, acknowledgements, exceptions.
    pub journal: BatchHash,
    /// The hash of all of these.
    pub hash: SealHash,
}

impl Seal {
    /// Seals a sweep on top of the seal before.
    pub fn make(
        previous: Option<SealHash>,
        header: &SealHeader,
        accounts: TreeHead,
        drifts: BatchHash,
        journal: BatchHash,
    ) -> Self {
        let mut seal = Self {
            version: SEAL_VERSION,
            sweep: header.sweep,
            previous,
            header: ContentHash::of_text(&header.canonical()),
            accounts,
            drifts,
            journal,
            hash: SealHash([0; 32]),
        };
        seal.hash = seal.computed_hash();
        seal
    }

    fn computed_hash(&self) -> SealHash {
        let mut hasher = labelled(LABEL).chain_update(self.sweep.0.to_be_bytes());
        match self.previous {
            None => hasher.update([0]),
            Some(previous) => {
                hasher.update([1]);
                hasher.update(previous.as_bytes());
            }
        }
        let hasher = hasher
            .chain_update(self.header.as_bytes())
            .chain_update(self.accounts.accounts.to_be_bytes())
            .chain_update(self.accounts.root.as_bytes())
            .chain_update(self.drifts.as_bytes())
            .chain_update(self.journal.as_bytes());
        SealHash(hasher.finalize().into())
    }

    /// Whether the seal is what follows from the seal before, the header's text and its own fields.
    ///
    /// Names the first that does not fit: version, previous seal, header, hash. Accounts, drifts and
    /// journal are for whoever has them to recompute and compare.
    pub fn verify(&self, previous: Option<SealHash>, header: &str) -> Result<(), Misfit> {
        let place = format!("seal of sweep {}", self.sweep);
        Misfit::unless_equal("version", &place, &SEAL_VERSION, &self.version)?;
        if self.previous != previous {
            let shown = |hash: Option<SealHash>| hash.map_or("none".to_owned(), String::from);
            let (expected, found) = (shown(previous), shown(self.previous));
            return Err(Misfit::new("previous seal", &place, &expected, &found));
        }
        let header = ContentHash::of_text(header);
        Misfit::unless_equal("header", &place, &self.header, &header)?;
        Misfit::unless_equal("hash", &place, &self.hash, &self.computed_hash())
    }
}

/// What of any header can be read, by whatever version it was written.
#[derive(Deserialize)]
struct HeaderSweep {
    sweep: SweepId,
}

/// Follows the seals from the first one on.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    last: Option<Seal>,
    seals: u64,
}

impl Chain {
    /// Takes the next seal with its header's canonical JSON, or names the first thing that does not fit.
    pub fn follow(&mut self, seal: &Seal, header: &str) -> Result<(), Misfit> {
        let place = format!("seal of sweep {}", seal.sweep);
        if let Some(last) = self.last.filter(|last| last.sweep >= seal.sweep) {
            let later = format!("a sweep after {}", last.sweep);
            return Err(Misfit::new("sweep", &place, &later, &seal.sweep));
        }
        seal.verify(self.head(), header)?;
        match serde_json::from_str::<HeaderSweep>(header) {
            Ok(of) => Misfit::unless_equal("sweep of the header", &place, &seal.sweep, &of.sweep)?,
            Err(error) => return Err(Misfit::new("header", &place, &"a header", &error)),
        }
        self.last = Some(*seal);
        self.seals += 1;
        Ok(())
    }

    /// The hash of the last seal; `None` before the first.
    pub fn head(&self) -> Option<SealHash> {
        self.last.map(|seal| seal.hash)
    }

    /// The last seal; `None` before the first.
    pub fn last(&self) -> Option<&Seal> {
        self.last.as_ref()
    }

    /// How many seals were followed.
    pub fn seals(&self) -> u64 {
        self.seals
    }
}
