//! Each setting of an alarm: what it does to the one event that somebody has to hear of.

use crate::scanner::{Shell, assert_answers, scenario};

const PASS: &str = "PASS covered-by-own-trail";
const NEVER: &str = "FAIL alarm-never-fires";
const STUCK: &str = "FAIL alarm-stuck";
const OTHER: &str = "FAIL alarm-other-metric";
const UNDECIDED: &str = "UNKNOWN alarm-undecided";

#[tokio::test]
async fn every_setting_of_an_alarm_counts() {
    let simulator = scenario("alarm_settings").await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 3, "{run:#?}");
    assert_answers(
        &run,
        &[
            ("management", PASS),
            ("statistic-maximum", PASS),
            ("statistic-sample-count", PASS),
            ("statistic-percentile", PASS),
            ("percentile-of-few-samples-ignored", NEVER),
            ("statistic-unheard-of", UNDECIDED),
            ("sum-beside-default-zero", PASS),
            ("average-beside-default-zero", NEVER),
            ("sample-count-beside-default-zero", STUCK),
            ("comparison-below", NEVER),
            ("missing-breaches", STUCK),
            ("missing-ignored", STUCK),
            ("missing-is-missing", PASS),
            ("two-of-two-not-breaching", NEVER),
            ("two-of-two-missing", PASS),
            ("one-of-twelve", PASS),
            ("window-of-the-wall-clock", UNDECIDED),
            // The default, written out.
            ("window-sliding", PASS),
            ("warm-up", UNDECIDED),
            ("evaluation-interval", UNDECIDED),
            ("anomaly-detection", UNDECIDED),
            ("math-of-one-metric", PASS),
            ("math-filled", PASS),
            ("math-undecided", UNDECIDED),
            ("math-of-another-namespace", OTHER),
            ("unit-of-the-filter", PASS),
            ("unit-of-the-alarm-alone", OTHER),
            ("muted", PASS),
            ("muted-once", PASS),
        ],
    );
    assert_eq!(run.advice("two-of-two-missing"), ["fires-late"]);
    // Only a rule that is still in force, and on this alarm, is worth a word.
    assert_eq!(run.advice("muted"), ["alarm-muted"]);
    assert_eq!(run.advice("muted-once"), [""; 0]);
}
