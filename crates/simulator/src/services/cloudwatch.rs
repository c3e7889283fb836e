//! CloudWatch: metric alarms, composite alarms and the rules that mute them.

use jiff::{SignedDuration, Timestamp};

use super::Call;
use crate::api_error::ApiError;
use crate::service::Service;
use crate::value::{Fields, Value};
use crate::world::{
    Alarm, CompositeAlarm, EvaluationWindow, MetricQuery, MuteKind, MuteRule, MuteStatus,
};

const PAGE: usize = 100;
const MUTE_RULE_PAGE: usize = 50;
const LARGEST_PAGE: i64 = 100;
/// How long a suppressor is waited for, before and after, unless somebody says otherwise.
const SUPPRESSOR_SECONDS: i64 = 60;

pub(super) fn answer(operation: &str, call: &Call<'_>) -> Result<Fields, ApiError> {
    match operation {
        "DescribeAlarms" => describe_alarms(call),
        "DescribeAlarmsForMetric" => describe_alarms_for_metric(call),
        "ListAlarmMuteRules" => list_mute_rules(call),
        other => Err(Service::CloudWatch.unknown_operation(other)),
    }
}

/// Exact lookups by metric. Metric math and composite alarms are never found this way.
fn describe_alarms_for_metric(call: &Call<'_>) -> Result<Fields, ApiError> {
    call.authorize("cloudwatch:DescribeAlarmsForMetric", None)?;
    let params = call.params;
    let metric = params.required("MetricName")?;
    let namespace = params.required("Namespace")?;
    let mut dimensions = params.pairs("Dimensions", "Name", "Value")?;
    dimensions.sort_unstable();
    let statistic = params.text("Statistic")?;
    let extended = params.text("ExtendedStatistic")?;
    let unit = params.text("Unit")?;
    let period = params.integer("Period")?;
    let mut found: Vec<&Alarm> = metric_alarms_here(call)
        .filter(|alarm| alarm.queries.is_empty())
        .filter(|alarm| alarm.metric == metric && alarm.namespace == namespace)
        // A map is sorted by its keys already.
        .filter(|alarm| {
            alarm
                .dimensions
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .eq(dimensions.iter().copied())
        })
        .filter(|alarm| statistic.is_none() || alarm.statistic.as_deref() == statistic)
        .filter(|alarm| extended.is_none() || alarm.extended_statistic.as_deref() == extended)
        .filter(|alarm| unit.is_none() || alarm.unit.as_deref() == unit)
        .filter(|alarm| period.is_none_or(|period| alarm.period == period))
        .collect();
    let turn = usize::try_from(call.draw.fork("order").next() % 64).unwrap_or(0);
    let length = found.len().max(1);
    found.rotate_left(turn % length);
    let items: Vec<Value> = found
        .into_iter()
        .map(|alarm| metric_alarm(call, alarm).into())
        .collect();
    Ok(Fields::new().with("MetricAlarms", items))
}

enum Either<'a> {
    Metric(&'a Alarm),
    Composite(&'a CompositeAlarm),
}

impl Either<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Metric(alarm) => &alarm.name,
            Self::Composite(alarm) => &alarm.name,
        }
    }

    fn actions(&self) -> impl Iterator<Item = &String> {
        let (alarm, ok, insufficient) = match self {
            Self::Metric(it) => (
                &it.alarm_actions,
                &it.ok_actions,
                &it.insufficient_data_actions,
            ),
            Self::Composite(it) => (
                &it.alarm_actions,
                &it.ok_actions,
                &it.insufficient_data_actions,
            ),
        };
        alarm.iter().chain(ok).chain(insufficient)
    }
}

fn describe_alarms(call: &Call<'_>) -> Result<Fields, ApiError> {
    call.authorize(
        "cloudwatch:DescribeAlarms",
        Some(&call.arn("cloudwatch", "alarm:*")),
    )?;
    let params = call.params;
    for unsupported in ["ChildrenOfAlarmName", "ParentsOfAlarmName", "StateValue"] {
        if params.text(unsupported)?.is_some() {
            let message = format!("The simulator does not filter by {unsupported}");
            return Err(Service::CloudWatch.invalid(message));
        }
    }
    let names = params
        .texts("AlarmNames")?
        .filter(|names| !names.is_empty());
    let prefix = params.text("AlarmNamePrefix")?;
    if names.is_some() && prefix.is_some() {
        return Err(ApiError::new(
            400,
            "ValidationError",
            "AlarmNames and AlarmNamePrefix cannot be used together",
        ));
    }
    let action_prefix = params.text("ActionPrefix")?;
    // Whoever does not ask for composite alarms does not get them.
    let types = params
        .texts("AlarmTypes")?
        .filter(|types| !types.is_empty())
        .unwrap_or_else(|| vec!["MetricAlarm"]);
    let metric = metric_alarms_here(call)
        .filter(|_| types.contains(&"MetricAlarm"))
        .map(Either::Metric);
    let composite = call
        .account
        .composite_alarms
        .iter()
        .filter(|alarm| alarm.region == call.region && types.contains(&"CompositeAlarm"))
        .map(Either::Composite);
    let alarms: Vec<Either<'_>> = metric
        .chain(composite)
        .filter(|alarm| {
            names
                .as_ref()
                .is_none_or(|names| names.contains(&alarm.name()))
        })
        .filter(|alarm| prefix.is_none_or(|prefix| alarm.name().starts_with(prefix)))
        .filter(|alarm| {
            action_prefix
                .is_none_or(|prefix| alarm.actions().any(|action| action.starts_with(prefix)))
        })
        .collect();
    let asked = call.asked_size("MaxRecords", LARGEST_PAGE)?;
    let page = call.page(alarms.len(), PAGE, asked, "NextToken")?;
    let (mut metric, mut composite) = (Vec::new(), Vec::new());
    for position in page.positions {
        match alarms[position] {
            Either::Metric(alarm) => metric.push(Value::from(metric_alarm(call, alarm))),
            Either::Composite(alarm) => composite.push(composite_alarm(call, alarm).into()),
        }
    }
    Ok(Fields::new()
        .with("MetricAlarms", metric)
        .with("CompositeAlarms", composite)
        .maybe("NextToken", page.next_token))
}

