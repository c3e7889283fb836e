//! The metric filters of a log group.

use aws::{Api, Target};
use aws_sdk_cloudwatchlogs::types::{MetricFilter as SdkFilter, StandardUnit};
use model::{
    LogGroupArn,
    evidence::{MetricFilter, MetricTransformation, OtherPublisher, Place, Read},
};

use crate::Collector;

/// The metric filters of an account and region with the names of their log groups, if they fit on one
/// page; sorted.
pub(crate) type ShortFilterList = Option<Vec<OtherPublisher>>;

impl Collector {
    /// The metric filters of a log group, sorted by name, and those on other log groups that publish to
    /// the same metrics.
    ///
    /// One page without the name of a log group costs what one with it does, and shows both; most
    /// accounts have no second page. Where there is one, or where it may not be asked for, the group is
    /// asked for by name.
    pub(crate) async fn metric_filters(
        &self,
        group: &LogGroupArn,
    ) -> Read<(Vec<MetricFilter>, ShortFilterList)> {
        let place = Place {
            account: group.account(),
            region: group.region().clone(),
        };
        let page = self
            .short_filter_lists
            .get(&place, || self.short_filter_list(&place))
            .await;
        match page.as_ref() {
            Ok(Some(all)) => {
                let (own, others): (Vec<&OtherPublisher>, Vec<&OtherPublisher>) =
                    all.iter().partition(|one| one.log_group == group.name());
                let own: Vec<MetricFilter> =
                    own.into_iter().map(|one| one.filter.clone()).collect();
                let shared = |one: &&OtherPublisher| publish_alike(&own, &one.filter);
                let others = others.into_iter().filter(shared).cloned().collect();
                Ok((own, Some(others)))
            }
            // Evidence must not depend on what passes: the page is asked for again at the end.
            Err(gap) if gap.class.is_passing() => Err(gap.clone()),
            Ok(None) | Err(_) => Ok((self.metric_filters_by_name(group).await?, None)),
        }
    }

    async fn short_filter_list(&self, place: &Place) -> Read<ShortFilterList> {
        let client = &self.aws.clients().logs;
        let session = self.aws.session(place.account);
        let page = session
            .call(
                Api::DescribeMetricFilters,
                &place.region,
                None,
                |target: Target| {
                    let request = client.describe_metric_filters().limit(50);
                    request.customize().config_override(target.logs()).send()
                },
            )
            .await?;
        if page.next_token.is_some_and(|token| !token.is_empty()) {
            return Ok(None);
        }
        let listed = page.metric_filters.unwrap_or_default().into_iter();
        let mut all: Vec<OtherPublisher> = listed
            .map(|filter| OtherPublisher {
                log_group: filter.log_group_name.clone().unwrap_or_default(),
                filter: metric_filter(filter),
            })
            .collect();
        all.sort_by(|a, b| (&a.log_group, &a.filter.name).cmp(&(&b.log_group, &b.filter.name)));
        Ok(Some(all))
    }

    /// The metric filters of a log group; all pages, sorted by name.
    pub(crate) async fn metric_filters_by_name(
        &self,
        group: &LogGroupArn,
    ) -> Read<Vec<MetricFilter>> {
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

/// Whether a filter publishes to a metric to which one of these does.
fn publish_alike(filters: &[MetricFilter], other: &MetricFilter) -> bool {
    let same = |a: &MetricTransformation, b: &MetricTransformation| {
        (&a.namespace, &a.metric_name) == (&b.namespace, &b.metric_name)
    };
    let mut own = filters.iter().flat_map(|filter| &filter.transformations);
    own.any(|own| other.transformations.iter().any(|one| same(own, one)))
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
