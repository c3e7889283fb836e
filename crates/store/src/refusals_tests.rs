//! What SQLite refuses, for real: a full file, a lock that somebody holds, a file that is read-only.
//! Nothing is half-written, nothing that was committed is lost, and the same sweeper goes on.

use std::time::Duration;

use jiff::Timestamp;
use model::{SweepId, SweepState};
use sqlx::{Connection, SqliteConnection};

use crate::{
    Error, FindingQuery, JournalKind, KeepFrom, Store, Sweeper,
    fixture::{Folder, raw},
    history_fixture::{
        ABSENT, CONTROLS, MIXED, header_at, history, judged, no_drifts, summary_of, whole,
    },
};

async fn pragma(sweeper: &Sweeper, pragma: String) {
    let mut writer = sweeper.writer.lock().await;
    sqlx::query(sqlx::AssertSqlSafe(pragma))
        .execute(&mut *writer)
        .await
        .unwrap();
}

/// Lets the file grow by so many pages and no more.
async fn limit(sweeper: &Sweeper, pages: i64) {
    let has: i64 = {
        let mut writer = sweeper.writer.lock().await;
        sqlx::query_scalar("PRAGMA page_count")
            .fetch_one(&mut *writer)
            .await
            .unwrap()
    };
    pragma(sweeper, format!("PRAGMA max_page_count = {}", has + pages)).await;
}

async fn unlimited(sweeper: &Sweeper) {
    pragma(sweeper, "PRAGMA max_page_count = 1000000".to_owned()).await;
}

async fn synchronous(sweeper: &Sweeper) -> i64 {
    let mut writer = sweeper.writer.lock().await;
    sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *writer)
        .await
        .unwrap()
}

async fn now(sweeper: &Sweeper) -> Vec<crate::FindingRow> {
    sweeper
        .store()
        .findings(&FindingQuery::default())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_full_disk_in_a_commit_loses_nothing_and_the_sweep_goes_on() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let header = header_at(9, &[], &CONTROLS);
    let sweep = sweeper.begin_sweep(&header).await.unwrap();
    sweeper
        .commit(sweep, &[judged(1, MIXED)], &[])
        .await
        .unwrap();
    let before = now(&sweeper).await;
    let many: Vec<_> = (100..400).map(|n| judged(n, ABSENT)).collect();
    for pages in [0, 1, 2, 5, 10, 20] {
        limit(&sweeper, pages).await;
        let error = sweeper.commit(sweep, &many, &[]).await.unwrap_err();
        assert!(error.to_string().contains("the disk is full"), "{error:?}");
        assert!(!error.is_bad_input());
        assert_eq!(now(&sweeper).await, before, "nothing of it is there");
        let row = sweeper.store().sweep(sweep).await.unwrap().unwrap();
        assert_eq!(row.accounts_seen, 1);
        sweeper.store().verify(None).await.unwrap();
    }
    // There is room again: the same process goes on.
    unlimited(&sweeper).await;
    sweeper.commit(sweep, &many, &[]).await.unwrap();
    let mut all = many.clone();
    all.push(judged(1, MIXED));
    sweeper
        .finish_sweep(sweep, &summary_of(9, &all))
        .await
        .unwrap();
    let verified = sweeper.store().verify(None).await.unwrap();
    assert_eq!(verified.head_sweep, Some(sweep));
    assert_eq!(now(&sweeper).await.len(), 6 + 600 + 2);
}

#[tokio::test]
async fn a_full_disk_at_the_seal_leaves_a_sweep_that_can_be_finished() {
    full_at_the_seal(false).await;
}

#[tokio::test]
async fn a_full_disk_at_the_seal_leaves_a_sweep_that_can_be_resumed() {
    full_at_the_seal(true).await;
}

