//! Sweeps in a span of time.

use jiff::SignedDuration;

use super::*;
use crate::fixture::{Folder, noon, sweep_at};

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
