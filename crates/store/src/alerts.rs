//! Alerts: what people were told of, and whether it still lasts.

use jiff::Timestamp;
use model::{AlertId, DriftId, DriftKind, LastsWhile, Severity, SweepId};
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Error, NewNotice, Store, Sweeper,
    alert_outbox::queue_notice,
    column::Columns,
    database,
    error::Cause,
    waiting_drifts::{ROWS_A_MARK, mark},
};

#[cfg(test)]
mod tests;

/// An alert that is to be told, with the drifts that make it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlert {
    /// Its name. One of this name that is there already is told of more drifts.
    pub id: AlertId,
    /// The sweep that saw its drifts.
    pub sweep: SweepId,
    /// When it is made.
    pub at: Timestamp,
    /// The kind of the drift that stands for all.
    pub kind: DriftKind,
    /// The highest severity of its drifts.
    pub severity: Severity,
    /// The drift that stands for all.
    pub drift: DriftId,
    /// What happened, in one line.
    pub title: String,
    /// What has to be well again before it ends; `None` where telling it once is all.
    pub lasts_while: Option<LastsWhile>,
    /// When people are to be reminded.
    pub remind_at: Option<Timestamp>,
    /// The rows of its drifts.
    pub rows: Vec<i64>,
    /// What is told of it; `None` where those who are to know were told before.
    pub notice: Option<NewNotice>,
}

/// An alert as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// Its row: later alerts have higher ones.
    pub number: i64,
    /// Its name.
    pub id: AlertId,
    /// The sweep that saw its drifts.
    pub sweep: SweepId,
    /// When it was made.
    pub opened_at: Timestamp,
    /// The kind of the drift that stands for all.
    pub kind: DriftKind,
    /// The highest severity of its drifts.
    pub severity: Severity,
    /// The drift that stands for all.
    pub drift: DriftId,
    /// What happened, in one line.
    pub title: String,
    /// What has to be well again before it ends; `None` where telling it once was all.
    pub lasts_while: Option<LastsWhile>,
    /// When it was over; `None` as long as it lasts.
    pub ended_at: Option<Timestamp>,
    /// How often people were reminded.
    pub reminders: u64,
    /// When they are next.
    pub remind_at: Option<Timestamp>,
    /// How many drifts it tells of, those that ended it among them.
    pub drifts: u64,
    /// How many accounts these are of.
    pub accounts: u64,
    /// Whether somebody said that they have seen one of its drifts.
    pub is_acknowledged: bool,
}

impl AlertRow {
    /// Whether something is still to be mended.
    pub fn lasts(&self) -> bool {
        self.lasts_while.is_some() && self.ended_at.is_none()
    }
}

/// Which alerts are asked for; what is `None` does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertQuery {
    /// This one.
    pub id: Option<AlertId>,
    /// Only those that last, or only those that do not.
    pub lasts: Option<bool>,
    /// Only those before this row, for the next page.
    pub before: Option<i64>,
    /// No more than this many.
    pub limit: Option<u32>,
}

impl Store {
    /// Alerts, the latest first.
    #[tracing::instrument(name = "db.alert.list", skip(self))]
    pub async fn alerts(&self, query: &AlertQuery) -> Result<Vec<AlertRow>, Error> {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT alerts.*,
                 (SELECT count(*) FROM drifts WHERE alert = alerts.id) AS drifts,
                 (SELECT count(DISTINCT account) FROM drifts WHERE alert = alerts.id) AS accounts,
                 EXISTS (SELECT 1 FROM journal JOIN drifts ON drifts.name = journal.subject
                     WHERE journal.kind = 'acknowledgement' AND drifts.alert = alerts.id)
                     AS is_acknowledged
             FROM alerts WHERE TRUE",
        );
        if let Some(id) = query.id {
            select.push(" AND name = ").push_bind(id.to_string());
        }
        match query.lasts {
            Some(true) => {
                select.push(" AND ended_at IS NULL AND lasts_while IS NOT NULL");
            }
            Some(false) => {
                select.push(" AND (ended_at IS NOT NULL OR lasts_while IS NULL)");
            }
            None => {}
        }
        if let Some(before) = query.before {
            select.push(" AND id < ").push_bind(before);
        }
        select
            .push(" ORDER BY id DESC LIMIT ")
            .push_bind(query.limit.map_or(-1, i64::from));
        let read = async {
            let rows = select.build().fetch_all(&self.readers).await?;
            rows.iter().map(alert).collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause| cause.during("list the alerts", &self.path))
    }
}

