//! A sweep: one pass over the organization.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AccountId, ContentHash, ControlId, Gap, GapClass, Organization, Verdict};

/// The number of a sweep in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SweepId(pub i64);

impl fmt::Display for SweepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a sweep was meant to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepScope {
    /// The controls that were judged.
    pub controls: Vec<ControlId>,
    /// How accounts were chosen, as the user wrote it; empty means the whole organization.
    pub accounts: Vec<String>,
    /// The regions that were asked for trails beyond the probe regions; `["all"]` for all.
    pub regions: Vec<String>,
}

/// Whether the account list is the whole one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DiscoveryState {
    /// Every page was read.
    Complete,
    /// The list ended early; accounts are missing.
    Incomplete {
        /// The call that failed, with what AWS said: here nothing is compared.
        #[serde(with = "crate::gap::with_sample")]
        gap: Gap,
    },
    /// Organizations was not asked, or is not in use: the accounts were named by hand. Or it was asked no
    /// further than to the accounts that were wanted.
    NotAsked,
}

/// What is known of a sweep when it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepHeader {
    /// What it is meant to look at.
    pub scope: SweepScope,
    /// The organization, where one could be described.
    pub organization: Option<Organization>,
    /// The account of the ambient credentials.
    pub caller: AccountId,
    /// When it began.
    pub started_at: Timestamp,
    /// The version of the scanner.
    pub scanner_version: String,
    /// The hash of everything else that decides how it judges, where that is noted.
    pub configuration: Option<ContentHash>,
}

/// Whether a sweep came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepState {
    /// Under way, or its process died.
    Running,
    /// Every account in scope was judged.
    Finished,
    /// Stopped before its end; what it saw is kept, and it may be resumed.
    Interrupted,
    /// Its process died, and it was not resumed; what it saw is kept.
    Abandoned,
}

/// What a sweep came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepSummary {
    /// When it ended.
    pub finished_at: Timestamp,
    /// How it ended.
    pub state: SweepState,
    /// Whether the account list was the whole one; `None` where it was stopped while it was read.
    pub discovery: Option<DiscoveryState>,
    /// How many findings have which verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// How many gaps of which class the findings have.
    pub gaps: BTreeMap<GapClass, u64>,
    /// How many calls were sent to AWS.
    pub api_calls: u64,
}
