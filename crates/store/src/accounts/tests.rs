//! Accounts are remembered until the whole list of the organization lacks them.

use crate::{
    AccountQuery, FindingQuery, JudgedAccount, Store,
    fixture::{Folder, account, account_id, header, judged, raw, sweep},
};
use model::{AccountId, Reason, SweepId, Tags};
use std::collections::BTreeSet;

async fn depart(
    sweeper: &crate::Sweeper,
    sweep: SweepId,
    members: &BTreeSet<AccountId>,
    judged: &BTreeSet<AccountId>,
) {
    let gone = sweeper.departed(members, judged).await.unwrap();
    sweeper.record_departures(sweep, &gone, &[]).await.unwrap();
}

#[tokio::test]
async fn an_account_that_left_is_not_remembered_and_its_history_ends() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let accounts = [1, 2].map(|number| judged(number, Reason::TrailAbsent));
    sweep(&sweeper, &accounts).await;
    let remembered = sweeper.store().remembered_accounts().await.unwrap();
    assert_eq!(remembered, [account(1), account(2)]);

    let second = sweeper.begin_sweep(&header()).await.unwrap();
    let members = BTreeSet::from([account_id(1)]);
    depart(&sweeper, second, &members, &BTreeSet::new()).await;
    let remembered = sweeper.store().remembered_accounts().await.unwrap();
    assert_eq!(remembered, [account(1)]);
    let of = async |sweep| {
        let query = FindingQuery {
            account: Some(account_id(2)),
            sweep,
            ..FindingQuery::default()
        };
        sweeper.store().findings(&query).await.unwrap().len()
    };
    assert_eq!(of(None).await, 0, "it is not so any more");
    assert_eq!(of(Some(model::SweepId(1))).await, 1, "it was so then");

    // It comes back.
    sweeper.commit(second, &accounts[1..], &[]).await.unwrap();
    assert_eq!(of(None).await, 1);
}

#[tokio::test]
async fn an_account_that_leaves_after_it_was_judged_stays_until_the_next_sweep() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    sweep(&sweeper, &[judged(1, Reason::TrailAbsent)]).await;
    let second = sweeper.begin_sweep(&header()).await.unwrap();
    let seen = BTreeSet::from([account_id(1)]);
    depart(&sweeper, second, &BTreeSet::new(), &seen).await;
    assert_eq!(
        sweeper.store().remembered_accounts().await.unwrap().len(),
        1
    );
}

#[tokio::test]
async fn an_account_that_was_named_by_hand_never_was_a_member() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let mut by_hand = judged(3, Reason::TrailAbsent);
    by_hand.account.name.clear();
    sweep(&sweeper, &[by_hand]).await;
    assert!(
        sweeper
            .store()
            .remembered_accounts()
            .await
            .unwrap()
            .is_empty()
    );
    let second = sweeper.begin_sweep(&header()).await.unwrap();
    depart(&sweeper, second, &BTreeSet::new(), &BTreeSet::new()).await;
    let known = sweeper.store().findings(&FindingQuery::default()).await;
    assert_eq!(known.unwrap().len(), 1);
}

fn tagged(number: u64, tags: Option<&[(&str, &str)]>) -> JudgedAccount {
    let mut judged = judged(number, Reason::TrailAbsent);
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    judged.account.tags = tags.map(|tags| tags.iter().map(owned).collect());
    judged
}

/// The tags of the first account after a sweep, and since which sweep it is so.
async fn tags_at(store: &Store, sweep: i64) -> (Option<Tags>, i64) {
    let query = AccountQuery {
        account: Some(account_id(1)),
        sweep: Some(SweepId(sweep)),
        ..AccountQuery::default()
    };
    let row = store.accounts(&query).await.unwrap().pop().unwrap();
    (row.account.tags, row.since_sweep.0)
}

#[tokio::test]
async fn tags_are_remembered_as_they_were_last_read() {
    let folder = Folder::new();
    let mut sweeper = folder.sweeper().await;
    let tags = |pairs: &[(&str, &str)]| tagged(1, Some(pairs)).account.tags;
    let readings: [Option<&[(&str, &str)]>; 7] = [
        None,
        Some(&[("env", "dev")]),
        None,
        Some(&[("env", "dev")]),
        Some(&[("env", "prod"), ("owner", "me")]),
        None,
        Some(&[]),
    ];
    for (place, reading) in readings.into_iter().enumerate() {
        let accounts = [tagged(1, reading), tagged(2, None), tagged(3, None)];
        sweep(&sweeper, &accounts).await;
        if place == 2 {
            // Another process knows no more than what is stored.
            sweeper.close().await.unwrap();
            sweeper = folder.sweeper().await;
        }
    }
    let store = sweeper.store();
    let expected = [
        (None, 1),
        (tags(&[("env", "dev")]), 2),
        (tags(&[("env", "dev")]), 2),
        (tags(&[("env", "dev")]), 2),
        (tags(&[("env", "prod"), ("owner", "me")]), 5),
        (tags(&[("env", "prod"), ("owner", "me")]), 5),
        (tags(&[]), 7),
    ];
    for (number, expected) in (1..).zip(expected) {
        assert_eq!(tags_at(store, number).await, expected, "sweep {number}");
    }
    let remembered = store.remembered_accounts().await.unwrap();
    assert_eq!(remembered[0].tags, tags(&[]));
    assert_eq!(remembered[1].tags, None);
    store.verify(None).await.unwrap();
    let archive = store.export(SweepId(5), None, Vec::new()).await.unwrap();
    assert!(archive.is_whole);
}

#[tokio::test]
async fn a_byte_of_a_tag_that_is_altered_is_noticed() {
    for statement in [
        r#"UPDATE account_states SET tags = '{"env":"dex"}' WHERE tags = '{"env":"dev"}'"#,
        r#"UPDATE account_states SET tags = '{"env": "dev"}' WHERE tags = '{"env":"dev"}'"#,
        "UPDATE account_states SET tags = NULL",
        "UPDATE account_states SET tags = '{}' WHERE tags IS NULL",
    ] {
        let folder = Folder::new();
        let sweeper = folder.sweeper().await;
        let read = tagged(1, Some(&[("env", "dev")]));
        sweep(&sweeper, &[read, tagged(2, None)]).await;
        sweep(&sweeper, &[tagged(1, None), tagged(2, None)]).await;
        sweeper.store().verify(None).await.unwrap();
        let mut connection = raw(&folder.file("store.db")).await;
        let altered = sqlx::query(statement).execute(&mut connection).await;
        assert!(altered.unwrap().rows_affected() > 0, "{statement}");
        let error = sweeper.store().verify(None).await.unwrap_err();
        assert!(error.misfit().is_some(), "{statement}: {error:?}");
    }
}
