//! EventBridge rules and what they call.

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRule {
    pub name: String,
    pub region: String,
    /// `default`, where AWS services send to, or a bus of the account's own.
    pub bus: String,
    pub description: String,
    /// JSON text; `None` for a rule on a schedule.
    pub pattern: Option<String>,
    pub schedule: Option<String>,
    /// `ENABLED`, `DISABLED` or `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`.
    pub state: String,
    /// The service that made it and keeps it.
    pub managed_by: Option<String>,
    pub targets: Vec<EventTarget>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventTarget {
    pub id: String,
    pub arn: String,
    /// What the target is sent in place of the event.
    pub input: Option<String>,
}
