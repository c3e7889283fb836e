//! Sweeps begin, end, die, and go only where they belong.

use super::*;
use crate::fixture::{
    Folder, account_id, gap, header, judged, noon, number, organization, summary, sweep,
};
use model::Reason;

/// A sweep of `organization`, called from account `caller`.
fn header_of(organization_id: Option<&str>, caller: u64) -> SweepHeader {
    SweepHeader {
        organization: organization_id.map(organization),
        caller: account_id(caller),
        ..header()
    }
}

#[tokio::test]
async fn a_sweep_is_remembered_as_it_was() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    assert_eq!(sweeper.store().latest_sweep().await.unwrap(), None);
    let id = sweep(&sweeper, &[judged(1, Reason::TrailAbsent)]).await;
    let row = sweeper.store().sweep(id).await.unwrap().unwrap();
    assert_eq!(
        row,
        SweepRow {
            id,
            state: SweepState::Finished,
            started_at: noon(),
            finished_at: Some(summary().finished_at),
            caller: account_id(1),
            scanner_version: "0.1.0".to_owned(),
            configuration: None,
            scope: header().scope,
            organization: header().organization,
            discovery: Some(DiscoveryState::Complete),
            verdicts: summary().verdicts,
            api_calls: Some(17),
            accounts_seen: 1,
            findings_seen: 1,
        }
    );
    assert_eq!(sweeper.store().latest_sweep().await.unwrap(), Some(row));
    assert_eq!(sweeper.store().sweep(SweepId(99)).await.unwrap(), None);
}

#[tokio::test]
async fn sweeps_are_listed_latest_first() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    for _ in 0..3 {
        sweep(&sweeper, &[]).await;
    }
    let ids = |rows: Vec<SweepRow>| rows.iter().map(|row| row.id.0).collect::<Vec<_>>();
    assert_eq!(ids(sweeper.store().sweeps(None).await.unwrap()), [3, 2, 1]);
    assert_eq!(ids(sweeper.store().sweeps(Some(2)).await.unwrap()), [3, 2]);
    assert!(sweeper.store().sweeps(Some(0)).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_last_finished_sweep_is_one_of_exactly_this_scope() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let whole = header().scope;
    let part = SweepScope {
        accounts: vec!["&111111111111".to_owned()],
        ..whole.clone()
    };
    let last = async |scope: &SweepScope| {
        let row = sweeper.store().last_finished_sweep(scope).await.unwrap();
        row.map(|row| row.id.0)
    };
    assert_eq!(last(&whole).await, None);
    sweep(&sweeper, &[]).await;
    let of_part = SweepHeader {
        scope: part.clone(),
        ..header()
    };
    let id = sweeper.begin_sweep(&of_part).await.unwrap();
    sweeper.finish_sweep(id, &summary()).await.unwrap();
    // One that did not come to its end does not count.
    let id = sweeper.begin_sweep(&header()).await.unwrap();
    assert_eq!((last(&whole).await, last(&part).await), (Some(1), Some(2)));
    let interrupted = SweepSummary {
        state: SweepState::Interrupted,
        ..summary()
    };
    sweeper.finish_sweep(id, &interrupted).await.unwrap();
    assert_eq!((last(&whole).await, last(&part).await), (Some(1), Some(2)));
}

#[tokio::test]
async fn findings_and_accounts_are_counted_by_verdict() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let empty = sweeper.store().verdict_counts().await.unwrap();
    assert_eq!(empty, crate::VerdictCounts::default());
    let accounts = [
        judged(1, Reason::TrailAbsent),
        judged(2, Reason::CoveredByOwnTrail),
        judged(3, Reason::CoveredByOwnTrail),
    ];
    sweep(&sweeper, &accounts).await;
    // What was so before does not count.
    sweep(&sweeper, &[judged(3, Reason::TrailAbsent)]).await;
    let counts = sweeper.store().verdict_counts().await.unwrap();
    let expected = BTreeMap::from([(Verdict::Pass, 1), (Verdict::Fail, 2)]);
    assert_eq!((&counts.findings, &counts.accounts), (&expected, &expected));
    sweeper.store().show_size().await.unwrap();
}

