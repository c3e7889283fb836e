//! Does one matching event take the alarm to ALARM, and would anybody be told?

use model::{
    Advice, AdviceCode, Arn, Link, Reason,
    evidence::{CompositeAlarm, MetricAlarm, MetricKey},
};

use crate::obstacle::Obstacle;

/// What a metric filter publishes for each match.
pub(crate) struct Published<'a> {
    pub(crate) metric: &'a MetricKey,
    /// `None` where it depends on the event, which is said at the filter.
    pub(crate) value: Option<f64>,
    /// What it publishes for minutes in which events arrived but none matched.
    pub(crate) default_value: Option<f64>,
    /// `None` is the unit `None`.
    pub(crate) unit: Option<&'a str>,
    /// The names of its dimensions, sorted; their values come from the events.
    pub(crate) dimensions: Vec<&'a str>,
}

/// How an alarm looks at a metric, for an alarm on one metric and for metric math that comes to the
/// same.
struct Evaluation<'a> {
    statistic: Option<&'a str>,
    period_seconds: Option<i32>,
    unit: Option<&'a str>,
    dimensions: Vec<&'a str>,
}

fn undecided(message: impl Into<String>) -> Obstacle {
    Obstacle::new(Link::Alarm, Reason::AlarmUndecided, message)
}

fn broken(reason: Reason, message: impl Into<String>) -> Obstacle {
    Obstacle::new(Link::Alarm, reason, message)
}

/// What keeps the alarm itself from firing for what is published, and from telling anybody.
pub(crate) fn alarm_obstacles(
    alarm: &MetricAlarm,
    published: &Published<'_>,
    advice: &mut Vec<Advice>,
) -> Vec<Obstacle> {
    let evaluation = match evaluation(alarm, published.metric) {
        Ok(evaluation) => evaluation,
        // It watches something else: what it does about that is of no interest.
        Err(obstacle) if obstacle.is_broken() => return vec![obstacle],
        Err(obstacle) => return [obstacle].into_iter().chain(action(alarm)).collect(),
    };
    if let Some(obstacle) = other_series(&evaluation, published) {
        return vec![obstacle];
    }
    let mut obstacles: Vec<Obstacle> = Vec::new();
    if alarm.unknown_settings.is_empty() {
        let value = published.value;
        obstacles
            .extend(value.and_then(|value| firing(alarm, &evaluation, published, value, advice)));
    } else {
        let settings = alarm.unknown_settings.join(", ");
        obstacles.push(undecided(format!(
            "the alarm uses {settings}, whose effect this version does not know"
        )));
    }
    obstacles.extend(action(alarm));
    obstacles
}

/// The topics among the alarm's actions.
pub(crate) fn topics(alarm: &MetricAlarm) -> Vec<Arn> {
    let actions = alarm
        .alarm_actions
        .iter()
        .filter_map(|action| action.parse::<Arn>().ok());
    actions.filter(Arn::is_sns_topic).collect()
}

fn action(alarm: &MetricAlarm) -> Option<Obstacle> {
    if !alarm.actions_enabled {
        Some(broken(
            Reason::AlarmActionsDisabled,
            "the alarm's actions are switched off",
        ))
    } else if alarm.alarm_actions.is_empty() {
        Some(broken(
            Reason::AlarmNoAction,
            "the alarm has no action for the state ALARM",
        ))
    } else if topics(alarm).is_empty() {
        Some(broken(
            Reason::ActionNotSns,
            "none of the alarm's actions is an SNS topic",
        ))
    } else {
        None
    }
}

/// A composite alarm through which an alarm tells somebody.
pub(crate) struct ToldThrough<'e> {
    pub(crate) composite: &'e CompositeAlarm,
    pub(crate) obstacles: Vec<Obstacle>,
    pub(crate) advice: Vec<Advice>,
}

pub(crate) fn composites_telling<'e>(
    alarm: &MetricAlarm,
    composites: &'e [CompositeAlarm],
) -> Vec<ToldThrough<'e>> {
    let names = |rule: &str| rule.contains(&alarm.name) || rule.contains(alarm.arn.as_str());
    composites
        .iter()
        .filter(|composite| names(&composite.rule))
        .map(|composite| ToldThrough {
            composite,
            obstacles: vec![undecided(
                "whether the composite alarm tells somebody is not decided",
            )],
            advice: Vec::new(),
        })
        .collect()
}

