//! What a metric filter publishes, and what makes it worthless whatever its pattern matches.

use model::{
    Link, Reason,
    evidence::{MetricFilter, MetricKey, MetricTransformation},
};

use crate::{alarm_fires::Published, obstacle::Obstacle};

/// What a transformation publishes for each match, as an alarm sees it.
pub(crate) fn published<'a>(
    filter: &'a MetricFilter,
    transformation: &'a MetricTransformation,
    metric: &'a MetricKey,
    value: f64,
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
        value,
        default_value: transformation.default_value,
        unit: transformation.unit.as_deref(),
        dimensions,
    }
}

/// What makes a filter worthless or undecidable whatever its pattern matches.
pub(crate) fn filter_obstacles(filter: &MetricFilter, is_understood: bool) -> Vec<Obstacle> {
    let of = |reason, message: String| Obstacle::new(Link::MetricFilter, reason, message);
    let name = &filter.name;
    let mut obstacles = Vec::new();
    if !is_understood {
        let message =
            format!("the pattern of the filter `{name}` is not understood by this version");
        obstacles.push(of(Reason::FilterUndecided, message));
    }
    if filter.apply_on_transformed_logs {
        let message =
            format!("the filter `{name}` matches transformed events, whose fields are not known");
        obstacles.push(of(Reason::FilterUndecided, message));
    }
    if filter.field_selection_criteria.is_some() {
        let message = format!(
            "the filter `{name}` sees only events that meet a field selection, which this version does not decide"
        );
        obstacles.push(of(Reason::FilterUndecided, message));
    }
    if filter.transformations.is_empty() {
        obstacles.push(of(
            Reason::FilterMetricWorthless,
            format!("the filter `{name}` publishes no metric"),
        ));
    }
    for transformation in &filter.transformations {
        let value = transformation.value.trim();
        match value.parse::<f64>() {
            Ok(0.0) => {
                let message = format!(
                    "the filter `{name}` publishes 0 for each match, which no alarm can tell from nothing"
                );
                obstacles.push(of(Reason::FilterMetricWorthless, message));
            }
            Ok(number) if number.is_finite() => {}
            _ => {
                let message =
                    format!("the filter `{name}` publishes `{value}`, which depends on the event");
                obstacles.push(of(Reason::FilterUndecided, message));
            }
        }
    }
    obstacles
}
