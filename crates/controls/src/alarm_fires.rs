//! Does one matching event take the alarm to ALARM, and would anybody be told?

use model::{
    AccountId, Advice, AdviceCode, Arn, Link, Reason, Region,
    evidence::{Dimensions, MetricAlarm, MetricKey, MetricQuery},
};

use crate::{
    data_points::{
        Comparison, Contents, LONGEST_WINDOW_SECONDS, LowSampleCount, Publication, Samples,
        Statistic, low_sample_count,
    },
    metric_math::{OutOfRange, Reduction, Step, apply, reduce},
    obstacle::Obstacle,
};

/// What a metric filter publishes for each match.
pub(crate) struct Published<'a> {
    pub(crate) metric: &'a MetricKey,
    /// `None` where it depends on the event, which is said at the filter.
    pub(crate) value: Option<f64>,
    /// What it publishes for minutes in which events arrived but none matched.
    pub(crate) default_value: Option<f64>,
    /// What other filters publish to the same metric for such minutes.
    pub(crate) other_defaults: Vec<f64>,
    /// `None` is the unit `None`.
    pub(crate) unit: Option<&'a str>,
    /// The names of its dimensions, sorted; their values come from the events.
    pub(crate) dimensions: Vec<&'a str>,
}

/// One series of data points, as an alarm or one of its queries asks for it.
struct Series<'a> {
    metric: &'a (String, String, Dimensions),
    unit: Option<&'a str>,
    /// The account that the query names.
    account: Option<&'a str>,
}

/// How an alarm looks at a metric, for an alarm on one metric and for metric math that comes to the
/// same.
struct Evaluation<'a> {
    statistic: Option<&'a str>,
    period_seconds: Option<i32>,
    /// What metric math does to each data point.
    steps: Vec<Step>,
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
    let mut obstacles: Vec<Obstacle> = Vec::new();
    match evaluation(alarm, published) {
        // It watches something else: what it does about that is of no interest.
        Err(obstacle) if obstacle.is_broken() => return vec![obstacle],
        Err(obstacle) => obstacles.push(obstacle),
        Ok(evaluation) => {
            if !published.dimensions.is_empty() {
                obstacles.push(undecided(format!(
                    "the alarm watches one value of {}; whether every event carries it is not decided",
                    published.dimensions.join(", ")
                )));
            }
            if let Some(value) = published.value {
                obstacles.extend(firing(alarm, &evaluation, published, value, advice));
            }
        }
    }
    if !alarm.unknown_settings.is_empty() {
        let settings = alarm.unknown_settings.join(", ");
        // What the settings that are known come to says nothing beside one that is not.
        obstacles = vec![undecided(format!(
            "the alarm uses {settings}, whose effect this version does not know"
        ))];
    }
    obstacles.extend(action_obstacle(
        "the alarm",
        alarm.actions_enabled,
        &alarm.alarm_actions,
    ));
    obstacles
}

/// The topics among the alarm's actions.
pub(crate) fn topics(alarm: &MetricAlarm) -> Vec<Arn> {
    topics_of(&alarm.alarm_actions)
}

/// The topics among actions.
pub(crate) fn topics_of(actions: &[String]) -> Vec<Arn> {
    let actions = actions
        .iter()
        .filter_map(|action| action.parse::<Arn>().ok());
    actions.filter(Arn::is_sns_topic).collect()
}

/// What keeps an alarm, metric or composite, from telling a topic once it is in ALARM.
pub(crate) fn action_obstacle(
    subject: &str,
    actions_enabled: bool,
    actions: &[String],
) -> Option<Obstacle> {
    if !actions_enabled {
        Some(broken(
            Reason::AlarmActionsDisabled,
            format!("the actions of {subject} are switched off"),
        ))
    } else if actions.is_empty() {
        Some(broken(
            Reason::AlarmNoAction,
            format!("{subject} has no action for the state ALARM"),
        ))
    } else if topics_of(actions).is_empty() {
        Some(broken(
            Reason::ActionNotSns,
            format!("none of the actions of {subject} is an SNS topic"),
        ))
    } else {
        None
    }
}

