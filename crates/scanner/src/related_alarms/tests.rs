//! Worlds of a few alarms, told apart by name.

use model::evidence::{AlarmLookup, MetricQuery, MonitoringAlarms, Place};

use super::*;

const HERE: &str = "111111111111";
const THERE: &str = "999999999999";

fn place(account: &str) -> Place {
    Place {
        account: account.parse().unwrap(),
        region: "us-east-1".parse().unwrap(),
    }
}

fn metric() -> MetricKey {
    MetricKey {
        place: place(HERE),
        namespace: "CIS".to_owned(),
        name: "Changes".to_owned(),
        dimensions: Dimensions::default(),
    }
}

fn arn(account: &str, name: &str) -> Arn {
    format!("arn:aws:cloudwatch:us-east-1:{account}:alarm:{name}")
        .parse()
        .unwrap()
}

fn topic(name: &str) -> String {
    format!("arn:aws:sns:us-east-1:{HERE}:{name}")
}

fn alarm(account: &str, name: &str, metric: Option<(&str, &str)>) -> MetricAlarm {
    MetricAlarm {
        arn: arn(account, name),
        name: name.to_owned(),
        actions_enabled: true,
        alarm_actions: vec![topic(name)],
        metric: metric.map(|(namespace, name)| {
            (namespace.to_owned(), name.to_owned(), Dimensions::default())
        }),
        statistic: None,
        extended_statistic: None,
        evaluate_low_sample_count_percentile: None,
        period_seconds: None,
        unit: None,
        evaluation_periods: None,
        datapoints_to_alarm: None,
        threshold: None,
        comparison_operator: None,
        treat_missing_data: None,
        metrics: Vec::new(),
        unknown_settings: Vec::new(),
    }
}

fn across(name: &str, account: Option<&str>, namespace: &str, metric: &str) -> MetricAlarm {
    let query = MetricQuery {
        id: "m".to_owned(),
        expression: None,
        metric: Some((
            namespace.to_owned(),
            metric.to_owned(),
            Dimensions::default(),
        )),
        statistic: None,
        period_seconds: None,
        unit: None,
        account: account.map(str::to_owned),
        return_data: true,
    };
    MetricAlarm {
        metrics: vec![query],
        ..alarm(THERE, name, None)
    }
}

fn composite(account: &str, name: &str, rule: &str) -> CompositeAlarm {
    CompositeAlarm {
        arn: arn(account, name),
        name: name.to_owned(),
        actions_enabled: true,
        alarm_actions: vec![topic(name)],
        rule: rule.to_owned(),
        actions_suppressor: None,
    }
}

fn names(found: &FoundAlarms) -> (Vec<&str>, Vec<&str>) {
    let metric_alarms = found.metric_alarms.iter().map(|one| one.name.as_str());
    let composite_alarms = found.composite_alarms.iter().map(|one| one.name.as_str());
    (metric_alarms.collect(), composite_alarms.collect())
}

