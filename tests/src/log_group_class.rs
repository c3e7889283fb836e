//! Only one class of log groups takes metric filters.

use crate::scanner::{Shell, assert_answers, scenario};

#[tokio::test]
async fn the_class_of_the_log_group_decides() {
    let simulator = scenario("log_group_class").await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 3, "{run:#?}");
    let pass = "PASS covered-by-own-trail";
    assert_answers(
        &run,
        &[
            ("management", pass),
            ("class-left-out", pass),
            ("infrequent-access", "FAIL log-group-class"),
            ("delivery", "FAIL log-group-class"),
            ("class-unheard-of", "UNKNOWN log-group-undecided"),
            ("names-that-begin-alike", pass),
            ("groups-denied", "UNKNOWN evidence-gap"),
            ("group-deleted-and-groups-denied", "FAIL log-group-missing"),
        ],
    );
    let infrequent = run.finding("infrequent-access");
    assert_eq!(infrequent["link"], "log_group");
    assert!(
        infrequent["message"]
            .as_str()
            .unwrap()
            .contains("INFREQUENT_ACCESS"),
        "{infrequent:#}"
    );
    let denied = run.finding("groups-denied");
    assert_eq!(denied["gaps"][0]["api"], "logs:DescribeLogGroups");
}
