//! What one event does to an alarm, by a table and by arbitrary settings.

use super::*;
use model::evidence::Place;
use proptest::prelude::*;

#[path = "table.rs"]
mod table;

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

fn published(metric: &MetricKey) -> Published<'_> {
    Published {
        metric,
        value: Some(1.0),
        default_value: None,
        other_defaults: Vec::new(),
        unit: None,
        dimensions: Vec::new(),
    }
}

fn query(id: &str, name: &str) -> MetricQuery {
    MetricQuery {
        id: id.to_owned(),
        expression: None,
        metric: Some(("CIS".to_owned(), name.to_owned(), Dimensions::default())),
        statistic: Some("Sum".to_owned()),
        period_seconds: Some(300),
        unit: None,
        account: None,
        return_data: false,
    }
}

/// `-` is nothing.
fn some(word: &str) -> Option<String> {
    (word != "-").then(|| word.to_owned())
}

/// Whether `m1` is the metric, `m2` another one, and `e1` the expression that is looked at; `q` is
/// the metric alone.
fn as_math(alarm: &mut MetricAlarm, expression: &str, account: Option<&str>) {
    let mut ours = MetricQuery {
        statistic: alarm.statistic.take(),
        period_seconds: alarm.period_seconds.take(),
        account: account.map(str::to_owned),
        ..query("m1", "OrgChanges")
    };
    alarm.metric = None;
    if expression == "q" {
        ours.return_data = true;
        alarm.metrics = vec![ours];
        return;
    }
    let returned = MetricQuery {
        expression: Some(expression.to_owned()),
        metric: None,
        statistic: None,
        period_seconds: None,
        return_data: true,
        ..query("e1", "")
    };
    alarm.metrics = vec![ours, query("m2", "Other"), returned];
}

/// What the settings of a row come to, written as the table writes it.
fn answer(row: &str, settings: &str) -> String {
    let metric = metric();
    let mut published = published(&metric);
    let mut alarm = alarm();
    let mut math = None;
    let mut account = None;
    for setting in settings.split_whitespace() {
        let (key, word) = setting.split_once('=').expect(row);
        let numbers = || word.split(',').map(|word| word.parse::<f64>().unwrap());
        match key {
            "stat" => alarm.statistic = some(word),
            "ext" => (alarm.statistic, alarm.extended_statistic) = (None, some(word)),
            "both" => alarm.statistic = Some("Sum".to_owned()),
            "low" => alarm.evaluate_low_sample_count_percentile = some(word),
            "period" => alarm.period_seconds = word.parse().ok(),
            "thr" => alarm.threshold = word.parse().ok(),
            "n" => alarm.evaluation_periods = word.parse().ok(),
            "m" => alarm.datapoints_to_alarm = word.parse().ok(),
            "missing" => alarm.treat_missing_data = some(word),
            "op" => {
                alarm.comparison_operator = some(match word {
                    ">=" => "GreaterThanOrEqualToThreshold",
                    ">" => "GreaterThanThreshold",
                    "<" => "LessThanThreshold",
                    "<=" => "LessThanOrEqualToThreshold",
                    other => other,
                });
            }
            "value" => published.value = numbers().next(),
            "default" => published.default_value = numbers().next(),
            "other" => published.other_defaults = numbers().collect(),
            "unit" => alarm.unit = some(word),
            "publishes" => published.unit = Some(word),
            "dims" => {
                let dimensions = [(word.to_owned(), "1".to_owned())].into();
                alarm.metric.as_mut().unwrap().2 = Dimensions(dimensions);
            }
            "filterdims" => published.dimensions = vec![word],
            "metric" => word.clone_into(&mut alarm.metric.as_mut().unwrap().1),
            "namespace" => word.clone_into(&mut alarm.metric.as_mut().unwrap().0),
            "at" => {
                let arn = format!("arn:aws:cloudwatch:{word}:alarm:org");
                alarm.arn = arn.parse().unwrap();
            }
            "actions" => {
                let lambda = "arn:aws:lambda:us-east-1:111111111111:function:f".to_owned();
                match word {
                    "off" => alarm.actions_enabled = false,
                    "none" => alarm.alarm_actions.clear(),
                    "lambda" => alarm.alarm_actions = vec![lambda],
                    "both" => alarm.alarm_actions.push(lambda),
                    _ => panic!("{row}"),
                }
            }
            "unknown" => alarm.unknown_settings = vec![word.to_owned()],
            "math" => math = Some(word),
            "qaccount" => account = Some(word),
            _ => panic!("{row}"),
        }
    }
    if let Some(expression) = math {
        as_math(&mut alarm, expression, account);
    }
    let mut advice = Vec::new();
    let obstacles = alarm_obstacles(&alarm, &published, &mut advice);
    if !obstacles.is_empty() {
        let codes: Vec<&str> = obstacles.iter().map(|o| o.reason.code()).collect();
        return codes.join(" ");
    }
    let mut answer = "fires".to_owned();
    for one in advice {
        answer.push_str(" +");
        answer.push_str(serde_json::to_value(one.code).unwrap().as_str().unwrap());
    }
    answer
}

