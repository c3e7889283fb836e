//! Second looks, by table and by what must always hold.

use proptest::prelude::*;

use super::*;

const RULE: RecheckRule = RecheckRule {
    after_drift: SignedDuration::from_mins(2),
    after_unknown: SignedDuration::from_mins(5),
    accounts_at_most: 3,
};

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + 60 * minutes).unwrap()
}

fn account(number: u32) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

/// A sweep that ended at this minute, of these accounts, with these in trouble.
fn sweep(minutes: i64, of: &[u32], troubles: &[(u32, Found, &str)]) -> Looked {
    Looked {
        ended_at: at(minutes),
        at: of.iter().copied().map(account).collect(),
        troubles: (troubles.iter())
            .map(|(number, found, cause)| (account(*number), (*found, (*cause).to_owned())))
            .collect(),
    }
}

#[track_caller]
fn check(looked: &[Looked], expected: Option<(i64, &[u32])>) {
    let next = RULE.next(Some(account(9)), looked);
    let expected = expected.map(|(minutes, accounts)| Recheck {
        at: at(minutes),
        accounts: accounts.iter().copied().map(account).collect(),
    });
    assert_eq!(next, expected, "{looked:#?}");
}

#[test]
fn what_was_found_is_looked_at_again_once_and_then_once_more_if_it_is_found_again() {
    use Found::{Drift, Unknown};
    check(&[], None);
    check(&[sweep(0, &[], &[])], None);
    let found = sweep(0, &[], &[(1, Drift, "a")]);
    check(std::slice::from_ref(&found), Some((2, &[1])));
    // The same state again is no drift: nothing more is due.
    check(&[found.clone(), sweep(3, &[1], &[])], None);
    // Another state is, after twice the pause; then the next sweep of everything has to do.
    let again = sweep(3, &[1], &[(1, Drift, "b")]);
    check(&[found.clone(), again.clone()], Some((7, &[1])));
    let third = sweep(8, &[1], &[(1, Drift, "a")]);
    check(&[found.clone(), again, third], None);
    // Looking at another account changes nothing.
    check(&[found, sweep(1, &[2], &[])], Some((2, &[1])));
    // What cannot be seen is given longer; what is due later waits for its time.
    check(&[sweep(0, &[], &[(1, Unknown, "a")])], Some((5, &[1])));
    let both = sweep(0, &[], &[(1, Unknown, "a"), (2, Drift, "a")]);
    check(std::slice::from_ref(&both), Some((2, &[2])));
    check(&[both, sweep(3, &[2], &[])], Some((5, &[1])));
}

#[test]
fn a_storm_is_looked_at_by_cause_and_in_the_management_account_first() {
    use Found::Drift;
    let storm: Vec<(u32, Found, &str)> = (1..=20).map(|number| (number, Drift, "trail")).collect();
    check(&[sweep(0, &[], &storm)], Some((2, &[9])));
    let causes = ["a", "b", "c", "d"];
    let mut many: Vec<(u32, Found, &str)> = Vec::new();
    for (place, cause) in (0_u32..).zip(causes) {
        // The later causes have more accounts.
        many.extend((0..=place).map(|number| (100 * (place + 1) + number, Drift, cause)));
    }
    check(&[sweep(0, &[], &many)], Some((2, &[200, 300, 400])));
}

#[test]
fn no_account_is_looked_at_again_where_none_may_be() {
    let rule = RecheckRule {
        accounts_at_most: 0,
        ..RULE
    };
    let found = sweep(0, &[], &[(1, Found::Drift, "a")]);
    assert_eq!(rule.next(None, &[found]), None);
}

fn any_sweeps() -> impl Strategy<Value = Vec<Looked>> {
    let found = prop_oneof![Just(Found::Drift), Just(Found::Unknown)];
    let trouble = (1_u32..12, found, "[a-c]");
    let sweep = (
        0_i64..30,
        prop::collection::btree_set(1_u32..12, 0..5),
        prop::collection::vec(trouble, 0..12),
    );
    prop::collection::vec(sweep, 0..6).prop_map(|sweeps| {
        let mut minutes = 0;
        (sweeps.into_iter())
            .enumerate()
            .map(|(place, (later, of, troubles))| {
                minutes += later;
                let of: Vec<u32> = of.into_iter().filter(|_| place > 0).collect();
                let troubles: Vec<(u32, Found, &str)> = (troubles.iter())
                    .map(|(number, found, cause)| (*number, *found, cause.as_str()))
                    .collect();
                super::tests::sweep(minutes, &of, &troubles)
            })
            .collect()
    })
}

proptest! {
    /// Whatever is found, again and again, an account gets no more looks than are allowed, each is of an
    /// account in trouble, and it ends.
    #[test]
    fn second_looks_are_bounded(mut looked in any_sweeps(), storm in any::<bool>()) {
        let was = looked.len();
        for _ in 0..100 {
            let Some(next) = RULE.next(None, &looked) else { break };
            prop_assert!(!next.accounts.is_empty());
            prop_assert!(next.accounts.len() <= RULE.accounts_at_most);
            for account in &next.accounts {
                prop_assert!(looked.iter().any(|sweep| sweep.troubles.contains_key(account)));
            }
            // The worst case: each look finds something new.
            let troubles = (next.accounts.iter().filter(|_| storm))
                .map(|account| (*account, (Found::Drift, "again".to_owned())))
                .collect();
            looked.push(Looked { ended_at: next.at, at: next.accounts, troubles });
        }
        prop_assert_eq!(RULE.next(None, &looked), None);
        for number in 1..12 {
            let looks = looked[was..].iter().filter(|sweep| sweep.at.contains(&account(number)));
            prop_assert!(looks.count() <= IN_A_ROW as usize);
        }
    }
}
