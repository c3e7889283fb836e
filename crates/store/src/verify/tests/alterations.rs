//! Each value of each row is altered, each row is taken out, and rows are put in: all must be noticed.

use std::collections::BTreeSet;

use sqlx::{Connection, Row, SqliteConnection, TypeInfo, ValueRef};

use super::*;

/// What nothing vouches for, and why that does no harm.
const NOT_COVERED: [(&str, &str); 14] = [
    // Numbers of rows that nobody is told: what refers to them is covered.
    ("documents", "id"),
    ("findings", "id"),
    ("account_states", "id"),
    ("account_leaves", "id"),
    ("owner", "only_row"),
    // Which steps ran: another one is refused when the store is opened.
    ("_sqlx_migrations", "*"),
    // How far a sweep is that may be resumed: gone when it is sealed.
    ("sweep_progress", "*"),
    // Who may use the API: no history, and changed at will.
    ("tokens", "*"),
    // There is a row only after something was dropped; see the tests of retention.
    ("retention", "*"),
    // How far telling people is: what was told is no part of what was seen. Who alters it makes somebody
    // be told twice or not at all, which the drifts that they tell of outlive.
    ("drifts", "routing"),
    ("drifts", "alert"),
    ("alerts", "*"),
    ("alert_notices", "*"),
    ("alert_outbox", "*"),
];

async fn altered_store(folder: &Folder) -> SqliteConnection {
    history(folder).await.close().await.unwrap();
    let mut connection = raw(&folder.file("store.db")).await;
    // As somebody who writes into the file has it.
    for statement in [
        "PRAGMA foreign_keys = OFF",
        "PRAGMA ignore_check_constraints = ON",
    ] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection
}

async fn tables(connection: &mut SqliteConnection) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
             AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    let covered = |table: &String| !NOT_COVERED.contains(&(table.as_str(), "*"));
    tables.into_iter().filter(covered).collect()
}

/// What a verification makes of the statements; `None` where the schema itself refuses them.
async fn after(
    connection: &mut SqliteConnection,
    statements: &[String],
) -> Option<Result<VerifiedStore, Fault>> {
    let mut transaction = connection.begin().await.unwrap();
    let mut is_written = true;
    for statement in statements {
        let written = sqlx::query(sqlx::AssertSqlSafe(statement.as_str()))
            .execute(&mut *transaction)
            .await;
        is_written &= written.is_ok_and(|done| done.rows_affected() > 0);
    }
    let verified = if is_written {
        Some(verify(&mut transaction, None).await)
    } else {
        None
    };
    transaction.rollback().await.unwrap();
    verified
}

fn said(fault: &Fault) -> String {
    match fault {
        Fault::Misfit(misfit) => misfit.to_string(),
        Fault::Cause(cause) => panic!("no misfit: {cause:?}"),
    }
}

/// SQL for values that are not this one, of the same type.
fn others(kind: &str, value: &str) -> Vec<String> {
    match kind {
        "INTEGER" => vec![
            format!("{value} + 1"),
            format!("{value} - 1"),
            "1".to_owned(),
            "NULL".to_owned(),
        ],
        "TEXT" => vec![
            format!("{value} || ' '"),
            format!("replace(substr({value}, -1), substr({value}, -1), 'z')"),
            format!("substr({value}, 1, length({value}) - 1) || 'x'"),
            format!("upper({value})"),
            "'x'".to_owned(),
            "NULL".to_owned(),
        ],
        "BLOB" => vec![
            // The last bits of the first byte and of the last one.
            format!(
                "CAST(unhex(printf('%02x', (instr('0123456789ABCDEF', substr(hex({value}), 1, 1)) - 1) \
                 * 16 + ((instr('0123456789ABCDEF', substr(hex({value}), 2, 1)) - 1) + 1) % 16)) \
                 || substr({value}, 2) AS BLOB)"
            ),
            "zeroblob(32)".to_owned(),
            "NULL".to_owned(),
        ],
        _ => vec!["1".to_owned(), "'x'".to_owned(), "zeroblob(32)".to_owned()],
    }
}

