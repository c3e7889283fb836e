//! Findings as they are answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{AcceptedBy, AsOf, VerdictWord};

/// A part of the findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FindingsAnswer {
    /// 1.
    pub schema_version: u32,
    /// As of when; null as long as no sweep has finished.
    pub as_of: Option<AsOf>,
    /// The findings, by account and control, without `chain` and `near_misses`.
    pub findings: Vec<Finding>,
    /// Where the list goes on; null if it does not.
    pub next_cursor: Option<String>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FindingAnswer {
    /// 1.
    pub schema_version: u32,
    /// As of when.
    pub as_of: AsOf,
    /// The finding, with `chain` and `near_misses`.
    pub finding: Finding,
}

/// The answer for one account and control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// The account.
    pub account_id: String,
    /// Its name; empty where it is not known.
    pub account_name: String,
    /// The control.
    pub control_id: String,
    /// The verdict.
    pub verdict: VerdictWord,
    /// Why: one of the codes of `docs/reasons.md`.
    pub reason: String,
    /// The link that breaks the chain.
    pub link: Option<String>,
    /// Why, in a sentence.
    pub message: String,
    /// What to do about it.
    pub next_step: Option<String>,
    /// The trail that covers the account.
    pub covered_by: Option<CoveredBy>,
    /// Worth knowing, and no change of the verdict.
    pub advice: Vec<Advice>,
    /// The exception that accepts it.
    pub exception: Option<AcceptedBy>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Filters that nearly do, the one that lacks least first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_misses: Option<Vec<NearMiss>>,
    /// Every candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<Vec<Node>>,
    /// The first sweep that found it so.
    pub since_sweep: i64,
    /// When that sweep began.
    #[schema(format = "date-time")]
    pub since: String,
    /// The first sweep that found it otherwise; null while it is so.
    pub until_sweep: Option<i64>,
}

/// The trail that covers an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CoveredBy {
    /// The trail.
    pub trail_arn: String,
    /// Whose it is.
    pub account_id: String,
    /// Whether it is the organization's.
    pub is_organization_trail: bool,
}

/// Worth knowing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Advice {
    /// Which kind.
    pub code: String,
    /// In a sentence.
    pub message: String,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Gap {
    /// Why.
    pub class: String,
    /// The call.
    pub api: String,
    /// On what.
    pub resource: Option<String>,
    /// In which account.
    pub account: Option<String>,
    /// In which region.
    pub region: Option<String>,
    /// What AWS said when the gap first appeared.
    pub message: String,
    /// The id of that request.
    pub request_id: Option<String>,
}

/// A filter that nearly does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NearMiss {
    /// Its place in `chain`.
    pub node: u64,
    /// The filter.
    pub filter: String,
    /// What it lacks.
    pub lacks: Vec<String>,
}

/// A candidate of the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Node {
    /// Which link it would be.
    pub link: String,
    /// The place in `chain` of what led to it.
    pub parent: Option<u64>,
    /// Its ARN, where AWS gives it one.
    pub arn: Option<String>,
    /// What it is called.
    pub resource: String,
    /// Whose it is.
    pub account: Option<String>,
    /// Where it is.
    pub region: Option<String>,
    /// `holds`, `broken` or `unknown`.
    pub state: String,
    /// Why it does not hold.
    pub reason: Option<String>,
    /// The same in a sentence.
    pub message: String,
    /// The fields that this rests on.
    pub read: Value,
}
