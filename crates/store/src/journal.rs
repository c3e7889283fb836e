//! The journal: what arrives beside sweeps, in the order in which it came. Only ever added to.

use jiff::Timestamp;
use model::DriftId;
use serde::Serialize;
use serde_json::Value;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteRow};
use tokio::sync::{Mutex, MutexGuard};

use crate::{Error, Store, Sweeper, column::Columns, database, error::Cause};

/// What kind of thing was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalKind {
    /// Who caused a drift, or why that is not known. The subject is the drift.
    Author,
    /// Somebody has seen a drift. The subject is the drift.
    Acknowledgement,
    /// Findings are accepted for a time. The subject is the exception.
    Exception,
    /// They no longer are. The subject is the exception.
    ExceptionEnd,
}

impl JournalKind {
    const ALL: [Self; 4] = [
        Self::Author,
        Self::Acknowledgement,
        Self::Exception,
        Self::ExceptionEnd,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Acknowledgement => "acknowledgement",
            Self::Exception => "exception",
            Self::ExceptionEnd => "exception_end",
        }
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JournalRecord {
    /// Its number: later records have higher ones.
    pub id: i64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What kind of thing it is.
    pub kind: JournalKind,
    /// What it is about.
    pub subject: String,
    /// What was said.
    pub body: Value,
}

/// A store open for adding to its journal, beside a sweeper or without one.
#[derive(Debug)]
pub struct Journal {
    store: Store,
    pub(crate) writer: Mutex<SqliteConnection>,
}

impl Journal {
    /// The same store, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The connection that writes, for the short transactions of others.
    pub(crate) async fn writer(&self) -> MutexGuard<'_, SqliteConnection> {
        database::locked(&self.writer, &self.store.canonical).await
    }

    /// Records something, in a short transaction of its own.
    pub async fn record(
        &self,
        at: Timestamp,
        kind: JournalKind,
        subject: &str,
        body: &Value,
    ) -> Result<i64, Error> {
        let mut writer = self.writer().await;
        (insert(&mut writer, at, kind, subject, body).await)
            .map_err(|cause| cause.during("write into the journal", self.store.path()))
    }

    /// Lets go of the file.
    pub async fn close(self) -> Result<(), Error> {
        let Self { store, writer } = self;
        let closed = writer.into_inner().close().await;
        closed
            .map_err(|source| Cause::from(source).during("write the last changes", store.path()))?;
        store.close().await;
        Ok(())
    }
}

impl Store {
    /// Opens an existing store for adding to its journal. Others may sweep and read meanwhile.
    pub async fn open_journal(path: impl AsRef<std::path::Path>) -> Result<Journal, Error> {
        let store = Self::open_reader(path).await?;
        let writer = (database::writer(&store.canonical).await)
            .map_err(|cause| cause.during("open the database", store.path()))?;
        Ok(Journal {
            store,
            writer: Mutex::new(writer),
        })
    }

    /// The records of some kind about something, or about anything, the oldest first.
    #[tracing::instrument(name = "db.journal.list", skip(self))]
    pub async fn journal(
        &self,
        kind: JournalKind,
        subject: Option<&str>,
    ) -> Result<Vec<JournalRecord>, Error> {
        let read = async {
            let rows = sqlx::query(
                "SELECT * FROM journal WHERE kind = ?1 AND (?2 IS NULL OR subject = ?2)
                 ORDER BY id",
            )
            .bind(kind.as_str())
            .bind(subject)
            .fetch_all(&self.readers)
            .await?;
            rows.iter().map(record).collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause| cause.during("read the journal", &self.path))
    }

    /// The last record of some kind about each of these drifts.
    pub async fn journal_of_drifts(
        &self,
        kind: JournalKind,
        drifts: &[DriftId],
    ) -> Result<std::collections::HashMap<DriftId, JournalRecord>, Error> {
        let read = async {
            let rows = sqlx::query(
                "SELECT * FROM journal
                 WHERE kind = ?1 AND subject IN (SELECT value FROM json_each(?2)) ORDER BY id",
            )
            .bind(kind.as_str())
            .bind(model::canonical_json(drifts))
            .fetch_all(&self.readers)
            .await?;
            (rows.iter())
                .map(|row| {
                    let drift = Columns::of("journal", row)?.parsed("subject")?;
                    Ok((drift, record(row)?))
                })
                .collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause| cause.during("read the journal", &self.path))
    }
}

impl Sweeper {
    /// Records something that came of a sweep after its end, such as the author of a drift.
    pub async fn record_in_journal(
        &self,
        at: Timestamp,
        kind: JournalKind,
        subject: &str,
        body: &Value,
    ) -> Result<i64, Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        (insert(&mut writer, at, kind, subject, body).await)
            .map_err(|cause| cause.during("write into the journal", &self.store.path))
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    at: Timestamp,
    kind: JournalKind,
    subject: &str,
    body: &Value,
) -> Result<i64, Cause> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let id = sqlx::query_scalar(
        "INSERT INTO journal (recorded_at, kind, subject, body) VALUES (?1, ?2, ?3, ?4)
         RETURNING id",
    )
    .bind(at.as_microsecond())
    .bind(kind.as_str())
    .bind(subject)
    .bind(model::canonical_json(body))
    .fetch_one(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(id)
}

/// The records in these rows, in their order: what a seal is over.
pub(crate) async fn between(
    connection: &mut SqliteConnection,
    (after, until): (i64, i64),
) -> Result<Vec<JournalRecord>, Cause> {
    let rows = sqlx::query("SELECT * FROM journal WHERE id > ?1 AND id <= ?2 ORDER BY id")
        .bind(after)
        .bind(until)
        .fetch_all(connection)
        .await?;
    rows.iter().map(record).collect()
}

fn record(row: &SqliteRow) -> Result<JournalRecord, Cause> {
    let columns = Columns::of("journal", row)?;
    let word: &str = columns.get("kind")?;
    let kind = JournalKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word);
    Ok(JournalRecord {
        id: columns.id(),
        recorded_at: columns.required("recorded_at", columns.time("recorded_at")?)?,
        kind: columns.required("kind", kind)?,
        subject: columns.get("subject")?,
        body: columns.required("body", columns.json("body")?)?,
    })
}
