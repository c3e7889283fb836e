//! What `scanner serve` tells people, from the change in AWS to the receiver: once, with who did it, and once
//! that it is over; also if it is killed on the way, and if everything breaks at once.

use jiff::SignedDuration;
use model::{Clock as _, SystemClock};
use serde_json::{Value, json};
use simulator::{Simulator, World};
use store::{AlertQuery, AlertRow, Store};

use crate::{
    alerts::{SLACK_PATH, configuration, configured},
    receivers::Receivers,
    scanner::{Shell, root, start},
    serving::{Serving, finished, sweeps},
};

/// A filter that is deleted and put back, in a world in which CloudTrail shows no event for ten minutes.
const A_FILTER_GOES_AND_COMES: &str = r#"
    [event_history]
    delay = "10m"
    [[account]]
    name = "management"
    chain = "complete"
    [[account]]
    name = "workload"
    chain = "complete"
    [[timeline]]
    account = "workload"
    change = "delete-metric-filter"
    by = { arn = "arn:aws:sts::111100000002:assumed-role/Developer/carol", source_ip = "198.51.100.17" }
    [[timeline]]
    account = "workload"
    change = "put-metric-filter"
"#;

const CAROL: &str = "arn:aws:sts::111100000002:assumed-role/Developer/carol";

/// Longer than events take to show up.
const SOON_SHOWN: SignedDuration = SignedDuration::from_mins(10);

const EVERY_SECOND: [&str; 4] = ["--config", "scanner.toml", "--interval", "1s"];

async fn world_with_a_filter() -> Simulator {
    start(World::from_toml(A_FILTER_GOES_AND_COMES).expect("the world is valid")).await
}

/// Waits until so many more sweeps have finished.
async fn sweeps_more(serving: &mut Serving<'_>, shell: &Shell, more: usize) {
    let target = finished(&sweeps(shell).await) + more;
    (serving.sweeps("swept again", |sweeps| finished(sweeps) >= target)).await;
}

/// Waits until CloudTrail was asked in vain.
async fn asked_in_vain(serving: &mut Serving<'_>) {
    let line = "looked for the authors of drifts";
    (serving.until("CloudTrail was asked in vain", async |it| {
        (it.lines(line).iter()).any(|line| line["fields"]["not_found"] != 0)
    }))
    .await;
}

async fn alerts(shell: &Shell) -> Vec<AlertRow> {
    let store = Store::open_reader(shell.path("scanner.db")).await.unwrap();
    let alerts = store.alerts(&AlertQuery::default()).await.unwrap();
    store.close().await;
    alerts
}

#[tokio::test]
async fn a_deleted_filter_is_told_once_with_its_author_and_once_that_it_is_back() {
    let receivers = Receivers::start().await;
    let simulator = world_with_a_filter().await;
    let shell = Shell::at(&simulator);
    let shell = configured(shell, &configuration(&receivers, "3m"), &receivers);
    let mut serving = Serving::start(&shell, "serve.log", &EVERY_SECOND);
    (serving.sweeps("swept once", |sweeps| finished(sweeps) >= 1)).await;

    let deleted_at = SystemClock.now();
    simulator.advance().unwrap().expect("the filter is deleted");
    asked_in_vain(&mut serving).await;
    sweeps_more(&mut serving, &shell, 2).await;
    for place in ["/hook", SLACK_PATH, "/pagerduty", "mail"] {
        receivers.at(place, 0).await;
    }

    // Then CloudTrail shows it.
    simulator.advance_by(SOON_SHOWN).unwrap();
    let hook = &receivers.at("/hook", 1).await[0]["body"];
    assert_eq!(hook["form"], "opened");
    assert_eq!(hook["reason"], "filter-absent", "{hook:#}");
    assert_eq!(hook["counts"]["accounts"], 1);
    assert_eq!(hook["accounts"][0]["name"], "workload");
    assert_eq!(hook["who"]["author"]["actor"], CAROL);
    assert_eq!(hook["who"]["author"]["event_name"], "DeleteMetricFilter");
    for place in [SLACK_PATH, "/pagerduty", "mail"] {
        let told = receivers.at(place, 1).await[0].to_string();
        assert!(told.contains("carol"), "{told}");
    }
    // The sweep that was under way may not have seen it; the one that began after it did.
    let told = alerts(&shell).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    let seen = sweeps(&shell).await;
    let first_after = seen.iter().find(|sweep| sweep.started_at >= deleted_at);
    assert!(told[0].sweep <= first_after.unwrap().id, "{seen:#?}");

    // What lasts is told no second time.
    sweeps_more(&mut serving, &shell, 2).await;
    receivers.at("/hook", 1).await;
    simulator.advance().unwrap().expect("the filter is back");
    let hooks = receivers.at("/hook", 2).await;
    assert_eq!(hooks[1]["body"]["form"], "recovered");
    assert_eq!(hooks[1]["body"]["id"], hooks[0]["body"]["id"]);
    assert_ne!(hooks[1]["key"], hooks[0]["key"]);
    // Nor is that it is over, whoever did that, and though that shows later.
    sweeps_more(&mut serving, &shell, 2).await;
    simulator.advance_by(SOON_SHOWN).unwrap();
    sweeps_more(&mut serving, &shell, 3).await;
    for place in ["/hook", SLACK_PATH, "/pagerduty", "mail"] {
        receivers.at(place, 2).await;
    }
    assert_eq!(alerts(&shell).await.len(), 1);
    assert_eq!(serving.stop().await, Some(0));
}

