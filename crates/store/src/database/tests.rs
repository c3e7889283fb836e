//! What is opened, what is refused, and what a refusal leaves behind.

mod schemas;

use super::*;
use crate::fixture::{Folder, header, number, raw};

async fn refusal(path: &Path) -> [Error; 2] {
    [
        Store::open_sweeper(path).await.map(|_| ()).unwrap_err(),
        Store::open_reader(path).await.map(|_| ()).unwrap_err(),
    ]
}

/// Refuses as sweeper and as reader, says so naming the file, and leaves the folder as it was.
async fn check_refused(folder: &Folder, name: &str, expected: &str) {
    let path = folder.file(name);
    let (files, content) = (folder.files(), fs::read(&path).unwrap());
    for error in refusal(&path).await {
        let said = error.to_string();
        assert!(said.contains(expected), "{said}");
        assert!(said.contains(name), "{said}");
        assert!(error.is_bad_input(), "{error:?}");
    }
    assert_eq!(folder.files(), files, "nothing beside it");
    assert_eq!(fs::read(&path).unwrap(), content, "nothing written to it");
}

#[tokio::test]
async fn a_file_that_is_not_sqlite_is_refused_and_left_as_it_was() {
    let folder = Folder::new();
    for (name, content) in [
        ("short", b"x".to_vec()),
        ("text", b"to: whom it may concern\n".repeat(20)),
        ("cut", b"SQLite format 3\0".to_vec()),
    ] {
        fs::write(folder.file(name), content).unwrap();
        check_refused(&folder, name, "is not a SQLite database").await;
    }
}

/// Python's SQLite, in a process of its own, as whoever looks into the file with a tool has it.
async fn sweeps_as_another_program_sees_them(path: &Path) -> String {
    let count = "import sqlite3, sys\n\
                 print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM sweeps').fetchone()[0])";
    let run = tokio::process::Command::new("python3")
        .args(["-c", count])
        .arg(path)
        .output();
    let run = run.await.expect("python3 is installed");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8(run.stdout).unwrap().trim().to_owned()
}

