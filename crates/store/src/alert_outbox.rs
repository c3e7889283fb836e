//! The outbox: notices on their way to channels, those that arrived, and those that were given up.
//!
//! A row is written with its alert, and its key never changes: who is killed between sending and noting
//! it sends the same thing under the same key again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::{AlertId, DeliveryState, NoticeForm};
use serde_json::Value;
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteRow};

use crate::{Error, Journal, Store, Sweeper, column::Columns, database, error::Cause};

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The channel, by the name that the configuration gives it.
    pub channel: String,
    /// What tells this notice on this channel from all others, for ever.
    pub idempotency_key: String,
}

/// A notice that is to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct NewNotice {
    /// What it says of its alert.
    pub form: NoticeForm,
    /// What it says.
    pub body: Value,
    /// Who is told.
    pub recipients: Vec<Recipient>,
}

/// A delivery that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct DueDelivery {
    /// Its row.
    pub number: i64,
    /// The channel.
    pub channel: String,
    /// The same for every attempt.
    pub idempotency_key: String,
    /// What is told.
    pub body: Value,
    /// When it was put into the outbox.
    pub queued_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The channel took it.
    Delivered,
    /// It is to be tried again.
    Failed {
        /// Not before then.
        next_at: Timestamp,
        /// Why; without any secret.
        error: String,
    },
    /// It is given up.
    Dead {
        /// Why; without any secret.
        error: String,
    },
}

/// A delivery as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its row: later ones have higher ones.
    pub number: i64,
    /// The alert.
    pub alert: AlertId,
    /// The alert in one line.
    pub title: String,
    /// What it says of the alert.
    pub form: NoticeForm,
    /// The channel.
    pub channel: String,
    /// The same for every attempt.
    pub idempotency_key: String,
    /// How far it is.
    pub state: DeliveryState,
    /// When it was put into the outbox.
    pub queued_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; of no meaning unless it is pending.
    pub next_attempt_at: Timestamp,
    /// When it was tried last.
    pub last_attempt_at: Option<Timestamp>,
    /// Why the last attempt came to nothing.
    pub last_error: Option<String>,
    /// When the channel took it.
    pub delivered_at: Option<Timestamp>,
}

/// Which deliveries are asked for; what is `None` does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Of this alert.
    pub alert: Option<AlertId>,
    /// To this channel.
    pub channel: Option<String>,
    /// As far as this.
    pub state: Option<DeliveryState>,
    /// Only those before this row, for the next page.
    pub before: Option<i64>,
    /// No more than this many.
    pub limit: Option<u32>,
}

/// Which of the deliveries that were given up are to be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resend {
    /// All of them.
    All,
    /// Those of a channel.
    Channel(String),
    /// Those of an alert.
    Alert(AlertId),
}

/// Who was told of an alert when it began.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ToldOfAlert {
    /// What they were told; the first of them, where it was told anew to others.
    pub body: Option<Value>,
    /// Each channel, and how far the delivery is.
    pub channels: Vec<(String, DeliveryState)>,
}

/// How much waits to be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertQueue {
    /// Drifts that nobody has looked at yet.
    pub waiting_drifts: u64,
    /// Deliveries that are on their way.
    pub pending: u64,
    /// When the oldest of them was put into the outbox.
    pub oldest: Option<Timestamp>,
    /// When the next of them is to be tried.
    pub next_attempt_at: Option<Timestamp>,
    /// Deliveries that were given up.
    pub dead: u64,
}

