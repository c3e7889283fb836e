//! Archives of real sweeps verify without the store, and show what they may.

use proof::archive::verify;

use super::*;
use crate::{
    fixture::{Folder, account_id, raw},
    history_fixture::history,
};

async fn export(store: &Store, sweep: i64, account: Option<AccountId>) -> Result<Vec<u8>, Error> {
    let mut archive = Vec::new();
    let written = store.export(SweepId(sweep), account, &mut archive).await?;
    assert_eq!(verify(archive.as_slice(), None).unwrap(), written);
    Ok(archive)
}

#[tokio::test]
async fn every_sealed_sweep_has_an_archive_that_verifies() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let store = sweeper.store();
    let seals = store.seals().await.unwrap();
    let head = seals.last().unwrap().seal.hash;
    for row in &seals {
        let sweep = row.seal.sweep;
        let archive = export(store, sweep.0, None).await.unwrap();
        let verified = verify(archive.as_slice(), Some(head)).unwrap();
        assert_eq!((verified.sweep, verified.seal), (sweep, row.seal.hash));
        assert_eq!((verified.head, verified.seals), (head, 7));
        assert!(verified.is_whole);
        let sweep = store.sweep(sweep).await.unwrap().unwrap();
        // A narrowed sweep looked at one account; the archive has what is known of all.
        assert!(verified.accounts >= sweep.accounts_seen);
        if sweep.scope.accounts.is_empty() {
            assert_eq!(verified.verdicts, sweep.verdicts);
        }
    }
}

#[tokio::test]
async fn every_account_has_an_archive_that_withholds_the_others() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    for (number, sweep, drifts, journal) in [
        (1, 3, (1, 2), (0, 2)),
        (2, 3, (1, 2), (1, 1)),
        (3, 3, (0, 3), (0, 2)),
        (4, 6, (0, 1), (0, 0)),
        (7, 8, (0, 0), (0, 0)),
    ] {
        let id = account_id(number);
        let archive = export(sweeper.store(), sweep, Some(id)).await.unwrap();
        let verified = verify(archive.as_slice(), None).unwrap();
        assert!(!verified.is_whole);
        assert_eq!(verified.accounts, 1);
        let count = |count: proof::archive::BatchCount| (count.shown, count.withheld);
        assert_eq!(count(verified.drifts), drifts, "drifts of {number}");
        assert_eq!(count(verified.journal), journal, "journal of {number}");
        let tar = zstd::decode_all(archive.as_slice()).unwrap();
        let text = String::from_utf8_lossy(&tar);
        for other in [1, 2, 3, 4, 7].into_iter().filter(|other| *other != number) {
            let name = format!("account-{other}");
            assert!(!text.contains(&name), "{number} shows {name}");
            let file = format!("accounts/{}", account_id(other));
            assert!(!text.contains(&file), "{number} shows {file}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_exported_is_bad_input() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let store = sweeper.store();
    let running = sweeper
        .begin_sweep(&crate::fixture::header())
        .await
        .unwrap();
    for (sweep, account, expected) in [
        (99, None, "has no sweep 99"),
        (2, None, "it was stopped before its end"),
        (running.0, None, "it is under way"),
        (3, Some(9), "account 000000000009 was not known"),
        (6, Some(2), "when sweep 6 ended"),
    ] {
        let mut out = Vec::new();
        let account = account.map(account_id);
        let error = store
            .export(SweepId(sweep), account, &mut out)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.is_bad_input(), "{error:?}");
        assert!(out.is_empty());
    }
}

#[tokio::test]
async fn an_altered_store_exports_nothing_that_verifies() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let mut connection = raw(&folder.file("store.db")).await;
    sqlx::query("UPDATE account_states SET name = 'x' WHERE account = '000000000001'")
        .execute(&mut connection)
        .await
        .unwrap();
    for account in [None, Some(account_id(1))] {
        let error = sweeper
            .store()
            .export(SweepId(3), account, Vec::new())
            .await;
        let misfit = error.unwrap_err().misfit().unwrap().clone();
        assert_eq!(misfit.what, "Merkle root");
    }
}

#[tokio::test]
async fn an_output_that_fails_is_said() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let error = sweeper
        .store()
        .export(SweepId(3), None, Full)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Export { .. }), "{error:?}");
}
