//! A store of each earlier step of the schema comes through with everything that it knew.

use model::{ContentHash, SweepId, SweepState};
use sqlx::Row;

use super::*;
use crate::{
    DriftQuery, FindingQuery, JournalKind,
    column::Columns,
    evidence::{self, Documents},
    history_fixture::{ABSENT, history, judged, no_drifts, whole},
};

/// Since which step, its name, and columns with the step that added them.
type Table = (i64, &'static str, &'static [(i64, &'static str)]);

/// The tables of each step in the order in which rows can be put in, with columns that a later step
/// added: a store of that step had none of these.
const TABLES: [Table; 14] = [
    (1, "documents", &[]),
    (
        1,
        "sweeps",
        &[
            (2, "is_abandoned"),
            (4, "saw_all"),
            (4, "seen"),
            (4, "configuration"),
        ],
    ),
    (1, "owner", &[]),
    (1, "accounts", &[]),
    (1, "account_states", &[(12, "tags")]),
    (1, "findings", &[]),
    (3, "account_leaves", &[]),
    (10, "alerts", &[]),
    (10, "alert_notices", &[]),
    (10, "alert_outbox", &[]),
    (
        5,
        "drifts",
        &[(10, "routing"), (10, "alert"), (13, "message")],
    ),
    (6, "journal", &[]),
    (7, "seals", &[]),
    (11, "tokens", &[]),
];

/// A store at this step, with the rows of a history as that step had them.
async fn of_step(step: i64, rows: &Path, path: &Path) {
    create(path, path).await.unwrap();
    let mut connection = raw(path).await;
    MIGRATOR.run_to(step, &mut connection).await.unwrap();
    sqlx::query("ATTACH ?1 AS history")
        .bind(rows.to_str().unwrap())
        .execute(&mut connection)
        .await
        .unwrap();
    for (since, table, added) in TABLES {
        if since > step {
            continue;
        }
        let later: Vec<&str> = (added.iter())
            .filter_map(|(since, column)| (*since > step).then_some(*column))
            .collect();
        let columns: Vec<String> = sqlx::query("SELECT name FROM pragma_table_info(?1, 'history')")
            .bind(table)
            .fetch_all(&mut connection)
            .await
            .unwrap()
            .iter()
            .map(|row| row.get::<String, _>("name"))
            .filter(|column| !later.contains(&column.as_str()))
            .collect();
        let columns = columns.join(", ");
        // Before leaves, each finding had the evidence of its account.
        let (into, from) = if table == "findings" && step < 3 {
            (
                format!("{columns}, evidence"),
                format!(
                    "SELECT {columns}, (SELECT evidence FROM history.account_leaves AS leaf
                         WHERE leaf.account = findings.account
                             AND leaf.valid_from <= findings.valid_from
                             AND (leaf.valid_until IS NULL
                                 OR leaf.valid_until > findings.valid_from))
                     FROM history.findings AS findings"
                ),
            )
        } else {
            (
                columns.clone(),
                format!("SELECT {columns} FROM history.{table}"),
            )
        };
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO main.{table} ({into}) {from}"
        )))
        .execute(&mut connection)
        .await
        .unwrap();
    }
    if (5..13).contains(&step) {
        put_messages_into_bodies(&mut connection).await;
    }
    connection.close().await.unwrap();
}