pub(crate) fn composite_topics(composite: &CompositeAlarm) -> Vec<Arn> {
    let actions = composite.alarm_actions.iter();
    actions
        .filter_map(|action| action.parse::<Arn>().ok())
        .filter(Arn::is_sns_topic)
        .collect()
}

fn evaluation<'a>(alarm: &'a MetricAlarm, metric: &MetricKey) -> Result<Evaluation<'a>, Obstacle> {
    let other = |namespace: &str, name: &str| {
        broken(
            Reason::AlarmOtherMetric,
            format!(
                "the alarm watches {namespace}/{name}, not {}/{}",
                metric.namespace, metric.name
            ),
        )
    };
    if let Some((namespace, name, dimensions)) = &alarm.metric {
        if (namespace, name) != (&metric.namespace, &metric.name) {
            return Err(other(namespace, name));
        }
        if !alarm.metrics.is_empty() {
            return Err(undecided("the alarm names both a metric and metric math"));
        }
        return Ok(Evaluation {
            statistic: alarm
                .statistic
                .as_deref()
                .or(alarm.extended_statistic.as_deref()),
            period_seconds: alarm.period_seconds,
            unit: alarm.unit.as_deref(),
            dimensions: dimensions.0.keys().map(String::as_str).collect(),
        });
    }
    match alarm.metrics.as_slice() {
        [query] if query.expression.is_none() && query.return_data => {
            let Some((namespace, name, dimensions)) = &query.metric else {
                return Err(undecided("the alarm's metric query names no metric"));
            };
            if (namespace, name) != (&metric.namespace, &metric.name) {
                return Err(other(namespace, name));
            }
            let home = metric.place.account.to_string();
            if query
                .account
                .as_ref()
                .is_some_and(|account| *account != home)
            {
                return Err(broken(
                    Reason::AlarmOtherMetric,
                    "the alarm watches the metric of another account",
                ));
            }
            Ok(Evaluation {
                statistic: query.statistic.as_deref(),
                period_seconds: query.period_seconds,
                unit: query.unit.as_deref(),
                dimensions: dimensions.0.keys().map(String::as_str).collect(),
            })
        }
        [] => Err(undecided("the alarm names no metric")),
        _ => Err(undecided(
            "the alarm uses metric math, which this version does not decide",
        )),
    }
}

/// Whether the alarm looks at another series than the one that is published: same metric, other
/// dimensions or unit (CloudWatch does not aggregate over dimensions, nor convert units).
fn other_series(evaluation: &Evaluation<'_>, published: &Published<'_>) -> Option<Obstacle> {
    let unit = published.unit.unwrap_or("None");
    if let Some(asked) = evaluation.unit.filter(|asked| *asked != unit) {
        let message =
            format!("the alarm asks for the unit {asked}, but the filter publishes {unit}");
        return Some(broken(Reason::AlarmOtherMetric, message));
    }
    if evaluation.dimensions != published.dimensions {
        let names = |list: &[&str]| {
            if list.is_empty() {
                "none".to_owned()
            } else {
                list.join(", ")
            }
        };
        let message = format!(
            "the alarm's dimensions ({}) are not those of the filter's metric ({})",
            names(&evaluation.dimensions),
            names(&published.dimensions)
        );
        return Some(broken(Reason::AlarmOtherMetric, message));
    }
    (!published.dimensions.is_empty()).then(|| {
        undecided(format!(
            "the alarm watches one value of {}; whether every event carries it is not decided",
            published.dimensions.join(", ")
        ))
    })
}

/// The data points that one matching event, and no event, give under a statistic.
struct DataPoints {
    /// With one match: every value the statistic may take, depending on whether other events
    /// arrive in the same period.
    matched: Vec<f64>,
    /// Without a match though events arrive; `None` is missing data.
    quiet: Option<f64>,
}