impl Sweeper {
    /// Tells an alert: writes it and its notice, and marks its drifts, all or nothing. Its row.
    ///
    /// Where one of this name is there, the drifts become its own, and it becomes as severe as they are.
    #[tracing::instrument(name = "db.alert.tell", skip_all, fields(alert = %new.id, drifts = new.rows.len()))]
    pub async fn tell_alert(&self, new: &NewAlert) -> Result<i64, Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let write = async {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            let number = put(&mut transaction, new).await?;
            for some in new.rows.chunks(ROWS_A_MARK) {
                mark(&mut transaction, some, None, Some(number)).await?;
            }
            if let Some(notice) = &new.notice {
                queue_notice(&mut transaction, number, new.at, notice).await?;
            }
            transaction.commit().await?;
            Ok(number)
        };
        (write.await).map_err(|cause: Cause| cause.during("write an alert", &self.store.path))
    }

    /// Reminds of an alert that lasts, and notes when to do so again. Without a notice only the latter.
    #[tracing::instrument(name = "db.alert.remind", skip_all, fields(alert = number))]
    pub async fn remind_of_alert(
        &self,
        number: i64,
        at: Timestamp,
        next: Option<Timestamp>,
        notice: Option<&NewNotice>,
    ) -> Result<(), Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let write = async {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::query(
                "UPDATE alerts SET reminders = reminders + ?2, remind_at = ?3
                 WHERE id = ?1 AND ended_at IS NULL",
            )
            .bind(number)
            .bind(i64::from(notice.is_some()))
            .bind(next.map(Timestamp::as_microsecond))
            .execute(&mut *transaction)
            .await?;
            if let Some(notice) = notice {
                queue_notice(&mut transaction, number, at, notice).await?;
            }
            transaction.commit().await?;
            Ok(())
        };
        (write.await).map_err(|cause: Cause| cause.during("write a reminder", &self.store.path))
    }

    /// Notes that an alert is over, and says so to those who were told; `false` if it was over before.
    #[tracing::instrument(name = "db.alert.end", skip_all, fields(alert = number))]
    pub async fn end_alert(
        &self,
        number: i64,
        at: Timestamp,
        notice: Option<&NewNotice>,
    ) -> Result<bool, Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let write = async {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            let ended = sqlx::query(
                "UPDATE alerts SET ended_at = ?2, remind_at = NULL
                 WHERE id = ?1 AND ended_at IS NULL",
            )
            .bind(number)
            .bind(at.as_microsecond())
            .execute(&mut *transaction)
            .await?;
            let is_ended = ended.rows_affected() > 0;
            if let Some(notice) = notice.filter(|_| is_ended) {
                queue_notice(&mut transaction, number, at, notice).await?;
            }
            transaction.commit().await?;
            Ok(is_ended)
        };
        (write.await).map_err(|cause: Cause| cause.during("end an alert", &self.store.path))
    }
}

async fn put(connection: &mut SqliteConnection, new: &NewAlert) -> Result<i64, Cause> {
    // What is told once is over when it was told.
    let ended_at = new.lasts_while.is_none().then(|| new.at.as_microsecond());
    let number = sqlx::query_scalar(
        "INSERT INTO alerts
             (name, sweep, opened_at, kind, severity, drift, title, lasts_while, ended_at, remind_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (name) DO UPDATE SET severity = excluded.severity RETURNING id",
    )
    .bind(new.id.to_string())
    .bind(new.sweep.0)
    .bind(new.at.as_microsecond())
    .bind(new.kind.code())
    .bind(new.severity.as_str())
    .bind(new.drift.to_string())
    .bind(&new.title)
    .bind(new.lasts_while.map(LastsWhile::as_str))
    .bind(ended_at)
    .bind(new.remind_at.map(Timestamp::as_microsecond))
    .fetch_one(connection)
    .await?;
    Ok(number)
}

fn alert(row: &SqliteRow) -> Result<AlertRow, Cause> {
    let columns = Columns::of("alerts", row)?;
    let lasts_while = match columns.get::<Option<&str>>("lasts_while")? {
        Some(_) => Some(columns.variant("lasts_while")?),
        None => None,
    };
    Ok(AlertRow {
        number: columns.id(),
        id: columns.parsed("name")?,
        sweep: SweepId(columns.get("sweep")?),
        opened_at: columns.required("opened_at", columns.time("opened_at")?)?,
        kind: columns.parsed("kind")?,
        severity: columns.variant("severity")?,
        drift: columns.parsed("drift")?,
        title: columns.get("title")?,
        lasts_while,
        ended_at: columns.time("ended_at")?,
        reminders: columns.count("reminders")?,
        remind_at: columns.time("remind_at")?,
        drifts: columns.count("drifts")?,
        accounts: columns.count("accounts")?,
        is_acknowledged: columns.get("is_acknowledged")?,
    })
}
