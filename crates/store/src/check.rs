//! Whether the file is whole: SQLite's own checks, and what always holds of our rows.
//!
//! This is about damage. Whether anybody altered what a sweep said, [`Store::verify`] tells.

use std::collections::BTreeSet;

use sqlx::{ConnectOptions, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{Error, Store, advice, database::MIGRATOR, error::Cause, retention};

#[cfg(test)]
mod tests;

/// How many problems of each kind are told.
const MOST: i64 = 100;

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// What is wrong; nothing where all is well.
    pub problems: Vec<Problem>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What was checked.
    pub check: &'static str,
    /// What was found.
    pub found: String,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn found(&mut self, check: &'static str, found: impl IntoIterator<Item = String>) {
        let problems = found.into_iter().map(|found| Problem { check, found });
        self.problems.extend(problems);
    }
}

impl Store {
    /// Checks the file and its rows, all as of one moment. What is wrong is in the report; an error means
    /// that it could not be checked.
    #[tracing::instrument(name = "db.check", skip(self))]
    pub async fn check(&self) -> Result<CheckReport, Error> {
        let read = async {
            let mut transaction = self.readers.begin().await?;
            let mut report = CheckReport::default();
            match check(&mut transaction, &mut report).await {
                Ok(()) => Ok(report),
                // What cannot be read is what was looked for.
                Err(Cause::Database(error)) if advice::is_damage(&error) => {
                    report.found("the file", [error.to_string()]);
                    Ok(report)
                }
                Err(cause @ Cause::Damaged { .. }) => {
                    let error = cause.during("check what is", &self.path);
                    report.found("values", [error.to_string()]);
                    Ok(report)
                }
                Err(cause) => Err(cause),
            }
        };
        (read.await).map_err(|cause: Cause| cause.during("check what is", &self.path))
    }
}

/// Each with a query whose rows are problems.
const CHECKS: [(&str, &str); 9] = [
    (
        "references",
        "SELECT 'row ' || coalesce(rowid, '?') || ' of ' || \"table\" || ' refers to a row of '
             || parent || ' that is not there'
         FROM pragma_foreign_key_check LIMIT ?1",
    ),
    (
        "one state at a time",
        "SELECT 'rows ' || before || ' and ' || id || ' of account_states overlap' FROM (
             SELECT id, lag(id) OVER w AS before, valid_from, lag(valid_from) OVER w AS began,
                 lag(valid_until) OVER w AS ended
             FROM account_states WINDOW w AS (PARTITION BY account ORDER BY valid_from))
         WHERE began IS NOT NULL AND (ended IS NULL OR ended > valid_from) LIMIT ?1",
    ),
    (
        "one answer at a time",
        "SELECT 'rows ' || before || ' and ' || id || ' of findings overlap' FROM (
             SELECT id, lag(id) OVER w AS before, valid_from, lag(valid_from) OVER w AS began,
                 lag(valid_until) OVER w AS ended
             FROM findings WINDOW w AS (PARTITION BY account, control ORDER BY valid_from))
         WHERE began IS NOT NULL AND (ended IS NULL OR ended > valid_from) LIMIT ?1",
    ),
    (
        "one leaf at a time",
        "SELECT 'rows ' || before || ' and ' || id || ' of account_leaves overlap' FROM (
             SELECT id, lag(id) OVER w AS before, valid_from, lag(valid_from) OVER w AS began,
                 lag(valid_until) OVER w AS ended
             FROM account_leaves WINDOW w AS (PARTITION BY account ORDER BY valid_from))
         WHERE began IS NOT NULL AND (ended IS NULL OR ended > valid_from) LIMIT ?1",
    ),
    (
        "an answer has its account",
        "SELECT 'row ' || findings.id || ' of findings is of an account that is not known now'
         FROM findings WHERE valid_until IS NULL AND NOT EXISTS (
             SELECT 1 FROM account_states
             WHERE account = findings.account AND valid_until IS NULL) LIMIT ?1",
    ),
    (
        "an account has its leaf",
        "SELECT 'account ' || account || ' has no open row in account_leaves'
         FROM account_states AS states WHERE valid_until IS NULL AND NOT EXISTS (
             SELECT 1 FROM account_leaves
             WHERE account = states.account AND valid_until IS NULL) LIMIT ?1",
    ),
    (
        "one sweep at a time",
        "SELECT 'sweep ' || id || ' is under way behind a later one' FROM sweeps
         WHERE state = 'running' AND id < (SELECT max(id) FROM sweeps) LIMIT ?1",
    ),
    (
        "one owner",
        "SELECT 'there are sweeps, and nobody whose history it is'
         WHERE EXISTS (SELECT 1 FROM sweeps) AND NOT EXISTS (SELECT 1 FROM owner) LIMIT ?1",
    ),
    (
        "sealed drifts and records",
        "SELECT 'seal of sweep ' || sweep || ' is over rows that are not there yet' FROM seals
         WHERE drifts_until > (SELECT coalesce(max(seq), 0) FROM (
                 SELECT max(id) AS seq FROM drifts UNION ALL
                 SELECT drifts_until FROM retention))
             OR journal_until > (SELECT coalesce(max(id), 0) FROM journal) LIMIT ?1",
    ),
];

/// Tables, indexes and whatever else there is, by kind and name.
type Schema = BTreeSet<(String, String)>;

/// What the migrations make.
async fn schema_made() -> Result<Schema, Cause> {
    let mut empty = SqliteConnectOptions::new()
        .in_memory(true)
        .connect()
        .await?;
    MIGRATOR.run(&mut empty).await.map_err(sqlx::Error::from)?;
    schema_of(&mut empty).await
}

async fn schema_of(connection: &mut SqliteConnection) -> Result<Schema, Cause> {
    let schema = sqlx::query_as(
        "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    .fetch_all(connection)
    .await?;
    Ok(schema.into_iter().collect())
}

async fn check(connection: &mut SqliteConnection, report: &mut CheckReport) -> Result<(), Cause> {
    let integrity: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(100)")
        .fetch_all(&mut *connection)
        .await?;
    report.found(
        "the file",
        integrity.into_iter().filter(|line| line != "ok"),
    );
    let (made, found) = (schema_made().await?, schema_of(connection).await?);
    report.found(
        "schema",
        (made.difference(&found)).map(|(kind, name)| format!("the {kind} {name} is missing")),
    );
    report.found(
        "schema",
        (found.difference(&made)).map(|(kind, name)| format!("the {kind} {name} is none of ours")),
    );
    for (what, query) in CHECKS {
        let found: Vec<String> = sqlx::query_scalar(query)
            .bind(MOST)
            .fetch_all(&mut *connection)
            .await?;
        report.found(what, found);
    }
    // The details are referred to by row; the parts of evidence by hash, which SQLite cannot check.
    let parts = retention::evidence_parts(connection).await?;
    let mut missing = Vec::new();
    for part in parts {
        let row =
            sqlx::query("SELECT EXISTS (SELECT 1 FROM documents WHERE hash = ?1) AS is_there")
                .bind(part.as_bytes().as_slice())
                .fetch_one(&mut *connection)
                .await?;
        if !row.try_get::<bool, _>("is_there")? {
            missing.push(format!("document {part}, a part of evidence, is not there"));
        }
    }
    missing.sort();
    missing.truncate(usize::try_from(MOST).unwrap_or_default());
    report.found("evidence", missing);
    Ok(())
}
