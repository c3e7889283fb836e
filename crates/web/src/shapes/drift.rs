//! Drifts as they are answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{AsOf, CoveredBy, SeverityWord, VerdictWord};

/// A part of the drifts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DriftsAnswer {
    /// 1.
    pub schema_version: u32,
    /// Until when; null: until now.
    pub as_of: Option<AsOf>,
    /// The drifts, the latest first.
    pub drifts: Vec<Drift>,
    /// Where the list goes on; null if it does not.
    pub next_cursor: Option<String>,
}

/// One drift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DriftAnswer {
    /// 1.
    pub schema_version: u32,
    /// The drift.
    pub drift: Drift,
}

/// Something that is not as it was last known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Drift {
    /// Its name.
    pub id: String,
    /// When the first sweep that saw it began.
    #[schema(format = "date-time")]
    pub seen_at: String,
    /// That sweep.
    pub seen_sweep: i64,
    /// When the last sweep that saw it as it was began.
    #[schema(format = "date-time")]
    pub last_before_at: Option<String>,
    /// That sweep.
    pub last_before_sweep: Option<i64>,
    /// Which kind.
    pub kind: String,
    /// How grave.
    pub severity: SeverityWord,
    /// How grave if it did not go to and fro.
    pub undamped_severity: Option<SeverityWord>,
    /// The account.
    pub account_id: Option<String>,
    /// Its name.
    pub account_name: String,
    /// Of a notice on several accounts.
    pub account_ids: Vec<String>,
    /// The control.
    pub control_id: Option<String>,
    /// In a sentence.
    pub message: String,
    /// What comes of one thing has one cause.
    pub cause: String,
    /// What to do next.
    pub next_step: Option<String>,
    /// As it was.
    pub before: Option<Side>,
    /// As it is.
    pub after: Option<Side>,
    /// Field by field, the cause first.
    pub changes: Vec<Change>,
    /// Who did it; null: nobody has looked.
    pub author: Option<Who>,
    /// Who has seen it; null: nobody said so.
    pub acknowledged: Option<Acknowledgement>,
}

/// One side of a drift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Side {
    /// Of a finding.
    Finding {
        /// The verdict.
        verdict: VerdictWord,
        /// Why.
        reason: String,
        /// The link that breaks the chain.
        link: Option<String>,
        /// The resource there.
        resource: Option<String>,
        /// The trail that covers the account.
        covered_by: Option<CoveredBy>,
        /// In a sentence.
        message: String,
    },
    /// Of an account.
    Account {
        /// Its name.
        name: String,
        /// What AWS Organizations says of it.
        state: String,
        /// Where it hangs.
        ou_path: Option<Vec<String>>,
    },
}

/// A field that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Which link of the chain.
    pub link: String,
    /// Which resource.
    pub resource: String,
    /// Whose.
    pub account: Option<String>,
    /// Where.
    pub region: Option<String>,
    /// What it is a part of.
    pub within: Option<String>,
    /// `removed`, `changed` or `added`.
    pub change: String,
    /// RFC 6901; empty for the resource as a whole.
    pub path: String,
    /// As it was.
    pub before: Value,
    /// As it is.
    pub after: Value,
}

/// What became of looking for who did it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Who {
    /// `found`, `not_found`, `denied` or `pending`.
    pub outcome: String,
    /// The call.
    pub call: Option<Author>,
}

/// A call that did it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Author {
    /// CloudTrail's name for it.
    pub event_id: String,
    /// The service.
    pub event_source: String,
    /// The operation.
    pub event_name: String,
    /// When.
    #[schema(format = "date-time")]
    pub time: String,
    /// In which account.
    pub account: Option<String>,
    /// In which region.
    pub region: Option<String>,
    /// Who.
    pub actor: Option<String>,
    /// The role behind the session.
    pub session_issuer: Option<String>,
    /// From where.
    pub source_ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
}

/// Somebody has seen it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledgement {
    /// When that was said.
    #[schema(format = "date-time")]
    pub at: String,
    /// Who said so.
    pub by: String,
    /// What else was said.
    pub note: Option<String>,
}
