//! A sweep that stopped goes on, or is closed with what it saw.

use jiff::SignedDuration;
use model::{Reason, SweepState, SweepSummary};

use super::*;
use crate::fixture::{Folder, account_id, header, judged, noon, number, summary, sweep};

const PROGRESS: &str = "SELECT count(*) FROM sweep_progress";

/// A store in which a process died after it committed two accounts.
async fn died(folder: &Folder) -> SweepId {
    let sweeper = folder.sweeper().await;
    // Before that, a whole sweep in which one account was otherwise.
    let before = [
        judged(1, Reason::TrailAbsent),
        judged(2, Reason::TrailAbsent),
    ];
    sweep(&sweeper, &before).await;
    let dead = sweeper.begin_sweep(&header()).await.unwrap();
    let seen = [
        judged(1, Reason::TrailAbsent),
        judged(2, Reason::EvidenceGap),
    ];
    sweeper.commit(dead, &seen, &[]).await.unwrap();
    dead
}

fn counts() -> BTreeMap<Verdict, u64> {
    [(Verdict::Fail, 1), (Verdict::Unknown, 1)].into()
}

#[tokio::test]
async fn a_sweep_whose_process_died_goes_on_with_what_is_missing() {
    let folder = Folder::new();
    let dead = died(&folder).await;
    let sweeper = folder.sweeper().await;
    let resumed = sweeper.resume_sweep(&header(), noon()).await.unwrap();
    assert_eq!(
        resumed,
        Some(ResumedSweep {
            id: dead,
            judged: [1, 2].map(account_id).into(),
            gaps: std::collections::BTreeMap::new(),
            verdicts: counts(),
            api_calls: 0,
        })
    );
    sweeper
        .commit(dead, &[judged(3, Reason::TrailAbsent)], &[])
        .await
        .unwrap();
    sweeper.finish_sweep(dead, &summary()).await.unwrap();
    let row = sweeper.store().sweep(dead).await.unwrap().unwrap();
    assert_eq!((row.state, row.accounts_seen), (SweepState::Finished, 3));
    assert_eq!(number(&folder.file("store.db"), PROGRESS).await, 0);
    let again = sweeper.resume_sweep(&header(), noon()).await.unwrap();
    assert_eq!(again, None, "it came to its end");
}

#[tokio::test]
async fn a_sweep_that_was_interrupted_goes_on_and_knows_its_calls() {
    let folder = Folder::new();
    let id = died(&folder).await;
    let sweeper = folder.sweeper().await;
    let stopped = SweepSummary {
        state: SweepState::Interrupted,
        discovery: None,
        ..summary()
    };
    sweeper.finish_sweep(id, &stopped).await.unwrap();
    let resumed = sweeper.resume_sweep(&header(), noon()).await.unwrap();
    assert_eq!(resumed.map(|resumed| resumed.api_calls), Some(17));
    let row = sweeper.store().sweep(id).await.unwrap().unwrap();
    assert_eq!((row.state, row.finished_at), (SweepState::Running, None));
}

#[tokio::test]
async fn another_scope_version_or_day_is_another_sweep() {
    let folder = Folder::new();
    died(&folder).await;
    let sweeper = folder.sweeper().await;
    let mut other_scope = header();
    other_scope.scope.accounts = vec!["prod-*".to_owned()];
    let mut other_version = header();
    other_version.scanner_version = "0.2.0".to_owned();
    let later = noon() + SignedDuration::from_secs(1);
    for (header, not_before) in [
        (other_scope, noon()),
        (other_version, noon()),
        (header(), later),
    ] {
        let resumed = sweeper.resume_sweep(&header, not_before).await.unwrap();
        assert_eq!(resumed, None, "{header:?}");
    }
    assert!(
        sweeper
            .resume_sweep(&header(), noon())
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_sweep_that_is_not_resumed_is_closed_as_abandoned_with_what_it_saw() {
    let folder = Folder::new();
    let dead = died(&folder).await;
    let sweeper = folder.sweeper().await;
    sweeper.begin_sweep(&header()).await.unwrap();
    let row = sweeper.store().sweep(dead).await.unwrap().unwrap();
    assert_eq!(row.state, SweepState::Abandoned);
    assert_eq!(row.verdicts, counts());
    assert_eq!((row.accounts_seen, row.finished_at), (2, None));
    assert_eq!(number(&folder.file("store.db"), PROGRESS).await, 0);
}

#[tokio::test]
async fn an_interrupted_sweep_of_a_version_that_kept_no_progress_is_not_resumed() {
    let folder = Folder::new();
    died(&folder).await;
    let sweeper = folder.sweeper().await;
    clear(&mut *sweeper.writer.lock().await).await.unwrap();
    let resumed = sweeper.resume_sweep(&header(), noon()).await.unwrap();
    assert_eq!(resumed, None);
}

#[tokio::test]
async fn a_sweep_that_another_one_overtook_is_named_with_it() {
    let folder = Folder::new();
    let dead = died(&folder).await;
    let sweeper = folder.sweeper().await;
    let overtaken = async || sweeper.overtaken_sweep(&header(), noon()).await.unwrap();
    assert_eq!(overtaken().await, None, "it can go on");
    let mut narrow = header();
    narrow.scope.accounts = vec![account_id(1).to_string()];
    let by = sweeper.begin_sweep(&narrow).await.unwrap();
    sweeper.finish_sweep(by, &summary()).await.unwrap();
    let resumed = sweeper.resume_sweep(&header(), noon()).await.unwrap();
    assert_eq!(resumed, None);
    let expected = Some(OvertakenSweep { id: dead, by });
    assert_eq!(overtaken().await, expected);
    let later = noon() + SignedDuration::from_secs(1);
    let too_old = sweeper.overtaken_sweep(&header(), later).await.unwrap();
    assert_eq!(too_old, None);
    // What a later one of the same scope has looked at need not be gone on with.
    sweep(&sweeper, &[judged(1, Reason::TrailAbsent)]).await;
    assert_eq!(overtaken().await, None);
}