#[test]
fn each_setting_has_the_answer_that_the_table_argues_for() {
    let rows: Vec<Vec<&str>> = table::TABLE
        .lines()
        .filter(|row| !row.trim().is_empty())
        .map(|row| row.split('|').map(str::trim).collect())
        .collect();
    let mut ids: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rows.len(), "ids are unique");
    let mut wrong = Vec::new();
    for row in &rows {
        let [id, settings, expected, argument] = row.as_slice() else {
            panic!("{row:?}")
        };
        assert!(!argument.is_empty(), "{id}");
        let found = answer(id, settings);
        if found != *expected {
            wrong.push(format!("{id}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_not_decided_is_named() {
    let metric = metric();
    let message = |change: &dyn Fn(&mut MetricAlarm)| {
        let mut alarm = alarm();
        change(&mut alarm);
        let obstacles = alarm_obstacles(&alarm, &published(&metric), &mut Vec::new());
        obstacles[0].message.clone()
    };
    let band = message(&|alarm| {
        alarm.comparison_operator = Some("GreaterThanUpperThreshold".to_owned());
    });
    assert!(band.contains("anomaly detection"), "{band}");
    let math = message(&|alarm| as_math(alarm, "RATE(m1)", None));
    assert_eq!(math, "cannot decide metric math `RATE(m1)`");
    let setting = message(&|alarm| alarm.unknown_settings = vec!["WarmUp".to_owned()]);
    assert!(setting.contains("WarmUp"), "{setting}");
    let statistic = message(&|alarm| alarm.statistic = Some("Median".to_owned()));
    assert!(statistic.contains("Median"), "{statistic}");
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(1e308),
        Just(-1e308),
        -3.0..3.0
    ]
}

fn integers() -> impl Strategy<Value = i32> {
    prop_oneof![
        any::<i32>(),
        Just(i32::MIN),
        Just(i32::MAX),
        Just(604_800),
        0..10,
        (0..200).prop_map(|minutes| minutes * 60)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_setting_has_an_answer(
        (value, default, threshold) in (numbers(), proptest::option::of(numbers()), numbers()),
        others in proptest::collection::vec(numbers(), 0..5),
        (period, periods, datapoints) in (integers(), integers(), proptest::option::of(integers())),
        statistic in prop_oneof![
            "Sum|Average|Minimum|Maximum|SampleCount|IQM",
            "p[0-9]{1,3}(\\.[0-9])?",
            "(tm|wm|tc|ts)[0-9]{1,2}",
            "(TM|WM|TC|TS|PR)\\([0-9]{0,3}%?:[0-9]{0,3}%?\\)",
            ".{0,4}",
        ],
        operator in "Greater(ThanOrEqualToThreshold|ThanThreshold)|LessThan(OrEqualTo)?Threshold",
        expression in proptest::option::of("(m1|FILL\\(m1,[0-9]\\)|m1[-+*/][0-9]|[-0-9m1+*/()]{0,8})"),
    ) {
        let metric = metric();
        let mut alarm = alarm();
        alarm.statistic = Some(statistic);
        alarm.period_seconds = Some(period);
        alarm.evaluation_periods = Some(periods);
        alarm.datapoints_to_alarm = datapoints;
        alarm.threshold = Some(threshold);
        alarm.comparison_operator = Some(operator);
        if let Some(expression) = expression {
            as_math(&mut alarm, &expression, None);
        }
        let published = Published {
            value: Some(value),
            default_value: default,
            other_defaults: others,
            ..published(&metric)
        };
        let obstacles = alarm_obstacles(&alarm, &published, &mut Vec::new());
        prop_assert!(obstacles.len() <= 1);
    }
}
