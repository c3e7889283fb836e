//! Two states of the accounts that are not the same.

use model::Reason;

use super::*;
use crate::fixture::{Folder, account_id, judged, sweep_at};

#[tokio::test]
async fn only_what_was_written_between_two_sweeps_is_read() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let (same, broke) = (
        judged(2, Reason::CoveredByOwnTrail),
        judged(3, Reason::CoveredByOwnTrail),
    );
    let first = sweep_at(
        &sweeper,
        0,
        &[same.clone(), broke, judged(4, Reason::TrailAbsent)],
        &[],
    )
    .await;
    let broken = judged(3, Reason::TrailAbsent);
    let second = sweep_at(
        &sweeper,
        1,
        &[same, broken, judged(5, Reason::TrailAbsent)],
        &[],
    )
    .await;
    sweeper
        .record_departures(second, &[account_id(4)], &[])
        .await
        .unwrap();
    let third = sweep_at(&sweeper, 2, &[judged(2, Reason::TrailAbsent)], &[]).await;

    let store = sweeper.store();
    let mut pages = store.differences(first, second).await.unwrap();
    let states = pages.next().await.unwrap().unwrap();
    assert_eq!(pages.next().await.unwrap(), None);
    drop(pages);
    let reason = |side: &Option<RememberedAccount>| {
        let account = side.as_ref()?;
        Some(account.findings.values().next()?.latest.finding.reason)
    };
    let found: Vec<_> = (states.iter())
        .map(|state| (state.account, reason(&state.before), reason(&state.after)))
        .collect();
    assert_eq!(
        found,
        [
            (
                account_id(3),
                Some(Reason::CoveredByOwnTrail),
                Some(Reason::TrailAbsent)
            ),
            (account_id(4), Some(Reason::TrailAbsent), None),
            (account_id(5), None, Some(Reason::TrailAbsent)),
        ]
    );
    let mut pages = store.differences(third, third).await.unwrap();
    assert_eq!(pages.next().await.unwrap(), None);
    assert!(store.known_after(first).await.unwrap().knows_every_account);
}
