//! Trails: what shows in an account, and what their owners say of them.

use serde::{Deserialize, Serialize};

use crate::{Arn, LogGroupArn, Region, evidence::Read};

/// A trail as DescribeTrails shows it in an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Trail {
    /// Its ARN; for an organization trail, the account in it is the owner's, not the member's.
    pub arn: Arn,
    /// The region in which it was made and in which it is asked about.
    pub home_region: Region,
    /// Whether it records every enabled region.
    pub is_multi_region: bool,
    /// Whether it records every account of the organization.
    pub is_organization_trail: bool,
    /// The log group it delivers to, as AWS writes it; it may live in another account.
    pub log_group: Option<String>,
}

impl Trail {
    /// The log group, where the trail names one that can be understood.
    pub fn log_group_arn(&self) -> Option<LogGroupArn> {
        self.log_group.as_deref()?.parse().ok()
    }
}

/// What the owner of a trail answers about it, in its home region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrailEvidence {
    /// Which trail.
    pub arn: Arn,
    /// Whether it is logging, and whether what it logs arrives.
    pub status: Read<TrailStatus>,
    /// Which events it records.
    pub selectors: Read<EventSelectors>,
}

/// What GetTrailStatus says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TrailStatus {
    /// Whether it is logging.
    pub is_logging: bool,
    /// Whether CloudWatch Logs receives what it logs.
    pub delivery: Delivery,
}

/// The delivery to CloudWatch Logs, reduced to a class when collected, so that evidence does not
/// tick.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Delivered within the last day, no error.
    Fresh,
    /// Nothing delivered for a day, no error: a quiet account, or a quiet failure.
    Stale,
    /// Delivered within the last day, though AWS names an error.
    FreshWithError(String),
    /// Nothing delivered for a day, and AWS names an error.
    Failing(String),
    /// Nothing was ever delivered; with the error that AWS names, if any.
    Never(Option<String>),
}

/// What GetEventSelectors says: AWS fills one of the two lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventSelectors {
    /// Basic selectors.
    pub basic: Vec<BasicEventSelector>,
    /// Advanced selectors; a record is kept if any of them takes it.
    pub advanced: Vec<AdvancedEventSelector>,
}

/// One basic selector, reduced to management events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BasicEventSelector {
    /// Whether management events are recorded.
    pub include_management_events: bool,
    /// `All`, `ReadOnly`, `WriteOnly`, or what AWS may add, as AWS writes it.
    pub read_write_type: String,
    /// Services whose management events are left out.
    pub exclude_management_event_sources: Vec<String>,
}

/// One advanced selector: all of its fields must agree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AdvancedEventSelector {
    /// Its conditions, sorted by field.
    pub fields: Vec<FieldSelector>,
}

/// One condition of an advanced selector. Empty lists are operators that are not used.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FieldSelector {
    /// The field of the record, such as `eventCategory`.
    pub field: String,
    /// Values of which one must be equal.
    pub equals: Vec<String>,
    /// Values of which none may be equal.
    pub not_equals: Vec<String>,
    /// Prefixes of which one must fit.
    pub starts_with: Vec<String>,
    /// Prefixes of which none may fit.
    pub not_starts_with: Vec<String>,
    /// Suffixes of which one must fit.
    pub ends_with: Vec<String>,
    /// Suffixes of which none may fit.
    pub not_ends_with: Vec<String>,
}
