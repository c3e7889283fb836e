//! The event history over a real socket: the unmodified SDK against the simulator.

mod scene;
mod timeline;

use jiff::SignedDuration;
use model::GapClass;
use serde_json::json;
use simulator::{
    FaultKind, FaultRule,
    world::{Actor, EventDelay, RecordedEvent},
};

use super::{MOST_PAGES, PAGE};
use scene::{Scene, is_by_alice};

const FILTER_DELETED: &str = r#"
    [[timeline]]
    account = "member"
    change = "delete-metric-filter"
"#;

#[tokio::test]
async fn the_call_is_found_among_others_of_its_name() {
    let scene = Scene::new(FILTER_DELETED).await;
    assert_eq!(scene.look_up("DeleteMetricFilter").await.calls, []);
    scene.advance();
    let found = scene.look_up("DeleteMetricFilter").await;
    assert!(found.is_whole);
    // Newest first: the call; another one's, which was refused; one about another filter. One of
    // the day before is outside the window.
    let told: Vec<_> = found
        .calls
        .iter()
        .map(|call| {
            (
                is_by_alice(call),
                call.error_code.as_deref(),
                call.request_parameters["filterName"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (true, None, "organizations-changes"),
            (false, Some("AccessDenied"), "organizations-changes"),
            (false, None, "organizations-changes-2"),
        ]
    );
    let author = &found.calls[0].author;
    assert_eq!(author.event_source, "logs.amazonaws.com");
    let issuer = author.session_issuer.as_deref().unwrap();
    assert!(issuer.ends_with(":role/Administrator"), "{issuer}");
    assert_eq!(author.source_ip.as_deref(), Some("203.0.113.24"));
    assert!(author.user_agent.as_deref().unwrap().starts_with("aws-cli"));
    // Elsewhere there is nothing.
    let west = scene.look_up_in("member", "us-west-2", "DeleteMetricFilter");
    assert_eq!(west.await.unwrap().calls, []);
    let management = scene.look_up_in("management", "us-east-1", "DeleteMetricFilter");
    assert_eq!(management.await.unwrap().calls, []);
}

#[tokio::test]
async fn an_event_shows_up_minutes_after_the_call() {
    let scene = Scene::with(FILTER_DELETED, |_| {}).await;
    scene.advance();
    let at_once = scene.look_up("DeleteMetricFilter").await;
    assert!(!at_once.calls.iter().any(is_by_alice), "{at_once:#?}");
    assert!(at_once.is_whole);
    // By the clock that both go by …
    scene.clock.advance(SignedDuration::from_mins(1));
    assert!(!(scene.look_up("DeleteMetricFilter").await.calls.iter()).any(is_by_alice));
    // … or because nobody wants to wait.
    scene
        .simulator
        .advance_by(SignedDuration::from_mins(14))
        .unwrap();
    assert!((scene.look_up("DeleteMetricFilter").await.calls.iter()).any(is_by_alice));
}

#[tokio::test]
async fn who_changed_it_is_told_as_the_scenario_says() {
    let by = r#"by = { arn = "arn:aws:iam::111100000002:user/ops/bob", source_ip = "198.51.100.7", user_agent = "Terraform/1.9" }"#;
    let scene = Scene::new(&format!("{FILTER_DELETED}{by}")).await;
    scene.advance();
    let author = &scene.look_up("DeleteMetricFilter").await.calls[0].author;
    assert_eq!(
        author.actor.as_deref(),
        Some("arn:aws:iam::111100000002:user/ops/bob")
    );
    assert_eq!(author.session_issuer, None);
    assert_eq!(author.source_ip.as_deref(), Some("198.51.100.7"));
    assert_eq!(author.user_agent.as_deref(), Some("Terraform/1.9"));
}

#[tokio::test]
async fn a_service_that_changed_it_is_where_the_call_came_from() {
    let scene = Scene::new("").await;
    let member = scene.id("member").to_string();
    let deletion = simulator::world::Operation::DeleteAlarms {
        alarm: "organizations-changes".to_owned(),
    };
    let change = simulator::world::Change::new(member, "us-east-1", deletion);
    let by = Actor {
        invoked_by: Some("cloudformation.amazonaws.com".to_owned()),
        ..Actor::default()
    };
    scene.simulator.change(&change, &by).unwrap();
    let author = &scene.look_up("DeleteAlarms").await.calls[0].author;
    assert_eq!(author.actor, None);
    assert_eq!(
        author.source_ip.as_deref(),
        Some("cloudformation.amazonaws.com")
    );
}

#[tokio::test]
async fn without_the_permission_the_lookup_is_denied_and_the_evidence_is_whole() {
    let scene = Scene::new(FILTER_DELETED).await;
    let whole = scene.evidence("member").await;
    scene.simulator.withhold_action("cloudtrail:LookupEvents");
    assert_eq!(scene.evidence("member").await, whole);
    let gap = scene
        .look_up_in("member", "us-east-1", "DeleteMetricFilter")
        .await
        .unwrap_err();
    assert_eq!(gap.class, GapClass::AccessDenied);
    assert_eq!(gap.api, "cloudtrail:LookupEvents");
}

#[tokio::test]
async fn a_lookup_that_stays_throttled_is_a_gap_and_a_later_page_leaves_it_unfinished() {
    let scene = Scene::with(FILTER_DELETED, |world| {
        world.quirks.page_size = Some(1);
        world.event_history.settings.delay = EventDelay::fixed(SignedDuration::ZERO);
    })
    .await;
    scene.advance();
    let throttled = FaultRule::new(FaultKind::Throttled).on("cloudtrail", "LookupEvents");
    scene.simulator.fault(throttled.clone().times(1));
    let found = scene.look_up("DeleteMetricFilter").await;
    assert_eq!(
        (found.calls.len(), found.is_whole),
        (3, true),
        "tried again"
    );

    scene.simulator.clear_faults();
    scene.simulator.fault(throttled.clone().after(1));
    let found = scene.look_up("DeleteMetricFilter").await;
    assert_eq!((found.calls.len(), found.is_whole), (1, false));
    assert!(is_by_alice(&found.calls[0]), "the newest is there");

    scene.simulator.clear_faults();
    scene.simulator.fault(throttled);
    let found = scene.look_up_in("member", "us-east-1", "DeleteMetricFilter");
    assert_eq!(found.await.unwrap_err().class, GapClass::Throttled);
}

#[tokio::test]
async fn two_calls_a_second_are_never_throttled_and_pages_come_newest_first() {
    // A little more than AWS's, for calls that take different times to arrive.
    let scene = Scene::with("[load]\nquotas = 1.2\n", |_| {}).await;
    fill(&scene, 120, |number| {
        json!({ "requestParameters": { "number": number } }).to_string()
    });
    scene.simulator.reset_calls();
    let found = scene.look_up("StopLogging").await;
    assert!(found.is_whole);
    let numbers: Vec<_> = found
        .calls
        .iter()
        .map(|call| call.request_parameters["number"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (0..120).rev().collect::<Vec<_>>());
    let report = scene.simulator.load_report();
    assert_eq!(scene.simulator.calls().of("cloudtrail", "LookupEvents"), 3);
    assert_eq!(report.throttled, 0);
}

#[tokio::test]
async fn a_long_history_is_read_for_some_pages_and_said_to_be_longer() {
    let scene = Scene::new("").await;
    let most = MOST_PAGES * usize::try_from(PAGE).unwrap();
    fill(&scene, most + 1, |_| "{}".to_owned());
    let found = scene.look_up("StopLogging").await;
    assert_eq!((found.calls.len(), found.is_whole), (most, false));
}

#[tokio::test]
async fn whatever_events_hold_the_others_are_read() {
    let scene = Scene::new("").await;
    let huge = format!("{{\"requestParameters\":\"{}\"}}", "x".repeat(300_000));
    let odd = [
        "not JSON".to_owned(),
        "[".repeat(100_000),
        huge,
        r#"{"eventName":"AnotherCall"}"#.to_owned(),
        r#"{"eventName":"StopLogging","requestParameters":{"name":"the-one"}}"#.to_owned(),
    ];
    fill(&scene, odd.len(), |number| odd[number].clone());
    let found = scene.look_up("StopLogging").await;
    assert!(!found.is_whole);
    assert_eq!(found.calls.len(), 1);
    assert_eq!(found.calls[0].request_parameters["name"], "the-one");
}

/// Puts so many events of one name into the member's history, a second apart.
fn fill(scene: &Scene, count: usize, record: impl Fn(usize) -> String) {
    let member = scene.id("member").to_string();
    scene.simulator.update(|world| {
        for number in 0..count {
            scene.clock.advance(SignedDuration::from_secs(1));
            let time = model::Clock::now(&*scene.clock);
            let event = RecordedEvent {
                event_id: format!("event-{number}"),
                event_name: "StopLogging".to_owned(),
                event_source: "cloudtrail.amazonaws.com".to_owned(),
                time,
                visible_from: time,
                username: None,
                access_key_id: None,
                is_read_only: false,
                resources: Vec::new(),
                record: record(number),
            };
            world.event_history.record(&member, "us-east-1", event);
        }
    });
}
