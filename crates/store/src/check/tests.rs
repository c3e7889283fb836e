//! What a check finds.

use super::*;
use crate::{
    fixture::{Folder, raw},
    history_fixture::history,
};

#[tokio::test]
async fn a_sound_store_has_no_problem() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    assert_eq!(
        sweeper.store().check().await.unwrap(),
        CheckReport::default()
    );
    drop(sweeper);
    let sweeper = history(&folder).await;
    assert_eq!(
        sweeper.store().check().await.unwrap(),
        CheckReport::default()
    );
}

#[tokio::test]
async fn each_kind_of_damage_is_named() {
    for (statement, check, found) in [
        (
            "DELETE FROM documents WHERE id = (SELECT detail FROM findings WHERE id = 1)",
            "references",
            "findings",
        ),
        (
            "DELETE FROM documents WHERE id NOT IN (SELECT detail FROM findings UNION SELECT header FROM seals UNION SELECT evidence FROM account_leaves WHERE evidence IS NOT NULL UNION SELECT body FROM drifts UNION SELECT organization FROM sweeps UNION SELECT seen FROM sweeps WHERE seen IS NOT NULL)",
            "evidence",
            "is not there",
        ),
        (
            "UPDATE findings SET valid_until = 4 WHERE valid_until = 2",
            "one answer at a time",
            "overlap",
        ),
        (
            "UPDATE account_states SET valid_until = 7 WHERE valid_until = 6 AND account = '000000000004'",
            "one state at a time",
            "overlap",
        ),
        (
            "UPDATE account_leaves SET valid_until = 4 WHERE valid_until = 2",
            "one leaf at a time",
            "overlap",
        ),
        (
            "DELETE FROM account_states WHERE account = '000000000001'",
            "an answer has its account",
            "findings",
        ),
        (
            "DELETE FROM account_leaves WHERE account = '000000000001'",
            "an account has its leaf",
            "000000000001",
        ),
        (
            "UPDATE sweeps SET state = 'running' WHERE id = 2",
            "one sweep at a time",
            "sweep 2",
        ),
        ("DELETE FROM owner", "one owner", "nobody"),
        (
            "DELETE FROM drifts WHERE id > 2",
            "sealed drifts and records",
            "sweep 3",
        ),
    ] {
        let folder = Folder::new();
        history(&folder).await.close().await.unwrap();
        let mut connection = raw(&folder.file("store.db")).await;
        for statement in [
            "PRAGMA foreign_keys = OFF",
            "PRAGMA ignore_check_constraints = ON",
            statement,
        ] {
            sqlx::query(statement)
                .execute(&mut connection)
                .await
                .unwrap();
        }
        drop(connection);
        let store = Store::open_reader(folder.file("store.db")).await.unwrap();
        let report = store.check().await.unwrap();
        let named = report
            .problems
            .iter()
            .find(|problem| problem.check == check);
        let named = named.unwrap_or_else(|| panic!("{statement}: {report:?}"));
        assert!(named.found.contains(found), "{statement}: {named:?}");
    }
}
