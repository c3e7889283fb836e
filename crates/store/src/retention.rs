//! Retention: what ended long ago is dropped, in short transactions, and every seal stays.
//!
//! First it is noted from which sweep on everything is there; then rows go, then the documents that
//! nothing refers to any more. Whoever stops in between leaves rows that nobody asks for, and the next
//! one drops them.

use std::{collections::HashSet, path::Path};

use jiff::Timestamp;
use model::{ContentHash, SweepId};
use proof::archive::parts_of_evidence;
use sqlx::{Connection, SqliteConnection};

use crate::{Error, Store, Sweeper, column::Columns, database, error::Cause, evidence};

#[cfg(test)]
mod tests;

/// How many rows one transaction drops: some milliseconds, and a log that stays small.
const ROWS_A_TRANSACTION: i64 = 2_000;

/// How many roots of evidence are read at a time.
const ROOTS: usize = 256;

/// From where on history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepFrom {
    /// As it was when this sweep ended, and later.
    Sweep(SweepId),
    /// As it was when the first sweep that began at this time or later ended, and later.
    Time(Timestamp),
}

/// What was dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// What was so when this sweep ended, or later, is all there; `None`: nothing was ever dropped.
    pub content_from: Option<SweepId>,
    /// Findings that were no longer so.
    pub findings: u64,
    /// Accounts as they were no longer.
    pub account_states: u64,
    /// Leaves of accounts, with their evidence.
    pub account_leaves: u64,
    /// Drifts that were sealed before, and of which nobody is still to be told.
    pub drifts: u64,
    /// Alerts that were over before, and that everybody was told of.
    pub alerts: u64,
    /// Documents that nothing referred to any more.
    pub documents: u64,
    /// How many bytes of the file are free for what comes; [`Sweeper::compact`] gives them back.
    pub free_bytes: u64,
}

/// What was asked for is gone.
pub(crate) struct IsPruned {
    sweep: SweepId,
    content_from: SweepId,
}

impl IsPruned {
    pub(crate) fn error(&self, path: &Path) -> Error {
        Error::Pruned {
            path: path.to_owned(),
            sweep: self.sweep,
            content_from: self.content_from,
        }
    }
}

/// Whether what was so after this sweep was dropped.
pub(crate) async fn is_pruned(
    connection: &mut SqliteConnection,
    sweep: Option<SweepId>,
) -> Result<Option<IsPruned>, Cause> {
    let content_from = content_from(connection).await?;
    Ok((sweep.zip(content_from))
        .filter(|(sweep, content_from)| sweep < content_from)
        .map(|(sweep, content_from)| IsPruned {
            sweep,
            content_from,
        }))
}

/// The first sweep after which everything is there; `None` where nothing was dropped.
pub(crate) async fn content_from(
    connection: &mut SqliteConnection,
) -> Result<Option<SweepId>, Cause> {
    Ok(kept(connection).await?.map(|kept| kept.content_from))
}

/// What the store says of what it dropped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    pub(crate) content_from: SweepId,
    pub(crate) drifts_until: i64,
}

pub(crate) async fn kept(connection: &mut SqliteConnection) -> Result<Option<Kept>, Cause> {
    let row = sqlx::query("SELECT only_row AS id, content_from, drifts_until FROM retention")
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let columns = Columns::of("retention", &row)?;
        Ok(Kept {
            content_from: SweepId(columns.get("content_from")?),
            drifts_until: columns.get("drifts_until")?,
        })
    })
    .transpose()
}

impl Store {
    /// The sweep before which content was dropped: as of it and of later ones, everything is there.
    pub async fn content_from(&self) -> Result<Option<SweepId>, Error> {
        let read = async {
            let mut connection = self.readers.acquire().await?;
            content_from(&mut connection).await
        };
        (read.await).map_err(|cause: Cause| cause.during("read what was dropped", &self.path))
    }
}

