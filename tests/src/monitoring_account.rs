//! Alarms of a monitoring account on the metrics of others.

use crate::scanner::{Shell, assert_answers, scenario};

const PASS: &str = "PASS covered-by-own-trail";
const ABSENT: &str = "FAIL alarm-absent";

#[tokio::test]
async fn an_alarm_in_a_monitoring_account_counts_where_it_reads_the_metric() {
    let simulator = scenario("monitoring_account").await;
    let monitoring = simulator.world().named("monitoring").unwrap().id.clone();
    let shell = Shell::at(&simulator);
    let looking_there = ["--monitoring-account", &monitoring];
    let answers = |watched, too_high| {
        [
            ("management", PASS),
            ("monitoring", "FAIL trail-absent"),
            ("watched", watched),
            ("watched-too-high", too_high),
            ("watched-in-another-region", ABSENT),
            ("unwatched", ABSENT),
        ]
    };
    let run = shell.once(&looking_there).await;
    assert_eq!(run.code, 3, "{run:#?}");
    assert_answers(&run, &answers(PASS, "FAIL alarm-never-fires"));
    let watched = run.finding("watched");
    let nodes = watched["chain"].as_array().unwrap();
    for link in ["alarm", "topic"] {
        let node = nodes.iter().find(|node| node["link"] == link).unwrap();
        assert_eq!(node["account"], monitoring.as_str(), "{link}");
    }

    // Nobody said that there is such an account.
    let run = shell.once(&["--store", "unaware.db"]).await;
    assert_answers(&run, &answers(ABSENT, ABSENT));
}

#[tokio::test]
async fn a_monitoring_account_that_cannot_be_read_leaves_no_fail() {
    let simulator = scenario("monitoring_account").await;
    let monitoring = simulator.world().named("monitoring").unwrap().id.clone();
    simulator.update(|world| {
        let account = world.named_mut("monitoring").unwrap();
        account.deny = vec!["cloudwatch:DescribeAlarms".to_owned()];
    });
    let run = Shell::at(&simulator)
        .once(&["--monitoring-account", &monitoring])
        .await;
    let gap = "UNKNOWN evidence-gap";
    assert_answers(
        &run,
        &[
            ("management", PASS),
            ("monitoring", "FAIL trail-absent"),
            ("watched", gap),
            ("watched-too-high", gap),
            ("watched-in-another-region", gap),
            ("unwatched", gap),
        ],
    );
    let watched = run.finding("watched");
    assert_eq!(watched["gaps"][0]["api"], "cloudwatch:DescribeAlarms");
    assert_eq!(watched["gaps"][0]["account"], monitoring.as_str());
}
