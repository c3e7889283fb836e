//! What is looked at when, and what of it counts.

use super::*;
use model::AccountState;

fn account(number: u64, name: &str) -> Account {
    Account {
        id: format!("{number:012}").parse().unwrap(),
        name: name.to_owned(),
        state: AccountState::Active,
        ou_path: None,
        tags: None,
    }
}

/// A roster that remembers these accounts.
fn remembering(numbers: std::ops::Range<u64>) -> Roster<&'static str> {
    let mut roster = Roster::without(BTreeSet::new());
    roster.remember(numbers.map(|number| account(number, "old")).collect());
    roster
}

fn next(roster: &mut Roster<&'static str>) -> Option<(String, AccountId)> {
    roster.next().map(|account| (account.name, account.id))
}

#[test]
fn a_fresh_account_is_looked_at_once_and_its_result_counts() {
    let mut roster = Roster::without(BTreeSet::new());
    assert!(roster.list(account(1, "a")).is_none());
    assert!(roster.list(account(1, "a")).is_none());
    let one = roster.next().unwrap();
    assert_eq!(roster.next(), None);
    assert_eq!(roster.looked(one.id, Some("seen")), Some((one, "seen")));
}

#[test]
fn what_memory_led_to_waits_for_the_list_and_is_told_of_the_account_as_it_is_now() {
    let mut roster = remembering(1..2);
    let one = roster.next().unwrap();
    assert_eq!(roster.looked(one.id, Some("seen")), None);
    let (now, result) = roster.list(account(1, "new")).unwrap();
    assert_eq!((now.name.as_str(), result), ("new", "seen"));
    assert_eq!(roster.next(), None);
    assert!(roster.end_list(true).is_empty());
}

#[test]
fn an_account_that_left_is_dropped_wherever_it_stands() {
    let mut roster = remembering(1..4);
    let (held, looking) = (roster.next().unwrap(), roster.next().unwrap());
    roster.looked(held.id, Some("seen"));
    assert!(roster.end_list(true).is_empty());
    assert_eq!(roster.looked(looking.id, Some("seen")), None);
    assert_eq!(roster.next(), None);
    assert_eq!(roster.len(), 0);
}

#[test]
fn after_half_a_list_memory_is_as_good_as_it_was() {
    let mut roster = remembering(1..4);
    let (held, looking) = (roster.next().unwrap(), roster.next().unwrap());
    roster.looked(held.id, Some("held"));
    let ready = roster.end_list(false);
    assert_eq!(ready, [(account(1, "old"), "held")]);
    let then = roster.looked(looking.id, Some("then"));
    assert_eq!(then.map(|(_, result)| result), Some("then"));
    assert_eq!(
        roster.next().map(|account| account.id),
        Some(account(3, "").id)
    );
}

#[test]
fn what_the_list_shows_goes_before_what_is_remembered() {
    let mut roster = remembering(1..3);
    roster.list(account(7, "new"));
    roster.list(account(2, "fresh"));
    let order: Vec<_> = std::iter::from_fn(|| next(&mut roster)).collect();
    let expected = [(7, "new"), (2, "fresh"), (1, "old")];
    let expected = expected.map(|(number, name)| (name.to_owned(), account(number, "").id));
    assert_eq!(order, expected);
}

#[test]
fn memory_runs_ahead_of_the_list_so_far_and_no_further() {
    let mut roster = remembering(0..HELD_AT_MOST as u64 + 10);
    let mut ahead = 0;
    while let Some(account) = roster.next() {
        roster.looked(account.id, Some("seen"));
        ahead += 1;
    }
    assert_eq!(ahead, HELD_AT_MOST);
    assert!(roster.list(account(0, "fresh")).is_some());
    assert!(
        roster.next().is_some(),
        "one is shown, another may be looked at"
    );
    assert!(roster.next().is_none());
}

#[test]
fn what_failed_is_looked_at_again_as_the_list_shows_it() {
    let mut roster = remembering(1..3);
    let (one, two) = (roster.next().unwrap(), roster.next().unwrap());
    assert_eq!(roster.looked(one.id, None), None);
    assert_eq!(roster.looked(two.id, None), None);
    roster.list(account(1, "fresh"));
    roster.end_list(true);
    assert!(roster.begin_last_round());
    let again = roster.next().unwrap();
    assert_eq!(again.name, "fresh");
    assert_eq!(roster.next(), None, "the other one left");
    assert!(roster.looked(again.id, Some("seen")).is_some());
    assert!(!roster.begin_last_round());
}

#[test]
fn what_was_judged_before_a_sweep_was_resumed_is_not_looked_at() {
    let mut roster: Roster<&str> = Roster::without([account(1, "").id, account(2, "").id].into());
    roster.remember(vec![account(1, "old")]);
    assert!(roster.list(account(2, "fresh")).is_none());
    assert_eq!(roster.next(), None);
    assert_eq!(roster.len(), 2);
}
