//! The shapes of what is answered, for the description of the API and for whoever reads it in Rust.
//!
//! `report` writes them, for the command line and the API alike (`crates/report/README.md`). Tests read answers
//! into these and write them again: nothing may be lost or made up on the way. Fields may be added within a
//! `schema_version`; none is renamed, removed or given another meaning.

mod alert;
mod drift;
mod exception;
mod finding;
mod service;
mod sweep;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use alert::{
    Alert, AlertAnswer, AlertsAnswer, DeliveriesAnswer, Delivery, DeliveryWord, RetryAnswer,
};
pub use drift::{Acknowledgement, Author, Change, Drift, DriftAnswer, DriftsAnswer, Side, Who};
pub use exception::{AcceptedBy, ExceptionAnswer, ExceptionItem, ExceptionsAnswer};
pub use finding::{Advice, CoveredBy, Finding, FindingAnswer, FindingsAnswer, Gap, NearMiss, Node};
pub use service::{
    EndedSweep, ReloadAnswer, Requested, RunningSweep, Service, StatusAnswer, SweepStarted, Task,
};
pub use sweep::{Discovery, Scope, Sweep, SweepAnswer, SweepsAnswer};

/// How many findings have which verdict.
pub type Verdicts = BTreeMap<String, u64>;

/// Why a request was not answered as asked: RFC 9457.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is.
    #[serde(rename = "type")]
    #[schema(example = "urn:scanner:problem:no-such-account")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// What is wrong, in a sentence.
    pub detail: String,
    /// The request's id, which stands in the log.
    pub request_id: String,
}

/// That the process lives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alive {
    /// `alive`.
    pub status: String,
}

/// Whether the service can be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// Whether it can.
    pub is_ready: bool,
    /// What it waits for: `starting`, `stopping` or `store`.
    pub waits_for: Option<String>,
}

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VerdictWord {
    /// An unbroken chain was seen.
    Pass,
    /// The chain is broken.
    Fail,
    /// What would decide could not be read.
    Unknown,
    /// The question does not arise.
    NotApplicable,
}

/// How grave a drift is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeverityWord {
    /// Worth knowing.
    Info,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// As of when something is told: the end of a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AsOf {
    /// The sweep.
    pub sweep: i64,
    /// How it ended.
    pub state: String,
    /// When it ended.
    #[schema(format = "date-time")]
    pub finished_at: Option<String>,
}

/// The organization as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrganizationAnswer {
    /// 1.
    pub schema_version: u32,
    /// As of when.
    pub as_of: AsOf,
    /// The organization.
    pub organization: Organization,
}

/// The organization as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Organization {
    /// Its id; null where it could not be described.
    pub id: Option<String>,
    /// Its management account.
    pub management_account_id: Option<String>,
    /// The management account's verdict, by the control on changes to the organization where that was judged.
    pub verdict: Option<VerdictWord>,
    /// How many accounts are known.
    pub accounts: u64,
    /// How many findings have which verdict.
    pub verdicts: Verdicts,
    /// The same by control.
    pub controls: Vec<ControlCounts>,
    /// Whether the account list was the whole one.
    pub discovery: Option<Discovery>,
}

/// How many findings of a control have which verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ControlCounts {
    /// The control.
    pub control_id: String,
    /// How many have which verdict.
    pub verdicts: Verdicts,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// The account.
    pub account_id: String,
    /// Its name; empty where it is not known.
    pub account_name: String,
    /// What AWS Organizations says of it.
    pub state: String,
    /// The root and each OU, outermost first; null where AWS did not say.
    pub ou_path: Option<Vec<String>>,
    /// What it is tagged with, as it was last read; null where it never was.
    pub tags: Option<BTreeMap<String, String>>,
    /// The first sweep to which this was so.
    pub since_sweep: i64,
    /// When that sweep began.
    #[schema(format = "date-time")]
    pub since: String,
    /// How many of its findings have which verdict.
    pub verdicts: Verdicts,
    /// The last sweep that looked at it.
    pub confirmed_sweep: i64,
    /// When that sweep began.
    #[schema(format = "date-time")]
    pub confirmed: String,
}

/// A part of the accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccountsAnswer {
    /// 1.
    pub schema_version: u32,
    /// As of when; null as long as no sweep has finished.
    pub as_of: Option<AsOf>,
    /// The accounts, by id.
    pub accounts: Vec<Account>,
    /// Where the list goes on; null if it does not.
    pub next_cursor: Option<String>,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AccountAnswer {
    /// 1.
    pub schema_version: u32,
    /// As of when.
    pub as_of: AsOf,
    /// The account.
    pub account: Account,
}

/// The controls in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ControlsAnswer {
    /// 1.
    pub schema_version: u32,
    /// The controls.
    pub controls: Vec<ControlLine>,
}

/// A control in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ControlLine {
    /// Its number in the newest version of the benchmark.
    pub number: String,
    /// Its slug.
    pub id: String,
    /// How bad it is to fail it.
    pub severity: String,
    /// The profile level.
    pub level: u8,
    /// Its title.
    pub title: String,
    /// How many events it requires.
    pub required_events: u64,
}

/// One control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ControlAnswer {
    /// 1.
    pub schema_version: u32,
    /// The control.
    pub control: Control,
}

/// Everything about one control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Control {
    /// Its number in the newest version of the benchmark.
    pub number: String,
    /// Its slug.
    pub id: String,
    /// How bad it is to fail it.
    pub severity: String,
    /// The profile level.
    pub level: u8,
    /// Its title.
    pub title: String,
    /// Why it matters.
    pub rationale: String,
    /// What surprises about it.
    pub notes: Vec<String>,
    /// Its numbers in versions of the benchmark.
    pub benchmarks: Vec<Value>,
    /// Its names in other tools.
    pub aliases: BTreeMap<String, String>,
    /// The events that must be matched.
    pub required: Vec<Value>,
    /// What to put in place where it is missing.
    pub prescription: Value,
}
