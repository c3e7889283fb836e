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
mod look_up_events;
mod recorded_call;
mod related_alarms;
mod shared_lookup;
mod topic_policy;
mod unasked;

pub use collect_account::{Collector, IsCandidate, RegionScope};
pub use look_up_events::{LookedUp, Window, look_up_events};

use aws::Api;

/// The calls that assumed sessions make to collect evidence, and to look up who changed something:
/// the whole of the session policy, unless regions are asked for as well.
pub const SESSION_APIS: [Api; 13] = [
    Api::DescribeTrails,
    Api::GetTrailStatus,
    Api::GetEventSelectors,
    Api::LookupEvents,
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
