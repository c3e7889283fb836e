//! What to put in place where a control fails.

use serde::Serialize;

/// A metric filter and an alarm that satisfy a control, whatever trail and topic they stand between.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prescription {
    /// The pattern of the metric filter, as the benchmark publishes it.
    pub filter_pattern: String,
    /// The namespace of the metric.
    pub metric_namespace: String,
    /// The name of the metric.
    pub metric_name: String,
    /// What the metric filter publishes for each match.
    pub metric_value: &'static str,
    /// How the alarm looks at the metric.
    pub alarm: AlarmSettings,
}

/// How an alarm looks at a metric, in the words of the CloudWatch API.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AlarmSettings {
    /// What is made of the data points of a period.
    pub statistic: &'static str,
    /// The length of a period.
    pub period_seconds: u32,
    /// How that is compared with the threshold.
    pub comparison_operator: &'static str,
    /// The threshold.
    pub threshold: f64,
    /// How many periods are looked at.
    pub evaluation_periods: u32,
    /// How many of these must breach.
    pub datapoints_to_alarm: u32,
    /// What a period without data points counts as.
    pub treat_missing_data: &'static str,
}

impl AlarmSettings {
    /// One matching event takes such an alarm to ALARM, and it comes back by itself.
    pub const FIRES_ON_ONE_EVENT: Self = Self {
        statistic: "Sum",
        period_seconds: 300,
        comparison_operator: "GreaterThanOrEqualToThreshold",
        threshold: 1.0,
        evaluation_periods: 1,
        datapoints_to_alarm: 1,
        treat_missing_data: "notBreaching",
    };
}

impl Prescription {
    pub(super) fn new(pattern: String, namespace: String, metric: String) -> Self {
        Self {
            filter_pattern: pattern,
            metric_namespace: namespace,
            metric_name: metric,
            metric_value: "1",
            alarm: AlarmSettings::FIRES_ON_ONE_EVENT,
        }
    }
}
