//! The whole catalogue, account by account.

use std::collections::BTreeSet;

use crate::scanner::{Run, Shell, scenario};
use simulator::world::BenchmarkControl;

const PASS: &str = "PASS covered-by-own-trail";

async fn swept() -> Run {
    let simulator = scenario("fifteen_controls").await;
    let run = Shell::at(&simulator).by_every_control().once(&[]).await;
    assert_eq!(run.code, 3, "{run:#?}");
    run
}

/// The controls of which the answer is not a PASS.
fn not_passed(run: &Run, account: &str) -> BTreeSet<String> {
    let answers = run.answers_by_control(account);
    assert_eq!(answers.len(), 15, "{account}: {answers:?}");
    let failed = answers.into_iter().filter(|(_, answer)| answer != PASS);
    failed.map(|(control, _)| control).collect()
}

fn these(controls: &[&str]) -> BTreeSet<String> {
    controls.iter().map(|slug| (*slug).to_owned()).collect()
}

#[tokio::test]
async fn a_chain_for_each_control_passes_them_all() {
    let run = swept().await;
    let slugs: BTreeSet<String> = BenchmarkControl::ALL
        .map(|control| control.slug().to_owned())
        .into();
    let judged: BTreeSet<String> = run.answers_by_control("management").into_keys().collect();
    assert_eq!(judged, slugs, "the catalogue and the simulator differ");
    assert_eq!(not_passed(&run, "management"), these(&[]));
    assert_eq!(not_passed(&run, "two-in-one"), these(&[]));
    assert_eq!(not_passed(&run, "unheard"), slugs);
    for answer in run.answers_by_control("unheard").values() {
        assert_eq!(answer, "FAIL subscription-absent");
    }
}

#[tokio::test]
async fn a_trail_that_leaves_out_a_service_breaks_only_what_needs_it() {
    let run = swept().await;
    assert_eq!(
        not_passed(&run, "without-kms"),
        these(&["kms-key-deletion"])
    );
    assert_eq!(
        run.answers_by_control("without-kms")["kms-key-deletion"],
        "FAIL trail-event-source-excluded"
    );
    assert_eq!(not_passed(&run, "without-rds-data"), these(&[]));
}

#[tokio::test]
async fn what_breaks_one_control_leaves_the_others() {
    let run = swept().await;
    assert_eq!(
        not_passed(&run, "fourteen"),
        these(&["organizations-changes"])
    );
    let broken = [
        "cloudtrail-changes",
        "config-changes",
        "console-sign-in-without-mfa",
        "iam-policy-changes",
        "root-usage",
        "route-table-changes",
        "unauthorized-api-calls",
        "vpc-changes",
    ];
    assert_eq!(not_passed(&run, "each-in-its-own-way"), these(&broken));
    let answers = run.answers_by_control("each-in-its-own-way");
    for control in broken {
        let answer = &answers[control];
        assert!(answer.starts_with("FAIL "), "{control}: {answer}");
    }
}

#[tokio::test]
async fn accounts_under_a_good_organization_trail_pass_every_control() {
    let run = Shell::new()
        .by_every_control()
        .run(&["demo", "--accounts", "30", "--format", "json"])
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
    let findings = run.findings();
    assert_eq!(findings.len(), 30 * 15);
    let covered = findings
        .iter()
        .filter(|it| it["reason"] == "covered-by-organization-trail")
        .count();
    assert_eq!(covered % 15, 0, "covered by it for some controls only");
    assert!(covered >= 15 * 15, "{covered}");
}

#[tokio::test]
async fn fifteen_controls_cost_no_more_calls_than_one() {
    let simulator = scenario("fifteen_controls").await;
    let id = simulator
        .world()
        .named("without-rds-data")
        .unwrap()
        .id
        .clone();
    let run = Shell::at(&simulator)
        .by_every_control()
        .once(&["--account", &id])
        .await;
    assert_eq!(run.code, 0, "{run:#?}");
    let calls = simulator.calls();
    let calls = calls.iter().filter(|(key, _)| key.account == id);
    let calls: u64 = calls.map(|(_, count)| count).sum();
    // And the AssumeRole, which is charged to the caller.
    assert!(calls < 10, "{calls}");
}