fn evaluation<'a>(
    alarm: &'a MetricAlarm,
    published: &Published<'_>,
) -> Result<Evaluation<'a>, Obstacle> {
    let Some(home) = alarm.arn.home() else {
        return Err(undecided("the alarm's ARN names no account and region"));
    };
    let differs = |series: &Series<'_>| difference(&home, series, published);
    if let Some(metric) = &alarm.metric {
        if !alarm.metrics.is_empty() {
            return Err(undecided("the alarm names both a metric and metric math"));
        }
        let series = Series {
            metric,
            unit: alarm.unit.as_deref(),
            account: None,
        };
        if let Some(message) = differs(&series) {
            return Err(broken(Reason::AlarmOtherMetric, message));
        }
        if alarm.statistic.is_some() && alarm.extended_statistic.is_some() {
            return Err(undecided("the alarm names two statistics"));
        }
        return Ok(Evaluation {
            statistic: alarm
                .statistic
                .as_deref()
                .or(alarm.extended_statistic.as_deref()),
            period_seconds: alarm.period_seconds,
            steps: Vec::new(),
        });
    }
    if alarm.metrics.is_empty() {
        return Err(undecided("the alarm names no metric"));
    }
    let difference_of = |query: &MetricQuery| {
        let series = query.metric.as_ref().map(|metric| Series {
            metric,
            unit: query.unit.as_deref(),
            account: query.account.as_deref(),
        });
        series.map_or_else(
            || Some("the alarm's query names no metric".to_owned()),
            |series| differs(&series),
        )
    };
    match reduce(&alarm.metrics, |query| difference_of(query).is_none()) {
        Reduction::Undecided(message) => Err(undecided(message)),
        Reduction::Other(query) => {
            let message = match &query.expression {
                None => difference_of(query).unwrap_or_default(),
                Some(expression) => format!(
                    "the alarm watches `{expression}`, which does not use {}",
                    metric_name(published.metric)
                ),
            };
            Err(broken(Reason::AlarmOtherMetric, message))
        }
        Reduction::Ours(query, steps) => Ok(Evaluation {
            statistic: query.statistic.as_deref(),
            period_seconds: query.period_seconds,
            steps,
        }),
    }
}

fn metric_name(metric: &MetricKey) -> String {
    format!("{}/{}", metric.namespace, metric.name)
}

/// How a series differs from the one that is published, if it does: CloudWatch keeps each account,
/// region, name and set of dimensions apart, and does not convert units.
fn difference(
    home: &(AccountId, Region),
    series: &Series<'_>,
    published: &Published<'_>,
) -> Option<String> {
    let (namespace, name, dimensions) = series.metric;
    let metric = published.metric;
    if (namespace, name) != (&metric.namespace, &metric.name) {
        return Some(format!(
            "the alarm watches {namespace}/{name}, not {}",
            metric_name(metric)
        ));
    }
    let (account, region) = home;
    let place = &metric.place;
    if *region != place.region {
        return Some(format!(
            "the alarm watches a metric in {region}, but the filter publishes in {}",
            place.region
        ));
    }
    let account = account.to_string();
    let asked = series.account.unwrap_or(&account);
    if asked != place.account.to_string() {
        return Some(format!(
            "the alarm watches a metric of account {asked}, but the filter publishes in {}",
            place.account
        ));
    }
    let unit = published.unit.unwrap_or("None");
    if let Some(asked) = series.unit.filter(|asked| *asked != unit) {
        return Some(format!(
            "the alarm asks for the unit {asked}, but the filter publishes {unit}"
        ));
    }
    let dimensions: Vec<&str> = dimensions.0.keys().map(String::as_str).collect();
    if dimensions != published.dimensions {
        let names = |list: &[&str]| {
            if list.is_empty() {
                "none".to_owned()
            } else {
                list.join(", ")
            }
        };
        return Some(format!(
            "the alarm's dimensions ({}) are not those of the filter's metric ({})",
            names(&dimensions),
            names(&published.dimensions)
        ));
    }
    None
}

/// The settings that firing depends on, read and in range.
struct Settings<'a> {
    statistic: Statistic,
    comparison: Comparison,
    threshold: f64,
    minutes: u64,
    periods: i64,
    datapoints: i64,
    missing: &'a str,
    /// The condition in words.
    rule: String,
}

