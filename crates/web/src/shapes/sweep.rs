//! Sweeps as they are answered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AsOf, Gap, Verdicts};

/// A sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sweep {
    /// Its number.
    pub id: Option<i64>,
    /// `running`, `finished`, `interrupted` or `abandoned`.
    pub state: String,
    /// When it began.
    #[schema(format = "date-time")]
    pub started_at: String,
    /// When it ended.
    #[schema(format = "date-time")]
    pub finished_at: Option<String>,
    /// What it was meant to look at.
    pub scope: Scope,
    /// Whether the account list was the whole one.
    pub discovery: Option<Discovery>,
    /// How many calls were sent to AWS.
    pub api_calls: Option<u64>,
    /// The version of the scanner.
    pub scanner_version: String,
    /// How many findings have which verdict.
    pub verdicts: Verdicts,
    /// How many accounts it saw.
    pub accounts_seen: u64,
    /// How many drifts it saw.
    pub drifts: u64,
    /// The hash over it and all before it; null where it did not finish.
    pub seal: Option<String>,
}

/// What a sweep was meant to look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Scope {
    /// By which controls.
    pub controls: Vec<String>,
    /// At which accounts; empty: at all.
    pub accounts: Vec<String>,
    /// In which regions; empty: where trails are.
    pub regions: Vec<String>,
}

/// Whether an account list was the whole one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Discovery {
    /// `complete`, `incomplete` or `not_asked`.
    pub state: String,
    /// Why it is incomplete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// A part of the sweeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SweepsAnswer {
    /// 1.
    pub schema_version: u32,
    /// Always null: sweeps are told as they are now.
    pub as_of: Option<AsOf>,
    /// The sweeps, the latest first.
    pub sweeps: Vec<Sweep>,
    /// Where the list goes on; null if it does not.
    pub next_cursor: Option<String>,
}

/// One sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SweepAnswer {
    /// 1.
    pub schema_version: u32,
    /// The sweep.
    pub sweep: Sweep,
}