#[test]
fn a_rule_names_an_alarm_by_name_or_arn_bare_or_quoted_and_not_by_a_part_of_it() {
    let rows = [
        (r#"ALARM("org")"#, "org", true),
        ("ALARM(org)", "org", true),
        ("ALARM( org ) OR ALARM(x)", "org", true),
        ("ALARM('org')", "org", true),
        ("(ALARM (\n\"org\"\n))", "org", true),
        ("AT_LEAST(2, ALARM, (a, org, c))", "org", true),
        ("AT_LEAST(50%, ALARM, (org,b))", "org", true),
        (
            "ALARM(arn:aws:cloudwatch:us-east-1:111111111111:alarm:org)",
            "org",
            true,
        ),
        (
            "ALARM(\"arn:aws:cloudwatch:us-east-1:111111111111:alarm:org\")",
            "org",
            true,
        ),
        (
            "ALARM(arn:aws:cloudwatch:us-east-1:222222222222:alarm:org)",
            "org",
            false,
        ),
        (r#"ALARM("a, b (c)")"#, "a, b (c)", true),
        (r#"ALARM("say \"x\" now")"#, r#"say "x" now"#, true),
        (r#"ALARM("back\\slash")"#, r"back\slash", true),
        (r"ALARM(back\slash)", r"back\slash", true),
        ("ALARM(größe)", "größe", true),
        ("ALARM(größe)", "öße", false),
        (r#"ALARM("org changes")"#, "org", false),
        (r#"ALARM("org changes")"#, "changes", false),
        ("ALARM(org-changes)", "org", false),
        ("ALARM(my.org)", "org", false),
        ("TRUE", "org", false),
        ("", "org", false),
        ("ALARM()", "", false),
    ];
    for (rule, name, named) in rows {
        assert_eq!(
            refers_to(rule, name, &arn(HERE, "org")),
            named,
            "{rule} {name}"
        );
    }
}

#[test]
fn composite_alarms_are_found_through_other_composite_alarms() {
    let all = FoundAlarms {
        metric_alarms: vec![
            alarm(HERE, "leaf", Some(("CIS", "Changes"))),
            alarm(HERE, "near", Some(("Other", "Changes"))),
            alarm(HERE, "far", Some(("CIS", "Logins"))),
        ],
        composite_alarms: vec![
            composite(HERE, "circle", "ALARM(top) OR ALARM(circle)"),
            composite(HERE, "middle", "ALARM(leaf)"),
            composite(HERE, "over-far", "ALARM(far)"),
            composite(HERE, "over-near", "ALARM(near)"),
            composite(
                HERE,
                "top",
                "OK(x) AND ALARM(arn:aws:cloudwatch:us-east-1:111111111111:alarm:middle)",
            ),
        ],
    };
    let found = related(&all, &metric());
    let (metric_alarms, composite_alarms) = names(&found);
    assert_eq!(metric_alarms, ["leaf", "near"]);
    assert_eq!(composite_alarms, ["circle", "middle", "over-near", "top"]);

    // A near miss tells of nothing, nor does what stands over it alone.
    let alarms = Alarms {
        metric: metric(),
        lookup: AlarmLookup::FullList,
        found: Ok(found),
        monitoring: Vec::new(),
    };
    let telling: Vec<&str> = tellers(&alarms).iter().map(|teller| teller.name).collect();
    assert_eq!(telling, ["leaf", "circle", "middle", "top"]);
}

#[test]
fn a_monitoring_account_is_asked_for_alarms_that_read_the_metric_of_the_other_account() {
    let all = FoundAlarms {
        metric_alarms: vec![
            alarm(THERE, "its-own", Some(("CIS", "Changes"))),
            across("other-account", Some("222222222222"), "CIS", "Changes"),
            across("other-metric", Some(HERE), "CIS", "Logins"),
            across("other-namespace", Some(HERE), "Other", "Changes"),
            across("reads-it", Some(HERE), "CIS", "Changes"),
            across("unsaid", None, "CIS", "Changes"),
        ],
        composite_alarms: vec![
            composite(THERE, "over-it", "ALARM(reads-it)"),
            composite(THERE, "over-its-own", "ALARM(its-own)"),
        ],
    };
    let found = reading_across_accounts(&all, &metric());
    assert_eq!(names(&found), (vec!["reads-it"], vec!["over-it"]));

    let alarms = Alarms {
        metric: metric(),
        lookup: AlarmLookup::FullList,
        found: Ok(FoundAlarms::default()),
        monitoring: vec![MonitoringAlarms {
            place: place(THERE),
            found: Ok(found),
        }],
    };
    let topics: Vec<Arn> = tellers(&alarms).iter().flat_map(Teller::topics).collect();
    let expected: Vec<Arn> = ["reads-it", "over-it"]
        .map(|name| topic(name).parse().unwrap())
        .into();
    assert_eq!(topics, expected);
}

#[test]
fn only_an_alarm_with_a_topic_and_actions_in_force_publishes() {
    let publishes = |alarm: MetricAlarm| {
        let alarms = Alarms {
            metric: metric(),
            lookup: AlarmLookup::ByMetric,
            found: Ok(FoundAlarms {
                metric_alarms: vec![alarm],
                composite_alarms: Vec::new(),
            }),
            monitoring: Vec::new(),
        };
        tellers(&alarms).iter().any(Teller::publishes)
    };
    let good = alarm(HERE, "a", Some(("CIS", "Changes")));
    assert!(publishes(good.clone()));
    assert!(!publishes(MetricAlarm {
        actions_enabled: false,
        ..good.clone()
    }));
    assert!(!publishes(MetricAlarm {
        alarm_actions: vec!["arn:aws:automate:us-east-1:ec2:stop".to_owned()],
        ..good
    }));
}