fn settings<'a>(
    alarm: &'a MetricAlarm,
    evaluation: &Evaluation<'_>,
) -> Result<Settings<'a>, String> {
    let (Some(operator), Some(threshold), Some(periods), Some(name), Some(period)) = (
        alarm.comparison_operator.as_deref(),
        alarm.threshold,
        alarm.evaluation_periods,
        evaluation.statistic,
        evaluation.period_seconds,
    ) else {
        return Err(
            "the alarm lacks a threshold, comparison, statistic, period or number of periods"
                .to_owned(),
        );
    };
    let Some(statistic) = Statistic::parse(name) else {
        return Err(format!(
            "the statistic {name} is not one that this version knows"
        ));
    };
    let Some(comparison) = Comparison::parse(operator) else {
        return Err(match operator {
            "LessThanLowerOrGreaterThanUpperThreshold"
            | "LessThanLowerThreshold"
            | "GreaterThanUpperThreshold" => format!(
                "the comparison {operator} is one of anomaly detection, which has no fixed threshold"
            ),
            _ => format!("the comparison {operator} is not one that this version knows"),
        });
    };
    if !threshold.is_finite() {
        return Err(format!(
            "the threshold {threshold} is no number to compare with"
        ));
    }
    // Metric filters publish at standard resolution: once a minute.
    let minutes = u64::try_from(period)
        .ok()
        .filter(|seconds| *seconds > 0 && seconds % 60 == 0)
        .map(|seconds| seconds / 60);
    let Some(minutes) = minutes else {
        return Err(format!(
            "what a period of {period} seconds shows of a metric with one data point a minute is not decided"
        ));
    };
    let (periods, datapoints) = (
        i64::from(periods),
        i64::from(alarm.datapoints_to_alarm.unwrap_or(periods)),
    );
    if datapoints < 1 || datapoints > periods {
        return Err(format!(
            "the alarm asks for {datapoints} data points of {periods} periods"
        ));
    }
    let window = periods.saturating_mul(i64::from(period));
    if window > LONGEST_WINDOW_SECONDS {
        return Err(format!(
            "the alarm looks back over {window} seconds, which is more than CloudWatch allows"
        ));
    }
    let missing = alarm.treat_missing_data.as_deref().unwrap_or("missing");
    if !["missing", "notBreaching", "breaching", "ignore"].contains(&missing) {
        return Err(format!(
            "missing data is treated as `{missing}`, which this version does not know"
        ));
    }
    Ok(Settings {
        statistic,
        comparison,
        threshold,
        minutes,
        periods,
        datapoints,
        missing,
        rule: format!("{name} {operator} {threshold}"),
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
    let settings = match settings(alarm, evaluation) {
        Ok(settings) => settings,
        Err(message) => return Some(undecided(message)),
    };
    match low_sample_count(alarm, settings.statistic) {
        LowSampleCount::Evaluates => {}
        LowSampleCount::NeverEnough => {
            let message = "the alarm ignores percentiles of few samples, and one event is few";
            return Some(broken(Reason::AlarmNeverFires, message));
        }
        LowSampleCount::Undecided => {
            return Some(undecided(format!(
                "what `{}` for percentiles of few samples does beside this statistic is not decided",
                alarm
                    .evaluate_low_sample_count_percentile
                    .as_deref()
                    .unwrap_or_default()
            )));
        }
    }
    let obstacle = point_obstacle(&settings, &evaluation.steps, published, value)
        .or_else(|| transition_obstacle(alarm, &settings, &evaluation.steps, published, advice));
    if obstacle.is_none() {
        slowness(alarm, &settings, advice);
    }
    obstacle
}

/// Whether the data point of every period with a match breaches, and that of no other.
fn point_obstacle(
    settings: &Settings<'_>,
    steps: &[Step],
    published: &Published<'_>,
    value: f64,
) -> Option<Obstacle> {
    let rule = &settings.rule;
    let publication = Publication {
        value,
        default_value: published.default_value,
        other_defaults: &published.other_defaults,
    };
    let Some(contents) = publication.contents(settings.minutes) else {
        return Some(undecided(format!(
            "what {rule} makes of the filter's values is not decided: CloudWatch refuses them, or they are too many"
        )));
    };
    let breaches = |samples: &Samples| -> Option<bool> {
        let point = settings.statistic.of(samples)?;
        let point = apply(steps, Some(point)).ok()??;
        settings.comparison.breaches(point, settings.threshold)
    };
    let quiet: Vec<Option<bool>> = contents.quiet.iter().map(breaches).collect();
    // What missing data is filled with is seen in periods without any event.
    let filled = match apply(steps, None) {
        Err(OutOfRange) => None,
        Ok(None) => Some(false),
        Ok(Some(point)) => settings.comparison.breaches(point, settings.threshold),
    };
    if filled == Some(true) {
        let message = format!(
            "{rule} holds for what missing data is filled with, so the alarm is in ALARM whenever nothing happens"
        );
        return Some(broken(Reason::AlarmStuck, message));
    }
    if quiet.contains(&Some(true)) {
        let message = if quiet.iter().all(|breaching| *breaching == Some(true)) {
            format!("{rule} holds without any event, so the alarm is always in ALARM")
        } else {
            format!(
                "{rule} holds at times without any event, and nobody is told of one that comes then"
            )
        };
        return Some(broken(Reason::AlarmStuck, message));
    }
    let matched: Vec<Option<bool>> = contents.matched.iter().map(breaches).collect();
    if matched.contains(&Some(false)) {
        let message = too_little(settings, steps, value, &contents, &breaches);
        return Some(broken(Reason::AlarmNeverFires, message));
    }
    let all = matched.iter().chain(&quiet).chain([&filled]);
    if all.into_iter().any(Option::is_none) {
        return Some(undecided(format!(
            "whether {rule} shows one event is not decided: the statistic is not known well enough for the filter's values"
        )));
    }
    if !contents
        .doubtful
        .iter()
        .all(|samples| breaches(samples) == Some(true))
    {
        // Whether CloudWatch publishes the default value in the minute of a match is not documented. For
        // these two statistics it is ruled: a default value of 0 dilutes them.
        let is_diluted = settings.statistic.is_average_or_minimum()
            && (published.default_value.iter())
                .chain(&published.other_defaults)
                .all(|default| *default == 0.0);
        if is_diluted {
            return Some(broken(
                Reason::AlarmNeverFires,
                format!("{rule} does not hold for one event beside the filter's default value 0"),
            ));
        }
        return Some(undecided(format!(
            "{rule} shows one event unless its minute holds the filter's default value as well, which is not decided"
        )));
    }
    None
}

/// Says what one event comes to, and what the alarm asks for.
fn too_little(
    settings: &Settings<'_>,
    steps: &[Step],
    value: f64,
    contents: &Contents,
    breaches: &dyn Fn(&Samples) -> Option<bool>,
) -> String {
    let Settings {
        comparison,
        threshold,
        ..
    } = settings;
    let asked = format!("the alarm asks for {} {threshold}", comparison.in_words());
    let alone = Samples::one(value);
    let exactly = |samples: &Samples| {
        let point = apply(steps, Some(settings.statistic.of(samples)?)).ok()??;
        (point.low.total_cmp(&point.high).is_eq()).then_some(point.low)
    };
    let through = if steps.is_empty() {
        ""
    } else {
        " through its metric math"
    };
    let statistic = settings.rule.split(' ').next().unwrap_or_default();
    let makes = |samples: &Samples| {
        exactly(samples).map_or_else(
            || format!("{statistic} something else{through}"),
            |point| format!("{statistic} {point}{through}"),
        )
    };
    if breaches(&alone) == Some(false) {
        return format!("one event makes {}, and {asked}", makes(&alone));
    }
    let failing = (contents.matched.iter()).find(|samples| breaches(samples) == Some(false));
    let beside = failing.map_or_else(String::new, &makes);
    format!("one event beside what else may arrive in the same period makes {beside}, and {asked}")
}

/// Whether the alarm goes to ALARM on one breaching data point, and out of it again.
fn transition_obstacle(
    alarm: &MetricAlarm,
    settings: &Settings<'_>,
    steps: &[Step],
    published: &Published<'_>,
    advice: &mut Vec<Advice>,
) -> Option<Obstacle> {
    let Settings {
        datapoints,
        periods,
        missing,
        ..
    } = *settings;
    let is_filled = steps.iter().any(|step| matches!(step, Step::Fill(_)));
    let has_default = published.default_value.is_some() || !published.other_defaults.is_empty();
    match missing {
        // Filling leaves nothing missing, as long as there is a metric to fill.
        "breaching" if is_filled => {
            let message = "missing data counts as breaching beside metric math that fills it; what the alarm does after a long time without events is not decided";
            return Some(undecided(message));
        }
        "breaching" => {
            let message = "missing data counts as breaching, so the alarm is in ALARM whenever nothing happens";
            return Some(broken(Reason::AlarmStuck, message));
        }
        "ignore" if !has_default && !is_filled => {
            let message =
                "missing data is ignored, so the alarm stays in ALARM after the first event";
            return Some(broken(Reason::AlarmStuck, message));
        }
        _ => {}
    }
    if datapoints > 1 {
        if missing != "missing" || has_default || is_filled {
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
    if is_filled && periods == 1 {
        // The most recent minute never has its data yet, so what is looked at there is always the
        // filling; the User Guide advises M of N for that reason.
        if settings.minutes == 1 {
            let message = "the alarm looks only at the last minute, which metric math fills before its data arrive; whether it ever sees an event is not decided";
            return Some(undecided(message));
        }
        advice.push(Advice {
            code: AdviceCode::FiresLate,
            message: format!(
                "metric math fills missing data, and alarm `{}` looks at one period only: data that arrive late are not seen; look at more periods, of which one must breach",
                alarm.name
            ),
        });
    }
    None
}

fn slowness(alarm: &MetricAlarm, settings: &Settings<'_>, advice: &mut Vec<Advice>) {
    let period = settings.minutes.saturating_mul(60);
    let window = period.saturating_mul(settings.periods.unsigned_abs());
    if period > 3600 || window > 86_400 {
        advice.push(Advice {
            code: AdviceCode::AlarmSlow,
            message: format!(
                "alarm `{}` looks at {} × {period} seconds: it stays in ALARM that long after one event, and tells nobody of the next",
                alarm.name, settings.periods
            ),
        });
    }
}

#[cfg(test)]
mod tests;
