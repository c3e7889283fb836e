//! Which alarms have to do with a metric, and which of them could tell somebody about it.

use model::{
    AccountId, Arn,
    evidence::{Alarms, CompositeAlarm, Dimensions, FoundAlarms, MetricAlarm, MetricKey},
};

type NamedMetric = (String, String, Dimensions);

/// What a list of all alarms says about a metric of its own account: alarms on it, alarms whose
/// metric math or query names it, alarms on a metric of the same name (near misses), and composite
/// alarms over any of those.
pub(crate) fn related(all: &FoundAlarms, metric: &MetricKey) -> FoundAlarms {
    let same_name = |named: &NamedMetric| named.1 == metric.name;
    // `SELECT SUM(name) FROM …` and `SEARCH(…)` name no metric but in their text.
    let in_text = |alarm: &MetricAlarm| {
        let mut expressions = alarm
            .metrics
            .iter()
            .filter_map(|one| one.expression.as_deref());
        expressions.any(|expression| expression.contains(&metric.name))
    };
    of_metric_alarms(all, |alarm| {
        metrics_of(alarm).any(same_name) || in_text(alarm)
    })
}

/// What the list of a monitoring account says about a metric of another account: alarms with a
/// query that reads it there, dimensions apart, and composite alarms over those.
pub(crate) fn reading_across_accounts(all: &FoundAlarms, metric: &MetricKey) -> FoundAlarms {
    let owner = metric.place.account;
    of_metric_alarms(all, |alarm| {
        alarm.metrics.iter().any(|query| {
            let account = query.account.as_deref();
            account.and_then(|id| id.parse::<AccountId>().ok()) == Some(owner)
                && query.metric.as_ref().is_some_and(|one| is(one, metric))
        })
    })
}

fn of_metric_alarms(all: &FoundAlarms, is_one: impl Fn(&MetricAlarm) -> bool) -> FoundAlarms {
    let metric_alarms: Vec<MetricAlarm> = all
        .metric_alarms
        .iter()
        .filter(|alarm| is_one(alarm))
        .cloned()
        .collect();
    let composite_alarms = composites_over(&metric_alarms, &all.composite_alarms)
        .into_iter()
        .cloned()
        .collect();
    FoundAlarms {
        metric_alarms,
        composite_alarms,
    }
}

/// An alarm that changes its state when the metric does, itself or through the alarms in its rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Teller<'a> {
    pub(crate) arn: &'a Arn,
    pub(crate) name: &'a str,
    actions_enabled: bool,
    actions: &'a [String],
}

impl Teller<'_> {
    /// The topics that it names.
    pub(crate) fn topics(&self) -> impl Iterator<Item = Arn> {
        let arns = self.actions.iter().map(|action| action.parse::<Arn>());
        arns.flatten().filter(Arn::is_sns_topic)
    }

    /// Whether it would publish to a topic at all.
    pub(crate) fn publishes(&self) -> bool {
        self.actions_enabled && self.topics().next().is_some()
    }
}

/// The alarms that could tell of the metric, wherever they were found; near misses could not.
pub(crate) fn tellers(alarms: &Alarms) -> Vec<Teller<'_>> {
    let elsewhere = alarms.monitoring.iter().map(|one| &one.found);
    let found = std::iter::once(&alarms.found)
        .chain(elsewhere)
        .filter_map(|read| read.as_ref().ok());
    found
        .flat_map(|found| {
            let watching: Vec<&MetricAlarm> = found
                .metric_alarms
                .iter()
                .filter(|alarm| metrics_of(alarm).any(|one| is(one, &alarms.metric)))
                .collect();
            let above = composites_over(watching.iter().copied(), &found.composite_alarms);
            let watching = watching.into_iter().map(|alarm| Teller {
                arn: &alarm.arn,
                name: &alarm.name,
                actions_enabled: alarm.actions_enabled,
                actions: &alarm.alarm_actions,
            });
            let above = above.into_iter().map(|alarm| Teller {
                arn: &alarm.arn,
                name: &alarm.name,
                actions_enabled: alarm.actions_enabled,
                actions: &alarm.alarm_actions,
            });
            watching.chain(above).collect::<Vec<_>>()
        })
        .collect()
}

/// The metrics that an alarm looks at.
fn metrics_of(alarm: &MetricAlarm) -> impl Iterator<Item = &NamedMetric> {
    let queried = alarm
        .metrics
        .iter()
        .filter_map(|query| query.metric.as_ref());
    alarm.metric.iter().chain(queried)
}

/// Whether this names the metric, dimensions apart.
fn is(named: &NamedMetric, metric: &MetricKey) -> bool {
    named.0 == metric.namespace && named.1 == metric.name
}

/// The composite alarms whose rule names one of the alarms, or a composite alarm that does, and so
/// on; in their order.
fn composites_over<'a, 'b>(
    alarms: impl IntoIterator<Item = &'b MetricAlarm>,
    all: &'a [CompositeAlarm],
) -> Vec<&'a CompositeAlarm> {
    let mut is_over = vec![false; all.len()];
    let mut to_look_for: Vec<(&str, &Arn)> = Vec::new();
    let mut above = |name: &str, arn: &Arn, reached: &mut Vec<(&'a str, &'a Arn)>| {
        for (composite, is_over) in all.iter().zip(&mut is_over) {
            if !*is_over && refers_to(&composite.rule, name, arn) {
                *is_over = true;
                reached.push((&composite.name, &composite.arn));
            }
        }
    };
    for alarm in alarms {
        above(&alarm.name, &alarm.arn, &mut to_look_for);
    }
    while let Some((name, arn)) = to_look_for.pop() {
        above(name, arn, &mut to_look_for);
    }
    let over = all.iter().zip(is_over).filter(|(_, is_over)| *is_over);
    over.map(|(composite, _)| composite).collect()
}

/// Whether a rule names an alarm, by name or ARN, bare or in quotes.
///
/// The rule is not parsed: an alarm too many costs a call or two and is put right by the judge, one
/// too few would be an alarm overlooked.
fn refers_to(rule: &str, name: &str, arn: &Arn) -> bool {
    let quoted = name.replace('"', "\\\"");
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    [arn.as_str(), name, &quoted, &escaped]
        .iter()
        .any(|text| stands_in(rule, text))
}

/// Whether the text stands in the rule as a whole argument.
fn stands_in(rule: &str, text: &str) -> bool {
    let is_argument = |at: usize| {
        let (before, rest) = rule.split_at(at);
        let Some(after) = rest.strip_prefix(text) else {
            return false;
        };
        let (before, after) = (before.trim_end(), after.trim_start());
        (before.is_empty() || before.ends_with(['(', ',', '"', '\'']))
            && (after.is_empty() || after.starts_with([')', ',', '"', '\'']))
    };
    !text.is_empty() && rule.contains(text) && rule.char_indices().any(|(at, _)| is_argument(at))
}

#[cfg(test)]
mod tests;