#[tokio::test]
async fn an_incomplete_discovery_is_remembered_with_its_gap() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let id = sweeper.begin_sweep(&header()).await.unwrap();
    let discovery = DiscoveryState::Incomplete { gap: gap("r-1") };
    let summary = SweepSummary {
        discovery: Some(discovery.clone()),
        state: SweepState::Interrupted,
        ..summary()
    };
    sweeper.finish_sweep(id, &summary).await.unwrap();
    let row = sweeper.store().sweep(id).await.unwrap().unwrap();
    assert_eq!(row.discovery, Some(discovery));
    assert_eq!(row.state, SweepState::Interrupted);
}

#[tokio::test]
async fn a_sweep_whose_process_died_is_closed_as_abandoned_by_the_next() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let dead = sweeper.begin_sweep(&header()).await.unwrap();
    sweeper
        .commit(dead, &[judged(1, Reason::TrailAbsent)], &[])
        .await
        .unwrap();
    drop(sweeper);

    let sweeper = folder.sweeper().await;
    let next = sweeper.begin_sweep(&header()).await.unwrap();
    let states = async |id| sweeper.store().sweep(id).await.unwrap().unwrap().state;
    assert_eq!(states(dead).await, SweepState::Abandoned);
    assert_eq!(states(next).await, SweepState::Running);
    let all = crate::FindingQuery::default();
    let kept = sweeper.store().findings(&all).await.unwrap();
    assert_eq!(kept.len(), 1, "what it saw is kept");
}

#[tokio::test]
async fn a_sweep_that_is_over_takes_nothing_more() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let over = sweep(&sweeper, &[]).await;
    for id in [over, SweepId(99)] {
        let commit = sweeper
            .commit(id, &[judged(1, Reason::TrailAbsent)], &[])
            .await;
        let finish = sweeper.finish_sweep(id, &summary()).await;
        for error in [commit.unwrap_err(), finish.unwrap_err()] {
            assert!(matches!(error, Error::SweepNotRunning { .. }), "{error:?}");
        }
    }
    let path = folder.file("store.db");
    assert_eq!(number(&path, "SELECT count(*) FROM findings").await, 0);
}

#[tokio::test]
async fn an_unchanged_organization_is_stored_once() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    for _ in 0..3 {
        sweep(&sweeper, &[]).await;
    }
    let known = sweeper.store().organization().await.unwrap();
    assert_eq!(known, header().organization);
    let path = folder.file("store.db");
    // Beside the headers of the seals.
    let documents = "SELECT count(*) - (SELECT count(*) FROM seals) FROM documents";
    assert_eq!(number(&path, documents).await, 1);
}

#[tokio::test]
async fn administrators_that_could_not_be_listed_stay_a_gap() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let blind = SweepHeader {
        organization: Some(Organization {
            delegated_administrators: Err(gap("r-1")),
            ..organization("o-aaaaaaaaaa")
        }),
        ..header()
    };
    sweeper.begin_sweep(&blind).await.unwrap();
    let known = sweeper.store().organization().await.unwrap();
    assert_eq!(known, blind.organization);
}

/// Each sweep in turn; the last is admitted or refused.
async fn check_last(sweeps: &[(Option<&str>, u64)], is_admitted: bool) {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let (last, before) = sweeps.split_last().unwrap();
    for (organization, caller) in before {
        let header = header_of(*organization, *caller);
        let id = sweeper.begin_sweep(&header).await.unwrap();
        sweeper
            .commit(id, &[judged(2, Reason::TrailAbsent)], &[])
            .await
            .unwrap();
    }
    let begun = sweeper.begin_sweep(&header_of(last.0, last.1)).await;
    assert_eq!(begun.is_ok(), is_admitted, "{sweeps:?}: {begun:?}");
    if let Err(error) = begun {
        assert!(matches!(error, Error::OtherOwner { .. }), "{error:?}");
        assert!(error.is_bad_input());
        let rows = sweeper.store().sweeps(None).await.unwrap();
        assert_eq!(rows.len(), before.len(), "nothing was written");
        assert_eq!(rows[0].state, SweepState::Running, "nothing was closed");
    }
}

