//! Accounts are remembered until the whole list of the organization lacks them.

use crate::{
    FindingQuery,
    fixture::{Folder, account, account_id, header, judged, sweep},
};
use model::{AccountId, Reason, SweepId};
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