#[tokio::test]
async fn every_altered_value_is_noticed() {
    let folder = Folder::new();
    let mut connection = altered_store(&folder).await;
    let (mut unnoticed, mut altered) = (BTreeSet::new(), BTreeSet::new());
    let mut cases = 0;
    for table in tables(&mut connection).await {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT rowid, * FROM {table}")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert!(!rows.is_empty(), "{table} has a row to be altered");
        for row in &rows {
            let id: i64 = row.get(0);
            // It came after the last seal, and the next one will have it.
            if table == "journal" && id == 3 {
                continue;
            }
            for column in 1..row.columns().len() {
                let name = sqlx::Column::name(row.column(column)).to_owned();
                if NOT_COVERED.contains(&(table.as_str(), name.as_str())) {
                    continue;
                }
                let kind = row
                    .try_get_raw(column)
                    .unwrap()
                    .type_info()
                    .name()
                    .to_owned();
                for other in others(&kind, &name) {
                    let set = format!(
                        "UPDATE {table} SET {name} = {other}
                         WHERE rowid = {id} AND {name} IS NOT {other}"
                    );
                    let Some(verified) = after(&mut connection, &[set]).await else {
                        continue;
                    };
                    cases += 1;
                    altered.insert(format!("{table}.{name}"));
                    match verified {
                        Ok(_) => {
                            unnoticed.insert(format!("{table}.{name} of row {id} = {other}"));
                        }
                        Err(fault) => assert!(!said(&fault).is_empty()),
                    }
                }
            }
        }
        let columns: Vec<String> = (rows[0].columns().iter().skip(1))
            .map(|column| format!("{table}.{}", sqlx::Column::name(column)))
            .filter(|name| !altered.contains(name))
            .collect();
        let exempt = |name: &String| {
            NOT_COVERED
                .iter()
                .any(|(table, column)| *name == format!("{table}.{column}"))
        };
        let never: Vec<_> = columns.into_iter().filter(|name| !exempt(name)).collect();
        assert!(never.is_empty(), "never altered: {never:?}");
    }
    assert!(cases > 1000, "{cases}");
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

#[tokio::test]
async fn every_row_that_is_taken_out_is_missed() {
    let folder = Folder::new();
    let mut connection = altered_store(&folder).await;
    let mut unnoticed = Vec::new();
    for table in tables(&mut connection).await {
        let ids: Vec<i64> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT rowid FROM {table}")))
                .fetch_all(&mut connection)
                .await
                .unwrap();
        for id in ids {
            let delete = format!("DELETE FROM {table} WHERE rowid = {id}");
            if after(&mut connection, &[delete]).await.unwrap().is_ok() {
                unnoticed.push(format!("row {id} of {table}"));
            }
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

/// What is done, and what must be said.
const CASES: &[(&str, &str)] = &[
    (
        "UPDATE account_states SET name = 'x' WHERE id = 1",
        "account 000000000001 from sweep 1",
    ),
    (
        "UPDATE findings SET reason = 'trail-not-logging' WHERE id = 1",
        "account 000000000001 from sweep 1",
    ),
    (
        "UPDATE findings SET verdict = 'PASS' WHERE id = 1",
        "row 1 of findings: verdict",
    ),
    (
        "UPDATE findings SET reason = 'Trail_Absent' WHERE id = 1",
        "row 1 of findings",
    ),
    (
        "UPDATE findings SET valid_until = 3 WHERE id = 1",
        "of findings: interval",
    ),
    (
        "UPDATE account_leaves SET leaf = zeroblob(32) WHERE id = 2",
        "row 2 of account_leaves",
    ),
    (
        "UPDATE account_leaves SET valid_from = 2 WHERE id = 2",
        "of account_states: interval",
    ),
    (
        "UPDATE documents SET size = size + 1 WHERE id = 3",
        "row 3 of documents: value",
    ),
    (
        "UPDATE documents SET hash = zeroblob(32) WHERE id = 3",
        "row 3 of documents: SHA-256",
    ),
    (
        "UPDATE sweeps SET api_calls = 1 WHERE id = 3",
        "row 3 of sweeps, api_calls: sealed header",
    ),
    (
        "UPDATE sweeps SET scanner_version = '9' WHERE id = 1",
        "row 1 of sweeps, scanner_version",
    ),
    (
        "UPDATE sweeps SET accounts_seen = 9 WHERE id = 2",
        "unsealed rows of sweeps before 3",
    ),
    (
        "UPDATE sweeps SET scope = scope || ' ' WHERE id = 2",
        "row 2 of sweeps, scope: text",
    ),
    (
        "UPDATE sweeps SET saw_all = 1, seen = NULL WHERE id = 4",
        "row 4 of sweeps, seen",
    ),
    (
        "UPDATE seals SET root = zeroblob(32) WHERE sweep = 3",
        "seal of sweep 3: hash",
    ),
    ("DELETE FROM seals WHERE sweep = 8", "row 8 of sweeps: seal"),
    ("DELETE FROM seals WHERE sweep = 3", "row 3 of sweeps: seal"),
    (
        "DELETE FROM sweeps WHERE id = 2",
        "sweeps: row: expected 2, found 3",
    ),
    ("DELETE FROM sweeps WHERE id = 8", "sweeps: last row"),
    (
        "UPDATE drifts SET severity = 'high' WHERE id = 1",
        "rows 1 to 3 of drifts, sealed with sweep 3",
    ),
    (
        "INSERT INTO drifts SELECT 0, 'aaaaaaaaaaaaaaaa', 1, NULL, kind, severity, account, control, body, routing, alert, message FROM drifts WHERE id = 1",
        "row 0 of drifts",
    ),
    (
        "UPDATE seals SET drifts_until = 9 WHERE sweep = 8",
        "of drifts, sealed with sweep 8: last row",
    ),
    (
        "UPDATE journal SET body = '{}' WHERE id = 1",
        "rows 1 to 2 of journal, sealed with sweep 3",
    ),
    (
        "UPDATE journal SET body = body || ' ' WHERE id = 3",
        "row 3 of journal, body: text",
    ),
    ("DELETE FROM journal WHERE id = 3", "journal: last row"),
    (
        "UPDATE accounts SET first_sweep = 2 WHERE id = '000000000001'",
        "account 000000000001 in accounts",
    ),
    (
        "INSERT INTO accounts VALUES ('000000000099', 1)",
        "account 000000000099 in accounts: state",
    ),
    (
        "DELETE FROM accounts WHERE id = '000000000001'",
        "expected one that is in accounts",
    ),
    (
        "UPDATE owner SET organization_id = 'o-bbbbbbbbbb'",
        "owner: organization_id",
    ),
    (
        "INSERT INTO findings SELECT 99, account, 'added', verdict, reason, link, detail, gap_samples, 3, NULL FROM findings WHERE id = 1",
        "account 000000000001 from sweep 3",
    ),
    (
        "INSERT INTO findings SELECT 99, account, 'added', verdict, reason, link, detail, gap_samples, 7, NULL FROM findings WHERE id = 1",
        "row 99 of findings: interval",
    ),
];

#[tokio::test]
async fn what_does_not_fit_is_named() {
    let folder = Folder::new();
    let mut connection = altered_store(&folder).await;
    for (statement, expected) in CASES {
        let verified = after(&mut connection, &[(*statement).to_owned()]).await;
        let fault = verified.expect(statement).err();
        let said = fault.as_ref().map(said).unwrap_or_default();
        assert!(said.contains(expected), "{statement}: {said}");
    }
    // Whoever alters rows and leaf alike is told by the tree; and one who takes an account out.
    let gone: Vec<String> = ["account_states", "findings", "account_leaves"]
        .map(|table| format!("DELETE FROM {table} WHERE account = '000000000003'"))
        .into_iter()
        .chain(["DELETE FROM accounts WHERE id = '000000000003'".to_owned()])
        .collect();
    let fault = after(&mut connection, &gone).await.unwrap().err().unwrap();
    assert!(
        said(&fault).starts_with("account_leaves as of sweep 1: number of accounts"),
        "{}",
        said(&fault)
    );
}

#[tokio::test]
async fn a_broken_page_is_tampering_too() {
    let folder = Folder::new();
    history(&folder).await.close().await.unwrap();
    let path = folder.file("store.db");
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'account_leaves'";
    let page = usize::try_from(crate::fixture::number(&path, root).await).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(page - 1) * 4096..page * 4096].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let store = Store::open_reader(&path).await.unwrap();
    let error = store.verify(None).await.unwrap_err();
    assert!(error.misfit().is_some(), "{error:?}");
}
