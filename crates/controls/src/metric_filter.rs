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

/// What makes a filter worthless or undecidable whatever its pattern matches; `not_understood` says why
/// its pattern is not, if it is not.
pub(crate) fn filter_obstacles(
    filter: &MetricFilter,
    not_understood: Option<&str>,
) -> Vec<Obstacle> {
    let of = |reason, message: String| Obstacle::new(Link::MetricFilter, reason, message);
    let name = &filter.name;
    let mut obstacles = Vec::new();
    if let Some(error) = not_understood {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn filter(value: &str) -> MetricFilter {
        MetricFilter {
            name: "org".to_owned(),
            pattern: "{ $.eventSource = \"organizations.amazonaws.com\" }".to_owned(),
            transformations: vec![MetricTransformation {
                metric_name: "Org".to_owned(),
                namespace: "CIS".to_owned(),
                value: value.to_owned(),
                default_value: None,
                dimensions: BTreeMap::new(),
                unit: None,
            }],
            apply_on_transformed_logs: false,
            field_selection_criteria: None,
            emit_system_field_dimensions: Vec::new(),
        }
    }

    fn reasons(filter: &MetricFilter) -> Vec<Reason> {
        let obstacles = filter_obstacles(filter, None);
        obstacles
            .into_iter()
            .map(|obstacle| obstacle.reason)
            .collect()
    }

    #[test]
    fn a_value_that_is_no_number_is_worthless_or_not_decided() {
        for value in ["1", " 1 ", "0.5", "-1", "1e3", "0"] {
            assert_eq!(reasons(&filter(value)), [], "{value}");
        }
        for value in ["$.eventName", "$.eventSource"] {
            assert_eq!(
                reasons(&filter(value)),
                [Reason::FilterMetricWorthless],
                "{value}"
            );
        }
        for value in [
            "$.requestParameters.amount",
            "$latency",
            "one",
            "",
            "NaN",
            "inf",
            "1e999",
        ] {
            assert_eq!(
                reasons(&filter(value)),
                [Reason::FilterUndecided],
                "{value}"
            );
        }
    }

    #[test]
    fn each_option_that_narrows_what_a_filter_sees_is_named() {
        let mut narrowed = filter("1");
        narrowed.field_selection_criteria = Some("@aws.account = \"111111111111\"".to_owned());
        let obstacles = filter_obstacles(&narrowed, None);
        assert_eq!(obstacles[0].reason, Reason::FilterUndecided);
        assert!(
            obstacles[0].message.contains("@aws.account"),
            "{obstacles:?}"
        );
        let mut transformed = filter("1");
        transformed.apply_on_transformed_logs = true;
        assert_eq!(reasons(&transformed), [Reason::FilterUndecided]);
        let mut silent = filter("1");
        silent.transformations.clear();
        assert_eq!(reasons(&silent), [Reason::FilterMetricWorthless]);
    }

    #[test]
    fn values_that_are_the_same_number_are_the_same() {
        let (one, other) = (filter("1"), filter("1.0"));
        let obstacle = |other: &MetricFilter| {
            sharing_obstacle(&one, &one.transformations[0], &[&other.transformations[0]])
        };
        assert_eq!(obstacle(&other), None);
        assert!(obstacle(&filter("2")).is_some());
    }
}