impl Sweeper {
    /// Drops what ended before a sweep: findings, account states and leaves that were no longer so when
    /// it ended, the drifts that were sealed before it, and the documents that nothing refers to any
    /// more. Sweeps, seals and the journal stay.
    ///
    /// Never dropped are what was so as of the last finished sweep, and the last known answer behind an
    /// UNKNOWN: what is seen after blindness is compared with it. Each transaction is short, so readers
    /// and the journal go on; commits of this sweeper wait until all is done.
    #[tracing::instrument(name = "db.retention.prune", skip(self))]
    pub async fn prune(&self, keep: KeepFrom) -> Result<Pruned, Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        // Before the first row goes: a document that is dropped must not be known for stored, even if
        // whoever asked for this goes away midway. Nothing is learnt while the writer is ours.
        self.memory.lock().documents.clear();
        (prune(&mut writer, keep).await)
            .map_err(|cause: Cause| cause.during("drop old history", &self.store.path))
    }

    /// Gives the room that was freed back to the file system: writes the whole file anew, which takes as
    /// much room again while it lasts. Readers go on; whoever writes waits.
    #[tracing::instrument(name = "db.retention.compact", skip(self))]
    pub async fn compact(&self) -> Result<(), Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let compact = async {
            for statement in ["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"] {
                sqlx::query(statement).execute(&mut *writer).await?;
            }
            Ok(())
        };
        (compact.await).map_err(|cause: Cause| cause.during("compact the file", &self.store.path))
    }
}

async fn prune(connection: &mut SqliteConnection, keep: KeepFrom) -> Result<Pruned, Cause> {
    let mut pruned = Pruned::default();
    if let Some(kept) = note(connection, keep).await? {
        let from = kept.content_from.0;
        pruned.content_from = Some(kept.content_from);
        let known = ids(connection, BEHIND_UNKNOWN, from, "[]").await?;
        let seen = ids(connection, THEIR_LEAVES, from, &known).await?;
        pruned.findings = drop_rows(connection, FINDINGS, from, &known).await?;
        pruned.account_leaves = drop_rows(connection, LEAVES, from, &seen).await?;
        pruned.account_states = drop_rows(connection, STATES, from, "[]").await?;
        pruned.drifts = drop_rows(connection, DRIFTS, kept.drifts_until, "[]").await?;
        drop_rows(connection, DELIVERIES, from, "[]").await?;
        drop_rows(connection, NOTICES, from, "[]").await?;
        pruned.alerts = drop_rows(connection, ALERTS, from, "[]").await?;
        pruned.documents = drop_documents(connection).await?;
    }
    let free: i64 = sqlx::query_scalar(
        "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size",
    )
    .fetch_one(connection)
    .await?;
    pruned.free_bytes = u64::try_from(free).unwrap_or_default();
    Ok(pruned)
}

/// Notes from where on everything will be there; `None` if there is nothing to drop and never was.
async fn note(connection: &mut SqliteConnection, keep: KeepFrom) -> Result<Option<Kept>, Cause> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let wanted: Option<i64> = match keep {
        KeepFrom::Sweep(sweep) => Some(sweep.0),
        KeepFrom::Time(time) => {
            sqlx::query_scalar("SELECT min(id) FROM sweeps WHERE started_at >= ?1")
                .bind(time.as_microsecond())
                .fetch_one(&mut *transaction)
                .await?
        }
    };
    // The one that exists, and never past the last that is finished: as of that one, all stays.
    let from: Option<i64> = sqlx::query_scalar(
        "SELECT min(sweeps.id, coalesce(first.id, sweeps.id))
         FROM (SELECT max(id) AS id FROM sweeps WHERE state = 'finished') AS sweeps,
             (SELECT min(id) AS id FROM sweeps WHERE id >= ?1) AS first",
    )
    .bind(wanted.unwrap_or(i64::MAX))
    .fetch_one(&mut *transaction)
    .await?;
    let before = kept(&mut transaction).await?;
    let from = from.max(before.map(|kept| kept.content_from.0));
    // Whole batches of seals, and never the last row: it keeps its number from being given again.
    let drifts_until: Option<i64> = sqlx::query_scalar(
        "SELECT max(drifts_until) FROM seals
         WHERE sweep < ?1 AND drifts_until < (SELECT max(id) FROM drifts)",
    )
    .bind(from)
    .fetch_one(&mut *transaction)
    .await?;
    let Some(from) = from else { return Ok(None) };
    let kept = Kept {
        content_from: SweepId(from),
        drifts_until: (drifts_until.unwrap_or_default())
            .max(before.map_or(0, |kept| kept.drifts_until)),
    };
    if before.is_none() && !ends_before(&mut transaction, from).await? && kept.drifts_until == 0 {
        return Ok(None);
    }
    sqlx::query(
        "INSERT INTO retention (only_row, content_from, drifts_until) VALUES (1, ?1, ?2)
         ON CONFLICT (only_row) DO UPDATE
         SET content_from = excluded.content_from, drifts_until = excluded.drifts_until",
    )
    .bind(kept.content_from.0)
    .bind(kept.drifts_until)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Some(kept))
}

