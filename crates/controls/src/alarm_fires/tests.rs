//! One row per alarm setting: what one event does to it.

use super::*;
use model::evidence::{Dimensions, MetricQuery, Place};

fn metric() -> MetricKey {
    MetricKey {
        place: Place {
            account: "111111111111".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
        },
        namespace: "CIS".to_owned(),
        name: "OrgChanges".to_owned(),
        dimensions: Dimensions::default(),
    }
}

fn alarm() -> MetricAlarm {
    MetricAlarm {
        arn: "arn:aws:cloudwatch:us-east-1:111111111111:alarm:org"
            .parse()
            .unwrap(),
        name: "org".to_owned(),
        actions_enabled: true,
        alarm_actions: vec!["arn:aws:sns:us-east-1:111111111111:alerts".to_owned()],
        metric: Some((
            "CIS".to_owned(),
            "OrgChanges".to_owned(),
            Dimensions::default(),
        )),
        statistic: Some("Sum".to_owned()),
        extended_statistic: None,
        evaluate_low_sample_count_percentile: None,
        period_seconds: Some(300),
        unit: None,
        evaluation_periods: Some(1),
        datapoints_to_alarm: None,
        threshold: Some(1.0),
        comparison_operator: Some("GreaterThanOrEqualToThreshold".to_owned()),
        treat_missing_data: None,
        metrics: Vec::new(),
        unknown_settings: Vec::new(),
    }
}

/// The reasons that stand against an alarm, for a filter that publishes `value` and `default`.
fn reasons_for(
    value: f64,
    default: Option<f64>,
    unit: Option<&str>,
    change: impl FnOnce(&mut MetricAlarm),
) -> Vec<Reason> {
    let mut alarm = alarm();
    change(&mut alarm);
    let metric = metric();
    let published = Published {
        metric: &metric,
        value: Some(value),
        default_value: default,
        unit,
        dimensions: Vec::new(),
    };
    alarm_obstacles(&alarm, &published, &mut Vec::new())
        .into_iter()
        .map(|o| o.reason)
        .collect()
}

fn reasons(default: Option<f64>, change: impl FnOnce(&mut MetricAlarm)) -> Vec<Reason> {
    reasons_for(1.0, default, None, change)
}

#[test]
fn the_benchmarks_own_alarm_fires() {
    assert_eq!(reasons(None, |_| {}), []);
    assert_eq!(reasons(Some(0.0), |_| {}), []);
}

/// Reads a row of a table: words, of which `-` is nothing and the last one is the answer.
fn check(row: &str, change: impl FnOnce(&[&str], &mut MetricAlarm) -> Option<f64>) {
    let words: Vec<&str> = row.split_whitespace().collect();
    let (expected, words) = words.split_last().unwrap();
    let mut changed = alarm();
    let default = change(words, &mut changed);
    let found = reasons(default, |alarm| *alarm = changed);
    let found: Vec<&str> = found.iter().map(|reason| reason.code()).collect();
    assert_eq!(
        found,
        if *expected == "fires" {
            vec![]
        } else {
            vec![*expected]
        },
        "{row}"
    );
}

fn number(word: &str) -> Option<f64> {
    (word != "-").then(|| word.parse().unwrap())
}

/// Statistic, comparison, threshold, the filter's default value, and what one event does.
const THRESHOLDS: &str = "
    Sum          GreaterThanOrEqualToThreshold  1    -  fires
    Sum          GreaterThanOrEqualToThreshold  1    0  fires
    Sum          GreaterThanThreshold           0    -  fires
    Sum          GreaterThanThreshold           0.5  0  fires
    Sum          GreaterThanThreshold           1    -  alarm-never-fires
    Sum          GreaterThanOrEqualToThreshold  3    -  alarm-never-fires
    Sum          GreaterThanOrEqualToThreshold  0    0  alarm-stuck
    Sum          GreaterThanOrEqualToThreshold  0    -  fires
    Sum          LessThanThreshold              1    -  alarm-never-fires
    Sum          LessThanThreshold              1    0  alarm-stuck
    Sum          LessThanOrEqualToThreshold     1    0  alarm-stuck
    Sum          LessThanOrEqualToThreshold     1    -  alarm-never-fires
    SampleCount  LessThanOrEqualToThreshold     1    -  alarm-never-fires
    Maximum      GreaterThanOrEqualToThreshold  1    0  fires
    Maximum      GreaterThanOrEqualToThreshold  1    -  fires
    Maximum      GreaterThanOrEqualToThreshold  2    -  alarm-never-fires
    Average      GreaterThanOrEqualToThreshold  1    -  fires
    Average      GreaterThanOrEqualToThreshold  1    0  alarm-never-fires
    Average      GreaterThanThreshold           0    0  alarm-never-fires
    Minimum      GreaterThanOrEqualToThreshold  1    -  fires
    Minimum      GreaterThanOrEqualToThreshold  1    0  alarm-never-fires
    SampleCount  GreaterThanOrEqualToThreshold  1    -  fires
    SampleCount  GreaterThanOrEqualToThreshold  1    0  alarm-stuck
    SampleCount  GreaterThanThreshold           1    -  alarm-never-fires
    p99          GreaterThanOrEqualToThreshold  1    -  alarm-undecided
    Sum          GreaterThanUpperThreshold      1    -  alarm-undecided
    Sum          GreaterThanOrEqualToThreshold  1    5  alarm-undecided
