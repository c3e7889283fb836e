#![doc = include_str!("../README.md")]

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use model::{
    Account, AccountId, DiscoveryState, Exception, Finding, SweepId, SweepScope, SweepState,
    Verdict,
};

pub mod alerts;
pub mod csv;
pub mod diff;
pub mod drift;
pub mod drifts;
pub mod exceptions;
pub mod explain;
#[cfg(test)]
mod fixture;
pub mod history;
pub mod json;
mod list_table;
pub mod ndjson;
mod palette;
mod past;
pub mod table;
pub mod text;
pub mod tokens;

pub use exceptions::{ExceptionState, PastException};
pub use past::{
    Acknowledged, AsOfLine, BriefFinding, Difference, PastAccount, PastDrift, PastFinding,
    PastOrganization, PastSweep, Who,
};

/// What a sweep came to, but for its findings.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The sweep.
    pub sweep: SweepLine,
    /// How many findings have which verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// The organization, where there is one and it could be described.
    pub organization: Option<OrganizationLine>,
    /// What could not be known, each in a sentence. That the account list is incomplete stands in
    /// [`SweepLine::discovery`] and need not be said again.
    pub notices: Vec<String>,
    /// The store that remembers it, where it must be named to be found again.
    pub store: Option<String>,
    /// What is not as it was, and who caused it: for programs. People read it in [`drifts::render`], which
    /// may come later than the rest.
    pub drifts: Vec<drifts::DriftEntry>,
}

/// A sweep in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepLine {
    /// Its number; `None` where nothing was remembered.
    pub id: Option<SweepId>,
    /// How it ended.
    pub state: SweepState,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What it was meant to look at.
    pub scope: SweepScope,
    /// Whether the account list was the whole one.
    pub discovery: Option<DiscoveryState>,
    /// How many calls were sent to AWS.
    pub api_calls: Option<u64>,
    /// The version of the scanner.
    pub scanner_version: String,
}

/// The organization and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationLine {
    /// Its id.
    pub id: String,
    /// Its management account.
    pub management_account_id: AccountId,
    /// The management account's verdict, by the control on changes to the organization where that was
    /// judged and otherwise the worst one: UNKNOWN where it was not looked at.
    pub verdict: Verdict,
}

/// A finding and its account.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The finding.
    pub finding: Finding,
    /// The account as it was then; its name is empty where it is not known.
    pub account: Arc<Account>,
    /// The exception that accepts it, if one does.
    pub exception: Option<Arc<Exception>>,
}

/// How a human wants to see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The width of the terminal in columns.
    pub width: usize,
    /// Whether to colour verdicts. What is coloured also reads without.
    pub colour: bool,
    /// Whether to list everything instead of summing up what is in order.
    pub all: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 80,
            colour: false,
            all: false,
        }
    }
}
