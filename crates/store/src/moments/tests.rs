//! Which sweep is meant by a time, and what cannot be meant.

use jiff::SignedDuration;

use super::*;
use crate::fixture::{Folder, header, judged, noon, summary, sweep_at};
use model::Reason;

fn hours(hours: i64) -> Timestamp {
    noon() + SignedDuration::from_hours(hours)
}

#[tokio::test]
async fn a_time_means_the_last_sweep_that_had_finished_by_then() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    for hour in [0, 2, 4] {
        sweep_at(&sweeper, hour, &[judged(2, Reason::TrailAbsent)], &[]).await;
    }
    let store = sweeper.store();
    let at = |time| async move {
        store
            .moment(AsOf::Time(time))
            .await
            .map(|moment| moment.sweep)
    };
    let end = SignedDuration::from_secs(42);
    assert_eq!(at(hours(0) + end).await.unwrap(), SweepId(1));
    assert_eq!(at(hours(2)).await.unwrap(), SweepId(1), "it had only begun");
    assert_eq!(at(hours(2) + end).await.unwrap(), SweepId(2));
    assert_eq!(at(hours(9_000)).await.unwrap(), SweepId(3));
    let error = at(hours(0)).await.unwrap_err();
    assert!(error.is_bad_input());
    assert!(
        error
            .to_string()
            .contains("begins with sweep 1, which finished at 2026-01-02T12:00:42"),
        "{error}"
    );
}

#[tokio::test]
async fn a_sweep_that_was_stopped_counts_only_by_its_number() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let first = sweep_at(&sweeper, 0, &[judged(2, Reason::TrailAbsent)], &[]).await;
    let stopped = sweeper.begin_sweep(&header()).await.unwrap();
    let error = sweeper
        .store()
        .moment(AsOf::Sweep(stopped))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("has not ended yet"), "{error}");
    let mut summary = summary();
    summary.state = SweepState::Interrupted;
    sweeper.finish_sweep(stopped, &summary).await.unwrap();
    let store = sweeper.store();
    let named = store.moment(AsOf::Sweep(stopped)).await.unwrap();
    assert_eq!(
        (named.sweep, named.state),
        (stopped, SweepState::Interrupted)
    );
    let late = store.moment(AsOf::Time(hours(100))).await.unwrap();
    assert_eq!(late.sweep, first);
    let error = store.moment(AsOf::Sweep(SweepId(9))).await.unwrap_err();
    assert!(error.is_bad_input());
    assert!(
        error.to_string().contains("no sweep 9") && error.to_string().contains("the last one is 2"),
        "{error}"
    );
}

#[tokio::test]
async fn without_a_finished_sweep_there_is_no_history() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let store = sweeper.store();
    let error = store.moment(AsOf::Time(noon())).await.unwrap_err();
    assert!(
        error.to_string().contains("no sweep has finished"),
        "{error}"
    );
    let error = store.moment(AsOf::Sweep(SweepId(1))).await.unwrap_err();
    assert!(error.to_string().contains("none at all"), "{error}");
    let error = store.check_organization("o-aaaaaaaaaa").await.unwrap_err();
    assert!(
        error.is_bad_input() && error.to_string().contains("nobody yet"),
        "{error}"
    );
    sweep_at(&sweeper, 0, &[], &[]).await;
    store.check_organization("o-aaaaaaaaaa").await.unwrap();
    let error = store.check_organization("o-bbbbbbbbbb").await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("organization o-aaaaaaaaaa, not of organization o-bbbbbbbbbb"),
        "{error}"
    );
}

#[tokio::test]
async fn lookups_are_served_by_indexes() {
    let folder = Folder::new();
    folder.sweeper().await.close().await.unwrap();
    let mut connection = crate::fixture::raw(&folder.file("store.db")).await;
    for (query, index) in [
        (
            "SELECT id FROM sweeps WHERE state = 'finished' AND finished_at <= 5
             ORDER BY finished_at DESC, id DESC LIMIT 1",
            "sweeps_finished_at",
        ),
        (
            "SELECT id FROM sweeps WHERE started_at >= 5 ORDER BY started_at, id LIMIT 1",
            "sweeps_started_at",
        ),
        (
            "SELECT * FROM findings WHERE valid_from <= 5 AND (valid_until IS NULL OR valid_until > 5)
             AND account = 'a' AND (account, control) > ('a', 'b')
             ORDER BY account, control LIMIT 1000",
            "findings_history (account=?",
        ),
        (
            "SELECT * FROM findings WHERE valid_from <= 5 AND (valid_until IS NULL OR valid_until > 5)
             AND (account, control) > ('a', 'b') ORDER BY account, control LIMIT 1000",
            "findings_history ((account,control)>(?,?)",
        ),
        (
            "SELECT drifts.* FROM drifts JOIN sweeps AS seen ON seen.id = drifts.sweep
             WHERE drifts.sweep BETWEEN 1 AND 9 AND (drifts.sweep, drifts.id) < (7, 8)
             ORDER BY drifts.sweep DESC, drifts.id DESC LIMIT 500",
            "drifts_sweep (sweep>? AND sweep<?",
        ),
    ] {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")))
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let plan: String = plan.into_iter().map(|(.., step)| step + "\n").collect();
        assert!(plan.contains(index), "{query}\n{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{query}\n{plan}");
    }
}
