//! Quotas and latency, and what the simulator tells of a finished sweep.

use simulator::{Latency, Load};

use crate::*;

const TWO: &str = "[load]\nquotas = 1.0\n\
    [[account]]\nname = \"one\"\nchain = \"complete\"\n[[account]]\nname = \"two\"";

/// Asks until the answer is a throttling error, which it must be soon: buckets refill while this
/// asks, but not as fast as it asks.
async fn throttled(ask: impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..10_000 {
        let answer = ask().await;
        if answer.status != 200 {
            return answer;
        }
    }
    // Not an error, which the caller's assertion will say.
    ask().await
}

fn code(answer: &Answer) -> String {
    answer.json()["__type"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_spent_quota_is_told_in_the_words_of_the_service() {
    let simulator = start(&TWO.replace("1.0", "0.01")).await;
    let caller = Client::caller(&simulator);
    let answer = throttled(async || caller.organizations("ListAccounts", nothing()).await).await;
    assert_eq!(code(&answer), "TooManyRequestsException");
    let answer = throttled(async || caller.cloudtrail("DescribeTrails", nothing()).await).await;
    assert_eq!(code(&answer), "ThrottlingException");
    let answer = throttled(async || caller.logs("DescribeLogGroups", nothing()).await).await;
    assert_eq!(code(&answer), "ThrottlingException");
    let answer = throttled(async || caller.alarms("DescribeAlarms", nothing()).await.0).await;
    assert_eq!(answer.header("x-amzn-query-error"), "Throttling;Sender");
    let answer = throttled(async || caller.query("sts", "GetCallerIdentity", &[]).await).await;
    assert_eq!(
        (answer.status, answer.element("Code")),
        (400, "Throttling".to_owned())
    );
    let topic = "arn:aws:sns:us-east-1:111100000001:cloudtrail-alarms";
    let members = [("TopicArn", topic)];
    let ask = async || {
        caller
            .query("sns", "ListSubscriptionsByTopic", &members)
            .await
    };
    // Whatever the topic is called, its second call is one too many.
    ask().await;
    assert_eq!(ask().await.element("Code"), "Throttling");
    let ask = async || {
        caller
            .send("account", "/listRegions", &[], Vec::new())
            .await
    };
    assert_eq!(throttled(ask).await.status, 429);
}

#[tokio::test]
async fn quotas_are_those_of_an_account_and_region() {
    let simulator = start(&TWO.replace("1.0", "0.01")).await;
    let caller = Client::caller(&simulator);
    let member = Client::member(&simulator, "two", None).await;
    let elsewhere = Client {
        region: "eu-west-1",
        key: caller.key.clone(),
        simulator: &simulator,
    };
    for client in [&caller, &member, &elsewhere] {
        assert_eq!(
            client.cloudtrail("DescribeTrails", nothing()).await.status,
            200
        );
        assert_eq!(
            client.cloudtrail("GetTrailStatus", nothing()).await.status,
            400
        );
        assert_eq!(
            code(&client.cloudtrail("DescribeTrails", nothing()).await),
            "ThrottlingException"
        );
    }
    // AssumeRole is charged to whoever calls it.
    let answer = throttled(async || caller.assume("two", None, &[]).await).await;
    assert_eq!(answer.element("Code"), "Throttling");
    let answer = member.query("sts", "GetCallerIdentity", &[]).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn without_quotas_nothing_is_throttled() {
    let simulator = start("[[account]]\nname = \"one\"").await;
    let caller = Client::caller(&simulator);
    for _ in 0..100 {
        assert_eq!(
            caller.organizations("ListRoots", nothing()).await.status,
            200
        );
    }
    let report = simulator.load_report();
    assert_eq!((report.calls, report.throttled), (100, 0));
    assert_eq!((report.quotas, report.latency), (None, None));
    assert!(report.lower_bound.seconds.abs() < f64::EPSILON);
}

#[tokio::test]
async fn answers_wait_for_as_long_as_the_latency_says() {
    let simulator = start("[[account]]\nname = \"one\"").await;
    let latency = std::time::Duration::from_millis(20);
    simulator.update(|world| {
        world.load = Load {
            latency: Some(Latency::fixed(latency)),
            ..Load::default()
        };
    });
    let caller = Client::caller(&simulator);
    let before = std::time::Instant::now();
    let answer = caller.organizations("ListRoots", nothing()).await;
    assert_eq!(answer.status, 200);
    assert!(before.elapsed() >= latency);
    let report = simulator.load_report();
    assert_eq!(report.latency.as_deref(), Some("20ms"));
    assert!(report.wall_seconds >= latency.as_secs_f64());
}

#[tokio::test]
async fn an_account_that_throttles_is_entered_and_then_answers_nothing() {
    let scenario = "[load]\nthrottling_accounts = 1.0\n\
        [[account]]\nname = \"one\"\n[[account]]\nname = \"two\"";
    let simulator = start(scenario).await;
    let caller = Client::caller(&simulator);
    assert_eq!(
        caller.cloudtrail("DescribeTrails", nothing()).await.status,
        200
    );
    let member = Client::member(&simulator, "two", None).await;
    let answer = member.cloudtrail("DescribeTrails", nothing()).await;
    assert_eq!(code(&answer), "ThrottlingException");
}

#[tokio::test]
async fn a_scenario_with_an_impossible_load_is_refused() {
    for load in [
        "latency = \"soon\"",
        "slow_accounts = \"2:1s\"",
        "quota = 1.0",
    ] {
        let scenario = format!("[load]\n{load}\n[[account]]\nname = \"one\"");
        assert!(World::from_toml(&scenario).is_err(), "{load}");
    }
}

async fn control(simulator: &Simulator, method: &str, path: &str) -> Answer {
    let request = hyper::Request::builder()
        .method(method)
        .uri(path)
        .header("host", "simulator")
        .body(Full::new(Bytes::new()))
        .unwrap();
    exchange(simulator, request).await.unwrap()
}

#[tokio::test]
async fn the_report_counts_what_was_asked_and_a_reset_forgets_it() {
    let simulator = start(TWO).await;
    let caller = Client::caller(&simulator);
    let member = Client::member(&simulator, "two", None).await;
    for _ in 0..3 {
        member.cloudtrail("DescribeTrails", nothing()).await;
    }
    throttled(async || caller.organizations("ListRoots", nothing()).await).await;
    let report = control(&simulator, "GET", "/_simulator/report")
        .await
        .json();
    assert_eq!(
        report["operations"][0],
        json!({"service": "cloudtrail", "operation": "DescribeTrails", "calls": 3, "throttled": 0})
    );
    assert_eq!(report["operations"][1]["operation"], "ListRoots");
    assert_eq!(report["throttled"], 1);
    assert_eq!(report["quotas"], 1.0);
    assert!(report["lower_bound"]["seconds"].is_number());
    assert!(report["wall_seconds"].as_f64().unwrap() > 0.0);

    let answer = control(&simulator, "POST", "/_simulator/reset").await;
    assert_eq!(answer.status, 204);
    assert_eq!(simulator.calls().total(), 0);
    // The reset has filled the bucket as well.
    assert_eq!(
        caller.organizations("ListRoots", nothing()).await.status,
        200
    );
    assert_eq!(
        control(&simulator, "POST", "/_simulator/report")
            .await
            .status,
        405
    );
    assert_eq!(
        control(&simulator, "GET", "/_simulator/other").await.status,
        404
    );
    assert_eq!(simulator.load_report().calls, 1);
}

#[tokio::test]
async fn threads_of_its_own_answer_as_the_runtime_does() {
    let options = SimulatorOptions {
        threads: std::num::NonZeroUsize::new(2),
        ..SimulatorOptions::default()
    };
    let world = World::from_toml(TWO).unwrap();
    let simulator = Simulator::start(world, options).await.unwrap();
    for _ in 0..4 {
        let member = Client::member(&simulator, "two", None).await;
        assert_eq!(
            member.cloudtrail("DescribeTrails", nothing()).await.status,
            200
        );
    }
    assert_eq!(simulator.calls().of("sts", "AssumeRole"), 4);
    simulator.shutdown().await;
}
