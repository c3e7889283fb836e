//! LookupEvents as AWS answers it, and a world that goes on.

use jiff::SignedDuration;

use crate::*;

const CHANGED: &str = r#"
    [event_history]
    delay = "0s"
    [[account]]
    name = "management"
    [[account]]
    name = "member"
    chain = "complete"
    [[timeline]]
    account = "member"
    change = "stop-logging"
    [[timeline]]
    after = "10m"
    account = "member"
    change = "delete-metric-filter"
    [[timeline]]
    account = "member"
    change = "delete-topic"
"#;

fn named(name: &str) -> Value {
    json!([{ "AttributeKey": "EventName", "AttributeValue": name }])
}

async fn lookup(client: &Client<'_>, name: &str) -> Vec<Value> {
    let members = json!({ "LookupAttributes": named(name) });
    let answer = client.cloudtrail("LookupEvents", members).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["Events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_event_has_the_shape_of_awss() {
    let simulator = start(CHANGED).await;
    simulator.advance().unwrap();
    let member = Client::member(&simulator, "member", None).await;
    let events = lookup(&member, "StopLogging").await;
    // One of the day before is in the history as well.
    assert_eq!(events.len(), 4);
    let times: Vec<_> = events
        .iter()
        .map(|it| it["EventTime"].as_f64().unwrap())
        .collect();
    assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
    let newest = &events[0];
    assert_eq!(newest["EventSource"], "cloudtrail.amazonaws.com");
    assert_eq!(newest["Username"], "alice");
    assert_eq!(newest["ReadOnly"], "false");
    assert_eq!(
        newest["Resources"][0]["ResourceType"],
        "AWS::CloudTrail::Trail"
    );
    assert!(newest["AccessKeyId"].as_str().unwrap().starts_with("ASIA"));
    let record: Value = serde_json::from_str(newest["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(record["eventID"], newest["EventId"]);
    assert_eq!(record["userIdentity"]["type"], "AssumedRole");
    assert_eq!(record["recipientAccountId"], "111100000002");
    assert_eq!(record["awsRegion"], "us-east-1");

    // Equal seeds give equal ids.
    let again = start(CHANGED).await;
    again.advance().unwrap();
    let member = Client::member(&again, "member", None).await;
    assert_eq!(
        lookup(&member, "StopLogging").await[0]["EventId"],
        newest["EventId"]
    );
}

#[tokio::test]
async fn events_are_found_by_one_attribute_in_a_time_range_and_in_pages() {
    let simulator = start(CHANGED).await;
    simulator.advance().unwrap();
    let member = Client::member(&simulator, "member", None).await;
    let count = async |members: Value| {
        let answer = member.cloudtrail("LookupEvents", members).await;
        answer.json()["Events"].as_array().map(Vec::len)
    };
    assert_eq!(count(nothing()).await, Some(4), "no attribute is none");
    for (key, value, expected) in [
        ("Username", "alice", 1),
        ("EventSource", "cloudtrail.amazonaws.com", 4),
        ("ReadOnly", "true", 0),
        ("ResourceName", "management-events-2", 1),
        ("EventName", "stoplogging", 0),
    ] {
        let attribute = json!([{ "AttributeKey": key, "AttributeValue": value }]);
        let members = json!({ "LookupAttributes": attribute });
        assert_eq!(count(members).await, Some(expected), "{key}");
    }
    let now = lookup(&member, "StopLogging").await[0]["EventTime"]
        .as_f64()
        .unwrap();
    assert_eq!(
        count(json!({ "StartTime": now, "EndTime": now })).await,
        Some(1)
    );
    assert_eq!(count(json!({ "StartTime": now - 60.0 })).await, Some(3));
    assert_eq!(count(json!({ "EndTime": now - 60.0 })).await, Some(1));
    assert_eq!(count(json!({ "EventCategory": "insight" })).await, Some(0));

    let (mut token, mut ids) = (Value::Null, Vec::new());
    loop {
        let members = json!({ "MaxResults": 3, "NextToken": token });
        let page = member.cloudtrail("LookupEvents", members).await.json();
        ids.extend(texts(&page["Events"], "EventId"));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    let all = member.cloudtrail("LookupEvents", nothing()).await.json();
    assert_eq!(ids, texts(&all["Events"], "EventId"));
}

#[tokio::test]
async fn what_awss_lookup_refuses_is_refused_in_its_words() {
    let simulator = start(CHANGED).await;
    let caller = Client::caller(&simulator);
    let two = json!([
        { "AttributeKey": "EventName", "AttributeValue": "StopLogging" },
        { "AttributeKey": "ReadOnly", "AttributeValue": "false" },
    ]);
    let unknown = json!([{ "AttributeKey": "Colour", "AttributeValue": "red" }]);
    for (members, code) in [
        (
            json!({ "LookupAttributes": two }),
            "InvalidLookupAttributesException",
        ),
        (
            json!({ "LookupAttributes": unknown }),
            "InvalidLookupAttributesException",
        ),
        (json!({ "MaxResults": 51 }), "InvalidMaxResultsException"),
        (json!({ "MaxResults": 0 }), "InvalidMaxResultsException"),
        (
            json!({ "StartTime": 2, "EndTime": 1 }),
            "InvalidTimeRangeException",
        ),
        (
            json!({ "NextToken": "of somebody else" }),
            "InvalidNextTokenException",
        ),
        (
            json!({ "EventCategory": "data" }),
            "InvalidEventCategoryException",
        ),
        (
            json!({ "StartTime": "yesterday" }),
            "InvalidParameterException",
        ),
        (json!({ "StartTime": 1e300 }), "InvalidParameterException"),
    ] {
        let answer = caller.cloudtrail("LookupEvents", members.clone()).await;
        assert_eq!(
            (answer.status, answer.json()["__type"].as_str()),
            (400, Some(code)),
            "{members}"
        );
    }
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}"#;
    let member = Client::member(&simulator, "member", Some(policy)).await;
    let answer = member.cloudtrail("LookupEvents", nothing()).await;
    assert_eq!(answer.json()["__type"], "AccessDeniedException");
}

#[tokio::test]
async fn an_event_waits_for_its_drawn_time() {
    let scenario = CHANGED.replace("0s", "2m..15m");
    let simulator = start(&scenario).await;
    simulator.advance().unwrap();
    let member = Client::member(&simulator, "member", None).await;
    // Only the one of the day before can be seen.
    assert_eq!(lookup(&member, "StopLogging").await.len(), 1);
    simulator
        .advance_by(SignedDuration::from_secs(119))
        .unwrap();
    let seen = lookup(&member, "StopLogging").await;
    assert!(!seen.iter().any(|event| event["Username"] == "alice"));
    simulator.advance_by(SignedDuration::from_mins(13)).unwrap();
    assert_eq!(lookup(&member, "StopLogging").await.len(), 4);
}

#[tokio::test]
async fn a_timeline_goes_on_by_itself_or_when_it_is_told_to() {
    let simulator = start(CHANGED).await;
    let filters = || {
        let world = simulator.world();
        world.named("member").unwrap().log_groups[0]
            .metric_filters
            .len()
    };
    let made = |changes: Vec<simulator::world::Change>| -> Vec<&'static str> {
        changes
            .iter()
            .map(|change| change.operation.name())
            .collect()
    };
    // The first waits until it is asked for, and what is behind it waits for it.
    let hour = SignedDuration::from_hours(1);
    assert_eq!(simulator.advance_by(hour).unwrap(), []);
    assert_eq!(
        made(simulator.advance().unwrap().into_iter().collect()),
        ["StopLogging"]
    );
    assert_eq!(filters(), 1);
    assert_eq!(
        simulator.advance_by(SignedDuration::from_mins(9)).unwrap(),
        []
    );
    assert_eq!(
        made(simulator.advance_by(SignedDuration::from_mins(1)).unwrap()),
        ["DeleteMetricFilter"]
    );
    assert_eq!(filters(), 0);
    assert_eq!(
        made(simulator.advance().unwrap().into_iter().collect()),
        ["DeleteTopic"]
    );
    assert_eq!(simulator.advance().unwrap(), None);
}

#[tokio::test]
async fn what_is_due_has_happened_before_the_next_request_is_answered() {
    let clock = std::sync::Arc::new(model::FixedClock::new(jiff::Timestamp::UNIX_EPOCH));
    let world =
        World::from_toml(&CHANGED.replacen("account =", "after = \"1m\"\naccount =", 1)).unwrap();
    let options = SimulatorOptions {
        clock: clock.clone(),
        ..SimulatorOptions::default()
    };
    let simulator = Simulator::start(world, options).await.unwrap();
    let member = Client::member(&simulator, "member", None).await;
    let is_logging = async || {
        let asked = json!({ "Name": "management-events" });
        member.cloudtrail("GetTrailStatus", asked).await.json()["IsLogging"].clone()
    };
    clock.advance(SignedDuration::from_secs(59));
    assert_eq!(is_logging().await, true);
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(is_logging().await, false);
}

#[tokio::test]
async fn another_process_lets_the_world_go_on() {
    let simulator = start(CHANGED).await;
    let post = async |path: &str| {
        let request = hyper::Request::post(path).header("host", "simulator");
        exchange(&simulator, request.body(Full::default()).unwrap())
            .await
            .unwrap()
    };
    let made = post("/_simulator/advance").await.json();
    assert_eq!(
        made["changes"],
        json!([{ "operation": "StopLogging", "account": "111100000002", "region": "us-east-1" }])
    );
    let made = post("/_simulator/advance?by=10m").await.json();
    assert_eq!(made["changes"][0]["operation"], "DeleteMetricFilter");
    assert_eq!(post("/_simulator/advance?by=soon").await.status, 400);
    simulator.update(|world| world.named_mut("member").unwrap().topics.clear());
    let failed = post("/_simulator/advance").await;
    assert_eq!(failed.status, 409);
    assert_eq!(
        failed.text(),
        "account 111100000002 has no topic `security-alarms` in us-east-1"
    );
    assert_eq!(
        post("/_simulator/advance").await.json()["changes"],
        json!([])
    );
    let get = hyper::Request::get("/_simulator/advance").header("host", "simulator");
    let answer = exchange(&simulator, get.body(Full::default()).unwrap()).await;
    assert_eq!(answer.unwrap().status, 405);
}
