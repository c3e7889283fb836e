//! What decides whether an alarm tells somebody: log group classes, topic policies, mute rules,
//! and the rules that tell of events without any alarm.

use crate::*;

/// All pages of a JSON listing: the names of the items of each.
async fn names_by_page(
    ask: impl AsyncFn(Value) -> Answer,
    list: &str,
    name: &str,
    token: &str,
) -> Vec<Vec<String>> {
    let (mut pages, mut members) = (Vec::new(), nothing());
    loop {
        let answer = ask(members.clone()).await.json();
        pages.push(texts(&answer[list], name));
        match answer.get(token) {
            Some(next) => members[token] = next.clone(),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn log_groups_come_fifty_at_a_time_and_sorted() {
    let groups: Vec<String> = (0..120)
        .rev()
        .map(|n| format!("{{ name = \"group-{n:03}\" }}"))
        .collect();
    let scenario = format!(
        "[[account]]\nname = \"one\"\nlog_groups = [{}]",
        groups.join(",")
    );
    let simulator = start(&scenario).await;
    let caller = Client::caller(&simulator);
    let ask = async |members| caller.logs("DescribeLogGroups", members).await;
    let pages = names_by_page(ask, "logGroups", "logGroupName", "nextToken").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 20]);
    let all = pages.concat();
    assert!(all.is_sorted() && all.len() == 120);
    let two = json!({"logGroupNamePrefix": "group-00", "limit": 2});
    let answer = caller.logs("DescribeLogGroups", two).await.json();
    assert_eq!(
        texts(&answer["logGroups"], "logGroupName"),
        ["group-000", "group-001"]
    );
    let answer = caller.logs("DescribeLogGroups", json!({"limit": 51})).await;
    assert_eq!(answer.json()["__type"], "InvalidParameterException");
}

#[tokio::test]
async fn a_log_group_says_its_class_and_is_found_by_name() {
    let scenario = r#"
[[account]]
name = "one"
filters = [{ log_group = "plain" }]
log_groups = [
    { name = "plain", retention_days = 90 },
    { name = "plain-2", class = "INFREQUENT_ACCESS" },
    { name = "old", without_class = true },
    { name = "elsewhere", region = "eu-west-1" },
]
"#;
    let simulator = start(scenario).await;
    let caller = Client::caller(&simulator);
    let asked = async |members: Value| {
        let answer = caller.logs("DescribeLogGroups", members).await.json();
        answer["logGroups"].clone()
    };
    let plain = asked(json!({"logGroupIdentifiers": ["plain", "missing"]})).await;
    assert_eq!(plain.as_array().unwrap().len(), 1);
    let plain = &plain[0];
    let arn = "arn:aws:logs:us-east-1:111100000001:log-group:plain";
    assert_eq!(plain["arn"], format!("{arn}:*"));
    assert_eq!(plain["logGroupArn"], arn);
    assert_eq!(plain["logGroupClass"], "STANDARD");
    assert_eq!(plain["metricFilterCount"], 1);
    assert_eq!(plain["retentionInDays"], 90);
    let all = asked(json!({"logGroupNamePrefix": "plain"})).await;
    assert_eq!(texts(&all, "logGroupName"), ["plain", "plain-2"]);
    assert_eq!(all[1]["logGroupClass"], "INFREQUENT_ACCESS");
    assert!(all[1].get("retentionInDays").is_none());
    let old = asked(json!({"logGroupNamePattern": "ld"})).await;
    assert_eq!(texts(&old, "logGroupName"), ["old"]);
    assert!(old[0].get("logGroupClass").is_none());
    let by_class = asked(json!({"logGroupClass": "INFREQUENT_ACCESS"})).await;
    assert_eq!(texts(&by_class, "logGroupName"), ["plain-2"]);
    for wrong in [
        json!({"logGroupIdentifiers": ["plain"], "logGroupNamePrefix": "p"}),
        json!({"logGroupNamePattern": "plain", "logGroupNamePrefix": "p"}),
        json!({"logGroupIdentifiers": [arn]}),
    ] {
        let answer = caller.logs("DescribeLogGroups", wrong).await;
        assert_eq!(answer.json()["__type"], "InvalidParameterException");
    }
}

#[tokio::test]
async fn a_topic_says_who_may_publish_and_how_it_is_encrypted() {
    let scenario = r#"
[[account]]
name = "one"
topics = [
    { subscriptions = [{}, { state = "pending" }], readable_by = ["two"] },
    { name = "plain" },
    { name = "keyed.fifo", kms_key = "alias/aws/sns", policy = "cloudwatch", policy_accounts = ["two"] },
    { name = "shut", policy = "deny-publish" },
    { name = "bare", policy = "none" },
    { name = "literal", policy = '{"Statement": [' },
]
[[account]]
name = "two"
"#;
    let simulator = start(scenario).await;
    let caller = Client::caller(&simulator);
    let attributes = async |name: &str| {
        let arn = format!("arn:aws:sns:us-east-1:111100000001:{name}");
        let answer = caller
            .query("sns", "GetTopicAttributes", &[("TopicArn", &arn)])
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.text().replace("&quot;", "\"");
        move |key: &str| {
            let (_, rest) = text.split_once(&format!("<key>{key}</key><value>"))?;
            Some(rest.split_once("</value>")?.0.to_owned())
        }
    };
    let alarms = attributes("security-alarms").await;
    assert_eq!(alarms("Owner").as_deref(), Some("111100000001"));
    assert_eq!(alarms("SubscriptionsConfirmed").as_deref(), Some("1"));
    assert_eq!(alarms("SubscriptionsPending").as_deref(), Some("1"));
    assert_eq!(alarms("KmsMasterKeyId"), None);
    assert_eq!(alarms("FifoTopic"), None);
    let policy: Value = serde_json::from_str(&alarms("Policy").unwrap()).unwrap();
    assert_eq!(
        policy["Statement"][1]["Principal"]["AWS"][0],
        "111100000002"
    );

    let policy = attributes("plain").await("Policy").unwrap();
    let policy: Value = serde_json::from_str(&policy).unwrap();
    assert_eq!(policy["Version"], "2008-10-17");
    assert_eq!(policy["Id"], "__default_policy_ID");
    let [statement] = policy["Statement"].as_array().unwrap().as_slice() else {
        panic!("{policy:#}");
    };
    assert_eq!(statement["Principal"], json!({"AWS": "*"}));
    assert_eq!(
        statement["Condition"],
        json!({"StringEquals": {"AWS:SourceOwner": "111100000001"}})
    );
    assert_eq!(
        statement["Resource"],
        "arn:aws:sns:us-east-1:111100000001:plain"
    );

    let keyed = attributes("keyed.fifo").await;
    assert_eq!(keyed("KmsMasterKeyId").as_deref(), Some("alias/aws/sns"));
    assert_eq!(keyed("FifoTopic").as_deref(), Some("true"));
    let policy: Value = serde_json::from_str(&keyed("Policy").unwrap()).unwrap();
    let statement = &policy["Statement"][0];
    assert_eq!(
        statement["Principal"],
        json!({"Service": "cloudwatch.amazonaws.com"})
    );
    assert_eq!(
        statement["Condition"]["StringEquals"]["aws:SourceAccount"],
        json!(["111100000002"])
    );
    let shut: Value = serde_json::from_str(&attributes("shut").await("Policy").unwrap()).unwrap();
    assert_eq!(shut["Statement"][1]["Effect"], "Deny");
    assert_eq!(attributes("bare").await("Policy"), None);
    assert_eq!(
        attributes("literal").await("Policy").as_deref(),
        Some("{\"Statement\": [")
    );

    let missing = ("TopicArn", "arn:aws:sns:us-east-1:111100000001:missing");
    let answer = caller.query("sns", "GetTopicAttributes", &[missing]).await;
    assert_eq!(
        (answer.status, answer.element("Code")),
        (404, "NotFound".to_owned())
    );
}

#[tokio::test]
async fn mute_rules_are_found_by_alarm_and_status_fifty_at_a_time() {
    let rules: Vec<String> = (0..120)
        .map(|n| format!("{{ name = \"r{n}\", alarms = [\"other\"] }}"))
        .collect();
    let scenario = format!(
        r#"
[[account]]
name = "one"
mute_rules = [
    {},
    {{}},
    {{ name = "nightly", status = "scheduled", kind = "recurring" }},
    {{ name = "old", status = "expired", alarms = ["other", "organizations-changes"] }},
    {{ name = "elsewhere", region = "eu-west-1" }},
]
"#,
        rules.join(",")
    );
    let simulator = start(&scenario).await;
    let caller = Client::caller(&simulator);
    let target = "GraniteServiceVersion20100801.ListAlarmMuteRules";
    let ask = async |members| caller.json("monitoring", target, members).await;
    let list = "AlarmMuteRuleSummaries";
    let pages = names_by_page(ask, list, "AlarmMuteRuleArn", "NextToken").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 23]);
    let first = ask(json!({"MaxRecords": 100})).await.json();
    assert_eq!(first[list].as_array().unwrap().len(), 100);

    let named = async |members| {
        let (answer, value) = caller.alarms("ListAlarmMuteRules", members).await;
        assert_eq!(answer.status, 200);
        let rules = member(&value, list).unwrap().as_array().unwrap().clone();
        let mut found: Vec<(String, bool)> = rules
            .iter()
            .map(|rule| {
                let text = |name| member(rule, name).unwrap().as_text().unwrap().to_owned();
                let (arn, status, kind) =
                    (text("AlarmMuteRuleArn"), text("Status"), text("MuteType"));
                let (_, name) = arn.split_once(":alarm-mute-rule:").unwrap();
                let expires = member(rule, "ExpireDate")
                    .is_some_and(|date| matches!(date, ciborium::Value::Tag(1, _)));
                (format!("{name} {status} {kind}"), expires)
            })
            .collect();
        found.sort();
        found
    };
    let on_alarm = named(json!({"AlarmName": "organizations-changes"})).await;
    let expected = [
        ("maintenance ACTIVE ONE_TIME".to_owned(), true),
        ("nightly SCHEDULED RECURRING".to_owned(), false),
        ("old EXPIRED ONE_TIME".to_owned(), true),
    ];
    assert_eq!(on_alarm, expected);
    let live = json!({"AlarmName": "organizations-changes", "Statuses": ["ACTIVE", "SCHEDULED"]});
    assert_eq!(named(live).await, expected[..2]);
    assert_eq!(named(json!({"AlarmName": "unheard-of"})).await, []);
    let (answer, _) = caller
        .alarms("ListAlarmMuteRules", json!({"MaxRecords": 101}))
        .await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn event_rules_and_their_targets_come_a_hundred_at_a_time() {
    let rules: Vec<String> = (0..120).map(|n| format!("{{ name = \"r{n}\" }}")).collect();
    let targets: Vec<String> = (0..5).map(|n| format!("\"topic-{n}\"")).collect();
    let scenario = format!(
        r#"
[quirks]
page_size = 100
[[account]]
name = "one"
event_rules = [
    {},
    {{ name = "many-targets", targets = [{}] }},
    {{ name = "off", state = "DISABLED", managed_by = "securityhub.amazonaws.com" }},
    {{ name = "nightly", schedule = "rate(1 day)" }},
    {{ name = "custom", bus = "own", pattern = '{{"source":["x"]}}' }},
    {{ name = "elsewhere", region = "eu-west-1" }},
]
"#,
        rules.join(","),
        targets.join(",")
    );
    let simulator = start(&scenario).await;
    let caller = Client::caller(&simulator);
    let ask = async |members| caller.events("ListRules", members).await;
    let pages = names_by_page(ask, "Rules", "Name", "NextToken").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 23]);

    let rule = async |members: Value| {
        let answer = caller.events("ListRules", members).await.json();
        answer["Rules"][0].clone()
    };
    let many = rule(json!({"NamePrefix": "many"})).await;
    assert_eq!(
        many["Arn"],
        "arn:aws:events:us-east-1:111100000001:rule/many-targets"
    );
    assert_eq!(
        (&many["State"], &many["EventBusName"]),
        (&json!("ENABLED"), &json!("default"))
    );
    let pattern: Value = serde_json::from_str(many["EventPattern"].as_str().unwrap()).unwrap();
    assert_eq!(pattern["source"], json!(["aws.organizations"]));
    let off = rule(json!({"NamePrefix": "off"})).await;
    assert_eq!(off["State"], "DISABLED");
    assert_eq!(off["ManagedBy"], "securityhub.amazonaws.com");
    let nightly = rule(json!({"NamePrefix": "nightly"})).await;
    assert_eq!(nightly["ScheduleExpression"], "rate(1 day)");
    assert!(nightly.get("EventPattern").is_none());
    let custom = rule(json!({"EventBusName": "own"})).await;
    assert_eq!(
        custom["Arn"],
        "arn:aws:events:us-east-1:111100000001:rule/own/custom"
    );

    let members = json!({"Rule": "many-targets", "Limit": 3});
    let first = caller.events("ListTargetsByRule", members).await.json();
    let members = json!({"Rule": "many-targets", "Limit": 3, "NextToken": first["NextToken"]});
    let second = caller.events("ListTargetsByRule", members).await.json();
    assert!(second.get("NextToken").is_none());
    let mut arns = [
        texts(&first["Targets"], "Arn"),
        texts(&second["Targets"], "Arn"),
    ]
    .concat();
    arns.sort();
    assert_eq!(arns.len(), 5);
    assert_eq!(arns[0], "arn:aws:sns:us-east-1:111100000001:topic-0");
    for missing in [
        ("ListTargetsByRule", json!({"Rule": "missing"})),
        ("ListTargetsByRule", json!({"Rule": "custom"})),
        ("ListRules", json!({"EventBusName": "missing"})),
    ] {
        let answer = caller.events(missing.0, missing.1).await;
        assert_eq!(answer.json()["__type"], "ResourceNotFoundException");
    }
    let answer = caller.events("ListRules", json!({"Limit": 101})).await;
    assert_eq!(answer.json()["__type"], "ValidationException");
}