async fn ends_before(connection: &mut SqliteConnection, from: i64) -> Result<bool, Cause> {
    let ends = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM findings WHERE valid_until <= ?1)
             OR EXISTS (SELECT 1 FROM account_states WHERE valid_until <= ?1)
             OR EXISTS (SELECT 1 FROM account_leaves WHERE valid_until <= ?1)",
    )
    .bind(from)
    .fetch_one(connection)
    .await?;
    Ok(ends)
}

/// The last known answers behind an UNKNOWN that is kept.
const BEHIND_UNKNOWN: &str = "SELECT json_group_array(id) FROM (
    SELECT DISTINCT known.id FROM findings AS was JOIN findings AS known ON known.id = (
        SELECT id FROM findings
        WHERE account = was.account AND control = was.control
            AND valid_from < was.valid_from AND verdict <> 'UNKNOWN'
        ORDER BY valid_from DESC LIMIT 1
    )
    WHERE was.verdict = 'UNKNOWN' AND (was.valid_until IS NULL OR was.valid_until > ?1)
        AND known.valid_until <= ?1 AND ?2 IS NOT NULL)";

/// The leaves of their accounts at the time: they have the evidence that was seen.
const THEIR_LEAVES: &str = "SELECT json_group_array(id) FROM (
    SELECT DISTINCT leaf.id FROM json_each(?2) AS kept
    JOIN findings AS known ON known.id = kept.value
    JOIN account_leaves AS leaf ON leaf.account = known.account
        AND leaf.valid_from < known.valid_until AND leaf.valid_until > known.valid_from
    WHERE leaf.valid_until <= ?1)";

async fn ids(
    connection: &mut SqliteConnection,
    query: &'static str,
    from: i64,
    among: &str,
) -> Result<String, Cause> {
    Ok(sqlx::query_scalar(query)
        .bind(from)
        .bind(among)
        .fetch_one(connection)
        .await?)
}

const FINDINGS: &str = "DELETE FROM findings WHERE id IN (
    SELECT id FROM findings WHERE valid_until IS NOT NULL AND valid_until <= ?1
        AND id NOT IN (SELECT value FROM json_each(?2)) LIMIT ?3)";

const LEAVES: &str = "DELETE FROM account_leaves WHERE id IN (
    SELECT id FROM account_leaves WHERE valid_until IS NOT NULL AND valid_until <= ?1
        AND id NOT IN (SELECT value FROM json_each(?2)) LIMIT ?3)";

const STATES: &str = "DELETE FROM account_states WHERE id IN (
    SELECT id FROM account_states WHERE valid_until IS NOT NULL AND valid_until <= ?1
        AND ?2 IS NOT NULL LIMIT ?3)";

/// What waits to be told stays, where anybody ever was told anything, and so does what an alert is about
/// that lasts. No batch of a seal vouches for these any more.
const DRIFTS: &str = "DELETE FROM drifts WHERE id IN (
    SELECT id FROM drifts WHERE id <= ?1 AND ?2 IS NOT NULL
        AND (routing IS NULL OR NOT EXISTS (SELECT 1 FROM alerts))
        AND (alert IS NULL OR NOT EXISTS (
            SELECT 1 FROM alerts WHERE alerts.id = drifts.alert AND ended_at IS NULL))
    LIMIT ?3)";

