//! Log groups and the metric filters on them.

use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq)]
pub struct LogGroup {
    pub name: String,
    pub region: String,
    /// `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`; other words are sent as they stand. `None`
    /// leaves the field out, as AWS did before there were classes.
    pub class: Option<String>,
    /// `None` keeps events for ever.
    pub retention_days: Option<i64>,
    pub metric_filters: Vec<MetricFilter>,
}

impl LogGroup {
    /// A group of the class that supports metric filters, without any yet.
    pub fn new(name: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            region: region.into(),
            class: Some("STANDARD".to_owned()),
            retention_days: None,
            metric_filters: Vec::new(),
        }
    }
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
