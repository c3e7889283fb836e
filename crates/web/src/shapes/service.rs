//! The service as it is answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Verdicts;

/// How the service is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusAnswer {
    /// 1.
    pub schema_version: u32,
    /// The version of the scanner.
    pub scanner_version: String,
    /// The service.
    pub service: Service,
}

/// What the service says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Service {
    /// When it started.
    #[schema(format = "date-time")]
    pub started_at: String,
    /// Whether it has connected to AWS and holds the store.
    pub is_ready: bool,
    /// Whether it is on its way out.
    pub is_stopping: bool,
    /// The sweep that runs.
    pub running: Option<RunningSweep>,
    /// The last sweep that ended since the start.
    pub last: Option<EndedSweep>,
    /// When the next scheduled sweep begins.
    #[schema(format = "date-time")]
    pub next_sweep_at: Option<String>,
    /// Why the last attempt at a sweep came to nothing.
    pub sweep_error: Option<String>,
    /// When the configuration was read that is in force.
    #[schema(format = "date-time")]
    pub configured_at: String,
    /// The tasks that run by themselves.
    pub tasks: BTreeMap<String, Task>,
}

/// A sweep that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunningSweep {
    /// Its number; null as long as the account list is being opened.
    pub id: Option<i64>,
    /// When it began.
    #[schema(format = "date-time")]
    pub started_at: String,
    /// What it looks at.
    pub request: Requested,
    /// How many accounts are in scope so far.
    pub accounts: u64,
    /// How many of them are judged.
    pub judged: u64,
}

/// What a sweep looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Requested {
    /// Only these accounts; empty: all.
    pub accounts: Vec<String>,
    /// Only accounts in these OUs or roots; empty: all.
    pub ous: Vec<String>,
}

/// A sweep that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EndedSweep {
    /// Its number.
    pub id: i64,
    /// When it ended.
    #[schema(format = "date-time")]
    pub finished_at: String,
    /// How it ended.
    pub state: String,
    /// What it looked at.
    pub request: Requested,
    /// How many findings it left, by verdict.
    pub verdicts: Verdicts,
    /// How many drifts it found.
    pub drifts: u64,
}

/// How a task is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Task {
    /// Whether it runs at the moment.
    pub is_running: bool,
    /// How often it has run.
    pub runs: u64,
    /// When it ended last.
    #[schema(format = "date-time")]
    pub ended_at: Option<String>,
    /// What went wrong in the last run.
    pub error: Option<String>,
}

/// What became of a request for a sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SweepStarted {
    /// 1.
    pub schema_version: u32,
    /// `queued`, or `already_queued` where the same was asked for before and has not begun yet.
    pub sweep: String,
}

/// That the configuration was read again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReloadAnswer {
    /// 1.
    pub schema_version: u32,
    /// `reloaded`.
    pub configuration: String,
}