#[tokio::test]
async fn a_service_that_is_killed_before_an_alert_arrived_tells_it_after_its_restart() {
    let receivers = Receivers::holding_back("").await;
    let simulator = world_with_a_filter().await;
    let hook_only = format!(
        "[[channel]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\nsecret_env = \"HOOK_SECRET\"\n",
        receivers.url("/hook")
    );
    let shell = configured(Shell::at(&simulator), &hook_only, &receivers);
    let kill = async |mut serving: Serving<'_>| {
        serving.signal("KILL").await;
        assert_eq!(serving.ended().await, None);
    };

    // Between the commit and the decision who is told: the alert waits for its author.
    let mut serving = Serving::start(&shell, "first.log", &EVERY_SECOND);
    (serving.sweeps("swept once", |sweeps| finished(sweeps) >= 1)).await;
    simulator.advance().unwrap().expect("the filter is deleted");
    asked_in_vain(&mut serving).await;
    assert_eq!(alerts(&shell).await, []);
    kill(serving).await;

    // Between the sending and the answer.
    simulator.advance_by(SOON_SHOWN).unwrap();
    let serving = Serving::start(&shell, "second.log", &EVERY_SECOND);
    let held = receivers.at("/hook", 1).await;
    assert_eq!(held[0]["is_held"], true);
    kill(serving).await;

    let mut serving = Serving::start(&shell, "third.log", &EVERY_SECOND);
    let arrived = receivers.at("/hook", 2).await;
    assert_eq!(arrived[1]["is_held"], false);
    assert_eq!(arrived[0]["key"], arrived[1]["key"]);
    assert_eq!(arrived[0]["body"], arrived[1]["body"]);
    assert_eq!(arrived[1]["body"]["who"]["author"]["actor"], CAROL);
    serving.says("an alert was delivered").await;
    sweeps_more(&mut serving, &shell, 3).await;
    receivers.at("/hook", 2).await;
    assert_eq!(alerts(&shell).await.len(), 1);
    assert_eq!(serving.stop().await, Some(0));
}

#[tokio::test]
async fn an_organization_trail_that_stops_is_one_alert_with_the_number_of_accounts() {
    const ACCOUNTS: usize = 150;
    let receivers = Receivers::start().await;
    let file = root().join("tests/scenarios/organization_trail_stops.toml");
    let scenario = std::fs::read_to_string(file).unwrap();
    let fewer = scenario.replace("count = 9999", &format!("count = {}", ACCOUNTS - 1));
    assert_ne!(fewer, scenario);
    let simulator = start(World::from_toml(&fewer).unwrap()).await;
    let shell = Shell::at(&simulator);
    let shell = configured(shell, &configuration(&receivers, "3m"), &receivers);
    let mut serving = Serving::start(&shell, "serve.log", &EVERY_SECOND);
    (serving.sweeps("swept once", |sweeps| finished(sweeps) >= 1)).await;

    simulator.advance().unwrap().expect("the trail stops");
    let hook = &receivers.at("/hook", 1).await[0]["body"];
    assert_eq!(hook["counts"]["accounts"], ACCOUNTS, "{hook:#}");
    assert_eq!(hook["accounts"].as_array().unwrap().len(), 20);
    assert_eq!(hook["reason"], "trail-not-logging");
    assert_eq!(hook["who"]["author"]["event_name"], "StopLogging");
    let who = hook["who"]["author"]["actor"].as_str().unwrap();
    assert!(who.ends_with("user/mallory"), "{who}");
    let mail = &receivers.at("mail", 1).await[0];
    let subject = mail["headers"]["Subject"].as_str().unwrap();
    assert!(
        subject.contains(&format!("{ACCOUNTS} accounts")),
        "{subject}"
    );

    simulator.advance().unwrap().expect("it goes on");
    let hooks = receivers.at("/hook", 2).await;
    let over: &Value = &hooks[1]["body"];
    assert_eq!(over["form"], "recovered");
    assert_eq!(over["still"]["verdicts"], json!({ "PASS": ACCOUNTS }));
    sweeps_more(&mut serving, &shell, 2).await;
    for place in ["/hook", SLACK_PATH, "/pagerduty", "mail"] {
        receivers.at(place, 2).await;
    }
    assert_eq!(alerts(&shell).await.len(), 1);
    assert_eq!(serving.stop().await, Some(0));
}
