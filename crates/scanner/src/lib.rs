#![doc = include_str!("../README.md")]

mod collect_account;
mod collect_alarms;
mod collect_event_rules;
mod collect_log_groups;
mod collect_metric_filters;
mod collect_mute_rules;
mod collect_subscriptions;
mod collect_topics;
mod collect_trails;
mod endpoint_mask;
mod related_alarms;
mod shared_lookup;
mod topic_policy;
mod unasked;

pub use collect_account::{Collector, IsCandidate, RegionScope};

use aws::Api;

/// The calls that assumed sessions make to collect evidence: the whole of the session policy,
/// unless regions are asked for as well.
pub const SESSION_APIS: [Api; 12] = [
    Api::DescribeTrails,
    Api::GetTrailStatus,
    Api::GetEventSelectors,
    Api::DescribeLogGroups,
    Api::DescribeMetricFilters,
    Api::DescribeAlarmsForMetric,
    Api::DescribeAlarms,
    Api::ListAlarmMuteRules,
    Api::GetTopicAttributes,
    Api::ListSubscriptionsByTopic,
    Api::ListRules,
    Api::ListTargetsByRule,
];
