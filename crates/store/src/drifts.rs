//! Drifts: what was not as it was last known.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use model::{
    AccountId, AlertId, ContentHash, ControlId, Drift, DriftId, DriftKind, DriftSide, FieldChange,
    Severity, SweepId, SweepPair, Verdict,
};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Error, Sweeper,
    column::Columns,
    database,
    error::Cause,
    evidence::{self, Documents, ROWS_A_STATEMENT},
};

/// What drifts of one cause have in common, as a document.
#[derive(Serialize)]
struct Body<'a> {
    cause: &'a str,
    before: Option<&'a DriftSide>,
    after: Option<&'a DriftSide>,
    changes: &'a [FieldChange],
    accounts: &'a [AccountId],
    undamped: Option<Severity>,
}

/// The same, read back.
#[derive(Clone, Deserialize)]
struct StoredBody {
    cause: String,
    /// Where an earlier version wrote it: now it stands in the row.
    message: Option<String>,
    before: Option<DriftSide>,
    after: Option<DriftSide>,
    changes: Vec<FieldChange>,
    accounts: Vec<AccountId>,
    undamped: Option<Severity>,
}

/// Which drifts are asked for; what is `None` does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriftQuery {
    /// This one.
    pub id: Option<DriftId>,
    /// Of this account, or of several with it among them.
    pub account: Option<AccountId>,
    /// Of accounts that hung in this OU or root before or after it.
    pub ou: Option<String>,
    /// Of this control.
    pub control: Option<ControlId>,
    /// Of this kind.
    pub kind: Option<DriftKind>,
    /// At least this severe.
    pub severity: Option<Severity>,
    /// Told by this alert.
    pub alert: Option<AlertId>,
    /// After which the finding has this verdict.
    pub verdict: Option<Verdict>,
    /// Seen by sweeps that began at this time or later.
    pub since: Option<Timestamp>,
    /// Seen by sweeps that began at this time or before.
    pub until: Option<Timestamp>,
    /// Seen by this sweep or later ones.
    pub from_sweep: Option<SweepId>,
    /// Seen by this sweep or earlier ones.
    pub to_sweep: Option<SweepId>,
    /// Only what comes behind this one in the list: what is older, or of the same sweep.
    pub after: Option<DriftId>,
    /// No more than this many.
    pub limit: Option<u32>,
}

/// A drift as it is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftRow {
    /// The drift.
    pub drift: Drift,
    /// When the sweep that saw it began.
    pub seen_at: Timestamp,
    /// When the last sweep that saw it as it was before began.
    pub last_before_at: Option<Timestamp>,
}

impl Sweeper {
    /// Records drifts that belong to a sweep as a whole.
    #[tracing::instrument(name = "db.drift.record", skip_all, fields(drifts = drifts.len()))]
    pub async fn record_drifts(&self, drifts: &[Drift]) -> Result<(), Error> {
        if drifts.is_empty() {
            return Ok(());
        }
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let write = async {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            record(&mut transaction, drifts).await?;
            transaction.commit().await?;
            Ok(())
        };
        (write.await).map_err(|cause: Cause| cause.during("record drifts", &self.store.path))
    }
}

/// Drifts from rows of the table with the times of their sweeps.
pub(crate) async fn drift_rows(
    connection: &mut SqliteConnection,
    rows: &[SqliteRow],
) -> Result<Vec<DriftRow>, Cause> {
    let bodies = bodies(connection, rows).await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("drifts", row)?;
            Ok(DriftRow {
                drift: drift(&columns, &bodies)?,
                seen_at: columns.required("sweep", columns.time("seen_at")?)?,
                last_before_at: columns.time("last_before_at")?,
            })
        })
        .collect()
}

