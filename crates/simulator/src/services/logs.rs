//! CloudWatch Logs: log groups and the metric filters on them.

use super::Call;
use crate::api_error::ApiError;
use crate::service::Service;
use crate::value::{Fields, Value};
use crate::world::{LogGroup, MetricFilter};

const PAGE: usize = 50;
const LARGEST_PAGE: i64 = 50;

pub(super) fn answer(operation: &str, call: &Call<'_>) -> Result<Fields, ApiError> {
    match operation {
        "DescribeMetricFilters" => describe_metric_filters(call),
        "DescribeLogGroups" => describe_log_groups(call),
        other => Err(Service::Logs.unknown_operation(other)),
    }
}

fn describe_metric_filters(call: &Call<'_>) -> Result<Fields, ApiError> {
    let group_name = call.params.text("logGroupName")?;
    let resource = call.arn(
        "logs",
        &format!("log-group:{}:log-stream:", group_name.unwrap_or("")),
    );
    call.authorize("logs:DescribeMetricFilters", Some(&resource))?;
    let groups: Vec<&LogGroup> = match group_name {
        Some(name) => vec![
            call.account
                .log_group(call.region, name)
                .ok_or_else(no_such_group)?,
        ],
        None => groups_here(call).collect(),
    };
    let prefix = call.params.text("filterNamePrefix")?.unwrap_or_default();
    let metric = call.params.text("metricName")?;
    let namespace = call.params.text("metricNamespace")?;
    if metric.is_some() != namespace.is_some() {
        let message = "metricName and metricNamespace are wanted together".to_owned();
        return Err(Service::Logs.invalid(message));
    }
    let filters: Vec<(&LogGroup, &MetricFilter)> = groups
        .into_iter()
        .flat_map(|group| {
            group
                .metric_filters
                .iter()
                .map(move |filter| (group, filter))
        })
        .filter(|(_, filter)| filter.name.starts_with(prefix))
        .filter(|(_, filter)| metric.is_none_or(|metric| filter.metric == metric))
        .filter(|(_, filter)| namespace.is_none_or(|namespace| filter.namespace == namespace))
        .collect();
    let page = call.page(
        filters.len(),
        PAGE,
        call.asked_size("limit", LARGEST_PAGE)?,
        "nextToken",
    )?;
    let items: Vec<Value> = page
        .positions
        .into_iter()
        .map(|position| {
            let (group, filter) = filters[position];
            filter_fields(call, group, filter).into()
        })
        .collect();
    Ok(Fields::new()
        .with("metricFilters", items)
        .maybe("nextToken", page.next_token))
}

fn filter_fields(call: &Call<'_>, group: &LogGroup, filter: &MetricFilter) -> Fields {
    let dimensions: Vec<(String, String)> = filter
        .dimensions
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let transformation = Fields::new()
        .with("metricName", &filter.metric)
        .with("metricNamespace", &filter.namespace)
        .with("metricValue", &filter.value)
        .maybe("defaultValue", filter.default_value)
        .only_if(
            !dimensions.is_empty(),
            "dimensions",
            Value::Entries(dimensions),
        )
        .with(
            "unit",
            filter.unit.clone().unwrap_or_else(|| "None".to_owned()),
        );
    Fields::new()
        .with("filterName", &filter.name)
        .with("filterPattern", &filter.pattern)
        .with("metricTransformations", vec![transformation.into()])
        .with(
            "creationTime",
            call.account.made_at(&filter.name).as_millisecond(),
        )
        .with("logGroupName", &group.name)
        .with("applyOnTransformedLogs", filter.apply_on_transformed_logs)
        .maybe(
            "fieldSelectionCriteria",
            filter.field_selection_criteria.as_ref(),
        )
        .only_if(
            !filter.emit_system_field_dimensions.is_empty(),
            "emitSystemFieldDimensions",
            filter.emit_system_field_dimensions.as_slice(),
        )
}

/// The one list here that AWS sorts. A group that is not there is left out, never an error.
fn describe_log_groups(call: &Call<'_>) -> Result<Fields, ApiError> {
    let resource = call.arn("logs", "log-group::log-stream:");
    call.authorize("logs:DescribeLogGroups", Some(&resource))?;
    let params = call.params;
    let prefix = params.text("logGroupNamePrefix")?;
    let pattern = params.text("logGroupNamePattern")?;
    let class = params.text("logGroupClass")?;
    let identifiers = params
        .texts("logGroupIdentifiers")?
        .filter(|identifiers| !identifiers.is_empty());
    if prefix.is_some() && pattern.is_some() {
        let message = "logGroupNamePrefix and logGroupNamePattern exclude each other".to_owned();
        return Err(Service::Logs.invalid(message));
    }
    if let Some(identifiers) = &identifiers {
        if prefix.is_some() || pattern.is_some() || class.is_some() {
            let message = "logGroupIdentifiers excludes the other filters".to_owned();
            return Err(Service::Logs.invalid(message));
        }
        // No account here monitors others in CloudWatch, and only such a one may name ARNs.
        if identifiers.iter().any(|one| one.starts_with("arn:")) {
            let message = "logGroupIdentifiers takes names of log groups here".to_owned();
            return Err(Service::Logs.invalid(message));
        }
    }
    let mut groups: Vec<&LogGroup> = groups_here(call)
        .filter(|group| prefix.is_none_or(|prefix| group.name.starts_with(prefix)))
        .filter(|group| pattern.is_none_or(|pattern| group.name.contains(pattern)))
        .filter(|group| class.is_none_or(|class| group.class.as_deref() == Some(class)))
        .filter(|group| {
            identifiers
                .as_ref()
                .is_none_or(|names| names.contains(&group.name.as_str()))
        })
        .collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    let page = call.page_in_order(
        groups.len(),
        PAGE,
        call.asked_size("limit", LARGEST_PAGE)?,
        "nextToken",
    )?;
    let items: Vec<Value> = page
        .positions
        .into_iter()
        .map(|position| group_fields(call, groups[position]).into())
        .collect();
    Ok(Fields::new()
        .with("logGroups", items)
        .maybe("nextToken", page.next_token))
}

fn group_fields(call: &Call<'_>, group: &LogGroup) -> Fields {
    let arn = call.arn("logs", &format!("log-group:{}", group.name));
    let filters = i64::try_from(group.metric_filters.len()).unwrap_or(i64::MAX);
    let stored = call.draw.fork(&group.name).below(1 << 40);
    Fields::new()
        .with("logGroupName", &group.name)
        .with(
            "creationTime",
            call.account.made_at(&group.name).as_millisecond(),
        )
        .maybe("retentionInDays", group.retention_days)
        .with("metricFilterCount", filters)
        .with("arn", format!("{arn}:*"))
        .with("logGroupArn", arn)
        .with("storedBytes", i64::try_from(stored).unwrap_or(0))
        .maybe("logGroupClass", group.class.as_ref())
}

fn groups_here<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a LogGroup> {
    call.account
        .log_groups
        .iter()
        .filter(|group| group.region == call.region)
}

fn no_such_group() -> ApiError {
    ApiError::new(
        400,
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
}
