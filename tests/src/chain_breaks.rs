//! One account for every way the chain can break or hold, each judged by its own chain.

use crate::scanner::{Shell, assert_answers, scenario};

#[tokio::test]
async fn every_way_the_chain_can_break_or_hold_has_its_verdict_and_reason() {
    let simulator = scenario("chain_breaks").await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 3, "{run:#?}");
    assert_answers(
        &run,
        &[
            ("management", "PASS covered-by-own-trail"),
            ("all-good", "PASS covered-by-own-trail"),
            ("trail-absent", "FAIL trail-absent"),
            ("trail-single-region", "FAIL trail-single-region"),
            ("trail-stopped", "FAIL trail-not-logging"),
            ("trail-read-only", "FAIL trail-read-only"),
            ("trail-write-only", "FAIL trail-write-only"),
            (
                "trail-without-management-events",
                "FAIL trail-no-management-events",
            ),
            ("trail-advanced-all", "PASS covered-by-own-trail"),
            ("trail-advanced-read-only", "FAIL trail-read-only"),
            ("trail-advanced-split", "PASS covered-by-own-trail"),
            ("trail-without-log-group", "FAIL log-group-not-configured"),
            ("trail-delivery-failing", "FAIL trail-delivery-failing"),
            ("trail-delivery-stale", "PASS covered-by-own-trail"),
            ("log-group-deleted", "FAIL log-group-missing"),
            ("filter-absent", "FAIL filter-absent"),
            ("filter-incomplete", "FAIL filter-incomplete"),
            ("filter-narrowed", "FAIL filter-narrowed"),
            ("filter-on-another-group", "FAIL filter-absent"),
            ("filter-metric-value-zero", "FAIL filter-metric-worthless"),
            ("filter-broader", "PASS covered-by-own-trail"),
            ("two-filters-together", "PASS covered-by-own-trail"),
            ("two-filters-one-alarmed", "FAIL alarm-absent"),
            ("alarm-absent", "FAIL alarm-absent"),
            ("alarm-on-another-metric", "FAIL alarm-absent"),
            ("alarm-in-another-namespace", "FAIL alarm-other-metric"),
            ("alarm-in-another-region", "FAIL alarm-absent"),
            ("alarm-without-action", "FAIL alarm-no-action"),
            ("alarm-actions-disabled", "FAIL alarm-actions-disabled"),
            ("alarm-threshold-five", "FAIL alarm-never-fires"),
            ("alarm-other-dimensions", "FAIL alarm-other-metric"),
            ("alarm-other-unit", "FAIL alarm-other-metric"),
            ("alarm-action-is-no-topic", "FAIL action-not-sns"),
            ("alarm-through-composite", "PASS covered-by-own-trail"),
            ("event-rule-instead", "FAIL alarm-absent"),
            ("topic-deleted", "FAIL topic-missing"),
            ("topic-without-subscription", "FAIL subscription-absent"),
            ("topic-pending-only", "FAIL subscription-unconfirmed"),
            ("topic-pending-and-confirmed", "PASS covered-by-own-trail"),
        ],
    );

    // The broken link is named where it is, and the near miss with it.
    let incomplete = run.finding("filter-incomplete");
    assert_eq!(incomplete["link"], "metric_filter");
    assert!(
        incomplete["message"]
            .as_str()
            .unwrap()
            .contains("LeaveOrganization"),
        "{incomplete:#}"
    );
    let narrowed = run.finding("filter-narrowed");
    assert!(
        narrowed["message"]
            .as_str()
            .unwrap()
            .contains("$.errorCode NOT EXISTS"),
        "{narrowed:#}"
    );
    let elsewhere = run.finding("alarm-in-another-namespace");
    let chain = elsewhere["chain"].as_array().unwrap();
    let near_miss = chain.iter().find(|node| node["link"] == "alarm").unwrap();
    assert_eq!(near_miss["reason"], "alarm-other-metric");
    assert_eq!(near_miss["state"], "broken");
    // Another way to be told is worth knowing, and is not the chain.
    assert_eq!(run.advice("event-rule-instead"), ["event-bridge-rule"]);
    assert!(
        !run.advice("alarm-absent")
            .contains(&"event-bridge-rule".to_owned())
    );
    // Every finding of a broken chain walked something, unless there is no trail to begin with.
    for finding in run
        .findings()
        .iter()
        .filter(|finding| finding["reason"] != "trail-absent")
    {
        assert!(
            !finding["chain"].as_array().unwrap().is_empty(),
            "{finding:#}"
        );
    }
}

#[tokio::test]
async fn an_account_with_its_own_complete_chain_takes_ten_calls_at_most() {
    let simulator = scenario("chain_breaks").await;
    let id = simulator.world().named("all-good").unwrap().id.clone();
    let run = Shell::at(&simulator).once(&["--account", &id]).await;
    assert_eq!(run.code, 0, "{run:#?}");
    let calls: u64 = simulator
        .calls()
        .iter()
        .filter(|(key, _)| key.account == id)
        .map(|(_, count)| count)
        .sum();
    // And the AssumeRole, which is charged to the caller.
    assert!(calls < 10, "{calls}");
}
