//! Drifts of which nobody has decided yet whether to tell them: the durable queue behind alerts.
//!
//! A drift waits from the transaction that records it, so that no crash can lose it. It is no history how
//! far it is: no seal is over it.

use jiff::Timestamp;
use model::SweepId;
use sqlx::{Connection, SqliteConnection};

use crate::{
    DriftRow, Error, Store, Sweeper, column::Columns, database, drifts::drift_rows, error::Cause,
};

/// Drifts that are read at a time.
const PAGE: i64 = 500;

/// Rows that one statement marks.
pub(crate) const ROWS_A_MARK: usize = 2_000;

/// A sweep with drifts that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingSweep {
    /// The sweep.
    pub sweep: SweepId,
    /// How many wait.
    pub drifts: u64,
    /// When the sweep began.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs, and for ever if its process died.
    pub finished_at: Option<Timestamp>,
}

/// A drift that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingDrift {
    /// Its row.
    pub row: i64,
    /// The drift, and when it happened.
    pub drift: DriftRow,
    /// The alert that told what this drift undoes or goes on from: that of the drift before it of the same
    /// account and control.
    pub told_by: Option<i64>,
    /// Whether nothing of its account and control changed after it.
    pub is_last: bool,
}

impl Store {
    /// The sweeps of which drifts wait, the first one first.
    #[tracing::instrument(name = "db.drift.waiting_sweeps", skip(self))]
    pub async fn waiting_sweeps(&self) -> Result<Vec<WaitingSweep>, Error> {
        let read = async {
            let rows = sqlx::query(
                "SELECT sweeps.id, sweeps.started_at, sweeps.finished_at, waiting.number
                 FROM (SELECT sweep, count(*) AS number FROM drifts
                     WHERE routing IS NOT NULL AND routing = 'waiting' GROUP BY sweep) AS waiting
                 JOIN sweeps ON sweeps.id = waiting.sweep ORDER BY sweeps.id",
            )
            .fetch_all(&self.readers)
            .await?;
            (rows.iter())
                .map(|row| {
                    let columns = Columns::of("sweeps", row)?;
                    Ok(WaitingSweep {
                        sweep: SweepId(columns.id()),
                        drifts: columns.count("number")?,
                        started_at: columns.required("started_at", columns.time("started_at")?)?,
                        finished_at: columns.time("finished_at")?,
                    })
                })
                .collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause| cause.during("list what waits to be told", &self.path))
    }

    /// The next drifts of a sweep that wait, behind this row.
    #[tracing::instrument(name = "db.drift.waiting", skip(self))]
    pub async fn waiting_drifts(
        &self,
        sweep: SweepId,
        after: i64,
    ) -> Result<Vec<WaitingDrift>, Error> {
        self.in_queue("waiting", Some(sweep), after).await
    }

    /// The next drifts that went to and fro and wait to come to rest, behind this row.
    #[tracing::instrument(name = "db.drift.resting", skip(self))]
    pub async fn resting_drifts(&self, after: i64) -> Result<Vec<WaitingDrift>, Error> {
        self.in_queue("resting", None, after).await
    }

    async fn in_queue(
        &self,
        routing: &'static str,
        sweep: Option<SweepId>,
        after: i64,
    ) -> Result<Vec<WaitingDrift>, Error> {
        let read = async {
            let mut transaction = self.readers.begin().await?;
            // What undoes something follows the last drift of its kind; nothing else is looked up.
            let rows = sqlx::query(
                "SELECT drifts.*, seen.started_at AS seen_at, earlier.started_at AS last_before_at,
                     CASE WHEN kind IN ('verdict-changed', 'visible-again') THEN (
                         SELECT before.alert FROM drifts AS before
                         WHERE before.account = drifts.account AND before.control IS drifts.control
                             AND before.id < drifts.id
                             AND before.kind = CASE drifts.kind
                                 WHEN 'visible-again' THEN 'became-unknown'
                                 ELSE 'verdict-changed' END
                         ORDER BY before.id DESC LIMIT 1) END AS told_by,
                     NOT EXISTS (
                         SELECT 1 FROM drifts AS later
                         WHERE later.account = drifts.account AND later.control IS drifts.control
                             AND later.kind = drifts.kind AND later.id > drifts.id) AS is_last
                 FROM drifts
                 JOIN sweeps AS seen ON seen.id = drifts.sweep
                 LEFT JOIN sweeps AS earlier ON earlier.id = drifts.last_before
                 WHERE drifts.routing IS NOT NULL AND drifts.routing = ?1
                     AND (?2 IS NULL OR drifts.sweep = ?2) AND drifts.id > ?3
                 ORDER BY drifts.id LIMIT ?4",
            )
            .bind(routing)
            .bind(sweep.map(|sweep| sweep.0))
            .bind(after)
            .bind(PAGE)
            .fetch_all(&mut *transaction)
            .await?;
            let drifts = drift_rows(&mut transaction, &rows).await?;
            (rows.iter().zip(drifts))
                .map(|(row, drift)| {
                    let columns = Columns::of("drifts", row)?;
                    Ok(WaitingDrift {
                        row: columns.id(),
                        drift,
                        told_by: columns.get("told_by")?,
                        is_last: columns.get("is_last")?,
                    })
                })
                .collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause: Cause| cause.during("list what waits to be told", &self.path))
    }
}

impl Sweeper {
    /// Notes that these drifts are told by an alert that is there already.
    pub async fn attach_drifts(&self, alert: i64, rows: &[i64]) -> Result<(), Error> {
        self.mark(rows, None, Some(alert)).await
    }

    /// Notes that nobody is to be told of these drifts.
    pub async fn leave_untold(&self, rows: &[i64]) -> Result<(), Error> {
        self.mark(rows, None, None).await
    }

    /// Notes that these drifts go to and fro, and are looked at again when they came to rest.
    pub async fn let_rest(&self, rows: &[i64]) -> Result<(), Error> {
        self.mark(rows, Some("resting"), None).await
    }

    async fn mark(
        &self,
        rows: &[i64],
        routing: Option<&'static str>,
        alert: Option<i64>,
    ) -> Result<(), Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let write = async {
            for some in rows.chunks(ROWS_A_MARK) {
                let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
                mark(&mut transaction, some, routing, alert).await?;
                transaction.commit().await?;
            }
            Ok(())
        };
        (write.await).map_err(|cause: Cause| cause.during("note what was told", &self.store.path))
    }
}

/// Marks drifts that wait; those that were dealt with stay as they are.
pub(crate) async fn mark(
    connection: &mut SqliteConnection,
    rows: &[i64],
    routing: Option<&'static str>,
    alert: Option<i64>,
) -> Result<(), Cause> {
    sqlx::query(
        "UPDATE drifts SET routing = ?1, alert = ?2
         WHERE id IN (SELECT value FROM json_each(?3)) AND routing IS NOT NULL",
    )
    .bind(routing)
    .bind(alert)
    .bind(model::canonical_json(rows))
    .execute(connection)
    .await?;
    Ok(())
}
