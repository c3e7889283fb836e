//! What a metric filter has beside its pattern.

use crate::scanner::{Shell, assert_answers, scenario};

#[tokio::test]
async fn every_option_of_a_filter_counts() {
    let simulator = scenario("filter_options").await;
    let run = Shell::at(&simulator).once(&[]).await;
    assert_eq!(run.code, 3, "{run:#?}");
    let (pass, undecided) = ("PASS covered-by-own-trail", "UNKNOWN filter-undecided");
    assert_answers(
        &run,
        &[
            ("management", pass),
            ("transformed-logs", undecided),
            ("field-selection", undecided),
            ("system-fields-as-dimensions", "FAIL alarm-other-metric"),
            ("dimensions-of-the-filter-alone", "FAIL alarm-other-metric"),
            ("value-from-the-event", undecided),
            ("value-two", pass),
            ("value-below-the-threshold", "FAIL alarm-never-fires"),
            ("default-one", "FAIL alarm-stuck"),
            ("unit-count", pass),
            ("zeros-from-elsewhere", "FAIL alarm-never-fires"),
            ("ones-from-elsewhere", "FAIL alarm-stuck"),
            ("more-matches-from-elsewhere", pass),
        ],
    );
}