fn list_mute_rules(call: &Call<'_>) -> Result<Fields, ApiError> {
    call.authorize("cloudwatch:ListAlarmMuteRules", None)?;
    let alarm = call.params.text("AlarmName")?;
    let statuses = call
        .params
        .texts("Statuses")?
        .filter(|statuses| !statuses.is_empty());
    let rules: Vec<&MuteRule> = call
        .account
        .mute_rules
        .iter()
        .filter(|rule| rule.region == call.region)
        .filter(|rule| alarm.is_none_or(|alarm| rule.alarms.iter().any(|name| name == alarm)))
        .filter(|rule| {
            statuses
                .as_ref()
                .is_none_or(|statuses| statuses.contains(&rule.status.name()))
        })
        .collect();
    let asked = call.asked_size("MaxRecords", LARGEST_PAGE)?;
    // Who asks for no size gets less than who asks for the largest.
    let size = asked.map_or(MUTE_RULE_PAGE, |_| PAGE);
    let page = call.page(rules.len(), size, asked, "NextToken")?;
    let items: Vec<Value> = page
        .positions
        .into_iter()
        .map(|position| mute_rule(call, rules[position]).into())
        .collect();
    Ok(Fields::new()
        .with("AlarmMuteRuleSummaries", items)
        .maybe("NextToken", page.next_token))
}

fn mute_rule(call: &Call<'_>, rule: &MuteRule) -> Fields {
    let arn = call.arn("cloudwatch", &format!("alarm-mute-rule:{}", rule.name));
    Fields::new()
        .with("AlarmMuteRuleArn", arn)
        .maybe("ExpireDate", expiry(call, rule))
        .with("Status", rule.status.name())
        .with("MuteType", rule.kind.name())
        .with("LastUpdatedTimestamp", call.account.made_at(&rule.name))
}

/// Only a rule that ends has the date on which it does.
fn expiry(call: &Call<'_>, rule: &MuteRule) -> Option<Timestamp> {
    match (rule.status, rule.kind) {
        (MuteStatus::Expired, _) => Some(call.lately(&rule.name, 86_400)),
        (_, MuteKind::OneTime) => call.now.checked_add(SignedDuration::from_hours(24)).ok(),
        (_, MuteKind::Recurring) => None,
    }
}

fn metric_alarms_here<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Alarm> {
    call.account
        .alarms
        .iter()
        .filter(|alarm| alarm.region == call.region)
}

fn metric_alarm(call: &Call<'_>, alarm: &Alarm) -> Fields {
    let on_metric = alarm.queries.is_empty();
    let dimensions = dimension_list(alarm.dimensions.iter());
    let queries: Vec<Value> = alarm
        .queries
        .iter()
        .map(|query| metric_query(alarm, query).into())
        .collect();
    let fields = Fields::new()
        .with("AlarmName", &alarm.name)
        .with(
            "AlarmArn",
            call.arn("cloudwatch", &format!("alarm:{}", alarm.name)),
        )
        .only_if(
            !alarm.description.is_empty(),
            "AlarmDescription",
            &alarm.description,
        )
        .with(
            "AlarmConfigurationUpdatedTimestamp",
            call.account.made_at(&alarm.name),
        )
        .with("ActionsEnabled", alarm.actions_enabled)
        .with("OKActions", alarm.ok_actions.as_slice())
        .with("AlarmActions", alarm.alarm_actions.as_slice())
        .with(
            "InsufficientDataActions",
            alarm.insufficient_data_actions.as_slice(),
        )
        .only_if(on_metric, "MetricName", &alarm.metric)
        .only_if(on_metric, "Namespace", &alarm.namespace)
        .maybe("Statistic", alarm.statistic.as_ref().filter(|_| on_metric))
        .maybe("ExtendedStatistic", alarm.extended_statistic.as_ref())
        .with("Dimensions", dimensions)
        .only_if(on_metric, "Period", alarm.period)
        .maybe("Unit", alarm.unit.as_ref())
        .with("EvaluationPeriods", alarm.evaluation_periods)
        .maybe("DatapointsToAlarm", alarm.datapoints_to_alarm)
        .maybe("Threshold", alarm.threshold)
        .with("ComparisonOperator", &alarm.comparison)
        .with("TreatMissingData", &alarm.treat_missing_data)
        .only_if(!queries.is_empty(), "Metrics", queries)
        .maybe("ThresholdMetricId", alarm.threshold_metric_id.as_ref())
        .maybe(
            "EvaluateLowSampleCountPercentile",
            alarm.low_sample_percentile.as_ref(),
        )
        .maybe("EvaluationState", alarm.evaluation_state.as_ref())
        .maybe(
            "EvaluationWindow",
            alarm.evaluation_window.map(evaluation_window),
        )
        .maybe(
            "WarmUpConfiguration",
            alarm
                .warm_up_minutes
                .map(|minutes| Fields::new().with("WarmUpPeriodDurationInMinutes", minutes)),
        )
        .maybe("EvaluationInterval", alarm.evaluation_interval);
    with_state(call, fields, &alarm.name, &alarm.state_note)
}

