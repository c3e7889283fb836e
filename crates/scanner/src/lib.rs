#![doc = include_str!("../README.md")]

mod collect_account;
mod collect_alarms;
mod collect_metric_filters;
mod collect_subscriptions;
mod collect_trails;
mod endpoint_mask;
mod shared_lookup;

pub use collect_account::{Collector, IsCandidate, RegionScope};

use aws::Api;

/// The calls that assumed sessions make to collect evidence: the whole of the session policy,
/// unless regions are asked for as well.
pub const SESSION_APIS: [Api; 7] = [
    Api::DescribeTrails,
    Api::GetTrailStatus,
    Api::GetEventSelectors,
    Api::DescribeMetricFilters,
    Api::DescribeAlarmsForMetric,
    Api::DescribeAlarms,
    Api::ListSubscriptionsByTopic,
];
