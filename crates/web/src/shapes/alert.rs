//! Alerts and their deliveries as they are answered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AsOf, Drift, SeverityWord};

/// A part of the alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertsAnswer {
    /// 1.
    pub schema_version: u32,
    /// Always null: alerts are told as they are now.
    pub as_of: Option<AsOf>,
    /// The alerts, the latest first.
    pub alerts: Vec<Alert>,
    /// Where the list goes on; null if it does not.
    pub next_cursor: Option<String>,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertAnswer {
    /// 1.
    pub schema_version: u32,
    /// The alert.
    pub alert: Alert,
    /// The latest of its drifts, a hundred at most.
    pub drifts: Vec<Drift>,
    /// The latest of its deliveries, a hundred at most.
    pub deliveries: Vec<Delivery>,
}

/// Drifts of one cause that people were told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Its name.
    pub id: String,
    /// The sweep that saw its drifts.
    pub sweep: i64,
    /// When it was made.
    #[schema(format = "date-time")]
    pub opened_at: String,
    /// The kind of the drift that stands for all.
    pub kind: String,
    /// The highest severity of its drifts.
    pub severity: SeverityWord,
    /// The drift that stands for all.
    pub drift_id: String,
    /// What happened, in one line.
    pub title: String,
    /// Whether something is still to be mended.
    pub lasts: bool,
    /// When it was over.
    #[schema(format = "date-time")]
    pub ended_at: Option<String>,
    /// Whether somebody has seen one of its drifts.
    pub is_acknowledged: bool,
    /// How often people were reminded.
    pub reminders: u64,
    /// When they are next.
    #[schema(format = "date-time")]
    pub remind_at: Option<String>,
    /// How many drifts it tells of, those that ended it among them.
    pub drifts: u64,
    /// How many accounts these are of.
    pub accounts: u64,
}

/// A part of the deliveries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveriesAnswer {
    /// 1.
    pub schema_version: u32,
    /// Always null: deliveries are told as they are now.
    pub as_of: Option<AsOf>,
    /// The deliveries, the latest first.
    pub deliveries: Vec<Delivery>,
    /// Where the list goes on; null if it does not.
    pub next_cursor: Option<String>,
}

/// A notice on its way to a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The alert.
    pub alert_id: String,
    /// The alert in one line.
    pub title: String,
    /// What was said of it: `opened`, `reminder` or `recovered`.
    pub form: String,
    /// The channel, as the configuration calls it.
    pub channel: String,
    /// How far it is.
    pub state: DeliveryWord,
    /// When it was put into the outbox.
    #[schema(format = "date-time")]
    pub queued_at: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; null unless it is pending.
    #[schema(format = "date-time")]
    pub next_attempt_at: Option<String>,
    /// Why the last attempt that came to nothing did.
    pub last_error: Option<String>,
    /// When the channel took it.
    #[schema(format = "date-time")]
    pub delivered_at: Option<String>,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryWord {
    /// It is on its way.
    Pending,
    /// The channel took it.
    Delivered,
    /// It was given up; somebody may send it again.
    Dead,
}

/// How much is sent again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RetryAnswer {
    /// 1.
    pub schema_version: u32,
    /// How many deliveries are tried again; 0 where none was given up.
    pub retried: u64,
}
