//! A backup is a store of its own, whole, and takes nobody's place.

use super::*;
use crate::{
    fixture::{Folder, raw},
    history_fixture::{ABSENT, CONTROLS, header_at, history, judged},
};

#[tokio::test]
async fn a_backup_is_the_store_as_it_was() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let to = folder.file("backup.db");
    let backup = sweeper.store().backup(&to).await.unwrap();
    let head = sweeper.store().seals().await.unwrap().pop().unwrap().seal;
    assert_eq!(backup.path, to);
    assert_eq!(backup.latest_sweep, Some(SweepId(8)));
    assert_eq!(backup.head, Some((SweepId(8), head.hash)));
    assert_eq!(backup.bytes, fs::metadata(&to).unwrap().len());
    let copy = Store::open_reader(&to).await.unwrap();
    let verified = copy.verify(Some(head.hash)).await.unwrap();
    assert_eq!(
        verified,
        sweeper.store().verify(Some(head.hash)).await.unwrap()
    );
    assert!(copy.check().await.unwrap().is_sound());
    copy.close().await;
    // It can be swept into.
    let sweeper = Store::open_sweeper(&to).await.unwrap();
    let header = header_at(9, &[], &CONTROLS);
    assert_eq!(sweeper.begin_sweep(&header).await.unwrap(), SweepId(9));
}

#[tokio::test]
async fn a_backup_while_sweeping_has_whole_commits() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let sweep = sweeper
        .begin_sweep(&header_at(9, &[], &CONTROLS))
        .await
        .unwrap();
    let groups: Vec<Vec<_>> = (1..=20)
        .map(|group| (1..=10).map(|n| judged(group * 100 + n, ABSENT)).collect())
        .collect();
    let commits = async {
        for group in &groups {
            sweeper.commit(sweep, group, &[]).await.unwrap();
        }
    };
    let backups = async {
        for number in 0..4 {
            let to = folder.file(&format!("backup-{number}.db"));
            sweeper.store().backup(to).await.unwrap();
        }
    };
    // One task does both, and each waits for the database most of the time.
    let ((), ()) = tokio::join!(commits, backups);
    for number in 0..4 {
        let path = folder.file(&format!("backup-{number}.db"));
        let copy = Store::open_reader(&path).await.unwrap();
        copy.verify(None).await.unwrap();
        assert!(copy.check().await.unwrap().is_sound());
        let seen = copy.sweep(sweep).await.unwrap().unwrap().accounts_seen;
        assert_eq!(seen % 10, 0, "all of a group, or none");
    }
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_is_left() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    fs::write(folder.file("taken"), "theirs").unwrap();
    let files = folder.files();
    for name in ["taken", "store.db"] {
        let error = sweeper.store().backup(folder.file(name)).await.unwrap_err();
        assert!(matches!(error, Error::TargetExists { .. }), "{error:?}");
        assert!(error.is_bad_input());
    }
    let error = sweeper
        .store()
        .backup(folder.file("no/backup.db"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::FolderMissing { .. }), "{error:?}");
    assert_eq!(folder.files(), files);
    assert_eq!(fs::read(folder.file("taken")).unwrap(), b"theirs");
    // One that appears meanwhile is noticed, too.
    fs::write(folder.file("part"), "ours").unwrap();
    let error = put_in_place(&folder.file("part"), &folder.file("taken")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let to = folder.file("backup.db");
    sweeper.store().backup(&to).await.unwrap();
    let mode = fs::metadata(&to).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!folder.files().iter().any(|file| file.contains("partial")));
}

#[tokio::test]
async fn a_store_that_cannot_be_read_leaves_no_backup() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    sweeper.close().await.unwrap();
    let path = folder.file("store.db");
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'findings'";
    let page = usize::try_from(crate::fixture::number(&path, root).await).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[(page - 1) * 4096..page * 4096].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let store = Store::open_reader(&path).await.unwrap();
    let error = store.backup(folder.file("backup.db")).await.unwrap_err();
    assert!(error.to_string().contains("the file is damaged"), "{error}");
    assert!(!folder.files().iter().any(|file| file.contains("backup")));
    let report = store.check().await.unwrap();
    assert_eq!(report.problems[0].check, "the file");
    drop(raw(&path).await);
}