fn data_points(statistic: &str, value: f64, default: Option<f64>) -> Option<DataPoints> {
    // More than one event may fall into a period, and each of them must count.
    const MANY: f64 = 1e6;
    // A filter publishes its default value for a minute in which events arrive and none match, so
    // a period may hold both. Only 0 leaves a sum as it is.
    let default = match default {
        None => None,
        Some(0.0) => Some(0.0),
        Some(_) => return None,
    };
    let with_default = |mixed: f64| {
        if default.is_some() {
            vec![value, mixed]
        } else {
            vec![value]
        }
    };
    Some(match statistic {
        "Sum" => DataPoints {
            matched: vec![value, value * MANY],
            quiet: default,
        },
        "Maximum" => DataPoints {
            matched: with_default(value.max(0.0)),
            quiet: default,
        },
        "Minimum" => DataPoints {
            matched: with_default(value.min(0.0)),
            quiet: default,
        },
        // With enough other minutes in the period, the average comes arbitrarily near to 0.
        "Average" => DataPoints {
            matched: with_default(0.0),
            quiet: default,
        },
        "SampleCount" => DataPoints {
            matched: vec![1.0, MANY],
            quiet: default.map(|_| 1.0),
        },
        _ => return None,
    })
}

fn breaches(operator: &str, value: f64, threshold: f64) -> Option<bool> {
    Some(match operator {
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "GreaterThanThreshold" => value > threshold,
        "LessThanThreshold" => value < threshold,
        "LessThanOrEqualToThreshold" => value <= threshold,
        _ => return None,
    })
}

/// What keeps one matching event from taking the alarm to ALARM, and back out of it afterwards:
/// actions follow a change of state, so an alarm that stays in ALARM tells nobody of the next event.
fn firing(
    alarm: &MetricAlarm,
    evaluation: &Evaluation<'_>,
    published: &Published<'_>,
    value: f64,
    advice: &mut Vec<Advice>,
) -> Option<Obstacle> {
    let (Some(operator), Some(threshold), Some(periods), Some(statistic), Some(_)) = (
        alarm.comparison_operator.as_deref(),
        alarm.threshold,
        alarm.evaluation_periods,
        evaluation.statistic,
        evaluation.period_seconds,
    ) else {
        return Some(undecided(
            "the alarm lacks a threshold, comparison, statistic, period or number of periods",
        ));
    };
    let datapoints = alarm.datapoints_to_alarm.unwrap_or(periods);
    if datapoints < 1 || datapoints > periods {
        return Some(undecided(format!(
            "the alarm asks for {datapoints} data points of {periods} periods"
        )));
    }
    let Some(points) = data_points(statistic, value, published.default_value) else {
        return Some(undecided(format!(
            "whether the statistic {statistic} shows one event is not decided for this filter's values"
        )));
    };
    let all = |values: &[f64]| {
        values
            .iter()
            .map(|value| breaches(operator, *value, threshold))
            .collect::<Option<Vec<bool>>>()
    };
    let Some(matched) = all(&points.matched) else {
        return Some(undecided(format!(
            "the comparison {operator} has no fixed threshold"
        )));
    };
    let missing = alarm.treat_missing_data.as_deref().unwrap_or("missing");
    let rule = format!("{statistic} {operator} {threshold}");

    if points
        .quiet
        .is_some_and(|quiet| breaches(operator, quiet, threshold) == Some(true))
    {
        return Some(broken(
            Reason::AlarmStuck,
            format!("{rule} holds without any event, so the alarm is always in ALARM"),
        ));
    }
    if !matched.iter().all(|breaching| *breaching) {
        let message = if matched.contains(&true) {
            format!("{rule} does not hold for one event whatever else arrives in the same period")
        } else {
            format!("{rule} does not hold for one event, which publishes {value}")
        };
        return Some(broken(Reason::AlarmNeverFires, message));
    }
    match missing {
        "breaching" => {
            let message = "missing data counts as breaching, so the alarm is in ALARM whenever nothing happens";
            return Some(broken(Reason::AlarmStuck, message));
        }
        "ignore" if published.default_value.is_none() => {
            let message =
                "missing data is ignored, so the alarm stays in ALARM after the first event";
            return Some(broken(Reason::AlarmStuck, message));
        }
        "missing" | "notBreaching" | "ignore" => {}
        other => {
            return Some(undecided(format!(
                "missing data is treated as `{other}`, which this version does not know"
            )));
        }
    }
    if datapoints > 1 {
        if missing != "missing" || published.default_value.is_some() {
            let message = format!("{datapoints} periods must breach, and one event breaches one");
            return Some(broken(Reason::AlarmNeverFires, message));
        }
        advice.push(Advice {
            code: AdviceCode::FiresLate,
            message: format!(
                "alarm `{}` asks for {datapoints} breaching periods, so it fires that much later",
                alarm.name
            ),
        });
    }
    None
}

#[cfg(test)]
mod tests;
