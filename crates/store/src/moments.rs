//! Moments of the history: which sweep's end a time means.

use jiff::Timestamp;
use model::{SweepId, SweepState};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use crate::{Error, Store, column::Columns, error::Cause, owner};

#[cfg(test)]
mod tests;

/// When something is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// At the end of this sweep.
    Sweep(SweepId),
    /// At this time: at the end of the last sweep that had finished by then.
    Time(Timestamp),
}

/// The end of a sweep: as of it, the history does not change any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The sweep.
    pub sweep: SweepId,
    /// How it ended: one that was named may have been stopped, and then what it saw counts.
    pub state: SweepState,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None` where its process died.
    pub finished_at: Option<Timestamp>,
}

impl Store {
    /// The moment that is meant. What cannot be meant is an error that says what could be.
    #[tracing::instrument(name = "db.moment.lookup", skip(self))]
    pub async fn moment(&self, as_of: AsOf) -> Result<Moment, Error> {
        let read = async {
            let mut connection = self.readers.acquire().await?;
            match as_of {
                AsOf::Sweep(sweep) => self.end_of(&mut connection, sweep).await,
                AsOf::Time(time) => self.last_finished(&mut connection, time).await,
            }
        };
        (read.await).map_err(|cause: Cause| cause.during("look up a sweep", &self.path))?
    }

    /// Refuses a store that holds the history of somebody else.
    #[tracing::instrument(name = "db.owner.check", skip(self))]
    pub async fn check_organization(&self, wanted: &str) -> Result<(), Error> {
        let read = async {
            let mut connection = self.readers.acquire().await?;
            owner::read(&mut connection).await
        };
        let owner = (read.await)
            .map_err(|cause: Cause| cause.during("look up the organization", &self.path))?;
        match owner {
            Some(owner) if owner.organization.as_deref() == Some(wanted) => Ok(()),
            owner => Err(Error::NotOfOrganization {
                path: self.path.clone(),
                owner: owner.map_or_else(|| "nobody yet".to_owned(), |owner| owner.to_string()),
                wanted: wanted.to_owned(),
            }),
        }
    }

    async fn end_of(
        &self,
        connection: &mut SqliteConnection,
        sweep: SweepId,
    ) -> Result<Result<Moment, Error>, Cause> {
        let row = sqlx::query(
            "SELECT id, state, is_abandoned, started_at, finished_at FROM sweeps WHERE id = ?1",
        )
        .bind(sweep.0)
        .fetch_optional(&mut *connection)
        .await?;
        let path = self.path.clone();
        let Some(row) = row else {
            let last: Option<i64> = sqlx::query_scalar("SELECT max(id) FROM sweeps")
                .fetch_one(connection)
                .await?;
            return Ok(Err(Error::UnknownSweep {
                path,
                sweep,
                last: last.map(SweepId),
            }));
        };
        let moment = moment(&row)?;
        Ok(match moment.state {
            SweepState::Running => Err(Error::SweepUnderWay { path, sweep }),
            _ => Ok(moment),
        })
    }

    async fn last_finished(
        &self,
        connection: &mut SqliteConnection,
        time: Timestamp,
    ) -> Result<Result<Moment, Error>, Cause> {
        let row = sqlx::query(
            "SELECT id, state, is_abandoned, started_at, finished_at FROM sweeps
             WHERE state = 'finished' AND finished_at <= ?1 ORDER BY finished_at DESC, id DESC LIMIT 1",
        )
        .bind(time.as_microsecond())
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(row) = row {
            return Ok(Ok(moment(&row)?));
        }
        let first = sqlx::query(
            "SELECT id, state, is_abandoned, started_at, finished_at FROM sweeps
             WHERE state = 'finished' ORDER BY finished_at, id LIMIT 1",
        )
        .fetch_optional(connection)
        .await?;
        let path = self.path.clone();
        let Some(first) = first else {
            return Ok(Err(Error::NoHistory { path }));
        };
        let first = moment(&first)?;
        Ok(Err(Error::BeforeHistory {
            path,
            asked: time,
            sweep: first.sweep,
            begins: first.finished_at.unwrap_or(first.started_at),
        }))
    }
}

fn moment(row: &SqliteRow) -> Result<Moment, Cause> {
    let columns = Columns::of("sweeps", row)?;
    let state = if columns.get("is_abandoned")? {
        SweepState::Abandoned
    } else {
        columns.variant("state")?
    };
    Ok(Moment {
        sweep: SweepId(columns.id()),
        state,
        started_at: columns.required("started_at", columns.time("started_at")?)?,
        finished_at: columns.time("finished_at")?,
    })
}

/// The first and the last sweep that began between these times, both included; the first is after the
/// last where none did.
pub(crate) async fn sweeps_begun(
    connection: &mut SqliteConnection,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<(i64, i64), Cause> {
    let first = match since {
        Some(since) => sqlx::query_scalar(
            "SELECT id FROM sweeps WHERE started_at >= ?1 ORDER BY started_at, id LIMIT 1",
        )
        .bind(since.as_microsecond())
        .fetch_optional(&mut *connection)
        .await?
        .unwrap_or(i64::MAX),
        None => 0,
    };
    let last = match until {
        Some(until) => sqlx::query_scalar(
            "SELECT id FROM sweeps WHERE started_at <= ?1 ORDER BY started_at DESC, id DESC LIMIT 1",
        )
        .bind(until.as_microsecond())
        .fetch_optional(connection)
        .await?
        .unwrap_or(0),
        None => i64::MAX,
    };
    Ok((first, last))
}
