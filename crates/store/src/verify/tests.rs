//! Everything that must be noticed, and what is not sealed.

mod alterations;
mod year;

use model::{DriftId, SweepId, SweepState};

use super::*;
use crate::{
    fixture::{Folder, account_id, raw},
    history_fixture::{ABSENT, CONTROLS, history, judged, no_drifts, whole},
};

#[tokio::test]
async fn a_history_of_every_kind_of_sweep_verifies() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let verified = sweeper.store().verify(None).await.unwrap();
    let seals = sweeper.store().seals().await.unwrap();
    let expected = VerifiedStore {
        head: seals.last().map(|row| row.seal.hash),
        head_sweep: Some(SweepId(8)),
        sealed_since: Some(SweepId(1)),
        content_from: None,
        noted_sweep: None,
        seals: 7,
        sweeps: 8,
        earlier_sweeps: 0,
        unfinished_sweeps: 1,
        unsealed_sweeps: 0,
        documents: verified.documents,
        accounts: 5,
        leaves: 11,
        findings: 17,
        drifts: 4,
        journal: 2,
        unsealed_drifts: 0,
        unsealed_journal: 1,
    };
    assert_eq!(verified, expected);
    // A new process remembers nothing and seals on.
    sweeper.close().await.unwrap();
    let sweeper = folder.sweeper().await;
    whole(&sweeper, 9, &[judged(1, ABSENT)], no_drifts).await;
    let verified = sweeper.store().verify(expected.head).await.unwrap();
    assert_eq!(verified.noted_sweep, Some(SweepId(8)));
    assert_eq!((verified.seals, verified.unsealed_journal), (8, 0));
}

#[tokio::test]
async fn a_noted_head_that_is_no_seal_is_named() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let noted = SealHash::from_bytes(&[7; 32]);
    let error = sweeper.store().verify(noted).await.unwrap_err();
    assert_eq!(error.misfit().unwrap().what, "noted head");
    let empty = Folder::new();
    let sweeper = empty.sweeper().await;
    assert_eq!(
        sweeper.store().verify(None).await.unwrap(),
        VerifiedStore::default()
    );
    let error = sweeper.store().verify(noted).await.unwrap_err();
    assert_eq!(error.misfit().unwrap().found, "no seal at all");
}

#[tokio::test]
async fn a_store_verifies_while_a_sweep_is_under_way() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let header = crate::history_fixture::header_at(9, &[], &crate::history_fixture::CONTROLS);
    let sweep = sweeper.begin_sweep(&header).await.unwrap();
    sweeper
        .commit(sweep, &[judged(1, crate::history_fixture::MIXED)], &[])
        .await
        .unwrap();
    let verified = sweeper.store().verify(None).await.unwrap();
    assert_eq!((verified.seals, verified.sweeps), (7, 9));
    assert_eq!(
        (verified.unfinished_sweeps, verified.unsealed_sweeps),
        (2, 1)
    );
    let row = sweeper.store().sweep(sweep).await.unwrap().unwrap();
    assert_eq!(row.state, SweepState::Running);
}

#[tokio::test]
async fn what_an_earlier_version_left_unsealed_is_said() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    sweeper.close().await.unwrap();
    // As a version without seals would have left it; then two sweeps with seals.
    let mut connection = raw(&folder.file("store.db")).await;
    for statement in [
        "DELETE FROM seals",
        "DELETE FROM drifts",
        "UPDATE account_leaves SET leaf = NULL",
    ] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    let sweeper = folder.sweeper().await;
    assert_eq!(
        sweeper.store().verify(None).await.unwrap().sealed_since,
        None
    );
    let accounts = [judged(1, ABSENT), judged(3, crate::history_fixture::MIXED)];
    whole(&sweeper, 10, &accounts, no_drifts).await;
    let verified = sweeper.store().verify(None).await.unwrap();
    assert_eq!(verified.sealed_since, Some(SweepId(9)));
    assert_eq!((verified.seals, verified.sweeps), (1, 9));
    assert_eq!(
        (verified.earlier_sweeps, verified.unfinished_sweeps),
        (7, 1)
    );
    let error = sweeper.store().export(SweepId(3), None, Vec::new()).await;
    assert!(matches!(error, Err(Error::SweepNotSealed { .. })));
}

#[tokio::test]
async fn a_sweep_that_did_not_end_is_not_taken_for_an_earlier_version_s() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let header = |hour| crate::history_fixture::header_at(hour, &[], &CONTROLS);
    let found = [judged(1, ABSENT)];
    // Stopped; then one whose process dies; then a whole one.
    let stopped = sweeper.begin_sweep(&header(0)).await.unwrap();
    sweeper.commit(stopped, &found, &[]).await.unwrap();
    let mut summary = crate::history_fixture::summary_of(0, &found);
    summary.state = SweepState::Interrupted;
    sweeper.finish_sweep(stopped, &summary).await.unwrap();
    let died = sweeper.begin_sweep(&header(1)).await.unwrap();
    sweeper.commit(died, &found, &[]).await.unwrap();
    whole(&sweeper, 2, &found, no_drifts).await;
    let verified = sweeper.store().verify(None).await.unwrap();
    assert_eq!(verified.sealed_since, Some(SweepId(3)));
    assert_eq!(
        (verified.earlier_sweeps, verified.unfinished_sweeps),
        (0, 2)
    );
    assert_eq!(verified.unsealed_sweeps, 0);
}

#[test]
fn drift_names_are_read_in_capitals_too() {
    // Which is why their spelling is compared.
    assert!("ABCDEF0123456789".parse::<DriftId>().is_ok());
    assert_eq!(account_id(1).to_string().len(), 12);
}
