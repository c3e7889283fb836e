//! Each service answers in its own protocol, and nothing that comes in makes it stop.

use std::collections::HashSet;

use simulator::GenerateOptions;
use simulator::world::Partition;

use crate::*;

const TWO: &str = r#"
[[account]]
name = "management"
[[account]]
name = "member"
chain = "complete"
"#;

#[tokio::test]
async fn sts_answers_in_xml() {
    let simulator = start(TWO).await;
    let answer = Client::caller(&simulator)
        .query("sts", "GetCallerIdentity", &[])
        .await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "text/xml")
    );
    assert_eq!(
        answer.element("Arn"),
        "arn:aws:iam::111100000001:user/scanner"
    );
    assert_eq!(
        answer.element("RequestId"),
        answer.header("x-amzn-requestid")
    );

    let member = Client::member(&simulator, "member", None).await;
    let answer = member.query("sts", "GetCallerIdentity", &[]).await;
    let arn = format!("arn:aws:sts::111100000002:assumed-role/{ROLE}/scanner-test");
    assert_eq!(answer.element("Arn"), arn);
}

#[tokio::test]
async fn json_services_answer_in_json_and_name_their_errors() {
    let simulator = start(TWO).await;
    let caller = Client::caller(&simulator);
    let answer = caller
        .organizations("DescribeOrganization", nothing())
        .await;
    assert_eq!(
        answer.json()["Organization"]["MasterAccountId"],
        "111100000001"
    );
    let answer = caller
        .organizations("ListParents", json!({"ChildId": "999999999999"}))
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["__type"], "ChildNotFoundException");
    let answer = caller
        .logs("DescribeMetricFilters", json!({"logGroupName": "none"}))
        .await;
    assert_eq!(answer.json()["__type"], "ResourceNotFoundException");
}

#[tokio::test]
async fn cloudwatch_answers_in_cbor_with_tagged_times_and_the_old_error_code() {
    let simulator = start(TWO).await;
    let client = Client::member(&simulator, "member", None).await;
    let (answer, value) = client.alarms("DescribeAlarms", nothing()).await;
    assert_eq!(
        (answer.status, answer.header("smithy-protocol")),
        (200, "rpc-v2-cbor")
    );
    let alarm = &member(&value, "MetricAlarms").unwrap().as_array().unwrap()[0];
    let time = member(alarm, "StateUpdatedTimestamp").unwrap();
    assert!(
        matches!(time, ciborium::Value::Tag(1, inner) if inner.is_float()),
        "{time:?}"
    );
    assert_eq!(member(alarm, "Threshold").unwrap().as_float(), Some(1.0));

    let (answer, value) = client
        .alarms("DescribeAlarms", json!({"NextToken": "x"}))
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.header("x-amzn-query-error"),
        "InvalidNextToken;Sender"
    );
    let name = member(&value, "__type").unwrap().as_text();
    assert_eq!(name, Some("com.amazonaws.cloudwatch#InvalidNextToken"));
}

#[tokio::test]
async fn cloudwatch_still_speaks_the_protocols_of_older_clients() {
    let simulator = start(TWO).await;
    let client = Client::member(&simulator, "member", None).await;
    let members = [
        ("MetricName", "OrganizationsChanges"),
        ("Namespace", "CISBenchmark"),
    ];
    let answer = client
        .query("monitoring", "DescribeAlarmsForMetric", &members)
        .await;
    assert_eq!(answer.element("AlarmName"), "organizations-changes");
    assert_eq!(answer.element("Threshold"), "1");
    let target = "GraniteServiceVersion20100801.DescribeAlarms";
    let answer = client.json("monitoring", target, nothing()).await;
    assert_eq!(
        answer.json()["MetricAlarms"][0]["AlarmName"],
        "organizations-changes"
    );
}

#[tokio::test]
async fn account_answers_in_rest_json() {
    let simulator = start(TWO).await;
    let client = Client::member(&simulator, "member", None).await;
    let answer = client
        .send("account", "/listRegions", &[], Vec::new())
        .await;
    assert_eq!(answer.json()["Regions"].as_array().unwrap().len(), 29);
    let answer = client
        .send(
            "account",
            "/listRegions",
            &[],
            json!({"AccountId": "1"}).to_string().into(),
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype")),
        (403, "AccessDeniedException")
    );
}

