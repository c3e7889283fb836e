//! Exceptions as they are answered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What accepts a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AcceptedBy {
    /// Its name.
    pub id: String,
    /// Of this account.
    pub account_id: Option<String>,
    /// Of accounts in this OU or root.
    pub ou_id: Option<String>,
    /// Of this control.
    pub control_id: Option<String>,
    /// With this reason.
    pub reason_code: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Where that was decided.
    pub ticket: Option<String>,
    /// Until when.
    #[schema(format = "date-time")]
    pub expires_at: String,
    /// `command`, `configuration` or `api`.
    pub source: String,
}

/// An exception.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExceptionItem {
    /// The exception.
    #[serde(flatten)]
    pub accepted: AcceptedBy,
    /// `in_force`, `expired` or `removed`.
    pub state: String,
    /// When it was added.
    #[schema(format = "date-time")]
    pub added_at: String,
    /// When it was removed before it expired.
    #[schema(format = "date-time")]
    pub removed_at: Option<String>,
}

/// The exceptions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExceptionsAnswer {
    /// 1.
    pub schema_version: u32,
    /// Always null: exceptions are told as they are now.
    pub as_of: Option<super::AsOf>,
    /// The exceptions, the oldest first.
    pub exceptions: Vec<ExceptionItem>,
    /// Always null: the list is whole.
    pub next_cursor: Option<String>,
}

/// One exception.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExceptionAnswer {
    /// 1.
    pub schema_version: u32,
    /// The exception.
    pub exception: ExceptionItem,
}
