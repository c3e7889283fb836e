//! CloudWatch alarms.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A metric alarm, on one metric or on an expression over several.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    pub name: String,
    pub region: String,
    pub description: String,
    /// The metric; empty where [`queries`](Self::queries) are used instead.
    pub metric: String,
    pub namespace: String,
    pub dimensions: BTreeMap<String, String>,
    /// `None` with an extended statistic or with queries.
    pub statistic: Option<String>,
    pub extended_statistic: Option<String>,
    pub period: i64,
    pub unit: Option<String>,
    pub evaluation_periods: i64,
    pub datapoints_to_alarm: Option<i64>,
    pub threshold: Option<f64>,
    pub comparison: String,
    pub treat_missing_data: String,
    pub actions_enabled: bool,
    pub alarm_actions: Vec<String>,
    pub ok_actions: Vec<String>,
    pub insufficient_data_actions: Vec<String>,
    pub queries: Vec<MetricQuery>,
    pub threshold_metric_id: Option<String>,
    pub evaluation_state: Option<String>,
    /// `evaluate` or `ignore`: what is done about a percentile of few samples.
    pub low_sample_percentile: Option<String>,
    pub evaluation_window: Option<EvaluationWindow>,
    pub warm_up_minutes: Option<i64>,
    /// How often the alarm is evaluated, in seconds.
    pub evaluation_interval: Option<i64>,
    /// Put into `StateReason`, where a canary can sit.
    pub state_note: String,
}

/// The range of data that an alarm looks at. AWS leaves the field out where nobody set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvaluationWindow {
    /// What alarms have always done.
    Sliding,
    /// Aligned with the clock: whole hours, whole days.
    WallClock,
}

/// One line of a metric-math alarm: an expression, or a metric.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricQuery {
    pub id: String,
    pub expression: Option<String>,
    pub metric: Option<String>,
    pub namespace: Option<String>,
    pub dimensions: BTreeMap<String, String>,
    pub statistic: Option<String>,
    pub period: Option<i64>,
    pub unit: Option<String>,
    pub account: Option<String>,
    pub label: Option<String>,
    pub return_data: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositeAlarm {
    pub name: String,
    pub region: String,
    pub description: String,
    pub rule: String,
    pub actions_enabled: bool,
    pub alarm_actions: Vec<String>,
    pub ok_actions: Vec<String>,
    pub insufficient_data_actions: Vec<String>,
    pub suppressor: Option<String>,
    pub state_note: String,
}
