//! What a metric filter publishes, and what makes it worthless whatever its pattern matches.

use model::{
    Link, Reason,
    evidence::{MetricFilter, MetricKey, MetricTransformation},
};

use crate::{alarm_fires::Published, obstacle::Obstacle};

/// Selectors of fields that hold words in every CloudTrail event: every control requires its events
/// by them, so they are there, and neither an API's name nor a service's domain is a number.
const TEXT_OF_EVERY_EVENT: &[&str] = &["$.eventName", "$.eventSource"];

/// What a transformation publishes for each match, as an alarm sees it, with what the other filters
/// of the log group publish to the same metric: the alarm sees their data points as well.
pub(crate) fn published<'a>(
    filter: &'a MetricFilter,
    transformation: &'a MetricTransformation,
    metric: &'a MetricKey,
    others: &[&MetricTransformation],
) -> Published<'a> {
    let system_fields = &filter.emit_system_field_dimensions;
    let mut dimensions: Vec<&str> = transformation
        .dimensions
        .keys()
        .chain(system_fields)
        .map(String::as_str)
        .collect();
    dimensions.sort_unstable();
    Published {
        metric,
        value: number(transformation),
        default_value: transformation.default_value,
        other_defaults: others
            .iter()
            .filter_map(|other| other.default_value)
            .collect(),
        unit: transformation.unit.as_deref(),
        dimensions,
    }
}

/// What a transformation publishes, if that does not depend on the event.
pub(crate) fn number(transformation: &MetricTransformation) -> Option<f64> {
    transformation
        .value
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
}

/// What the other filters of the log group do to the metric.
pub(crate) fn sharing_obstacle(
    filter: &MetricFilter,
    transformation: &MetricTransformation,
    others: &[&MetricTransformation],
) -> Option<Obstacle> {
    let same = |other: &&&MetricTransformation| {
        let same_value = match (number(other), number(transformation)) {
            (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
            _ => other.value.trim() == transformation.value.trim(),
        };
        same_value && other.unit == transformation.unit
    };
    (!others.iter().all(|other| same(&other))).then(|| {
        let message = format!(
            "the filter `{}` shares its metric with another that publishes another value or unit, which this version does not decide",
            filter.name
        );
        Obstacle::new(Link::MetricFilter, Reason::FilterUndecided, message)
    })
}

/// A filter that publishes 0 for each match, where no alarm counts the matches.
pub(crate) fn worthless(filter: &MetricFilter) -> Obstacle {
    let message = format!(
        "the filter `{}` publishes 0 for each match, and no alarm tells that from nothing",
        filter.name
    );
    Obstacle::new(Link::MetricFilter, Reason::FilterMetricWorthless, message)
}

/// What makes a filter worthless or undecidable whatever its pattern matches.
pub(crate) fn filter_obstacles(filter: &MetricFilter) -> Vec<Obstacle> {
    let of = |reason, message: String| Obstacle::new(Link::MetricFilter, reason, message);
    let name = &filter.name;
    let mut obstacles = Vec::new();
    if let Err(error) = filter_pattern::FilterPattern::parse(&filter.pattern) {
        let message = format!(
            "the pattern of the filter `{name}` is not understood by this version: {error}"
        );
        obstacles.push(of(Reason::FilterUndecided, message));
    }
    if filter.apply_on_transformed_logs {
        let message =
            format!("the filter `{name}` matches transformed events, whose fields are not known");
        obstacles.push(of(Reason::FilterUndecided, message));
    }
    if let Some(criteria) = &filter.field_selection_criteria {
        let message = format!(
            "the filter `{name}` sees only events that meet the field selection `{criteria}`, which this version does not decide"
        );
        obstacles.push(of(Reason::FilterUndecided, message));
    }
    if filter.transformations.is_empty() {
        obstacles.push(of(
            Reason::FilterMetricWorthless,
            format!("the filter `{name}` publishes no metric"),
        ));
    }
    for transformation in filter
        .transformations
        .iter()
        .filter(|one| number(one).is_none())
    {
        let value = transformation.value.trim();
        if TEXT_OF_EVERY_EVENT.contains(&value) {
            let message = format!(
                "the filter `{name}` publishes `{value}`, which is no number in any of these events, so nothing is published"
            );
            obstacles.push(of(Reason::FilterMetricWorthless, message));
            continue;
        }
        let message = if value.starts_with('$') {
            format!("the filter `{name}` publishes `{value}`, which depends on the event")
        } else {
            format!(
                "the filter `{name}` publishes `{value}`, which is neither a number nor a selector"
            )
        };
        obstacles.push(of(Reason::FilterUndecided, message));
    }
    obstacles
}