#[tokio::test]
async fn a_store_belongs_to_one_organization() {
    let (ours, theirs) = (Some("o-aaaaaaaaaa"), Some("o-bbbbbbbbbb"));
    check_last(&[(ours, 1), (ours, 1)], true).await;
    check_last(&[(ours, 1), (ours, 9)], true).await;
    check_last(&[(ours, 1), (theirs, 1)], false).await;
    // The organization cannot be described this time.
    check_last(&[(ours, 1), (None, 1)], true).await;
    check_last(&[(ours, 1), (None, 2)], true).await;
    check_last(&[(ours, 1), (None, 7)], false).await;
    check_last(&[(ours, 1), (None, 1), (theirs, 1)], false).await;
    // The organization becomes known later.
    check_last(&[(None, 5), (None, 5)], true).await;
    check_last(&[(None, 5), (None, 6)], false).await;
    check_last(&[(None, 5), (ours, 5)], true).await;
    check_last(&[(None, 1), (ours, 9)], true).await;
    check_last(&[(None, 5), (ours, 9)], false).await;
    check_last(&[(None, 5), (ours, 5), (theirs, 5)], false).await;
}

#[tokio::test]
async fn a_refusal_says_whose_store_it_is() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    sweep(&sweeper, &[]).await;
    let said = |header: SweepHeader| async {
        let header = header;
        sweeper.begin_sweep(&header).await.unwrap_err().to_string()
    };
    let other = said(header_of(Some("o-bbbbbbbbbb"), 1)).await;
    assert!(
        other.contains("history of organization o-aaaaaaaaaa"),
        "{other}"
    );
    assert!(
        other.contains("sweep is of organization o-bbbbbbbbbb"),
        "{other}"
    );
    let stranger = said(header_of(None, 7)).await;
    assert!(
        stranger.contains("sweep is of account 000000000007"),
        "{stranger}"
    );
}

#[tokio::test]
async fn a_damaged_value_is_named_by_table_column_and_row() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    sweep(&sweeper, &[]).await;
    let mut writer = sweeper.writer.lock().await;
    sqlx::query("UPDATE sweeps SET verdicts = '{\"MAYBE\": 1}'")
        .execute(&mut *writer)
        .await
        .unwrap();
    drop(writer);
    let error = sweeper.store().sweeps(None).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("column verdicts of row 1 in sweeps"),
        "{said}"
    );
}

#[tokio::test]
async fn a_sweep_may_be_written_from_another_task() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let task = tokio::spawn(async move {
        sweep(&sweeper, &[judged(1, Reason::TrailAbsent)]).await;
        let findings = sweeper
            .store()
            .findings(&crate::FindingQuery::default())
            .await
            .unwrap();
        sweeper.close().await.unwrap();
        findings.len()
    });
    assert_eq!(task.await.unwrap(), 1);
}

#[tokio::test]
async fn a_commit_that_is_dropped_midway_leaves_nothing_and_harms_nothing() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let id = sweeper.begin_sweep(&header()).await.unwrap();
    let many: Vec<_> = (1..200).map(|n| judged(n, Reason::TrailAbsent)).collect();
    for polls in 1..40 {
        let mut commit = Box::pin(sweeper.commit(id, &many, &[]));
        for _ in 0..polls {
            if futures_poll_once(&mut commit).await {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    sweeper
        .commit(id, &[judged(500, Reason::TrailAbsent)], &[])
        .await
        .unwrap();
    let path = folder.file("store.db");
    let accounts = number(&path, "SELECT count(*) FROM accounts").await;
    assert!([1, 200].contains(&accounts), "{accounts}: all or nothing");
}

/// Polls once; whether it is done.
async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> bool {
    let mut future = std::pin::Pin::new(future);
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_ready()))
        .await
}
