//! What a store holds, in numbers.

use std::{fs, path::PathBuf};

use jiff::Timestamp;
use model::SweepId;
use proof::SealHash;
use sqlx::{Row, SqliteConnection};

use crate::{Error, Store, column::Columns, database, error::Cause, retention};

#[cfg(test)]
mod tests;

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInfo {
    /// The file, as it was named.
    pub path: PathBuf,
    /// The step that its schema is at.
    pub schema: i64,
    /// The organization whose history it is, where that is known.
    pub organization_id: Option<String>,
    /// The database and what is not yet written into it, in bytes.
    pub bytes: u64,
    /// Of these, what is free for what comes.
    pub free_bytes: u64,
    /// How many pages the database has.
    pub pages: u64,
    /// How many sweeps there are.
    pub sweeps: u64,
    /// The first sweep, and when it began.
    pub first_sweep: Option<(SweepId, Timestamp)>,
    /// The last sweep, and when it began.
    pub last_sweep: Option<(SweepId, Timestamp)>,
    /// How many accounts were ever seen.
    pub accounts: u64,
    /// How many of them are known now.
    pub accounts_now: u64,
    /// How many findings there are, each for as long as it was so.
    pub findings: u64,
    /// How many of them are so now.
    pub findings_now: u64,
    /// How many drifts there are.
    pub drifts: u64,
    /// How many records the journal has.
    pub journal: u64,
    /// How many documents there are.
    pub documents: u64,
    /// How many sweeps are sealed.
    pub seals: u64,
    /// The first sweep that is sealed.
    pub sealed_since: Option<SweepId>,
    /// The last seal, with its sweep.
    pub head: Option<(SweepId, SealHash)>,
    /// The sweep before which content was dropped.
    pub content_from: Option<SweepId>,
    /// What each table takes with its indexes, the largest first.
    pub tables: Vec<TableSize>,
}

/// What a table takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSize {
    /// The table.
    pub name: String,
    /// How many bytes it takes with its indexes; `None` where this build of SQLite cannot tell.
    pub bytes: Option<u64>,
}

impl Store {
    /// What the store holds, all as of one moment.
    #[tracing::instrument(name = "db.info", skip(self))]
    pub async fn info(&self) -> Result<StoreInfo, Error> {
        let read = async {
            let mut transaction = self.readers.begin().await?;
            self.read_info(&mut transaction).await
        };
        (read.await).map_err(|cause: Cause| cause.during("measure what is", &self.path))
    }

    async fn read_info(&self, connection: &mut SqliteConnection) -> Result<StoreInfo, Cause> {
        let counts = sqlx::query(
            "SELECT 1 AS id,
                 (SELECT max(version) FROM _sqlx_migrations) AS schema,
                 (SELECT organization_id FROM owner) AS organization_id,
                 (SELECT page_count FROM pragma_page_count) AS pages,
                 (SELECT page_size FROM pragma_page_size) AS page_size,
                 (SELECT freelist_count FROM pragma_freelist_count) AS free,
                 (SELECT count(*) FROM sweeps) AS sweeps,
                 (SELECT count(*) FROM accounts) AS accounts,
                 (SELECT count(*) FROM account_states WHERE valid_until IS NULL) AS accounts_now,
                 (SELECT count(*) FROM findings) AS findings,
                 (SELECT count(*) FROM findings WHERE valid_until IS NULL) AS findings_now,
                 (SELECT count(*) FROM drifts) AS drifts,
                 (SELECT count(*) FROM journal) AS journal,
                 (SELECT count(*) FROM documents) AS documents,
                 (SELECT count(*) FROM seals) AS seals,
                 (SELECT min(sweep) FROM seals) AS sealed_since",
        )
        .fetch_one(&mut *connection)
        .await?;
        let columns = Columns::of("sqlite_schema", &counts)?;
        let page_size = columns.count("page_size")?;
        let pages = columns.count("pages")?;
        // What was committed and not yet written into the file.
        let log = fs::metadata(database::beside(&self.canonical, "-wal"));
        let head = sqlx::query("SELECT sweep AS id, hash FROM seals ORDER BY sweep DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
        let head = match &head {
            Some(row) => {
                let columns = Columns::of("seals", row)?;
                let hash = SealHash::from_bytes(columns.get("hash")?);
                Some((SweepId(columns.id()), columns.required("hash", hash)?))
            }
            None => None,
        };
        Ok(StoreInfo {
            path: self.path.clone(),
            schema: columns.get("schema")?,
            organization_id: columns.get("organization_id")?,
            bytes: pages * page_size + log.map_or(0, |log| log.len()),
            free_bytes: columns.count("free")? * page_size,
            pages,
            sweeps: columns.count("sweeps")?,
            first_sweep: sweep(
                connection,
                "SELECT id, started_at FROM sweeps ORDER BY id LIMIT 1",
            )
            .await?,
            last_sweep: sweep(
                connection,
                "SELECT id, started_at FROM sweeps ORDER BY id DESC LIMIT 1",
            )
            .await?,
            accounts: columns.count("accounts")?,
            accounts_now: columns.count("accounts_now")?,
            findings: columns.count("findings")?,
            findings_now: columns.count("findings_now")?,
            drifts: columns.count("drifts")?,
            journal: columns.count("journal")?,
            documents: columns.count("documents")?,
            seals: columns.count("seals")?,
            sealed_since: columns.get::<Option<i64>>("sealed_since")?.map(SweepId),
            head,
            content_from: retention::content_from(connection).await?,
            tables: tables(connection).await?,
        })
    }
}

async fn sweep(
    connection: &mut SqliteConnection,
    query: &'static str,
) -> Result<Option<(SweepId, Timestamp)>, Cause> {
    let row = sqlx::query(query).fetch_optional(connection).await?;
    row.map(|row| {
        let columns = Columns::of("sweeps", &row)?;
        let began = columns.required("started_at", columns.time("started_at")?)?;
        Ok((SweepId(columns.id()), began))
    })
    .transpose()
}

async fn tables(connection: &mut SqliteConnection) -> Result<Vec<TableSize>, Cause> {
    let measured = sqlx::query(
        "SELECT tables.name, sum(sizes.pgsize) AS bytes
         FROM sqlite_schema AS parts JOIN sqlite_schema AS tables ON tables.name = parts.tbl_name
         JOIN dbstat AS sizes ON sizes.name = parts.name AND sizes.aggregate = TRUE
         WHERE tables.type = 'table' GROUP BY tables.name ORDER BY bytes DESC",
    )
    .fetch_all(&mut *connection)
    .await;
    let rows =
        match measured {
            Ok(rows) => rows,
            // This SQLite was built without `dbstat`.
            Err(sqlx::Error::Database(_)) => sqlx::query(
                "SELECT name, NULL AS bytes FROM sqlite_schema WHERE type = 'table' ORDER BY name",
            )
            .fetch_all(connection)
            .await?,
            Err(error) => return Err(error.into()),
        };
    (rows.iter())
        .map(|row| {
            let bytes: Option<i64> = row.try_get("bytes")?;
            Ok(TableSize {
                name: row.try_get("name")?,
                bytes: bytes.and_then(|bytes| bytes.try_into().ok()),
            })
        })
        .collect()
}