/// Before the thirteenth step, the sentence of a drift stood in its body.
async fn put_messages_into_bodies(connection: &mut SqliteConnection) {
    let rows = sqlx::query(
        "SELECT drifts.id, message, size, documents.body
         FROM history.drifts JOIN history.documents ON documents.id = drifts.body",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    for row in &rows {
        let text = evidence::text(&Columns::of("documents", row).unwrap()).unwrap();
        let mut body: serde_json::Value = serde_json::from_str(&text).unwrap();
        body["message"] = row.get::<String, _>("message").into();
        let text = model::canonical_json(&body);
        let hash = ContentHash::of_text(&text);
        let stored = evidence::put(connection, &Documents::from([(hash, text.as_str())]))
            .await
            .unwrap();
        sqlx::query("UPDATE main.drifts SET body = ?2 WHERE id = ?1")
            .bind(row.get::<i64, _>("id"))
            .bind(stored[&hash])
            .execute(&mut *connection)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn every_earlier_schema_comes_through_without_loss() {
    let folder = Folder::new();
    history(&folder).await.close().await.unwrap();
    let rows = folder.file("store.db");
    let now = Store::open_reader(&rows).await.unwrap();
    let newest = newest_schema();
    let steps = MIGRATOR.iter().map(|step| step.version);
    for step in steps.filter(|step| *step < newest) {
        let path = folder.file(&format!("of-step-{step}.db"));
        of_step(step, &rows, &path).await;
        let schema = Store::schema(&path).await.unwrap();
        assert_eq!((schema.from, schema.to), (step, newest));
        let refused = Store::open_reader(&path).await.unwrap_err();
        assert!(
            refused.to_string().contains("scanner store migrate"),
            "{refused}"
        );
        let migrated = Store::migrate(&path).await.unwrap();
        assert_eq!((migrated.from, migrated.to), (step, newest));

        let sweeper = Store::open_sweeper(&path).await.unwrap();
        let then = sweeper.store();
        assert!(then.check().await.unwrap().is_sound(), "step {step}");
        for sweep in 1..=8 {
            let query = FindingQuery {
                sweep: Some(SweepId(sweep)),
                ..FindingQuery::default()
            };
            let mut expected = now.findings(&query).await.unwrap();
            let mut found = then.findings(&query).await.unwrap();
            if step < 3 {
                // A change of evidence alone made a finding of its own, which this history has not.
                for row in expected.iter_mut().chain(&mut found) {
                    row.evidence_root = None;
                }
            }
            assert_eq!(found, expected, "step {step}, sweep {sweep}");
        }
        let (expected, found) = (
            now.sweeps(None).await.unwrap(),
            then.sweeps(None).await.unwrap(),
        );
        for (mut expected, found) in expected.into_iter().zip(found) {
            if step < 2 && expected.state == SweepState::Abandoned {
                expected.state = SweepState::Interrupted;
            }
            assert_eq!(found, expected, "step {step}");
        }
        assert_eq!(
            then.remembered_accounts().await.unwrap(),
            now.remembered_accounts().await.unwrap()
        );
        let all = DriftQuery::default();
        let drifts = if step < 5 {
            Vec::new()
        } else {
            now.drifts(&all).await.unwrap()
        };
        assert_eq!(then.drifts(&all).await.unwrap(), drifts, "step {step}");
        // What was found before there were alerts is not told now.
        let waiting = then.waiting_sweeps().await.unwrap();
        let expected = if step < 10 {
            Vec::new()
        } else {
            now.waiting_sweeps().await.unwrap()
        };
        assert_eq!(waiting, expected, "step {step}");
        let author = JournalKind::Author;
        let journal = if step < 6 {
            Vec::new()
        } else {
            now.journal(author, None).await.unwrap()
        };
        assert_eq!(
            then.journal(author, None).await.unwrap(),
            journal,
            "step {step}"
        );
        let seals = if step < 7 {
            Vec::new()
        } else {
            now.seals().await.unwrap()
        };
        assert_eq!(then.seals().await.unwrap(), seals, "step {step}");
        // It goes on, and what is sealed from here on verifies.
        let accounts = [judged(1, ABSENT), judged(3, ABSENT)];
        whole(&sweeper, 20, &accounts, no_drifts).await;
        let verified = then.verify(None).await.unwrap();
        assert_eq!(
            verified.sealed_since,
            Some(SweepId(if step < 7 { 9 } else { 1 }))
        );
        then.export(SweepId(9), None, Vec::new()).await.unwrap();
    }
}

#[tokio::test]
async fn migrating_makes_no_store_and_does_nothing_twice() {
    let folder = Folder::new();
    let error = Store::migrate(folder.file("store.db")).await.unwrap_err();
    assert!(matches!(error, Error::StoreMissing { .. }), "{error:?}");
    assert!(folder.files().is_empty());
    folder.sweeper().await.close().await.unwrap();
    let migrated = Store::migrate(folder.file("store.db")).await.unwrap();
    assert_eq!(migrated.from, migrated.to);
}