/// The last one to close a file deletes its log. Another program is the last one where we have no locks.
#[tokio::test]
async fn another_program_beside_a_sweeper_takes_nothing_from_it() {
    let folder = Folder::new();
    let path = folder.file("store.db");
    let sweeper = folder.sweeper().await;
    crate::fixture::sweep(&sweeper, &[]).await;
    // As the service does: the same process opens the file several times, and closes it.
    let reader = Store::open_reader(&path).await.unwrap();
    let journal = Store::open_journal(&path).await.unwrap();
    Store::open_reader(&path).await.unwrap().close().await;
    assert_eq!(sweeps_as_another_program_sees_them(&path).await, "1");
    assert!(beside(&canonical(&path).unwrap(), "-wal").exists());
    crate::fixture::sweep(&sweeper, &[]).await;
    assert_eq!(sweeps_as_another_program_sees_them(&path).await, "2");
    assert_eq!(reader.sweeps(None).await.unwrap().len(), 2);
    drop(journal);
    sweeper.close().await.unwrap();
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_as_it_was() {
    let folder = Folder::new();
    for (name, signature) in [
        ("unsigned.db", "PRAGMA application_id = 0"),
        ("other.db", "PRAGMA application_id = 252006674"),
    ] {
        let mut connection = raw(&folder.file(name)).await;
        for statement in [signature, "CREATE TABLE theirs (a)"] {
            sqlx::query(statement)
                .execute(&mut connection)
                .await
                .unwrap();
        }
        connection.close().await.unwrap();
        check_refused(&folder, name, "of another program").await;
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_as_it_was() {
    let folder = Folder::new();
    folder.sweeper().await.close().await.unwrap();
    let path = folder.file("store.db");
    let mut connection = raw(&path).await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', TRUE, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    fs::remove_file(folder.file("store.db.lock.sweeper")).unwrap();
    let content = fs::read(&path).unwrap();
    for error in refusal(&path).await {
        assert!(
            matches!(error, Error::NewerSchema { found: 9999, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("newer version"), "{error}");
        assert!(error.is_bad_input());
    }
    assert_eq!(fs::read(&path).unwrap(), content);
    assert_eq!(folder.files(), ["store.db"]);
}

#[tokio::test]
async fn a_schema_that_was_edited_is_refused() {
    let folder = Folder::new();
    folder.sweeper().await.close().await.unwrap();
    let path = folder.file("store.db");
    let mut connection = raw(&path).await;
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00'")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let error = Store::open_sweeper(&path).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::Migration { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_no_file_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.file("folder")).unwrap();
    for error in refusal(&folder.file("folder")).await {
        assert!(matches!(error, Error::NotAFile { .. }), "{error:?}");
    }
    for error in refusal(&folder.file("missing/store.db")).await {
        assert!(matches!(error, Error::FolderMissing { .. }), "{error:?}");
        assert!(
            error.to_string().contains("missing does not exist"),
            "{error}"
        );
    }
    assert_eq!(folder.files(), ["folder"]);
}

#[tokio::test]
async fn a_reader_never_creates_a_store() {
    let folder = Folder::new();
    let error = Store::open_reader(folder.file("store.db"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::StoreMissing { .. }), "{error:?}");
    assert!(folder.files().is_empty());
}

#[tokio::test]
async fn a_second_sweeper_is_refused_until_the_first_is_gone() {
    let folder = Folder::new();
    let first = folder.sweeper().await;
    let error = Store::open_sweeper(folder.file("store.db"))
        .await
        .map(|_| ())
        .unwrap_err();
    let said = error.to_string();
    assert!(said.contains("another process is sweeping"), "{said}");
    assert!(said.contains("store.db.lock.sweeper"), "{said}");
    assert!(!error.is_bad_input());
    Store::open_reader(folder.file("store.db"))
        .await
        .unwrap()
        .sweeps(None)
        .await
        .unwrap();
    drop(first);
    folder.sweeper().await.close().await.unwrap();
    folder.sweeper().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_a_store_leads_to_the_same_lock() {
    let folder = Folder::new();
    let _first = folder.sweeper().await;
    std::os::unix::fs::symlink(folder.file("store.db"), folder.file("link.db")).unwrap();
    let error = Store::open_sweeper(folder.file("link.db"))
        .await
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(error, Error::SweeperBusy { .. }), "{error:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn every_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    sweeper.begin_sweep(&header()).await.unwrap();
    sweeper.store().sweeps(None).await.unwrap();
    let files = folder.files();
    assert_eq!(
        files,
        [
            "store.db",
            "store.db-shm",
            "store.db-wal",
            "store.db.lock.sweeper"
        ]
    );
    for file in files {
        let mode = fs::metadata(folder.file(&file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn everything_lies_in_the_one_file_once_the_sweeper_is_closed() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    sweeper.begin_sweep(&header()).await.unwrap();
    sweeper.close().await.unwrap();
    assert_eq!(folder.files(), ["store.db", "store.db.lock.sweeper"]);
    let path = folder.file("store.db");
    assert_eq!(number(&path, "SELECT count(*) FROM sweeps").await, 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    // Nothing is forbidden to root.
    let is_forbidden = fs::write(folder.file("probe"), "").is_err();
    if is_forbidden {
        let error = Store::open_sweeper(folder.file("store.db"))
            .await
            .map(|_| ())
            .unwrap_err();
        assert!(matches!(error, Error::File { .. }), "{error:?}");
        assert!(
            error.to_string().contains("store.db.lock.sweeper"),
            "{error}"
        );
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn a_store_whose_making_was_cut_short_is_finished_by_the_next_sweeper() {
    let folder = Folder::new();
    // Killed after the file was made.
    fs::write(folder.file("empty.db"), "").unwrap();
    let error = Store::open_reader(folder.file("empty.db"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::StoreMissing { .. }), "{error:?}");
    // Killed after it was signed.
    let signed = folder.file("signed.db");
    create(&signed, &signed).await.unwrap();
    let error = Store::open_reader(folder.file("signed.db"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::OlderSchema { found: 0, .. }),
        "{error:?}"
    );
    for name in ["empty.db", "signed.db"] {
        let sweeper = Store::open_sweeper(folder.file(name)).await.unwrap();
        sweeper.begin_sweep(&header()).await.unwrap();
        sweeper.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_file_name_is_never_taken_for_a_uri() {
    let folder = Folder::new();
    for name in [
        "with space.db",
        "100%?mode=memory#x.db",
        "file:x.db",
        "ü.db",
    ] {
        let sweeper = Store::open_sweeper(folder.file(name)).await.unwrap();
        sweeper.begin_sweep(&header()).await.unwrap();
        sweeper.close().await.unwrap();
        let reader = Store::open_reader(folder.file(name)).await.unwrap();
        assert_eq!(reader.sweeps(None).await.unwrap().len(), 1, "{name}");
        assert!(folder.files().contains(&name.to_owned()));
    }
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let refused = sqlx::query("DELETE FROM sweeps")
        .execute(&sweeper.store().readers)
        .await;
    assert!(refused.unwrap_err().to_string().contains("readonly"));
}

#[tokio::test]
async fn the_writer_keeps_foreign_keys_and_a_log() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let mut writer = sweeper.writer.lock().await;
    for (pragma, expected) in [
        ("SELECT foreign_keys FROM pragma_foreign_keys", "1"),
        ("SELECT journal_mode FROM pragma_journal_mode", "wal"),
        ("SELECT synchronous FROM pragma_synchronous", "1"),
        ("SELECT timeout FROM pragma_busy_timeout", "10000"),
    ] {
        let value: String = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT CAST(({pragma}) AS TEXT)"
        )))
        .fetch_one(&mut *writer)
        .await
        .unwrap();
        assert_eq!(value, expected, "{pragma}");
    }
}

// === the schema ===

#[tokio::test]
async fn every_table_of_ours_is_strict() {
    let folder = Folder::new();
    folder.sweeper().await.close().await.unwrap();
    let mut connection = raw(&folder.file("store.db")).await;
    let lax: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND NOT strict
             AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(lax.is_empty(), "{lax:?}");
}

#[tokio::test]
async fn every_foreign_key_has_an_index_that_begins_with_it() {
    let folder = Folder::new();
    folder.sweeper().await.close().await.unwrap();
    let mut connection = raw(&folder.file("store.db")).await;
    let keys: Vec<(String, String)> = sqlx::query_as(
        "SELECT tables.name, keys.\"from\"
         FROM sqlite_schema AS tables, pragma_foreign_key_list(tables.name) AS keys
         WHERE tables.type = 'table'
             -- The number of a row is its own index.
             AND NOT EXISTS (SELECT 1 FROM pragma_table_info(tables.name) AS columns
                 WHERE columns.name = keys.\"from\" AND columns.pk = 1
                     AND columns.type = 'INTEGER' AND tables.sql NOT LIKE '%WITHOUT ROWID%')",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(keys.len() >= 9, "{keys:?}");
    for (table, column) in keys {
        // A partial index helps when a parent row goes only if it leaves out no more than NULL.
        let indexes: i64 = sqlx::query_scalar(
            "SELECT count(*)
             FROM pragma_index_list(?1) AS indexes, pragma_index_info(indexes.name) AS columns
             LEFT JOIN sqlite_schema AS schema ON schema.name = indexes.name
             WHERE columns.seqno = 0 AND columns.name = ?2 AND (NOT indexes.partial
                 OR schema.sql LIKE '%WHERE ' || ?2 || ' IS NOT NULL')",
        )
        .bind(&table)
        .bind(&column)
        .fetch_one(&mut connection)
        .await
        .unwrap();
        assert!(indexes > 0, "{table}.{column}");
    }
}

#[tokio::test]
async fn every_json_column_is_checked() {
    let folder = Folder::new();
    folder.sweeper().await.close().await.unwrap();
    let mut connection = raw(&folder.file("store.db")).await;
    for (table, column) in [
        ("sweeps", "scope"),
        ("sweeps", "discovery"),
        ("sweeps", "verdicts"),
        ("account_states", "ou_path"),
        ("account_states", "tags"),
        ("findings", "gap_samples"),
        ("journal", "body"),
    ] {
        let sql: String = sqlx::query_scalar("SELECT sql FROM sqlite_schema WHERE name = ?1")
            .bind(table)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert!(
            sql.contains(&format!("json_valid({column}))")),
            "{table}.{column}"
        );
    }
}

/// A store as the first step of the schema left it, with what version 0.1.0 would have written:
/// a whole sweep, one that was interrupted, and one whose process died.
async fn of_the_first_schema(path: &Path) {
    create(path, path).await.unwrap();
    let mut connection = raw(path).await;
    MIGRATOR.run_to(1, &mut connection).await.unwrap();
    let sweep =
        "INSERT INTO sweeps (state, started_at, finished_at, caller, scanner_version, scope,
             discovery, verdicts, api_calls, accounts_seen, findings_seen)
         VALUES (?1, 1767355200000000, ?2, '000000000001', '0.1.0',
             '{\"accounts\":[],\"controls\":[\"organizations-changes\"],\"regions\":[]}',
             '{\"state\":\"complete\"}', '{\"FAIL\":1}', 17, 1, 1)";
    for (state, finished_at) in [
        ("finished", Some(1_767_355_242_000_000_i64)),
        ("interrupted", Some(1_767_355_243_000_000)),
        ("running", None),
    ] {
        sqlx::query(sweep)
            .bind(state)
            .bind(finished_at)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    let detail = "{\"advice\":[],\"chain\":[],\"covered_by\":null,\"gaps\":[],\"message\":\"none\",\"node\":null}";
    let evidence = ["{\"trails\":{\"Ok\":[]}}", "{\"trails\":{\"Ok\":[1]}}"];
    let texts = [detail, evidence[0], evidence[1]];
    let hashes = texts.map(model::ContentHash::of_text);
    let stored = hashes.into_iter().zip(texts).collect();
    let documents = crate::evidence::put(&mut connection, &stored)
        .await
        .unwrap();
    for row in [
        "INSERT INTO owner VALUES (1, '000000000001', 'o-aaaaaaaaaa')",
        "INSERT INTO accounts VALUES ('000000000001', 1)",
        "INSERT INTO account_states (account, name, state, ou_path, valid_from, valid_until)
         VALUES ('000000000001', 'old', 'ACTIVE', NULL, 1, 2),
             ('000000000001', 'new', 'ACTIVE', '[\"r-root\"]', 2, NULL)",
    ] {
        sqlx::query(row).execute(&mut connection).await.unwrap();
    }
    sqlx::query(
        "INSERT INTO findings (account, control, verdict, reason, detail, evidence, valid_from,
             valid_until)
         VALUES ('000000000001', 'organizations-changes', 'FAIL', 'trail-absent', ?1, ?2, 1, 2),
             ('000000000001', 'organizations-changes', 'FAIL', 'trail-not-logging', ?1, ?3, 2, NULL),
             ('000000000001', 'root-usage', 'FAIL', 'trail-absent', ?1, ?2, 1, 3)",
    )
    .bind(documents[&hashes[0]])
    .bind(documents[&hashes[1]])
    .bind(documents[&hashes[2]])
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_store_of_the_first_schema_comes_through_with_everything_it_knew() {
    use model::SweepState::{Abandoned, Finished, Interrupted, Running};
    let folder = Folder::new();
    let path = folder.file("store.db");
    of_the_first_schema(&path).await;
    let refused = Store::open_reader(&path).await.unwrap_err();
    assert!(matches!(refused, Error::OlderSchema { found: 1, .. }));

    let sweeper = folder.sweeper().await;
    let sweeps = sweeper.store().sweeps(None).await.unwrap();
    let states: Vec<_> = sweeps.iter().map(|sweep| sweep.state).collect();
    assert_eq!(states, [Running, Interrupted, Finished]);
    for sweep in &sweeps {
        assert_eq!((sweep.accounts_seen, sweep.api_calls), (1, Some(17)));
        assert_eq!(sweep.verdicts, [(model::Verdict::Fail, 1)].into());
    }
    let of = async |sweep| {
        let query = crate::FindingQuery {
            sweep,
            ..crate::FindingQuery::default()
        };
        let rows = sweeper.store().findings(&query).await.unwrap();
        let row = rows.first().unwrap().clone();
        let evidence = match row.evidence_root {
            Some(root) => sweeper.store().evidence(root).await.unwrap(),
            None => None,
        };
        (
            rows.len(),
            row.account.name.clone(),
            row.finding.reason,
            evidence,
        )
    };
    let read = |text: &str| Some(text.to_owned());
    let then = of(Some(model::SweepId(1))).await;
    let absent = model::Reason::TrailAbsent;
    assert_eq!(
        then,
        (
            2,
            "old".to_owned(),
            absent,
            read("{\"trails\":{\"Ok\":[]}}")
        )
    );
    let now = of(None).await;
    let not_logging = model::Reason::TrailNotLogging;
    assert_eq!(
        now,
        (
            1,
            "new".to_owned(),
            not_logging,
            read("{\"trails\":{\"Ok\":[1]}}")
        )
    );
    let between = number(
        &path,
        "SELECT count(*) FROM account_leaves WHERE valid_until = 2",
    );
    assert_eq!(between.await, 1);

    // It kept no progress, so there is nothing to go on with; it is closed.
    let resumed = sweeper.resume_sweep(&header(), jiff::Timestamp::MIN).await;
    assert_eq!(resumed.unwrap(), None);
    sweeper.begin_sweep(&header()).await.unwrap();
    let dead = sweeper.store().sweep(model::SweepId(3)).await.unwrap();
    assert_eq!(dead.unwrap().state, Abandoned);
}

#[test]
fn migrations_are_numbered_without_gaps() {
    let versions: Vec<i64> = MIGRATOR.iter().map(|step| step.version).collect();
    let expected: Vec<i64> = (1..).take(versions.len()).collect();
    assert_eq!(versions, expected);
}
