//! The whole chain at once: what an account has in which CIS 4.15 holds.

use std::collections::BTreeMap;

use super::{
    Account, Alarm, Delivery, LogGroup, MetricFilter, Partition, Selectors, Subscription,
    SubscriptionState, Topic, Trail,
};

/// The event names that CIS 4.15 lists, in its order.
pub const ORGANIZATIONS_EVENTS: [&str; 18] = [
    "AcceptHandshake",
    "AttachPolicy",
    "CreateAccount",
    "CreateOrganizationalUnit",
    "CreatePolicy",
    "DeclineHandshake",
    "DeleteOrganization",
    "DeleteOrganizationalUnit",
    "DeletePolicy",
    "DetachPolicy",
    "DisablePolicyType",
    "EnablePolicyType",
    "InviteAccountToOrganization",
    "LeaveOrganization",
    "MoveAccount",
    "RemoveAccountFromOrganization",
    "UpdatePolicy",
    "UpdateOrganizationalUnit",
];

/// A filter pattern in the spelling of CIS, for the given event names.
pub fn pattern_for<'a>(events: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = events
        .into_iter()
        .map(|event| format!("($.eventName = \"{event}\")"))
        .collect();
    format!(
        "{{ ($.eventSource = organizations.amazonaws.com) && ({}) }}",
        names.join(" || ")
    )
}

/// What the pieces of a chain are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainNames {
    pub trail: String,
    pub log_group: String,
    pub metric_filter: String,
    pub namespace: String,
    pub metric: String,
    pub alarm: String,
    pub topic: String,
}

impl Default for ChainNames {
    fn default() -> Self {
        Self {
            trail: "management-events".to_owned(),
            log_group: "cloudtrail/management-events".to_owned(),
            metric_filter: "organizations-changes".to_owned(),
            namespace: "CISBenchmark".to_owned(),
            metric: "OrganizationsChanges".to_owned(),
            alarm: "organizations-changes".to_owned(),
            topic: "security-alarms".to_owned(),
        }
    }
}

impl Account {
    /// Adds a trail, log group, filter, alarm, topic and confirmed subscription that work
    /// together, all in `region` of this account. Callers break what they want broken.
    pub fn add_complete_chain(&mut self, partition: Partition, region: &str, names: &ChainNames) {
        let (arn_partition, id) = (partition.name(), self.id.clone());
        self.trails.push(Trail {
            name: names.trail.clone(),
            home_region: region.to_owned(),
            is_multi_region: true,
            is_organization: false,
            is_logging: true,
            log_group_arn: Some(log_group_arn(partition, region, &id, &names.log_group)),
            selectors: Selectors::all_management_events(),
            delivery: Delivery::Fresh,
            s3_bucket: format!("trail-logs-{id}"),
            kms_key: None,
        });
        self.add_alarmed_filter(
            region,
            names,
            vec![format!(
                "arn:{arn_partition}:sns:{region}:{id}:{}",
                names.topic
            )],
        );
        self.topics.push(Topic {
            name: names.topic.clone(),
            region: region.to_owned(),
            display_name: String::new(),
            subscriptions: vec![Subscription {
                protocol: "email".to_owned(),
                endpoint: "security@example.com".to_owned(),
                state: SubscriptionState::Confirmed,
                owner: None,
            }],
            readable_by: Vec::new(),
            policy: None,
            kms_key: None,
        });
    }

    /// Adds a log group with a filter for all 18 events and an alarm on its metric.
    pub fn add_alarmed_filter(&mut self, region: &str, names: &ChainNames, actions: Vec<String>) {
        self.log_groups.push(LogGroup {
            name: names.log_group.clone(),
            region: region.to_owned(),
            class: "STANDARD".to_owned(),
            metric_filters: vec![MetricFilter::new(names)],
        });
        self.alarms.push(Alarm::new(region, names, actions));
    }
}

impl MetricFilter {
    /// A filter that counts all 18 events.
    pub fn new(names: &ChainNames) -> Self {
        Self {
            name: names.metric_filter.clone(),
            pattern: pattern_for(ORGANIZATIONS_EVENTS),
            namespace: names.namespace.clone(),
            metric: names.metric.clone(),
            value: "1".to_owned(),
            default_value: None,
            dimensions: BTreeMap::new(),
            unit: None,
            apply_on_transformed_logs: false,
            field_selection_criteria: None,
            emit_system_field_dimensions: Vec::new(),
        }
    }
}

impl Alarm {
    /// An alarm that one event takes to ALARM.
    pub fn new(region: &str, names: &ChainNames, actions: Vec<String>) -> Self {
        Self {
            name: names.alarm.clone(),
            region: region.to_owned(),
            description: "AWS Organizations was changed".to_owned(),
            metric: names.metric.clone(),
            namespace: names.namespace.clone(),
            dimensions: BTreeMap::new(),
            statistic: Some("Sum".to_owned()),
            extended_statistic: None,
            period: 300,
            unit: None,
            evaluation_periods: 1,
            datapoints_to_alarm: None,
            threshold: Some(1.0),
            comparison: "GreaterThanOrEqualToThreshold".to_owned(),
            treat_missing_data: "notBreaching".to_owned(),
            actions_enabled: true,
            alarm_actions: actions,
            ok_actions: Vec::new(),
            insufficient_data_actions: Vec::new(),
            queries: Vec::new(),
            threshold_metric_id: None,
            evaluation_state: None,
            state_note: String::new(),
        }
    }
}

pub(crate) fn log_group_arn(
    partition: Partition,
    region: &str,
    account: &str,
    name: &str,
) -> String {
    format!(
        "arn:{}:logs:{region}:{account}:log-group:{name}:*",
        partition.name()
    )
}
