//! Sweeps in a span of time.

use jiff::SignedDuration;

use super::*;
use model::{OuPath, Reason};

use crate::fixture::{Folder, account_id, judged, noon, summary, sweep_at};

#[tokio::test]
async fn sweeps_of_a_span_come_with_their_seals() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    for hour in 0..5 {
        sweep_at(&sweeper, hour, &[], &[]).await;
    }
    let store = sweeper.store();
    let list = async |query: SweepQuery| {
        let entries = store.sweep_list(&query).await.unwrap();
        assert!(entries.iter().all(|entry| entry.drifts == 0));
        for entry in &entries {
            let seal = store.seal(entry.sweep.id).await.unwrap().unwrap();
            assert_eq!(entry.seal, Some(seal.seal.hash));
        }
        entries
            .iter()
            .map(|entry| entry.sweep.id.0)
            .collect::<Vec<_>>()
    };
    let any = SweepQuery::default;
    let hour = |hours| Some(noon() + SignedDuration::from_hours(hours));
    assert_eq!(list(any()).await, [5, 4, 3, 2, 1]);
    let limit = Some(2);
    assert_eq!(list(SweepQuery { limit, ..any() }).await, [5, 4]);
    let (since, until) = (hour(1), hour(3));
    assert_eq!(
        list(SweepQuery {
            since,
            until,
            ..any()
        })
        .await,
        [4, 3, 2]
    );
    let to_sweep = Some(SweepId(3));
    assert_eq!(
        list(SweepQuery {
            since,
            to_sweep,
            ..any()
        })
        .await,
        [3, 2]
    );
    assert_eq!(
        list(SweepQuery {
            since: hour(9),
            ..any()
        })
        .await,
        [0; 0]
    );
}

#[tokio::test]
async fn sweeps_are_found_by_what_they_looked_at_and_what_they_left() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let (one, two) = (
        judged(1, Reason::TrailAbsent),
        judged(2, Reason::CoveredByOwnTrail),
    );
    // Two accounts; then the first alone, which is not everything that is known; then both again.
    sweep_at(&sweeper, 0, &[one.clone(), two.clone()], &[]).await;
    sweep_at(&sweeper, 1, std::slice::from_ref(&one), &[]).await;
    sweep_at(&sweeper, 2, &[one, two], &[]).await;
    let store = sweeper.store();
    let list = async |query: SweepQuery| {
        let entries = store.sweep_list(&query).await.unwrap();
        let ids = entries.iter().map(|entry| entry.sweep.id.0);
        ids.collect::<Vec<_>>()
    };
    let of_account = |number| SweepQuery {
        account: Some(account_id(number)),
        ..SweepQuery::default()
    };
    assert_eq!(list(of_account(1)).await, [3, 2, 1]);
    assert_eq!(list(of_account(2)).await, [3, 1]);
    assert_eq!(list(of_account(3)).await, [0; 0]);
    let by_control = |control: &str| SweepQuery {
        control: control.parse().ok(),
        ..SweepQuery::default()
    };
    assert_eq!(list(by_control("organizations-changes")).await, [3, 2, 1]);
    assert_eq!(list(by_control("root-usage")).await, [0; 0]);
    let with = |verdict| SweepQuery {
        verdict: Some(verdict),
        ..SweepQuery::default()
    };
    let left = summary().verdicts;
    for verdict in [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Unknown,
        Verdict::NotApplicable,
    ] {
        let expected = usize::from(left.get(&verdict).is_some_and(|count| *count > 0)) * 3;
        assert_eq!(list(with(verdict)).await.len(), expected, "{verdict}");
    }
}

#[tokio::test]
async fn sweeps_are_found_by_the_ou_that_they_looked_into() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let hangs_in = |number, ou: &str| {
        let mut judged = judged(number, Reason::TrailAbsent);
        judged.account.ou_path = Some(OuPath(vec!["r-root".to_owned(), ou.to_owned()]));
        judged
    };
    let (one, two) = (hangs_in(1, "ou-dev"), hangs_in(2, "ou-prod"));
    sweep_at(&sweeper, 0, &[one.clone(), two.clone()], &[]).await;
    // The first alone; then it has moved; then the second alone.
    sweep_at(&sweeper, 1, std::slice::from_ref(&one), &[]).await;
    sweep_at(&sweeper, 2, &[hangs_in(1, "ou-prod"), two.clone()], &[]).await;
    sweep_at(&sweeper, 3, std::slice::from_ref(&two), &[]).await;
    // It moves away, too, which nobody but the sweep of it alone has seen.
    let moved = hangs_in(2, "ou-test");
    sweep_at(&sweeper, 4, std::slice::from_ref(&moved), &[]).await;
    let store = sweeper.store();
    let of_ou = async |ou: &str, account: Option<u64>| {
        let query = SweepQuery {
            ou: Some(ou.to_owned()),
            account: account.map(account_id),
            ..SweepQuery::default()
        };
        let entries = store.sweep_list(&query).await.unwrap();
        let ids = entries.iter().map(|entry| entry.sweep.id.0);
        ids.collect::<Vec<_>>()
    };
    assert_eq!(of_ou("r-root", None).await, [5, 4, 3, 2, 1]);
    assert_eq!(of_ou("ou-dev", None).await, [2, 1]);
    assert_eq!(of_ou("ou-prod", None).await, [4, 3, 1]);
    assert_eq!(of_ou("ou-test", None).await, [5]);
    assert_eq!(of_ou("ou-none", None).await, [0; 0]);
    assert_eq!(of_ou("ou-dev", Some(2)).await, [1]);
}