#[tokio::test]
async fn a_member_sees_the_trail_of_the_organization_with_its_owners_arn() {
    let simulator = start(include_str!(
        "../../../../tests/scenarios/organization_trail.toml"
    ))
    .await;
    let member = Client::member(&simulator, "member-1", None).await;
    let trail = member.cloudtrail("DescribeTrails", nothing()).await.json()["trailList"][0].clone();
    let arn = "arn:aws:cloudtrail:us-east-1:111100000001:trail/organization-trail";
    assert_eq!(trail["TrailARN"], arn);
    assert_eq!(trail["IsOrganizationTrail"], true);
    let group = trail["CloudWatchLogsLogGroupArn"].as_str().unwrap();
    assert!(
        group.starts_with("arn:aws:logs:us-east-1:111100000002:log-group:"),
        "{group}"
    );

    let only_own = json!({"includeShadowTrails": false});
    let answer = member.cloudtrail("DescribeTrails", only_own).await;
    assert_eq!(answer.json()["trailList"], json!([]));
    let answer = member
        .cloudtrail("GetTrailStatus", json!({"Name": arn}))
        .await;
    assert_eq!(answer.json()["__type"], "CloudTrailARNInvalidException");
    let owner = Client::caller(&simulator);
    let answer = owner
        .cloudtrail("GetTrailStatus", json!({"Name": arn}))
        .await;
    assert_eq!(answer.json()["IsLogging"], true);
    let uncovered = Client::member(&simulator, "uncovered", None).await;
    let answer = uncovered.cloudtrail("DescribeTrails", nothing()).await;
    assert_eq!(answer.json()["trailList"], json!([]));
}

#[tokio::test]
async fn a_trail_is_answered_for_in_its_home_region_and_shadowed_elsewhere() {
    let simulator = start(TWO).await;
    let home = Client::member(&simulator, "member", None).await;
    let away = Client {
        region: "eu-west-1",
        key: home.key.clone(),
        ..Client::caller(&simulator)
    };
    let name = json!({"Name": "management-events"});
    let shadow = away.cloudtrail("DescribeTrails", nothing()).await.json();
    assert_eq!(shadow["trailList"][0]["HomeRegion"], "us-east-1");
    assert_eq!(
        home.cloudtrail("GetTrailStatus", name.clone()).await.status,
        200
    );
    let answer = away.cloudtrail("GetTrailStatus", name).await;
    assert_eq!(answer.json()["__type"], "TrailNotFoundException");
    simulator.update(|world| {
        world.named_mut("member").unwrap().trails[0].is_multi_region = false;
    });
    let answer = away.cloudtrail("DescribeTrails", nothing()).await;
    assert_eq!(answer.json()["trailList"], json!([]));
}

#[tokio::test]
async fn without_an_organization_its_service_says_so() {
    let simulator = start("organization = { exists = false }\n[[account]]\nname = \"alone\"").await;
    let answer = Client::caller(&simulator)
        .organizations("DescribeOrganization", nothing())
        .await;
    assert_eq!(answer.json()["__type"], "AWSOrganizationsNotInUseException");
}

#[tokio::test]
async fn old_shapes_of_accounts_can_be_imitated() {
    let quirks = "[quirks]\naccount_state = false\naccount_paths = false\n";
    let simulator = start(&format!("{quirks}{TWO}")).await;
    let answer = Client::caller(&simulator)
        .organizations("ListAccounts", nothing())
        .await;
    let account = &answer.json()["Accounts"][0];
    assert_eq!(account["Status"], "ACTIVE");
    assert!(account.get("State").is_none() && account.get("Paths").is_none());
}