";

#[test]
fn statistic_comparison_and_threshold_decide_for_one_event() {
    for row in THRESHOLDS.lines().filter(|row| !row.trim().is_empty()) {
        check(row, |words, alarm| {
            let [statistic, operator, threshold, default] = words else {
                panic!("{row}")
            };
            alarm.statistic = Some((*statistic).to_owned());
            alarm.comparison_operator = Some((*operator).to_owned());
            alarm.threshold = number(threshold);
            number(default)
        });
    }
}

/// Periods, data points, missing data, the filter's default value, and what one event does.
const PERIODS: &str = "
    1   -  missing       -  fires
    1   -  notBreaching  -  fires
    1   -  notBreaching  0  fires
    1   -  breaching     -  alarm-stuck
    1   -  breaching     0  alarm-stuck
    1   -  ignore        -  alarm-stuck
    1   -  ignore        0  fires
    1   -  whatever      -  alarm-undecided
    12  1  notBreaching  -  fires
    3   1  missing       0  fires
    3   -  notBreaching  -  alarm-never-fires
    3   2  notBreaching  -  alarm-never-fires
    3   2  missing       0  alarm-never-fires
    3   2  missing       -  fires
    1   2  missing       -  alarm-undecided
    1   0  missing       -  alarm-undecided
";

#[test]
fn periods_and_missing_data_decide_whether_it_fires_and_lets_go() {
    for row in PERIODS.lines().filter(|row| !row.trim().is_empty()) {
        check(row, |words, alarm| {
            let [periods, datapoints, missing, default] = words else {
                panic!("{row}")
            };
            alarm.evaluation_periods = periods.parse().ok();
            alarm.datapoints_to_alarm = datapoints.parse().ok();
            alarm.treat_missing_data = Some((*missing).to_owned());
            number(default)
        });
    }
}

#[test]
fn a_late_alarm_is_said_to_be_late() {
    let mut late = alarm();
    late.evaluation_periods = Some(2);
    let metric = metric();
    let published = Published {
        metric: &metric,
        value: Some(1.0),
        default_value: None,
        unit: None,
        dimensions: Vec::new(),
    };
    let mut advice = Vec::new();
    assert_eq!(alarm_obstacles(&late, &published, &mut advice), []);
    assert_eq!(advice[0].code, AdviceCode::FiresLate);
}

#[test]
fn a_value_that_the_threshold_does_not_reach_never_fires() {
    assert_eq!(
        reasons_for(0.0, None, None, |_| {}),
        [Reason::AlarmNeverFires]
    );
    assert_eq!(
        reasons_for(0.5, None, None, |_| {}),
        [Reason::AlarmNeverFires]
    );
    assert_eq!(
        reasons_for(5.0, None, None, |alarm| alarm.threshold = Some(3.0)),
        []
    );
    assert_eq!(
        reasons_for(-1.0, None, None, |_| {}),
        [Reason::AlarmNeverFires]
    );
}

#[test]
fn actions_must_be_on_there_and_a_topic() {
    assert_eq!(
        reasons(None, |a| a.actions_enabled = false),
        [Reason::AlarmActionsDisabled]
    );
    assert_eq!(
        reasons(None, |a| a.alarm_actions.clear()),
        [Reason::AlarmNoAction]
    );
    let lambda = "arn:aws:lambda:us-east-1:111111111111:function:f".to_owned();
    assert_eq!(
        reasons(None, |a| a.alarm_actions = vec![lambda.clone()]),
        [Reason::ActionNotSns]
    );
    assert_eq!(reasons(None, |a| a.alarm_actions.push(lambda)), []);
}

