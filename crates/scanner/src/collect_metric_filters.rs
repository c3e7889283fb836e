//! The metric filters of a log group.

use aws::{Api, Target};
use aws_sdk_cloudwatchlogs::types::{MetricFilter as SdkFilter, StandardUnit};
use model::{
    LogGroupArn,
    evidence::{MetricFilter, MetricTransformation, Read},
};

use crate::Collector;

impl Collector {
    /// The metric filters of a log group; all pages, sorted by name.
    pub(crate) async fn metric_filters(&self, group: &LogGroupArn) -> Read<Vec<MetricFilter>> {
        let client = &self.aws.clients().logs;
        let session = self.aws.session(group.account());
        let resource = group.arn().as_str();
        let mut filters = Vec::new();
        let send = |target: Target, token| {
            let request = client
                .describe_metric_filters()
                .log_group_name(group.name());
            let request = request.limit(50).set_next_token(token);
            request.customize().config_override(target.logs()).send()
        };
        session
            .pages(
                Api::DescribeMetricFilters,
                group.region(),
                Some(resource),
                send,
                |page| {
                    let listed = page.metric_filters.unwrap_or_default();
                    filters.extend(listed.into_iter().map(metric_filter));
                    Ok(page.next_token)
                },
            )
            .await?;
        filters.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(filters)
    }
}

fn metric_filter(filter: SdkFilter) -> MetricFilter {
    let mut system_dimensions = filter.emit_system_field_dimensions.unwrap_or_default();
    system_dimensions.sort();
    let transformations = filter
        .metric_transformations
        .unwrap_or_default()
        .into_iter();
    MetricFilter {
        name: filter.filter_name.unwrap_or_default(),
        pattern: filter.filter_pattern.unwrap_or_default(),
        transformations: transformations
            .map(|transformation| MetricTransformation {
                metric_name: transformation.metric_name,
                namespace: transformation.metric_namespace,
                value: transformation.metric_value,
                default_value: transformation.default_value,
                dimensions: transformation
                    .dimensions
                    .unwrap_or_default()
                    .into_iter()
                    .collect(),
                unit: transformation
                    .unit
                    .filter(|unit| *unit != StandardUnit::None)
                    .map(|unit| unit.as_str().to_owned()),
            })
            .collect(),
        apply_on_transformed_logs: filter.apply_on_transformed_logs,
        field_selection_criteria: filter
            .field_selection_criteria
            .filter(|criteria| !criteria.is_empty()),
        emit_system_field_dimensions: system_dimensions,
    }
}