// Alerts that were over before, and of which nothing is on its way or was given up.
macro_rules! of_told {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " IN (SELECT id FROM alerts
    WHERE sweep < ?1 AND ended_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM drifts WHERE alert = alerts.id)
        AND NOT EXISTS (SELECT 1 FROM alert_notices AS notice
            JOIN alert_outbox ON alert_outbox.notice = notice.id
            WHERE notice.alert = alerts.id AND alert_outbox.state <> 'delivered'))",
            $after
        )
    };
}

const DELIVERIES: &str = of_told!(
    "DELETE FROM alert_outbox WHERE id IN (
        SELECT alert_outbox.id FROM alert_outbox
        JOIN alert_notices AS old ON old.id = alert_outbox.notice
        WHERE ?2 IS NOT NULL AND old.alert",
    " LIMIT ?3)"
);

const NOTICES: &str = of_told!(
    "DELETE FROM alert_notices WHERE id IN (
        SELECT old.id FROM alert_notices AS old
        WHERE ?2 IS NOT NULL AND old.alert",
    " LIMIT ?3)"
);

const ALERTS: &str = of_told!(
    "DELETE FROM alerts WHERE id IN (
        SELECT old.id FROM alerts AS old
        WHERE ?2 IS NOT NULL AND old.id",
    " LIMIT ?3)"
);

async fn drop_rows(
    connection: &mut SqliteConnection,
    delete: &'static str,
    until: i64,
    kept: &str,
) -> Result<u64, Cause> {
    let mut dropped = 0;
    loop {
        let some = sqlx::query(delete)
            .bind(until)
            .bind(kept)
            .bind(ROWS_A_TRANSACTION)
            .execute(&mut *connection)
            .await?
            .rows_affected();
        if some == 0 {
            return Ok(dropped);
        }
        dropped += some;
    }
}

/// The documents that no row refers to. Parts of evidence are referred to by its root alone.
const UNREFERRED: &str = "SELECT id, hash FROM documents
    WHERE id > ?1
        AND NOT EXISTS (SELECT 1 FROM findings WHERE detail = documents.id)
        AND NOT EXISTS (SELECT 1 FROM account_leaves WHERE evidence = documents.id)
        AND NOT EXISTS (SELECT 1 FROM drifts WHERE body = documents.id)
        AND NOT EXISTS (SELECT 1 FROM seals WHERE header = documents.id)
        AND NOT EXISTS (SELECT 1 FROM sweeps WHERE organization = documents.id OR seen = documents.id)
    ORDER BY id LIMIT ?2";

async fn drop_documents(connection: &mut SqliteConnection) -> Result<u64, Cause> {
    let parts = evidence_parts(connection).await?;
    let (mut dropped, mut last) = (0, 0);
    loop {
        let rows = sqlx::query(UNREFERRED)
            .bind(last)
            .bind(ROWS_A_TRANSACTION)
            .fetch_all(&mut *connection)
            .await?;
        let mut unused = Vec::new();
        for row in &rows {
            let columns = Columns::of("documents", row)?;
            last = columns.id();
            let hash = columns.required("hash", columns.hash("hash")?)?;
            if !parts.contains(&hash) {
                unused.push(columns.id());
            }
        }
        if rows.is_empty() {
            return Ok(dropped);
        }
        dropped +=
            sqlx::query("DELETE FROM documents WHERE id IN (SELECT value FROM json_each(?1))")
                .bind(model::canonical_json(&unused))
                .execute(&mut *connection)
                .await?
                .rows_affected();
    }
}

/// The parts of all evidence that is left.
pub(crate) async fn evidence_parts(
    connection: &mut SqliteConnection,
) -> Result<HashSet<ContentHash>, Cause> {
    let roots: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT evidence FROM account_leaves WHERE evidence IS NOT NULL ORDER BY evidence",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut parts = HashSet::new();
    for some in roots.chunks(ROOTS) {
        let some = some.iter().copied().collect();
        for (id, text) in evidence::texts(connection, &some).await? {
            let of_root = parts_of_evidence(&text)
                .ok_or_else(|| Cause::damaged("documents", "body", id, "it is no evidence"))?;
            parts.extend(of_root);
        }
    }
    Ok(parts)
}