#[test]
fn another_series_of_the_same_metric_is_not_watched() {
    let other = [Reason::AlarmOtherMetric];
    let named = |namespace: &str, name: &str| {
        Some((namespace.to_owned(), name.to_owned(), Dimensions::default()))
    };
    assert_eq!(
        reasons(None, |a| a.metric = named("Other", "OrgChanges")),
        other
    );
    assert_eq!(
        reasons(None, |a| a.metric = named("CIS", "orgchanges")),
        other
    );
    assert_eq!(reasons(None, |a| a.unit = Some("Count".to_owned())), other);
    assert_eq!(reasons(None, |a| a.unit = Some("None".to_owned())), []);
    assert_eq!(
        reasons_for(1.0, None, Some("Count"), |a| a.unit =
            Some("Count".to_owned())),
        []
    );
    assert_eq!(
        reasons_for(1.0, None, Some("Count"), |a| a.unit =
            Some("None".to_owned())),
        other
    );
    assert_eq!(reasons_for(1.0, None, Some("Count"), |_| {}), []);
    let with_dimension = Dimensions([("Account".to_owned(), "1".to_owned())].into());
    assert_eq!(
        reasons(None, |a| a.metric = Some((
            "CIS".to_owned(),
            "OrgChanges".to_owned(),
            with_dimension
        ))),
        other
    );
}

#[test]
fn a_metric_with_dimensions_is_not_seen_by_a_plain_alarm() {
    let metric = metric();
    let published = Published {
        metric: &metric,
        value: Some(1.0),
        default_value: None,
        unit: None,
        dimensions: vec!["@aws.account"],
    };
    let mut alarm = alarm();
    let reasons = |alarm: &MetricAlarm| -> Vec<Reason> {
        alarm_obstacles(alarm, &published, &mut Vec::new())
            .into_iter()
            .map(|o| o.reason)
            .collect()
    };
    assert_eq!(reasons(&alarm), [Reason::AlarmOtherMetric]);
    let values = Dimensions([("@aws.account".to_owned(), "111111111111".to_owned())].into());
    alarm.metric = Some(("CIS".to_owned(), "OrgChanges".to_owned(), values));
    assert_eq!(reasons(&alarm), [Reason::AlarmUndecided]);
}

fn query() -> MetricQuery {
    MetricQuery {
        id: "m1".to_owned(),
        expression: None,
        metric: Some((
            "CIS".to_owned(),
            "OrgChanges".to_owned(),
            Dimensions::default(),
        )),
        statistic: Some("Sum".to_owned()),
        period_seconds: Some(300),
        unit: None,
        account: None,
        return_data: true,
    }
}

#[test]
fn metric_math_is_decided_only_where_it_is_the_plain_metric() {
    let with = |queries: Vec<MetricQuery>| {
        reasons(None, |alarm| {
            alarm.metric = None;
            alarm.metrics = queries;
        })
    };
    assert_eq!(with(vec![query()]), []);
    assert_eq!(
        with(vec![MetricQuery {
            account: Some("111111111111".to_owned()),
            ..query()
        }]),
        []
    );
    assert_eq!(
        with(vec![MetricQuery {
            account: Some("222222222222".to_owned()),
            ..query()
        }]),
        [Reason::AlarmOtherMetric]
    );
    let sum = MetricQuery {
        id: "e1".to_owned(),
        expression: Some("m1 * 0".to_owned()),
        metric: None,
        ..query()
    };
    let unreturned = MetricQuery {
        return_data: false,
        ..query()
    };
    assert_eq!(with(vec![unreturned, sum]), [Reason::AlarmUndecided]);
    assert_eq!(with(vec![]), [Reason::AlarmUndecided]);
}

#[test]
fn a_setting_of_unknown_effect_is_not_judged() {
    let found = reasons(None, |alarm| {
        alarm.unknown_settings = vec!["EvaluationWindow".to_owned()];
    });
    assert_eq!(found, [Reason::AlarmUndecided]);
    assert_eq!(
        reasons(None, |alarm| alarm.threshold = None),
        [Reason::AlarmUndecided]
    );
}
