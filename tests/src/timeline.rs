//! A world that changes between two sweeps, as its scenario says.

use crate::scanner::{Shell, scenario};

#[tokio::test]
async fn each_change_of_a_timeline_shows_in_the_sweep_after_it() {
    let simulator = scenario("timeline").await;
    let shell = Shell::at(&simulator);
    let mut steps = Vec::new();
    loop {
        let run = shell.once(&[]).await;
        let answers = run.answers();
        assert_eq!(answers["management"], "PASS covered-by-own-trail");
        steps.push((
            answers["workload"].clone(),
            answers.get("newcomer").cloned(),
        ));
        if simulator.advance().unwrap().is_none() {
            break;
        }
    }
    let workload: Vec<&str> = steps.iter().map(|(answer, _)| answer.as_str()).collect();
    assert_eq!(
        workload,
        [
            "PASS covered-by-own-trail",
            "FAIL filter-incomplete",
            "PASS covered-by-own-trail",
            "FAIL alarm-actions-disabled",
            "UNKNOWN account-not-entered",
            "UNKNOWN account-not-entered",
            "PASS covered-by-own-trail",
            "PASS covered-by-own-trail",
            "NOT_APPLICABLE account-suspended",
        ]
    );
    let newcomer: Vec<_> = steps.into_iter().map(|(_, answer)| answer).collect();
    assert_eq!(newcomer[6], None);
    assert_eq!(newcomer[7].as_deref(), Some("FAIL trail-absent"));
}