impl Store {
    /// Deliveries whose time has come, the first one first: of an alert and channel only the first that is
    /// pending, so that nothing is over before it began. Channels that are not to be tried now are left out.
    #[tracing::instrument(name = "db.delivery.due", skip(self))]
    pub async fn deliveries_due(
        &self,
        now: Timestamp,
        not_to: &BTreeSet<String>,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, Error> {
        let read = async {
            let rows = sqlx::query(
                "SELECT alert_outbox.*, notice.body FROM alert_outbox
                 JOIN alert_notices AS notice ON notice.id = alert_outbox.notice
                 WHERE state = 'pending' AND next_attempt_at <= ?1
                     AND channel NOT IN (SELECT value FROM json_each(?3)) AND NOT EXISTS (
                     SELECT 1 FROM alert_notices AS earlier
                     JOIN alert_outbox AS first ON first.notice = earlier.id
                     WHERE earlier.alert = notice.alert AND first.channel = alert_outbox.channel
                         AND first.state = 'pending' AND first.id < alert_outbox.id)
                 ORDER BY alert_outbox.id LIMIT ?2",
            )
            .bind(now.as_microsecond())
            .bind(limit)
            .bind(model::canonical_json(not_to))
            .fetch_all(&self.readers)
            .await?;
            (rows.iter())
                .map(|row| {
                    let columns = Columns::of("alert_outbox", row)?;
                    Ok(DueDelivery {
                        number: columns.id(),
                        channel: columns.get("channel")?,
                        idempotency_key: columns.get("idempotency_key")?,
                        body: columns.required("body", columns.json("body")?)?,
                        queued_at: columns.required("queued_at", columns.time("queued_at")?)?,
                        attempts: attempts(&columns)?,
                    })
                })
                .collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause: Cause| cause.during("read the outbox", &self.path))
    }

    /// Deliveries, the latest first.
    #[tracing::instrument(name = "db.delivery.list", skip(self))]
    pub async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, Error> {
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT alert_outbox.*, notice.form, alerts.name, alerts.title FROM alert_outbox
             JOIN alert_notices AS notice ON notice.id = alert_outbox.notice
             JOIN alerts ON alerts.id = notice.alert WHERE TRUE",
        );
        if let Some(alert) = query.alert {
            select
                .push(" AND alerts.name = ")
                .push_bind(alert.to_string());
        }
        if let Some(channel) = &query.channel {
            select.push(" AND channel = ").push_bind(channel.clone());
        }
        if let Some(state) = query.state {
            select.push(" AND state = ").push_bind(state.as_str());
        }
        if let Some(before) = query.before {
            select.push(" AND alert_outbox.id < ").push_bind(before);
        }
        select
            .push(" ORDER BY alert_outbox.id DESC LIMIT ")
            .push_bind(query.limit.map_or(-1, i64::from));
        let read = async {
            let rows = select.build().fetch_all(&self.readers).await?;
            rows.iter().map(delivery).collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause| cause.during("read the outbox", &self.path))
    }

    /// What those who were told of an alert were told first, and how far that is on each channel.
    #[tracing::instrument(name = "db.alert.told", skip(self))]
    pub async fn told_of_alert(&self, alert: i64) -> Result<ToldOfAlert, Error> {
        let read = async {
            let rows = sqlx::query(
                "SELECT alert_outbox.id, channel, state, body FROM alert_notices AS notice
                 JOIN alert_outbox ON alert_outbox.notice = notice.id
                 WHERE notice.alert = ?1 AND notice.form = 'opened' ORDER BY notice.id",
            )
            .bind(alert)
            .fetch_all(&self.readers)
            .await?;
            let mut told = ToldOfAlert::default();
            for row in &rows {
                let columns = Columns::of("alert_outbox", row)?;
                if told.body.is_none() {
                    told.body = columns.json("body")?;
                }
                let channel = columns.get("channel")?;
                told.channels.push((channel, columns.variant("state")?));
            }
            Ok(told)
        };
        (read.await).map_err(|cause: Cause| cause.during("read the outbox", &self.path))
    }

    /// How much waits to be told.
    #[tracing::instrument(name = "db.delivery.queue", skip(self))]
    pub async fn alert_queue(&self) -> Result<AlertQueue, Error> {
        let read = async {
            let row = sqlx::query(
                "SELECT 1 AS id,
                     (SELECT count(*) FROM drifts WHERE routing IS NOT NULL AND routing = 'waiting')
                         AS waiting_drifts,
                     (SELECT count(*) FROM alert_outbox WHERE state = 'pending') AS pending,
                     (SELECT min(queued_at) FROM alert_outbox WHERE state = 'pending') AS oldest,
                     (SELECT min(next_attempt_at) FROM alert_outbox WHERE state = 'pending')
                         AS next_attempt_at,
                     (SELECT count(*) FROM alert_outbox WHERE state = 'dead') AS dead",
            )
            .fetch_one(&self.readers)
            .await?;
            let columns = Columns::of("alert_outbox", &row)?;
            Ok(AlertQueue {
                waiting_drifts: columns.count("waiting_drifts")?,
                pending: columns.count("pending")?,
                oldest: columns.time("oldest")?,
                next_attempt_at: columns.time("next_attempt_at")?,
                dead: columns.count("dead")?,
            })
        };
        (read.await).map_err(|cause: Cause| cause.during("read the outbox", &self.path))
    }
}

