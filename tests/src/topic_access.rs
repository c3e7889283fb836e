//! Whether CloudWatch can publish to the topic, and whether anybody listens.

use crate::scanner::{Shell, assert_answers, scenario};

const PASS: &str = "PASS covered-by-own-trail";
const DENIED: &str = "FAIL topic-policy-denies";
const UNDECIDED: &str = "UNKNOWN topic-undecided";

#[tokio::test]
async fn a_topic_that_cloudwatch_cannot_publish_to_tells_nobody() {
    let simulator = scenario("topic_access").await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 3, "{run:#?}");
    assert_answers(
        &run,
        &[
            ("management", PASS),
            ("policy-cloudwatch", PASS),
            ("policy-cloudwatch-alarms", PASS),
            ("policy-cloudwatch-any", PASS),
            ("policy-for-another-account", DENIED),
            ("policy-for-alarms-of-another-account", DENIED),
            ("policy-for-another-accounts-principals", DENIED),
            ("policy-for-own-principals", UNDECIDED),
            ("policy-denies", DENIED),
            ("policy-wants-tls", PASS),
            ("policy-for-the-organization", DENIED),
            ("policy-with-an-unknown-condition", UNDECIDED),
            ("policy-left-out", UNDECIDED),
            ("policy-unreadable", UNDECIDED),
            ("key-of-aws", "FAIL topic-key-blocks"),
            ("key-of-the-customer", PASS),
            ("fifo", PASS),
            ("topic-in-another-region", "FAIL topic-other-region"),
            ("topic-owner", "FAIL trail-absent"),
            ("topic-elsewhere", PASS),
            ("topic-elsewhere-closed", DENIED),
            ("one-topic-of-two", PASS),
            (
                "subscription-in-an-unknown-state",
                "UNKNOWN subscription-undecided",
            ),
            ("subscription-in-an-unknown-state-and-a-good-one", PASS),
            ("attributes-denied", "UNKNOWN evidence-gap"),
        ],
    );
    assert_eq!(run.advice("key-of-the-customer"), ["customer-key-not-read"]);
    assert_eq!(run.advice("fifo"), ["fifo-topic"]);
    let denied = run.finding("attributes-denied");
    assert_eq!(denied["gaps"][0]["api"], "sns:GetTopicAttributes");
    // The broken link is the topic itself, where it lives.
    let closed = run.finding("topic-elsewhere-closed");
    assert_eq!(closed["link"], "topic");
    let owner = simulator.world().named("topic-owner").unwrap().id.clone();
    let nodes = closed["chain"].as_array().unwrap();
    let topic = nodes.iter().find(|node| node["link"] == "topic").unwrap();
    assert_eq!(topic["account"], owner.as_str());
    assert_eq!(topic["state"], "broken");
}
