//! How states follow from findings, and how their changes compose.

use model::Link;
use proptest::prelude::*;

use super::*;
use crate::fixture::{cut_at, fail, pass, remembered, unknown};

fn broken() -> Finding {
    fail(Reason::AlarmAbsent, Link::Alarm, 2, cut_at(3))
}

fn any_finding() -> impl Strategy<Value = Finding> {
    prop_oneof![
        Just(unknown()),
        Just(pass()),
        Just(broken()),
        Just(fail(Reason::FilterAbsent, Link::MetricFilter, 1, cut_at(2))),
    ]
}

fn state_after(findings: &[Finding]) -> KnownState {
    let start = KnownState::default();
    findings.iter().fold(start, KnownState::after)
}

#[test]
fn unknown_changes_what_is_seen_and_not_what_is_known() {
    let whole = state_after(&[pass()]);
    let blind = state_after(&[pass(), unknown()]);
    assert_eq!(blind.last_known, whole.last_known);
    assert!(!blind.is_visible);
    let blindness = Change::between(whole, blind);
    assert_eq!(blindness.last_known, None);
    let after = state_after(&[pass(), unknown(), broken()]);
    let sight = Change::between(blind, after);
    let through = blindness.then(sight).unwrap();
    assert_eq!(through.visibility, None);
    assert_eq!(through, Change::between(whole, after));
}

#[test]
fn what_does_not_join_does_not_compose() {
    let broke = Change::between(state_after(&[pass()]), state_after(&[broken()]));
    assert_eq!(broke.then(broke), None);
    assert!(!broke.is_empty());
}

proptest! {
    #[test]
    fn changes_compose(history in prop::collection::vec(any_finding(), 3..12), a in 0_usize..12, b in 0_usize..12) {
        let len = history.len();
        let (a, b) = (a.min(len), b.min(len));
        let (a, b) = (a.min(b), a.max(b));
        let state = |to: usize| state_after(&history[..to]);
        let first = Change::between(state(a), state(b));
        let second = Change::between(state(b), state(len));
        prop_assert_eq!(first.then(second), Some(Change::between(state(a), state(len))));
        // Nothing is neutral, and step by step comes to the same.
        prop_assert_eq!(first.then(Change::default()), Some(first));
        prop_assert_eq!(Change::default().then(first), Some(first));
        let mut steps = Change::default();
        for to in 1..=len {
            steps = steps.then(Change::between(state(to - 1), state(to))).unwrap();
        }
        prop_assert_eq!(steps, Change::between(state(0), state(len)));
    }

    /// What is remembered is enough to know the state.
    #[test]
    fn the_remembered_state_is_that_of_the_history(history in prop::collection::vec(any_finding(), 1..12)) {
        let was = remembered(&history);
        let finding = was.findings.values().next().unwrap();
        prop_assert_eq!(KnownState::of(finding), state_after(&history));
    }
}