/// A union: exactly one member.
fn evaluation_window(window: EvaluationWindow) -> Fields {
    match window {
        EvaluationWindow::Sliding => Fields::new().with("SlidingWindow", Fields::new()),
        EvaluationWindow::WallClock => {
            Fields::new().with("WallClockWindow", Fields::new().with("Timezone", "UTC"))
        }
    }
}

fn metric_query(alarm: &Alarm, query: &MetricQuery) -> Fields {
    let stat = query.metric.as_ref().map(|metric| {
        let namespace = query.namespace.as_ref().unwrap_or(&alarm.namespace);
        let metric = Fields::new()
            .with("Namespace", namespace)
            .with("MetricName", metric)
            .with("Dimensions", dimension_list(query.dimensions.iter()));
        Fields::new()
            .with("Metric", metric)
            .with("Period", query.period.unwrap_or(alarm.period))
            .with(
                "Stat",
                query.statistic.clone().unwrap_or_else(|| "Sum".to_owned()),
            )
            .maybe("Unit", query.unit.as_ref())
    });
    let period = query.period.filter(|_| stat.is_none());
    Fields::new()
        .with("Id", &query.id)
        .maybe("MetricStat", stat)
        .maybe("Expression", query.expression.as_ref())
        .maybe("Label", query.label.as_ref())
        .maybe("ReturnData", query.return_data)
        .maybe("Period", period)
        .maybe("AccountId", query.account.as_ref())
}

fn composite_alarm(call: &Call<'_>, alarm: &CompositeAlarm) -> Fields {
    let fields = Fields::new()
        .with("AlarmName", &alarm.name)
        .with(
            "AlarmArn",
            call.arn("cloudwatch", &format!("alarm:{}", alarm.name)),
        )
        .only_if(
            !alarm.description.is_empty(),
            "AlarmDescription",
            &alarm.description,
        )
        .with(
            "AlarmConfigurationUpdatedTimestamp",
            call.account.made_at(&alarm.name),
        )
        .with("AlarmRule", &alarm.rule)
        .with("ActionsEnabled", alarm.actions_enabled)
        .with("OKActions", alarm.ok_actions.as_slice())
        .with("AlarmActions", alarm.alarm_actions.as_slice())
        .with(
            "InsufficientDataActions",
            alarm.insufficient_data_actions.as_slice(),
        )
        .maybe("ActionsSuppressor", alarm.suppressor.as_ref());
    let is_suppressed = alarm.suppressor.is_some();
    let fields = fields
        .only_if(
            is_suppressed,
            "ActionsSuppressorWaitPeriod",
            SUPPRESSOR_SECONDS,
        )
        .only_if(
            is_suppressed,
            "ActionsSuppressorExtensionPeriod",
            SUPPRESSOR_SECONDS,
        );
    with_state(call, fields, &alarm.name, &alarm.state_note)
}

/// The state, which is another one at every look.
fn with_state(call: &Call<'_>, fields: Fields, name: &str, note: &str) -> Fields {
    let mut draw = call.draw.fork(name);
    let state = match draw.below(4) {
        0 => "ALARM",
        1 => "INSUFFICIENT_DATA",
        _ => "OK",
    };
    let updated = call.lately(name, 30);
    let reason = format!("Threshold Crossed: 1 datapoint ({}) {note}", draw.below(10));
    let data = serde_json::json!({
        "version": "1.0",
        "queryDate": updated.to_string(),
        "recentDatapoints": [draw.below(10)],
        "note": note,
    });
    fields
        .with("StateValue", state)
        .with("StateReason", reason)
        .with("StateReasonData", data.to_string())
        .with("StateUpdatedTimestamp", updated)
        .with("StateTransitionedTimestamp", call.lately(name, 3600))
}

fn dimension_list<'a>(dimensions: impl Iterator<Item = (&'a String, &'a String)>) -> Vec<Value> {
    dimensions
        .map(|(name, value)| Fields::new().with("Name", name).with("Value", value).into())
        .collect()
}
