//! Log groups and the metric filters on them.

use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq)]
pub struct LogGroup {
    pub name: String,
    pub region: String,
    /// `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`.
    pub class: String,
    pub metric_filters: Vec<MetricFilter>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MetricFilter {
    pub name: String,
    pub pattern: String,
    pub namespace: String,
    pub metric: String,
    /// A number, or `$.selector`.
    pub value: String,
    pub default_value: Option<f64>,
    pub dimensions: BTreeMap<String, String>,
    pub unit: Option<String>,
    pub apply_on_transformed_logs: bool,
    pub field_selection_criteria: Option<String>,
    pub emit_system_field_dimensions: Vec<String>,
}