#[tokio::test]
async fn an_alarm_shows_every_setting_that_it_has() {
    let scenario = r#"
[[account]]
name = "one"
[[account.alarms]]
name = "full"
extended_statistic = "p99"
low_sample_percentile = "ignore"
evaluation_window = "wall-clock"
warm_up_minutes = 15
evaluation_interval = 60
datapoints = 1
unit = "Count"
[[account.alarms]]
name = "sliding"
evaluation_window = "sliding"
[[account.alarms]]
name = "math"
threshold_metric_id = "band"
comparison = "LessThanLowerOrGreaterThanUpperThreshold"
queries = [
    { id = "band", expression = "ANOMALY_DETECTION_BAND(m)", return_data = true },
    { id = "m", metric = "X", account = "two", unit = "Count", return_data = true },
]
[[account.composite_alarms]]
name = "either"
rule = "ALARM(full) OR ALARM(math)"
suppressor = "maintenance"
[[account]]
name = "two"
"#;
    let simulator = start(scenario).await;
    let caller = Client::caller(&simulator);
    let target = "GraniteServiceVersion20100801.DescribeAlarms";
    let named = json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]});
    let answer = caller.json("monitoring", target, named).await.json();
    let alarm = |name: &str| {
        let alarms = answer["MetricAlarms"].as_array().unwrap();
        alarms
            .iter()
            .find(|alarm| alarm["AlarmName"] == name)
            .unwrap()
            .clone()
    };
    let full = alarm("full");
    assert_eq!(full["ExtendedStatistic"], "p99");
    assert!(full.get("Statistic").is_none());
    assert_eq!(full["EvaluateLowSampleCountPercentile"], "ignore");
    assert_eq!(
        full["EvaluationWindow"],
        json!({"WallClockWindow": {"Timezone": "UTC"}})
    );
    assert_eq!(
        full["WarmUpConfiguration"],
        json!({"WarmUpPeriodDurationInMinutes": 15})
    );
    assert_eq!(full["EvaluationInterval"], 60);
    assert_eq!(
        (&full["DatapointsToAlarm"], &full["Unit"]),
        (&json!(1), &json!("Count"))
    );
    let sliding = alarm("sliding");
    assert_eq!(sliding["EvaluationWindow"], json!({"SlidingWindow": {}}));
    assert!(sliding.get("WarmUpConfiguration").is_none());
    let math = alarm("math");
    assert_eq!(math["ThresholdMetricId"], "band");
    assert!(math.get("Threshold").is_none() && math.get("MetricName").is_none());
    let query = &math["Metrics"][1];
    assert_eq!(query["AccountId"], "111100000002");
    assert_eq!(query["MetricStat"]["Unit"], "Count");
    let either = &answer["CompositeAlarms"][0];
    assert_eq!(either["AlarmRule"], "ALARM(full) OR ALARM(math)");
    assert_eq!(either["ActionsSuppressor"], "maintenance");
    assert_eq!(either["ActionsSuppressorWaitPeriod"], 60);
}