async fn bodies(
    connection: &mut SqliteConnection,
    rows: &[SqliteRow],
) -> Result<HashMap<i64, StoredBody>, Cause> {
    let wanted = (rows.iter())
        .map(|row| Columns::of("drifts", row)?.get("body"))
        .collect::<Result<BTreeSet<i64>, Cause>>()?;
    let texts = evidence::texts(connection, &wanted).await?;
    (texts.into_iter())
        .map(|(id, text)| {
            let body = serde_json::from_str(&text)
                .map_err(|source| Cause::damaged("documents", "body", id, source))?;
            Ok((id, body))
        })
        .collect()
}

fn drift(columns: &Columns<'_>, bodies: &HashMap<i64, StoredBody>) -> Result<Drift, Cause> {
    let body = columns
        .required("body", bodies.get(&columns.get("body")?))?
        .clone();
    Ok(Drift {
        id: columns.parsed("name")?,
        kind: columns.parsed("kind")?,
        severity: columns.variant("severity")?,
        account: columns.parsed_option("account")?,
        control: columns.parsed_option("control")?,
        cause: body.cause,
        message: {
            let in_row: Option<String> = columns.get("message")?;
            columns.required("message", in_row.or(body.message))?
        },
        between: SweepPair {
            last_before: columns.get::<Option<i64>>("last_before")?.map(SweepId),
            seen: SweepId(columns.get("sweep")?),
        },
        before: body.before,
        after: body.after,
        changes: body.changes,
        accounts: body.accounts,
        undamped: body.undamped,
    })
}

/// The drifts in these rows of the table, in their order: what a seal is over.
pub(crate) async fn between(
    connection: &mut SqliteConnection,
    (after, until): (i64, i64),
) -> Result<Vec<Drift>, Cause> {
    let rows = sqlx::query("SELECT * FROM drifts WHERE id > ?1 AND id <= ?2 ORDER BY id")
        .bind(after)
        .bind(until)
        .fetch_all(&mut *connection)
        .await?;
    let bodies = bodies(connection, &rows).await?;
    (rows.iter())
        .map(|row| drift(&Columns::of("drifts", row)?, &bodies))
        .collect()
}

/// Records drifts; those that a sweep found before it was resumed are there already.
pub(crate) async fn record(
    connection: &mut SqliteConnection,
    drifts: &[Drift],
) -> Result<(), Cause> {
    if drifts.is_empty() {
        return Ok(());
    }
    let bodies: Vec<(ContentHash, String)> = (drifts.iter())
        .map(|drift| {
            let text = model::canonical_json(&Body {
                cause: &drift.cause,
                before: drift.before.as_ref(),
                after: drift.after.as_ref(),
                changes: &drift.changes,
                accounts: &drift.accounts,
                undamped: drift.undamped,
            });
            (ContentHash::of_text(&text), text)
        })
        .collect();
    let documents: Documents<'_> = (bodies.iter())
        .map(|(hash, text)| (*hash, text.as_str()))
        .collect();
    let documents = evidence::put(connection, &documents).await?;
    let rows: Vec<_> = drifts.iter().zip(&bodies).collect();
    for some in rows.chunks(ROWS_A_STATEMENT) {
        QueryBuilder::<Sqlite>::new(
            "INSERT INTO drifts
                 (name, sweep, last_before, kind, severity, account, control, message, body, routing) ",
        )
        .push_values(some, |mut row, (drift, (hash, _))| {
            row.push_bind(drift.id.to_string())
                .push_bind(drift.between.seen.0)
                .push_bind(drift.between.last_before.map(|sweep| sweep.0))
                .push_bind(drift.kind.code())
                .push_bind(drift.severity.as_str())
                .push_bind(drift.account.map(|account| account.to_string()))
                .push_bind(drift.control.as_ref().map(ToString::to_string))
                .push_bind(drift.message.as_str())
                .push_bind(documents.get(hash).copied())
                // Nobody has looked yet whether to tell it.
                .push_bind("waiting");
        })
        .push(" ON CONFLICT (name) DO NOTHING")
        .build()
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}
