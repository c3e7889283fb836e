//! The whole chain at once: what an account has in which the monitoring controls of the CIS
//! benchmark hold.

use std::collections::BTreeMap;

use super::{
    Account, Alarm, BenchmarkControl, Delivery, LogGroup, MetricFilter, Partition, Selectors,
    Topic, Trail,
};

/// What the pieces of a chain are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainNames {
    pub trail: String,
    pub log_group: String,
    pub namespace: String,
    pub topic: String,
    /// How the filters, metrics and alarms of the controls are named.
    pub naming: Naming,
}

/// A scheme by which the parts of a control are named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Naming {
    /// `root-usage`, with the metric `RootUsage`.
    #[default]
    Slugs,
    /// `RootUsageMetricFilter`, `RootUsageEventCount`, `CloudTrail-RootUsage`.
    Suffixes,
    /// `cis-4.3-root-usage`, with the metric and the alarm `root_usage`.
    Numbers,
}

/// What the parts of one control are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterNames {
    pub filter: String,
    pub metric: String,
    pub alarm: String,
}

impl Default for ChainNames {
    fn default() -> Self {
        Self {
            trail: "management-events".to_owned(),
            log_group: "cloudtrail/management-events".to_owned(),
            namespace: "CISBenchmark".to_owned(),
            topic: "security-alarms".to_owned(),
            naming: Naming::Slugs,
        }
    }
}

impl Naming {
    pub fn of(self, control: BenchmarkControl) -> FilterNames {
        let slug = control.slug();
        let in_one_word = || -> String { slug.split('-').map(capitalized).collect() };
        match self {
            Self::Slugs => FilterNames {
                filter: slug.to_owned(),
                metric: in_one_word(),
                alarm: slug.to_owned(),
            },
            Self::Suffixes => FilterNames {
                filter: format!("{}MetricFilter", in_one_word()),
                metric: format!("{}EventCount", in_one_word()),
                alarm: format!("CloudTrail-{}", in_one_word()),
            },
            Self::Numbers => FilterNames {
                filter: format!("cis-{}-{slug}", control.section()),
                metric: slug.replace('-', "_"),
                alarm: slug.replace('-', "_"),
            },
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

impl Account {
    /// Adds a trail, a log group, a filter and an alarm for each control, a topic and a confirmed
    /// subscription that work together, all in `region` of this account. Callers break what they
    /// want broken.
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
        let topic = format!("arn:{arn_partition}:sns:{region}:{id}:{}", names.topic);
        self.add_alarmed_filters(region, names, &[topic]);
        self.topics.push(Topic::new(&names.topic, region));
    }

    /// Adds a log group with a filter for each control, in their order, and the alarms on them.
    pub fn add_alarmed_filters(&mut self, region: &str, names: &ChainNames, actions: &[String]) {
        let mut group = LogGroup::new(&names.log_group, region);
        for control in BenchmarkControl::ALL {
            group.metric_filters.push(MetricFilter::new(control, names));
            let alarm = Alarm::new(control, region, names, actions.to_vec());
            self.alarms.push(alarm);
        }
        self.log_groups.push(group);
    }
}

impl MetricFilter {
    /// A filter that counts all events of the control.
    pub fn new(control: BenchmarkControl, names: &ChainNames) -> Self {
        let FilterNames { filter, metric, .. } = names.naming.of(control);
        Self {
            name: filter,
            pattern: control.pattern(),
            namespace: names.namespace.clone(),
            metric,
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
    pub fn new(
        control: BenchmarkControl,
        region: &str,
        names: &ChainNames,
        actions: Vec<String>,
    ) -> Self {
        let FilterNames { metric, alarm, .. } = names.naming.of(control);
        Self {
            name: alarm,
            region: region.to_owned(),
            description: control.message().to_owned(),
            metric,
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
            low_sample_percentile: None,
            evaluation_window: None,
            warm_up_minutes: None,
            evaluation_interval: None,
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
