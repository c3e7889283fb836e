//! What goes wrong on purpose goes wrong as it does in AWS.

use std::time::Duration;

use simulator::{FaultKind, FaultRule};

use crate::*;

const ONE: &str = "[[account]]\nname = \"one\"\nchain = \"complete\"";

#[tokio::test]
async fn each_service_throttles_in_its_own_words() {
    let simulator = start(ONE).await;
    simulator.fault(FaultRule::new(FaultKind::Throttled));
    let caller = Client::caller(&simulator);
    let code = |answer: &Answer| answer.json()["__type"].as_str().unwrap().to_owned();
    let answer = caller.organizations("ListRoots", nothing()).await;
    assert_eq!(code(&answer), "TooManyRequestsException");
    assert_eq!(
        code(&caller.cloudtrail("DescribeTrails", nothing()).await),
        "ThrottlingException"
    );
    assert_eq!(
        code(&caller.logs("DescribeMetricFilters", nothing()).await),
        "ThrottlingException"
    );
    assert_eq!(
        code(&caller.events("ListRules", nothing()).await),
        "ThrottlingException"
    );
    for operation in ["DescribeAlarms", "ListAlarmMuteRules"] {
        let (answer, _) = caller.alarms(operation, nothing()).await;
        assert_eq!(answer.header("x-amzn-query-error"), "Throttling;Sender");
    }
    let answer = caller.query("sns", "ListSubscriptionsByTopic", &[]).await;
    assert_eq!(
        (answer.status, answer.element("Code")),
        (400, "Throttling".to_owned())
    );
    let answer = caller
        .send("account", "/listRegions", &[], Vec::new())
        .await;
    assert_eq!(answer.status, 429);
}

#[tokio::test]
async fn a_fault_hits_the_calls_it_names_and_only_so_often() {
    let simulator = start(ONE).await;
    let rule = FaultRule::new(FaultKind::InternalError)
        .on("cloudtrail", "DescribeTrails")
        .times(2);
    simulator.fault(rule.in_account("111100000001").in_region("us-east-1"));
    let caller = Client::caller(&simulator);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(caller.cloudtrail("DescribeTrails", nothing()).await.status);
        assert_eq!(
            caller.organizations("ListRoots", nothing()).await.status,
            200
        );
    }
    assert_eq!(statuses, [500, 500, 200]);
}

#[tokio::test]
async fn faults_of_a_scenario_hold_from_the_start() {
    let fault = "[[fault]]\nkind = \"expired-token\"\naccount = \"one\"\ntimes = 1\n";
    let simulator = start(&format!("{fault}{ONE}")).await;
    let caller = Client::caller(&simulator);
    let answer = caller.cloudtrail("DescribeTrails", nothing()).await;
    assert_eq!(answer.json()["__type"], "ExpiredTokenException");
    assert_eq!(
        caller.cloudtrail("DescribeTrails", nothing()).await.status,
        200
    );
}

#[tokio::test]
async fn silence_lasts_until_the_client_gives_up() {
    let simulator = start(ONE).await;
    simulator.fault(FaultRule::new(FaultKind::Silence).on("sts", "GetCallerIdentity"));
    let caller = Client::caller(&simulator);
    let asked = caller.query("sts", "GetCallerIdentity", &[]);
    assert!(
        tokio::time::timeout(Duration::from_millis(100), asked)
            .await
            .is_err()
    );
    simulator.clear_faults();
    assert_eq!(
        caller.query("sts", "GetCallerIdentity", &[]).await.status,
        200
    );
}

#[tokio::test]
async fn broken_answers_cannot_be_read() {
    let simulator = start(ONE).await;
    let caller = Client::caller(&simulator);
    simulator.fault(FaultRule::new(FaultKind::Malformed).times(1));
    let answer = caller.cloudtrail("DescribeTrails", nothing()).await;
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    simulator.fault(FaultRule::new(FaultKind::Disconnect).times(1));
    let headers = [("x-amz-target", "CloudTrail_20131101.DescribeTrails")];
    let sent = caller
        .try_send("cloudtrail", "/", &headers, b"{}".to_vec())
        .await;
    assert!(sent.is_err());
    assert_eq!(
        caller.cloudtrail("DescribeTrails", nothing()).await.status,
        200
    );
}

#[tokio::test]
async fn a_slow_answer_is_the_right_one() {
    let simulator = start(ONE).await;
    simulator.fault(FaultRule::new(FaultKind::Slow(60)).on("organizations", "ListRoots"));
    let asked = tokio::time::Instant::now();
    let answer = Client::caller(&simulator)
        .organizations("ListRoots", nothing())
        .await;
    assert!(answer.status == 200 && asked.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn a_denial_is_the_services_own() {
    let simulator = start(ONE).await;
    simulator.fault(FaultRule::new(FaultKind::AccessDenied).on("cloudtrail", "DescribeTrails"));
    let answer = Client::caller(&simulator)
        .cloudtrail("DescribeTrails", nothing())
        .await;
    assert_eq!(answer.json()["__type"], "AccessDeniedException");
}

#[tokio::test]
async fn after_shutdown_nobody_answers() {
    let simulator = start(ONE).await;
    let address = simulator
        .endpoint_url()
        .trim_start_matches("http://")
        .to_owned();
    simulator.shutdown().await;
    assert!(TcpStream::connect(address).await.is_err());
}
