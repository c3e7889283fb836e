//! Log groups and the metric filters on them.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize};

use crate::{
    LogGroupArn,
    evidence::{Dimensions, MetricKey, Place, Presence, Read},
    fingerprint::number,
};

/// A log group and the metric filters on it, read at its owner.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
pub struct LogGroupEvidence {
    /// Which log group.
    pub arn: LogGroupArn,
    /// Its class as AWS writes it; only [`STANDARD`](Self::STANDARD) supports metric filters.
    pub class: Read<Presence<String>>,
    /// Its metric filters, sorted by name.
    pub metric_filters: Read<Presence<Vec<MetricFilter>>>,
    /// Filters on other log groups of the account and region that publish to the same metrics, sorted:
    /// an alarm sees their data points as well. `None` where there are too many filters to look at.
    pub other_publishers: Option<Vec<OtherPublisher>>,
}

/// A metric filter on a log group that no trail leads to.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
pub struct OtherPublisher {
    /// The name of its log group.
    pub log_group: String,
    /// The filter.
    pub filter: MetricFilter,
}

impl LogGroupEvidence {
    /// The class of a log group that supports metric filters (CloudWatch Logs User Guide, log classes).
    pub const STANDARD: &str = "STANDARD";
}

/// A metric filter.
#[derive(Debug, Clone, PartialEq, Hash, Serialize, Deserialize)]
pub struct MetricFilter {
    /// Its name, unique within the log group.
    pub name: String,
    /// Its pattern, as AWS returns it.
    pub pattern: String,
    /// What it publishes for each match. AWS allows exactly one.
    pub transformations: Vec<MetricTransformation>,
    /// Whether it matches transformed events instead of raw ones.
    pub apply_on_transformed_logs: bool,
    /// A condition on system fields, which narrows what the pattern sees.
    pub field_selection_criteria: Option<String>,
    /// System fields that become dimensions of the metric, sorted.
    pub emit_system_field_dimensions: Vec<String>,
}

/// What a metric filter publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricTransformation {
    /// The name of the metric.
    pub metric_name: String,
    /// Its namespace.
    pub namespace: String,
    /// The value for each match: a number, or a selector.
    pub value: String,
    /// The value for a minute in which events arrived but none matched.
    pub default_value: Option<f64>,
    /// Its dimensions: name and selector.
    pub dimensions: BTreeMap<String, String>,
    /// The unit; `None` of AWS is `None` here.
    pub unit: Option<String>,
}

impl Hash for MetricTransformation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            metric_name,
            namespace,
            value,
            default_value,
            dimensions,
            unit,
        } = self;
        (metric_name, namespace, value, number(*default_value)).hash(state);
        (dimensions, unit).hash(state);
    }
}

impl MetricTransformation {
    /// The metric as alarms must name it. Values of dimensions are only known from events.
    pub fn metric(&self, place: Place) -> MetricKey {
        MetricKey {
            place,
            namespace: self.namespace.clone(),
            name: self.metric_name.clone(),
            dimensions: Dimensions::default(),
        }
    }
}