async fn full_at_the_seal(gives_up: bool) {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let header = header_at(9, &[], &CONTROLS);
    let sweep = sweeper.begin_sweep(&header).await.unwrap();
    sweeper
        .commit(sweep, &[judged(1, MIXED)], &[])
        .await
        .unwrap();
    // What is left of free pages is used up first.
    let filler = serde_json::Value::from("x".repeat(3000));
    limit(&sweeper, 0).await;
    let mut number = 0;
    loop {
        number += 1;
        let recorded = sweeper
            .record_in_journal(Timestamp::UNIX_EPOCH, JournalKind::Exception, "e", &filler)
            .await;
        if let Err(error) = recorded {
            assert!(error.to_string().contains("the disk is full"), "{error:?}");
            break;
        }
        assert!(number < 100);
    }
    let long = "o".repeat(20_000);
    let mut summary = summary_of(9, &[judged(1, MIXED)]);
    summary.discovery = Some(model::DiscoveryState::Incomplete {
        gap: crate::fixture::gap(&long),
    });
    let error = sweeper.finish_sweep(sweep, &summary).await.unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error:?}");
    assert_eq!(synchronous(&sweeper).await, 1, "commits are quick again");
    let row = sweeper.store().sweep(sweep).await.unwrap().unwrap();
    assert_eq!(row.state, SweepState::Running);
    assert!(sweeper.store().seal(sweep).await.unwrap().is_none());
    sweeper.store().verify(None).await.unwrap();
    if !gives_up {
        // There is room again: the same process goes on.
        unlimited(&sweeper).await;
        assert!(
            sweeper
                .finish_sweep(sweep, &summary)
                .await
                .unwrap()
                .is_some()
        );
        sweeper.store().verify(None).await.unwrap();
        return;
    }
    // The next process goes on where it was.
    drop(sweeper);
    let sweeper = folder.sweeper().await;
    let resumed = sweeper
        .resume_sweep(&header, Timestamp::MIN)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((resumed.id, resumed.judged.len()), (sweep, 1));
    assert!(
        sweeper
            .finish_sweep(sweep, &summary)
            .await
            .unwrap()
            .is_some()
    );
    sweeper.store().verify(None).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_while_pruning_is_gone_on_with_later() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    limit(&sweeper, 0).await;
    // Dropping needs next to no room; whatever comes of it, the store fits together.
    let pruned = sweeper.prune(KeepFrom::Sweep(SweepId(6))).await;
    sweeper.store().verify(None).await.unwrap();
    unlimited(&sweeper).await;
    if pruned.is_err() {
        sweeper.prune(KeepFrom::Sweep(SweepId(6))).await.unwrap();
    }
    assert_eq!(
        sweeper.store().verify(None).await.unwrap().content_from,
        Some(SweepId(6))
    );
}

/// Another connection that holds the write lock until it is dropped.
async fn holder(folder: &Folder) -> SqliteConnection {
    let mut other = raw(&folder.file("store.db")).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    other
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_fails_the_write_and_nothing_else() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    pragma(&sweeper, "PRAGMA busy_timeout = 50".to_owned()).await;
    let header = header_at(9, &[], &CONTROLS);
    let sweep = sweeper.begin_sweep(&header).await.unwrap();
    sweeper
        .commit(sweep, &[judged(1, MIXED)], &[])
        .await
        .unwrap();
    let before = now(&sweeper).await;

    let other = holder(&folder).await;
    let one = [judged(2, ABSENT)];
    let summary = summary_of(9, &one);
    let errors: Vec<Error> = vec![
        sweeper.commit(sweep, &one, &[]).await.unwrap_err(),
        sweeper.finish_sweep(sweep, &summary).await.unwrap_err(),
        sweeper.begin_sweep(&header).await.unwrap_err(),
        sweeper
            .prune(KeepFrom::Sweep(SweepId(6)))
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert!(
            error
                .to_string()
                .contains("another process holds it locked"),
            "{error}"
        );
    }
    assert_eq!(synchronous(&sweeper).await, 1);
    assert_eq!(now(&sweeper).await, before, "readers do not wait");
    sweeper
        .store()
        .backup(folder.file("backup.db"))
        .await
        .unwrap();
    other.close().await.unwrap();

    sweeper.commit(sweep, &one, &[]).await.unwrap();
    sweeper
        .finish_sweep(
            sweep,
            &summary_of(9, &[judged(1, MIXED), judged(2, ABSENT)]),
        )
        .await
        .unwrap();
    sweeper.store().verify(None).await.unwrap();
}

#[tokio::test]
async fn another_process_that_writes_shortly_is_waited_for() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let path = folder.file("store.db");
    let script = "import sqlite3, sys, time\n\
        other = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
        other.execute('BEGIN IMMEDIATE')\n\
        print('held', flush=True)\n\
        time.sleep(1)\n\
        other.execute('COMMIT')\n";
    let child = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(&path)
        .stdout(std::process::Stdio::piped())
        .spawn();
    // Where there is no Python, the test above has held the lock within this process.
    let Ok(mut child) = child else { return };
    let mut held = [0; 4];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut held).unwrap();
    let began = std::time::Instant::now();
    whole(&sweeper, 9, &[judged(1, MIXED)], no_drifts).await;
    assert!(began.elapsed() > Duration::from_millis(500));
    assert!(child.wait().unwrap().success());
    sweeper.store().verify(None).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_may_not_be_written_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    history(&folder).await.close().await.unwrap();
    let path = folder.file("store.db");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    let is_root = std::fs::OpenOptions::new().append(true).open(&path).is_ok();
    if !is_root {
        let error = Store::open_sweeper(&path).await.map(|_| ()).unwrap_err();
        assert!(
            error.to_string().contains("it may not be written to"),
            "{error}"
        );
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    // The same refusal for root: SQLite itself is told not to write.
    let sweeper = folder.sweeper().await;
    pragma(&sweeper, "PRAGMA query_only = 1".to_owned()).await;
    let header = header_at(9, &[], &CONTROLS);
    let error = sweeper.begin_sweep(&header).await.unwrap_err();
    assert!(
        error.to_string().contains("it may not be written to"),
        "{error}"
    );
    pragma(&sweeper, "PRAGMA query_only = 0".to_owned()).await;
    sweeper.begin_sweep(&header).await.unwrap();
}
