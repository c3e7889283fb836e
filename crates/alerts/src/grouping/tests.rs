//! What is told together, and that nothing is lost or doubled on the way.

use proptest::prelude::*;

use super::*;
use crate::fixture::{broken, drift, group_of, seen};
use model::Reason;

#[test]
fn a_storm_of_one_cause_is_one_alert_by_all_its_controls() {
    let controls = ["organizations-changes", "root-usage", "vpc-changes"];
    let group =
        group_of((1..=500).flat_map(|number| controls.map(|control| broken(number, control))));
    assert_eq!(group.rows.len(), 1500);
    assert_eq!(group.accounts.len(), 500);
    assert_eq!(group.controls.len(), 3);
    assert_eq!(group.severity, Severity::Critical);
    assert_eq!(group.lasts_while, Some(LastsWhile::Broken));
    assert_eq!(group.lead.drift.account, group.accounts.first().copied());
}

#[test]
fn what_one_change_did_to_verdicts_and_reasons_is_one_alert() {
    let reasons = (Reason::FilterAbsent, Reason::TrailNotLogging);
    let other = drift(DriftKind::ReasonChanged, reasons, 2, Some("root-usage"));
    let group = group_of([other, broken(1, "root-usage")]);
    assert_eq!(group.lead.drift.kind, DriftKind::VerdictChanged);
    assert_eq!(group.rows, [1, 2]);
}

#[test]
fn other_causes_sweeps_and_directions_are_other_alerts() {
    let one = broken(1, "root-usage");
    let mut elsewhere = one.clone();
    elsewhere.cause = "alarm x".to_owned();
    let mut later = one.clone();
    later.between.seen = SweepId(8);
    let mut damped = one.clone();
    damped.undamped = Some(Severity::Critical);
    let reasons = (Reason::TrailNotLogging, Reason::CoveredByOwnTrail);
    let well = drift(DriftKind::VerdictChanged, reasons, 1, Some("root-usage"));
    let lost = (Reason::CoveredByOwnTrail, Reason::EvidenceGap);
    let lost = drift(DriftKind::BecameUnknown, lost, 1, Some("root-usage"));
    let mut groups = Groups::default();
    for (row, drift) in (1..).zip([&one, &elsewhere, &later, &damped, &well, &lost]) {
        groups.add(row, seen(drift.clone()));
    }
    let lasting: Vec<Option<LastsWhile>> = (groups.into_groups())
        .map(|group| {
            assert_eq!(group.rows.len(), 1);
            group.lasts_while
        })
        .collect();
    assert_eq!(lasting.len(), 6);
    let of = |wanted| lasting.iter().filter(|one| **one == wanted).count();
    assert_eq!(of(Some(LastsWhile::Broken)), 4);
    assert_eq!(of(Some(LastsWhile::Unseen)), 1);
    // What came to rest is told anew.
    let mut settled = Groups::of_settled();
    settled.add(1, seen(one.clone()));
    assert_ne!(settled.into_groups().next().unwrap().id, group_of([one]).id);
}

#[test]
fn what_several_people_did_is_not_told_of_one() {
    let mut groups = Groups::default();
    for (row, act) in [(1, "ivan"), (2, "alice"), (3, "ivan"), (4, "")] {
        let mut left = broken(row, "root-usage");
        left.kind = DriftKind::AccountLeft;
        groups.add(
            i64::try_from(row).unwrap(),
            SeenDrift {
                act: Some(act.to_owned()),
                ..seen(left)
            },
        );
    }
    let mut rows: Vec<Vec<i64>> = groups.into_groups().map(|group| group.rows).collect();
    rows.sort();
    assert_eq!(rows, [vec![1, 3], vec![2], vec![4]]);
}

#[test]
fn all_that_was_rejudged_is_one_notice() {
    let rejudged = |number: u64, cause: &str| {
        let reasons = (Reason::CoveredByOwnTrail, Reason::AlarmNeverFires);
        let mut drift = drift(DriftKind::Rejudged, reasons, number, Some("root-usage"));
        drift.cause = cause.to_owned();
        drift
    };
    let group = group_of([rejudged(1, "a"), rejudged(2, "b")]);
    assert_eq!(group.accounts.len(), 2);
    assert_eq!(group.lasts_while, None);
}

proptest! {
    #[test]
    fn every_drift_is_in_one_group_whatever_the_order(
        drifts in prop::collection::vec((1..5_u64, 0..3_usize, 0..3_usize, 6..9_i64, any::<bool>()), 0..40),
    ) {
        let controls = ["organizations-changes", "root-usage", "vpc-changes"];
        let all: Vec<(i64, SeenDrift)> = (1..).zip(drifts.iter().map(|(account, control, cause, sweep, is_low)| {
            let mut drift = broken(*account, controls[*control]);
            drift.cause = format!("cause {cause}");
            drift.between.seen = SweepId(*sweep);
            if *is_low {
                drift.severity = Severity::Low;
            }
            drift.id = DriftId::of(drift.kind, drift.account, drift.control.as_ref(), drift.between.seen, &format!("{} {is_low}", drift.cause));
            seen(drift)
        })).collect();
        let grouped = |all: &mut dyn Iterator<Item = (i64, SeenDrift)>| {
            let mut groups = Groups::default();
            all.for_each(|(row, drift)| {
                groups.add(row, drift);
            });
            groups.into_groups().collect::<Vec<_>>()
        };
        let forwards = grouped(&mut all.iter().cloned());
        let backwards = grouped(&mut all.iter().rev().cloned());
        let mut rows: Vec<i64> = forwards.iter().flat_map(|group| group.rows.clone()).collect();
        rows.sort_unstable();
        let expected: Vec<i64> = (1..=i64::try_from(all.len()).unwrap()).collect();
        prop_assert_eq!(rows, expected);
        for (one, mut other) in forwards.into_iter().zip(backwards) {
            other.rows.reverse();
            prop_assert_eq!(one.lead.drift.id, other.lead.drift.id);
            prop_assert_eq!(one.rows, other.rows);
            prop_assert_eq!(one.severity, other.severity);
        }
    }
}