#[tokio::test]
async fn ticking_values_differ_between_two_looks_and_settings_do_not() {
    let simulator = start(TWO).await;
    let client = Client::member(&simulator, "member", None).await;
    let (mut delivered, mut states, mut settings) =
        (HashSet::new(), HashSet::new(), HashSet::new());
    for _ in 0..20 {
        let name = json!({"Name": "management-events"});
        let trail = client.cloudtrail("GetTrailStatus", name).await.json();
        delivered.insert(trail["LatestCloudWatchLogsDeliveryTime"].to_string());
        let target = "GraniteServiceVersion20100801.DescribeAlarms";
        let alarm = client.json("monitoring", target, nothing()).await.json();
        let alarm = &alarm["MetricAlarms"][0];
        states.insert(alarm["StateValue"].to_string());
        settings.insert(alarm["AlarmConfigurationUpdatedTimestamp"].to_string());
    }
    assert!(
        delivered.len() > 10 && states.len() == 3,
        "{delivered:?} {states:?}"
    );
    assert_eq!(settings.len(), 1);
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own() {
    let simulator = start(TWO).await;
    let caller = Client::caller(&simulator);
    let mut ids = HashSet::new();
    for _ in 0..30 {
        ids.insert(
            caller
                .organizations("ListRoots", nothing())
                .await
                .header("x-amzn-requestid")
                .to_owned(),
        );
        ids.insert(
            caller
                .query("sts", "Nothing", &[])
                .await
                .header("x-amzn-requestid")
                .to_owned(),
        );
        ids.insert(
            caller
                .query("nobody", "X", &[])
                .await
                .header("x-amzn-requestid")
                .to_owned(),
        );
        simulator.reset_calls();
    }
    assert_eq!(ids.len(), 90);
}

#[tokio::test]
async fn calls_are_counted_by_service_operation_account_and_region() {
    let simulator = start(TWO).await;
    let client = Client::member(&simulator, "member", None).await;
    simulator.reset_calls();
    client.cloudtrail("DescribeTrails", nothing()).await;
    client.cloudtrail("DescribeTrails", nothing()).await;
    Client::caller(&simulator)
        .organizations("ListRoots", nothing())
        .await;
    let calls = simulator.calls();
    assert_eq!(calls.total(), 3);
    assert_eq!(calls.of("cloudtrail", "DescribeTrails"), 2);
    assert_eq!(calls.signed_by("111100000002"), 2);
    let (key, count) = calls.iter().next().unwrap();
    assert_eq!(
        (key.account.as_str(), key.region.as_str(), count),
        ("111100000002", "us-east-1", 2)
    );
}

#[tokio::test]
async fn whatever_comes_in_is_answered() {
    let simulator = start(TWO).await;
    let client = Client::member(&simulator, "member", None).await;
    let bodies: [&[u8]; 9] = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b"\xbf\x61",
        b"{\"Name\":5,\"trailNameList\":{},\"MaxResults\":-1,\"Dimensions\":[5]}",
        b"Action=ListSubscriptionsByTopic&TopicArn=arn:aws:sns",
        b"Action=AssumeRole&RoleArn=arn:aws:iam::1:role/x&RoleSessionName=ab&DurationSeconds=x",
    ];
    let operations = [
        ("sts", "AssumeRole"),
        ("sns", "ListSubscriptionsByTopic"),
        ("sns", "GetTopicAttributes"),
        ("organizations", "AWSOrganizationsV20161128.ListAccounts"),
        (
            "organizations",
            "AWSOrganizationsV20161128.ListAccountsForParent",
        ),
        ("cloudtrail", "CloudTrail_20131101.DescribeTrails"),
        ("cloudtrail", "CloudTrail_20131101.GetTrailStatus"),
        ("logs", "Logs_20140328.DescribeMetricFilters"),
        ("logs", "Logs_20140328.DescribeLogGroups"),
        ("events", "AWSEvents.ListRules"),
        ("events", "AWSEvents.ListTargetsByRule"),
        (
            "monitoring",
            "GraniteServiceVersion20100801.ListAlarmMuteRules",
        ),
        (
            "monitoring",
            "GraniteServiceVersion20100801.DescribeAlarmsForMetric",
        ),
        ("account", "x.y"),
        ("account", ""),
        ("", ""),
    ];
    let paths = [
        "/",
        "/listRegions",
        "/service/GraniteServiceVersion20100801/operation/X",
        "//",
    ];
    for (scope, target) in operations {
        for body in bodies {
            for path in paths {
                let headers: &[_] = if target.is_empty() {
                    &[]
                } else {
                    &[("x-amz-target", target)]
                };
                let answer = client.send(scope, path, headers, body.to_vec()).await;
                assert!(
                    answer.status < 500,
                    "{scope} {target} {path}: {}",
                    answer.status
                );
                assert!(answer.headers.contains_key("x-amzn-requestid"));
            }
        }
    }
}

#[tokio::test]
async fn hostile_names_arrive_as_they_are() {
    let options = GenerateOptions {
        accounts: 120,
        hostile_names: true,
        ..GenerateOptions::default()
    };
    let world = World::generate(&options);
    let simulator = Simulator::start(world, SimulatorOptions::default())
        .await
        .unwrap();
    let caller = Client::caller(&simulator);
    let (mut names, mut members) = (Vec::new(), nothing());
    loop {
        let answer = caller
            .organizations("ListAccounts", members.clone())
            .await
            .json();
        names.extend(texts(&answer["Accounts"], "Name"));
        let Some(token) = answer.get("NextToken") else {
            break;
        };
        members["NextToken"] = token.clone();
    }
    let mut expected: Vec<String> = simulator
        .world()
        .accounts()
        .iter()
        .map(|account| account.name.clone())
        .collect();
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
    assert!(names.iter().any(|name| name.contains('\u{1b}')));
}

#[tokio::test]
async fn each_partition_has_its_own_arns_and_regions() {
    for (partition, region) in [
        (Partition::GovCloud, "us-gov-west-1"),
        (Partition::China, "cn-northwest-1"),
    ] {
        let options = GenerateOptions {
            partition,
            ..GenerateOptions::default()
        };
        let world = World::generate(&options);
        let simulator = Simulator::start(world, SimulatorOptions::default())
            .await
            .unwrap();
        let caller = Client {
            region,
            ..Client::caller(&simulator)
        };
        let answer = caller.query("sts", "GetCallerIdentity", &[]).await;
        let prefix = format!("arn:{}:iam::", partition.name());
        assert!(answer.element("Arn").starts_with(&prefix));
        let trails = caller.cloudtrail("DescribeTrails", nothing()).await.json();
        let prefix = format!("arn:{}:cloudtrail:{region}:", partition.name());
        assert!(
            trails["trailList"][0]["TrailARN"]
                .as_str()
                .unwrap()
                .starts_with(&prefix)
        );
        let strange = Client {
            region: "us-east-1",
            ..caller
        };
        assert_eq!(
            strange.cloudtrail("DescribeTrails", nothing()).await.status,
            400
        );
    }
}
