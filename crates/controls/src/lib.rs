#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod alarm_fires;
mod catalog;
mod chain;
mod composite_alarm;
mod data_points;
mod decide;
mod event_rule;
mod filter_coverage;
mod judge;
mod metric_filter;
mod metric_math;
mod obstacle;
mod pattern_book;
mod shared_judgements;
mod topic_access;
mod topic_policy;
mod trail_coverage;

pub use catalog::{
    AlarmSettings, BenchmarkSection, Catalog, CatalogError, Control, EventGroup, FindControlError,
    Prescription, Severity,
};
pub use judge::{Judge, JudgeContext, judge};

/// The control on changes to the organization, which is answered for the organization as a whole by the
/// verdict on its management account: that is where the events arise.
pub const ORGANIZATION_CONTROL: &str = "organizations-changes";
