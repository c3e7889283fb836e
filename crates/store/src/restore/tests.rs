//! What is there after a backup was put in the place of a store, and what is kept.

use model::SweepId;

use super::*;
use crate::{
    fixture::{Folder, raw},
    history_fixture::{ABSENT, CONTROLS, header_at, history, judged, no_drifts, whole},
};

async fn latest(path: &Path) -> Option<SweepId> {
    let store = Store::open_reader(path).await.unwrap();
    assert!(store.check().await.unwrap().is_sound());
    store.verify(None).await.unwrap();
    let latest = store.latest_sweep().await.unwrap();
    store.close().await;
    latest.map(|sweep| sweep.id)
}

#[tokio::test]
async fn a_backup_takes_the_place_of_a_store_with_a_log_which_is_kept() {
    let folder = Folder::new();
    let (store, backup) = (folder.file("store.db"), folder.file("backup.db"));
    let sweeper = history(&folder).await;
    sweeper.store().backup(&backup).await.unwrap();
    whole(&sweeper, 20, &[judged(1, ABSENT)], no_drifts).await;
    // As a process leaves it that is killed: what it committed last lies in the log.
    let (died, log) = (fs::read(&store).unwrap(), beside(&store, LOG));
    let left = fs::read(&log).unwrap();
    sweeper.close().await.unwrap();
    fs::write(&store, died).unwrap();
    fs::write(&log, &left).unwrap();

    let restored = Store::restore(&backup, &store).await.unwrap();
    assert_eq!(restored.backup.path, store);
    assert_eq!(restored.backup.latest_sweep, Some(SweepId(8)));
    let kept = restored.kept.unwrap();
    assert_eq!(kept, folder.file("store.db.replaced-1"));
    assert_eq!(latest(&store).await, Some(SweepId(8)));
    assert_eq!(latest(&kept).await, Some(SweepId(9)));
    assert_eq!(latest(&backup).await, Some(SweepId(8)));
    // Once more: what is kept is never overwritten. And it can be swept into.
    let again = Store::restore(&backup, &store).await.unwrap();
    assert_eq!(again.kept, Some(folder.file("store.db.replaced-2")));
    let sweeper = Store::open_sweeper(&store).await.unwrap();
    let header = header_at(9, &[], &CONTROLS);
    assert_eq!(sweeper.begin_sweep(&header).await.unwrap(), SweepId(9));
}

#[tokio::test]
async fn where_there_is_no_store_the_backup_becomes_one() {
    let folder = Folder::new();
    let (backup, store) = (folder.file("backup.db"), folder.file("new.db"));
    history(&folder)
        .await
        .store()
        .backup(&backup)
        .await
        .unwrap();
    let restored = Store::restore(&backup, &store).await.unwrap();
    assert_eq!(restored.kept, None);
    assert_eq!(latest(&store).await, Some(SweepId(8)));
}

#[tokio::test]
async fn what_is_refused_stays_as_it_was() {
    let folder = Folder::new();
    let (backup, store) = (folder.file("backup.db"), folder.file("store.db"));
    let sweeper = history(&folder).await;
    sweeper.store().backup(&backup).await.unwrap();
    let busy = Store::restore(&backup, &store).await.unwrap_err();
    assert!(matches!(busy, Error::SweeperBusy { .. }), "{busy:?}");
    sweeper.close().await.unwrap();

    let missing = Store::restore(folder.file("none.db"), &store).await;
    assert!(
        matches!(missing, Err(Error::StoreMissing { .. })),
        "{missing:?}"
    );
    let itself = Store::restore(&store, &store).await;
    assert!(
        matches!(itself, Err(Error::TargetExists { .. })),
        "{itself:?}"
    );
    let foreign = folder.file("notes.txt");
    fs::write(&foreign, "not a store").unwrap();
    let other = Store::restore(&backup, &foreign).await;
    assert!(matches!(other, Err(Error::NotSqlite { .. })), "{other:?}");
    assert_eq!(fs::read(&foreign).unwrap(), b"not a store");
    let other = Store::restore(&foreign, &store).await;
    assert!(matches!(other, Err(Error::NotSqlite { .. })), "{other:?}");

    // A damaged page in the middle.
    let mut damaged = fs::read(&backup).unwrap();
    let middle = damaged.len() / 2 / 4096 * 4096;
    damaged[middle..middle + 4096].fill(0xff);
    fs::write(&backup, damaged).unwrap();
    let before = folder.files();
    let refused = Store::restore(&backup, &store).await.unwrap_err();
    assert!(matches!(refused, Error::Database { .. }), "{refused:?}");
    assert_eq!(folder.files(), before);
    assert_eq!(latest(&store).await, Some(SweepId(8)));
}

#[tokio::test]
async fn a_file_that_is_replaced_under_whoever_has_it_open_is_noticed() {
    let folder = Folder::new();
    let (backup, store) = (folder.file("backup.db"), folder.file("store.db"));
    let sweeper = history(&folder).await;
    sweeper.store().backup(&backup).await.unwrap();
    sweeper.store().check_in_place().unwrap();
    let header = header_at(9, &[], &CONTROLS);
    sweeper.begin_sweep(&header).await.unwrap();
    fs::remove_file(&store).unwrap();
    for replace in [false, true] {
        if replace {
            fs::rename(&backup, &store).unwrap();
        }
        let lost = sweeper.store().check_in_place().unwrap_err();
        assert!(matches!(lost, Error::Replaced { .. }), "{lost:?}");
        let refused = sweeper.begin_sweep(&header).await.unwrap_err();
        assert!(matches!(refused, Error::Replaced { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn an_index_that_is_missing_is_found_and_so_is_a_trigger_of_somebody_else() {
    let folder = Folder::new();
    history(&folder).await.close().await.unwrap();
    let path = folder.file("store.db");
    let mut connection = raw(&path).await;
    sqlx::raw_sql(
        "DROP INDEX findings_by_verdict;
         CREATE TRIGGER quiet AFTER INSERT ON drifts BEGIN DELETE FROM drifts WHERE id = new.id; END",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let store = Store::open_reader(&path).await.unwrap();
    let report = store.check().await.unwrap();
    let found: Vec<&str> = (report.problems.iter())
        .map(|problem| problem.found.as_str())
        .collect();
    assert_eq!(
        found,
        [
            "the index findings_by_verdict is missing",
            "the trigger quiet is none of ours"
        ]
    );
}
