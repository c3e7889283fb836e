//! What a notice says of its drifts.

use std::collections::BTreeMap;

use super::*;
use crate::{facts::facts, fixture};

#[test]
fn a_notice_keeps_its_shape_in_the_outbox() {
    for notice in [
        fixture::single(),
        fixture::storm(),
        fixture::reminder(),
        fixture::recovered(),
        fixture::unseen(),
    ] {
        let text = serde_json::to_string(&notice).unwrap();
        assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notice);
        assert!(text.len() < 32 * 1024, "{}", text.len());
    }
}

#[test]
fn a_storm_counts_all_and_names_some() {
    let storm = fixture::storm();
    assert_eq!(
        (storm.accounts, storm.drifts, storm.controls),
        (10_000, 20_000, 2)
    );
    assert_eq!(storm.places.len(), NAMED);
    assert_eq!(
        storm.title,
        "10,000 accounts: 2 controls fail (trail-not-logging)"
    );
}

#[test]
fn titles_are_sentences() {
    assert_eq!(
        fixture::single().title,
        "production (000000000001): organizations-changes fails (trail-not-logging)"
    );
    assert_eq!(
        fixture::unseen().title,
        "production (000000000001): nothing can be seen any more (account-not-entered)"
    );
    assert_eq!(
        fixture::recovered().title,
        "10,000 accounts: 2 controls are well again"
    );
    let gone = Ended {
        still: Still {
            verdicts: BTreeMap::new(),
            accounts: 0,
            opened_at: fixture::at(0),
        },
        at: fixture::at(1),
        seal: None,
    };
    let title = fixture::single().recovered(gone).title;
    assert!(
        title.starts_with("no longer looked at: production"),
        "{title}"
    );
}

#[test]
fn what_to_do_is_told_as_long_as_there_is_something_to_do() {
    assert!(fixture::single().next_step().unwrap().contains("logging"));
    assert!(fixture::reminder().next_step().is_some());
    assert_eq!(fixture::recovered().next_step(), None);
    let labels =
        |notice: &Notice| -> Vec<&str> { facts(notice).iter().map(|fact| fact.label).collect() };
    assert!(labels(&fixture::single()).contains(&"Mend it"));
    assert!(!labels(&fixture::recovered()).contains(&"Acknowledge"));
}

#[test]
fn a_key_is_one_for_each_notice_and_channel() {
    let alert = fixture::single().alert;
    let keys = [
        idempotency_key(alert, NoticeForm::Opened, None, "a"),
        idempotency_key(alert, NoticeForm::Opened, None, "b"),
        idempotency_key(alert, NoticeForm::Reminder, Some(1), "a"),
        idempotency_key(alert, NoticeForm::Reminder, Some(2), "a"),
        idempotency_key(alert, NoticeForm::Recovered, None, "a"),
    ];
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len());
    assert_eq!(keys[2], format!("{alert}.reminder-1.a"));
}
