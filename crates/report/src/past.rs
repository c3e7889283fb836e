//! What lists from the history are made of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{Account, Author, ControlId, DiscoveryState, Drift, Gap, SweepId, SweepState, Verdict};

use crate::{Entry, OrganizationLine, SweepLine};

/// The moment as of which something is told: the end of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOfLine {
    /// The sweep.
    pub sweep: SweepId,
    /// How it ended.
    pub state: SweepState,
    /// When it ended; `None` where its process died.
    pub finished_at: Option<Timestamp>,
}

/// A sweep in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastSweep {
    /// The sweep.
    pub sweep: SweepLine,
    /// How many findings had which verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// How many accounts it saw.
    pub accounts_seen: u64,
    /// How many drifts it saw.
    pub drifts: u64,
    /// The hash that seals it and all before it; `None` where it has none.
    pub seal: Option<String>,
}

/// An account in the history.
#[derive(Debug, Clone, PartialEq)]
pub struct PastAccount {
    /// What AWS Organizations said of it.
    pub account: Account,
    /// The first sweep to which it said so.
    pub since_sweep: SweepId,
    /// When that sweep began.
    pub since: Timestamp,
    /// How many of its findings have which verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// The last sweep that looked at it.
    pub confirmed_sweep: SweepId,
    /// When that sweep began.
    pub confirmed: Timestamp,
}

/// A finding in the history.
#[derive(Debug, Clone, PartialEq)]
pub struct PastFinding {
    /// The finding and its account.
    pub entry: Entry,
    /// The first sweep that found it so.
    pub since_sweep: SweepId,
    /// When that sweep began.
    pub since: Timestamp,
    /// The first sweep that found it otherwise.
    pub until_sweep: Option<SweepId>,
}

/// A finding in the history, told without its chain.
#[derive(Debug, Clone, PartialEq)]
pub struct BriefFinding(pub PastFinding);

/// The organization as a whole, at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct PastOrganization {
    /// The organization, where it could be described.
    pub organization: Option<OrganizationLine>,
    /// How many accounts are known.
    pub accounts: u64,
    /// How many findings have which verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// The same by control.
    pub controls: BTreeMap<ControlId, BTreeMap<Verdict, u64>>,
    /// Whether the last account list was the whole one.
    pub discovery: Option<DiscoveryState>,
}

/// A drift in the history.
#[derive(Debug, Clone, PartialEq)]
pub struct PastDrift {
    /// The drift.
    pub drift: Drift,
    /// The name of its account; empty where there is none, or it is not known.
    pub account_name: String,
    /// When the sweep that saw it began.
    pub seen_at: Timestamp,
    /// When the last sweep that saw it as it was before began.
    pub last_before_at: Option<Timestamp>,
    /// Who did it; `None` where nobody has looked yet.
    pub who: Option<Who>,
    /// Who has seen it; `None` where nobody said so.
    pub acknowledged: Option<Acknowledged>,
}

/// What became of looking for the author of a drift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// This call did it.
    Found(Box<Author>),
    /// No call that could have done it was recorded.
    NotFound,
    /// CloudTrail's event history could not be read: which call failed, and why. Without that where a later
    /// version wrote it in words that this one does not know.
    Denied(Option<Box<Gap>>),
    /// It will be looked for once more: CloudTrail records calls some minutes late.
    Pending,
}

/// Somebody has seen a drift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// When it was said.
    pub at: Timestamp,
    /// Who said so.
    pub by: String,
    /// What else was said.
    pub note: Option<String>,
}

/// Something that is not the same at two moments.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// What it would be as a drift between the two.
    pub drift: Drift,
    /// The name of its account; empty where there is none, or it is not known.
    pub account_name: String,
}

impl Who {
    /// The outcome as it is written in reports.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::NotFound => "not_found",
            Self::Denied(_) => "denied",
            Self::Pending => "pending",
        }
    }

    /// The call that did it.
    pub fn author(&self) -> Option<&Author> {
        match self {
            Self::Found(author) => Some(author),
            Self::NotFound | Self::Denied(_) | Self::Pending => None,
        }
    }
}
