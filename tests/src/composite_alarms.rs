//! Alarms that tell nobody themselves, under composite alarms that may.

use crate::scanner::{Shell, assert_answers, scenario};

const PASS: &str = "PASS covered-by-own-trail";
const SILENT: &str = "FAIL alarm-no-action";
const UNDECIDED: &str = "UNKNOWN alarm-undecided";

#[tokio::test]
async fn a_composite_alarm_counts_if_it_tells_whenever_the_alarm_fires() {
    let simulator = scenario("composite_alarms").await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 3, "{run:#?}");
    assert_answers(
        &run,
        &[
            ("management", PASS),
            ("told", PASS),
            ("told-without-quotes", PASS),
            ("told-with-others", PASS),
            ("told-at-least-one", PASS),
            ("told-through-two", PASS),
            ("told-together-only", UNDECIDED),
            ("rule-with-an-unknown-function", UNDECIDED),
            ("suppressed", UNDECIDED),
            ("composite-on-another-alarm", SILENT),
            ("composite-in-another-region", SILENT),
            ("told-twice", PASS),
        ],
    );
    assert_eq!(run.advice("told-with-others"), ["tells-through-composite"]);
}
