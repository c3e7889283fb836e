//! Sweeps that are asked for, with what came of each.

use std::collections::HashMap;

use jiff::Timestamp;
use model::SweepId;
use proof::SealHash;
use sqlx::SqliteConnection;

use crate::{
    Error, Store, SweepRow, column::Columns, error::Cause, moments::sweeps_begun, sweeps::sweep_row,
};

#[cfg(test)]
mod tests;

/// Which sweeps are asked for; what is `None` does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepQuery {
    /// That began at this time or later.
    pub since: Option<Timestamp>,
    /// That began at this time or before.
    pub until: Option<Timestamp>,
    /// This sweep or earlier ones.
    pub to_sweep: Option<SweepId>,
    /// No more than this many.
    pub limit: Option<u32>,
}

/// A sweep, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepEntry {
    /// The sweep.
    pub sweep: SweepRow,
    /// How many drifts it saw.
    pub drifts: u64,
    /// Its seal; `None` where it did not finish, or an earlier version finished it.
    pub seal: Option<SealHash>,
}

impl Store {
    /// Sweeps with what came of each, the latest first.
    #[tracing::instrument(name = "db.sweep.list_with_drifts", skip(self))]
    pub async fn sweep_list(&self, query: &SweepQuery) -> Result<Vec<SweepEntry>, Error> {
        let read = async {
            let mut transaction = self.readers.begin().await?;
            entries(&mut transaction, query).await
        };
        (read.await).map_err(|cause: Cause| cause.during("list the sweeps", &self.path))
    }
}

async fn entries(
    connection: &mut SqliteConnection,
    query: &SweepQuery,
) -> Result<Vec<SweepEntry>, Cause> {
    let (first, last) = sweeps_begun(connection, query.since, query.until).await?;
    let rows = sqlx::query(
        "SELECT sweeps.*, documents.size, documents.body
         FROM sweeps LEFT JOIN documents ON documents.id = sweeps.organization
         WHERE sweeps.id BETWEEN ?1 AND ?2 ORDER BY sweeps.id DESC LIMIT ?3",
    )
    .bind(first)
    .bind(query.to_sweep.map_or(last, |sweep| sweep.0.min(last)))
    .bind(query.limit.map_or(-1, i64::from))
    .fetch_all(&mut *connection)
    .await?;
    let sweeps = (rows.iter().map(sweep_row)).collect::<Result<Vec<_>, Cause>>()?;
    let ids = model::canonical_json(&sweeps.iter().map(|row| row.id).collect::<Vec<_>>());
    let drifts = drifts(connection, &ids).await?;
    let seals = seals(connection, &ids).await?;
    let entry = |sweep: SweepRow| SweepEntry {
        drifts: drifts.get(&sweep.id).copied().unwrap_or_default(),
        seal: seals.get(&sweep.id).copied(),
        sweep,
    };
    Ok(sweeps.into_iter().map(entry).collect())
}

async fn drifts(
    connection: &mut SqliteConnection,
    sweeps: &str,
) -> Result<HashMap<SweepId, u64>, Cause> {
    let rows = sqlx::query(
        "SELECT sweep AS id, count(*) AS number FROM drifts
         WHERE sweep IN (SELECT value FROM json_each(?1)) GROUP BY sweep",
    )
    .bind(sweeps)
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("drifts", row)?;
            Ok((SweepId(columns.id()), columns.count("number")?))
        })
        .collect()
}

async fn seals(
    connection: &mut SqliteConnection,
    sweeps: &str,
) -> Result<HashMap<SweepId, SealHash>, Cause> {
    let rows = sqlx::query(
        "SELECT sweep AS id, hash FROM seals
         WHERE sweep IN (SELECT value FROM json_each(?1))",
    )
    .bind(sweeps)
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("seals", row)?;
            let hash = SealHash::from_bytes(columns.get("hash")?);
            let hash = hash.ok_or_else(|| columns.damaged("hash", "a SHA-256 has 32 bytes"))?;
            Ok((SweepId(columns.id()), hash))
        })
        .collect()
}
