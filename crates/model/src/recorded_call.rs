//! A call that CloudTrail recorded: who changed something.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AccountId, Region};

/// Who made a change, when and from where: all that is kept of an event of CloudTrail.
///
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The id that CloudTrail gave the event.
    pub event_id: String,
    /// The service, such as `logs.amazonaws.com`.
    pub event_source: String,
    /// The operation, such as `DeleteMetricFilter`.
    pub event_name: String,
    /// When the call was made.
    pub time: Timestamp,
    /// The account in which it was recorded.
    pub account: AccountId,
    /// The region in which it was recorded.
    pub region: Region,
    /// The ARN of who called; `None` where a service of AWS did.
    pub actor: Option<String>,
    /// The role or user that the actor's session came from.
    pub session_issuer: Option<String>,
    /// The address that the call came from, or the name of the service of AWS that made it.
    pub source_ip: Option<String>,
    /// The program that called.
    pub user_agent: Option<String>,
}

/// A call as CloudTrail recorded it, with what tells which resource it was about.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedCall {
    /// Who called, when and from where.
    pub author: Author,
    /// Why AWS refused it; `None` for a call that did something.
    pub error_code: Option<String>,
    /// What was asked for. It may hold anything, and is never kept.
    pub request_parameters: serde_json::Value,
}
