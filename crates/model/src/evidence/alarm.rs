//! Alarms on the metrics of filters.

use std::{
    collections::BTreeMap,
    fmt,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize};

use crate::{
    Arn,
    evidence::{Place, Read},
    fingerprint::number,
};

/// Dimensions of a metric: name and value.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dimensions(pub BTreeMap<String, String>);

/// A metric, named as CloudWatch names it, in its account and region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MetricKey {
    /// Where it is published.
    pub place: Place,
    /// Its namespace.
    pub namespace: String,
    /// Its name; case counts.
    pub name: String,
    /// Its dimensions.
    pub dimensions: Dimensions,
}

impl fmt::Display for MetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.place, self.namespace, self.name)?;
        for (name, value) in &self.dimensions.0 {
            write!(f, "/{name}={value}")?;
        }
        Ok(())
    }
}

/// How thoroughly alarms were looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmLookup {
    /// DescribeAlarmsForMetric: plain alarms on exactly this metric.
    ByMetric,
    /// DescribeAlarms, every page, metric and composite: metric math, composite alarms and near
    /// misses as well.
    FullList,
}

/// The alarms that have to do with one metric.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
pub struct Alarms {
    /// The metric.
    pub metric: MetricKey,
    /// How thoroughly they were looked for.
    pub lookup: AlarmLookup,
    /// What was found in the account and region of the metric.
    pub found: Read<FoundAlarms>,
    /// What was found in each monitoring account, in the metric's region, sorted by place. Only a
    /// full list looks there.
    pub monitoring: Vec<MonitoringAlarms>,
}

/// The alarms of a monitoring account that read the metric of another account.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
pub struct MonitoringAlarms {
    /// The monitoring account, and the region of the metric.
    pub place: Place,
    /// What was found.
    pub found: Read<FoundAlarms>,
}

/// The mute rules on one alarm: while one is active, the alarm changes its state and tells nobody.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
pub struct MuteRules {
    /// The alarm, metric or composite.
    pub alarm: Arn,
    /// The ARNs of the rules on it that have not expired, sorted.
    pub rules: Read<Vec<String>>,
}

/// Alarms that were found for a metric.
#[derive(Debug, Clone, Default, PartialEq, Hash, Serialize, Deserialize)]
pub struct FoundAlarms {
    /// Alarms on the metric, alarms whose metric math reads it, and alarms on a metric of the same
    /// name elsewhere (near misses), sorted by ARN.
    pub metric_alarms: Vec<MetricAlarm>,
    /// Composite alarms whose rule names one of those, or another such composite alarm, sorted by
    /// ARN.
    pub composite_alarms: Vec<CompositeAlarm>,
}

/// A metric alarm, without its description and its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricAlarm {
    /// Its ARN.
    pub arn: Arn,
    /// Its name.
    pub name: String,
    /// Whether its actions are carried out at all.
    pub actions_enabled: bool,
    /// What is done in the state ALARM, sorted.
    pub alarm_actions: Vec<String>,
    /// The metric, for an alarm on a single one.
    pub metric: Option<(String, String, Dimensions)>,
    /// `Sum`, `Maximum`, …
    pub statistic: Option<String>,
    /// `p99`, `tm90`, …
    pub extended_statistic: Option<String>,
    /// What is done about a percentile of few samples: `evaluate`, `ignore`; `evaluate` if absent.
    pub evaluate_low_sample_count_percentile: Option<String>,
    /// The length of a period in seconds.
    pub period_seconds: Option<i32>,
    /// The unit it asks for; an alarm that asks for none sees every unit.
    pub unit: Option<String>,
    /// N: how many periods are looked at.
    pub evaluation_periods: Option<i32>,
    /// M: how many of them must breach; N if absent.
    pub datapoints_to_alarm: Option<i32>,
    /// The value to compare with.
    pub threshold: Option<f64>,
    /// `GreaterThanOrEqualToThreshold`, …
    pub comparison_operator: Option<String>,
    /// `missing`, `notBreaching`, `breaching`, `ignore`; `missing` if absent.
    pub treat_missing_data: Option<String>,
    /// Metric math and metric queries.
    pub metrics: Vec<MetricQuery>,
    /// Settings that are in force and whose effect this version does not know, by name.
    pub unknown_settings: Vec<String>,
}

impl Hash for MetricAlarm {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            arn,
            name,
            actions_enabled,
            alarm_actions,
            metric,
            statistic,
            extended_statistic,
            evaluate_low_sample_count_percentile,
            period_seconds,
            unit,
            evaluation_periods,
            datapoints_to_alarm,
            threshold,
            comparison_operator,
            treat_missing_data,
            metrics,
            unknown_settings,
        } = self;
        (arn, name, actions_enabled, alarm_actions, metric).hash(state);
        (statistic, extended_statistic, unit, period_seconds).hash(state);
        evaluate_low_sample_count_percentile.hash(state);
        (evaluation_periods, datapoints_to_alarm, number(*threshold)).hash(state);
        (comparison_operator, treat_missing_data, metrics).hash(state);
        unknown_settings.hash(state);
    }
}

/// One query of an alarm on metric math.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MetricQuery {
    /// Its id.
    pub id: String,
    /// The expression, for metric math.
    pub expression: Option<String>,
    /// The metric: namespace, name and dimensions.
    pub metric: Option<(String, String, Dimensions)>,
    /// Its statistic.
    pub statistic: Option<String>,
    /// Its period in seconds.
    pub period_seconds: Option<i32>,
    /// The unit it asks for; an alarm that asks for none sees every unit.
    pub unit: Option<String>,
    /// The account of the metric, where it is another one.
    pub account: Option<String>,
    /// Whether its result is what the alarm looks at.
    pub return_data: bool,
}

/// A composite alarm, without its description and its state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CompositeAlarm {
    /// Its ARN.
    pub arn: Arn,
    /// Its name.
    pub name: String,
    /// Whether its actions are carried out at all.
    pub actions_enabled: bool,
    /// What is done in the state ALARM, sorted.
    pub alarm_actions: Vec<String>,
    /// The rule over other alarms.
    pub rule: String,
    /// The alarm that suppresses its actions.
    pub actions_suppressor: Option<String>,
}
