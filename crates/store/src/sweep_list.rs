//! Sweeps that are asked for, with what came of each.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use model::{AccountId, ControlId, SweepId, Verdict};
use proof::SealHash;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::{
    Error, Store, SweepRow, column::Columns, error::Cause, evidence, moments::sweeps_begun,
    sweeps::sweep_row,
};

mod ou;
#[cfg(test)]
mod tests;

use ou::LookedInto;

/// Which sweeps are asked for; what is `None` does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepQuery {
    /// That began at this time or later.
    pub since: Option<Timestamp>,
    /// That began at this time or before.
    pub until: Option<Timestamp>,
    /// This sweep or earlier ones.
    pub to_sweep: Option<SweepId>,
    /// That looked at this account: each of them confirmed or changed what is known of it.
    pub account: Option<AccountId>,
    /// That looked at an account that hung in this OU or root then, directly or further down.
    pub ou: Option<String>,
    /// That judged by this control.
    pub control: Option<ControlId>,
    /// That left at least one finding of this verdict.
    pub verdict: Option<Verdict>,
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
    let last = query.to_sweep.map_or(last, |sweep| sweep.0.min(last));
    let mut select = QueryBuilder::<Sqlite>::new(
        "SELECT sweeps.*, documents.size, documents.body
         FROM sweeps LEFT JOIN documents ON documents.id = sweeps.organization
         WHERE sweeps.id BETWEEN ",
    );
    select.push_bind(first).push(" AND ").push_bind(last);
    if let Some(account) = query.account {
        let lists = lists_with(connection, account).await?;
        select
            .push(" AND (sweeps.seen IN (SELECT value FROM json_each(")
            .push_bind(model::canonical_json(&lists))
            .push(")) OR sweeps.saw_all AND EXISTS (SELECT 1 FROM account_states WHERE account = ")
            .push_bind(account.to_string())
            .push(" AND valid_from <= sweeps.id AND (valid_until IS NULL OR valid_until > sweeps.id)))");
    }
    if let Some(ou) = &query.ou {
        LookedInto::of(connection, ou).await?.push(&mut select);
    }
    if let Some(control) = &query.control {
        select
            .push(" AND EXISTS (SELECT 1 FROM json_each(sweeps.scope, '$.controls') WHERE value = ")
            .push_bind(control.to_string())
            .push(")");
    }
    if let Some(verdict) = query.verdict {
        select
            .push(" AND sweeps.verdicts ->> ")
            .push_bind(verdict.as_str())
            .push(" > 0");
    }
    let limit = query.limit.map_or(-1, i64::from);
    select
        .push(" ORDER BY sweeps.id DESC LIMIT ")
        .push_bind(limit);
    let rows = select.build().fetch_all(&mut *connection).await?;
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

/// The documents of sweeps that did not see everything, and this account was among what they saw.
async fn lists_with(
    connection: &mut SqliteConnection,
    account: AccountId,
) -> Result<Vec<i64>, Cause> {
    let lists: Vec<i64> =
        sqlx::query_scalar("SELECT DISTINCT seen FROM sweeps WHERE seen IS NOT NULL")
            .fetch_all(&mut *connection)
            .await?;
    let lists: BTreeSet<i64> = lists.into_iter().collect();
    let mut with = Vec::new();
    for (id, text) in evidence::texts(connection, &lists).await? {
        let seen: BTreeSet<AccountId> = serde_json::from_str(&text)
            .map_err(|source| Cause::damaged("documents", "body", id, source))?;
        if seen.contains(&account) {
            with.push(id);
        }
    }
    Ok(with)
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