impl Sweeper {
    /// Notes what an attempt came to. What was delivered stays so.
    #[tracing::instrument(name = "db.delivery.record", skip(self, attempt))]
    pub async fn record_attempt(
        &self,
        delivery: i64,
        at: Timestamp,
        attempt: &Attempt,
    ) -> Result<(), Error> {
        let (state, next_at, error) = match attempt {
            Attempt::Delivered => (DeliveryState::Delivered, at, None),
            Attempt::Failed { next_at, error } => (DeliveryState::Pending, *next_at, Some(error)),
            Attempt::Dead { error } => (DeliveryState::Dead, at, Some(error)),
        };
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let write = async {
            sqlx::query(
                "UPDATE alert_outbox SET state = ?2, attempts = attempts + 1, last_attempt_at = ?3,
                     next_attempt_at = ?4, last_error = coalesce(?5, last_error),
                     delivered_at = CASE WHEN ?2 = 'delivered' THEN ?3 END
                 WHERE id = ?1 AND state = 'pending'",
            )
            .bind(delivery)
            .bind(state.as_str())
            .bind(at.as_microsecond())
            .bind(next_at.as_microsecond())
            .bind(error)
            .execute(&mut *writer)
            .await?;
            Ok(())
        };
        (write.await).map_err(|cause: Cause| cause.during("note a delivery", &self.store.path))
    }

    /// Sends what was given up again; how many deliveries that is.
    pub async fn resend(&self, at: Timestamp, which: &Resend) -> Result<u64, Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        (resend(&mut writer, at, which).await)
            .map_err(|cause| cause.during("send again", &self.store.path))
    }
}

impl Journal {
    /// Sends what was given up again, with the next run of whoever delivers; how many deliveries that is.
    pub async fn resend(&self, at: Timestamp, which: &Resend) -> Result<u64, Error> {
        let mut writer = self.writer().await;
        (resend(&mut writer, at, which).await)
            .map_err(|cause| cause.during("send again", self.store().path()))
    }
}

/// Puts a notice into the outbox; what is there under the same key is not put there twice.
pub(crate) async fn queue_notice(
    connection: &mut SqliteConnection,
    alert: i64,
    at: Timestamp,
    notice: &NewNotice,
) -> Result<(), Cause> {
    let number: i64 = sqlx::query_scalar(
        "INSERT INTO alert_notices (alert, form, made_at, body) VALUES (?1, ?2, ?3, ?4)
         RETURNING id",
    )
    .bind(alert)
    .bind(notice.form.as_str())
    .bind(at.as_microsecond())
    .bind(notice.body.to_string())
    .fetch_one(&mut *connection)
    .await?;
    for recipient in &notice.recipients {
        sqlx::query(
            "INSERT INTO alert_outbox
                 (notice, channel, idempotency_key, state, queued_at, next_attempt_at)
             VALUES (?1, ?2, ?3, 'pending', ?4, ?4) ON CONFLICT (idempotency_key) DO NOTHING",
        )
        .bind(number)
        .bind(&recipient.channel)
        .bind(&recipient.idempotency_key)
        .bind(at.as_microsecond())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn resend(
    connection: &mut SqliteConnection,
    at: Timestamp,
    which: &Resend,
) -> Result<u64, Cause> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    // The time since it was put there decides when it is given up again.
    let mut update =
        QueryBuilder::<Sqlite>::new("UPDATE alert_outbox SET state = 'pending', queued_at = ");
    update
        .push_bind(at.as_microsecond())
        .push(", attempts = 0, next_attempt_at = ")
        .push_bind(at.as_microsecond())
        .push(" WHERE state = 'dead'");
    match which {
        Resend::All => {}
        Resend::Channel(channel) => {
            update.push(" AND channel = ").push_bind(channel.clone());
        }
        Resend::Alert(alert) => {
            update
                .push(
                    " AND notice IN (SELECT alert_notices.id FROM alert_notices
                       JOIN alerts ON alerts.id = alert_notices.alert WHERE alerts.name = ",
                )
                .push_bind(alert.to_string())
                .push(")");
        }
    }
    let resent = update.build().execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(resent.rows_affected())
}

fn delivery(row: &SqliteRow) -> Result<Delivery, Cause> {
    let columns = Columns::of("alert_outbox", row)?;
    Ok(Delivery {
        number: columns.id(),
        alert: columns.parsed("name")?,
        title: columns.get("title")?,
        form: columns.variant("form")?,
        channel: columns.get("channel")?,
        idempotency_key: columns.get("idempotency_key")?,
        state: columns.variant("state")?,
        queued_at: columns.required("queued_at", columns.time("queued_at")?)?,
        attempts: attempts(&columns)?,
        next_attempt_at: columns.required("next_attempt_at", columns.time("next_attempt_at")?)?,
        last_attempt_at: columns.time("last_attempt_at")?,
        last_error: columns.get("last_error")?,
        delivered_at: columns.time("delivered_at")?,
    })
}

fn attempts(columns: &Columns<'_>) -> Result<u32, Cause> {
    Ok(u32::try_from(columns.count("attempts")?).unwrap_or(u32::MAX))
}
