//! How far the store is: what tells cheaply that an answer is still the same.

use jiff::Timestamp;
use model::{SweepId, SweepState};

use crate::{Error, Moment, Store, column::Columns, error::Cause};

/// The newest of everything that only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// The last sweep that has finished: what is known as of now.
    pub finished: Option<Moment>,
    /// The number of the last sweep that began.
    pub sweep: Option<SweepId>,
    /// The number of the last drift.
    pub drift: i64,
    /// The number of the last record of the journal.
    pub journal: i64,
}

impl Store {
    /// How far the store is: a few looks at the ends of indexes, whatever its size.
    #[tracing::instrument(name = "db.newest", skip(self))]
    pub async fn newest(&self) -> Result<Newest, Error> {
        let read = async {
            let row = sqlx::query(
                "WITH ended AS (
                     SELECT id, started_at, finished_at FROM sweeps
                     WHERE state = 'finished' ORDER BY finished_at DESC, id DESC LIMIT 1
                 )
                 SELECT 1 AS id, (SELECT id FROM ended) AS finished,
                     (SELECT started_at FROM ended) AS started_at,
                     (SELECT finished_at FROM ended) AS finished_at,
                     (SELECT max(id) FROM sweeps) AS sweep,
                     (SELECT coalesce(max(id), 0) FROM drifts) AS drift,
                     (SELECT coalesce(max(id), 0) FROM journal) AS journal",
            )
            .fetch_one(&self.readers)
            .await?;
            let columns = Columns::of("sweeps", &row)?;
            let moment = |sweep: i64, started_at: Timestamp, finished_at| Moment {
                sweep: SweepId(sweep),
                state: SweepState::Finished,
                started_at,
                finished_at: Some(finished_at),
            };
            let finished: Option<i64> = columns.get("finished")?;
            let times = columns
                .time("started_at")?
                .zip(columns.time("finished_at")?);
            Ok(Newest {
                finished: (finished.zip(times))
                    .map(|(id, (began, ended))| moment(id, began, ended)),
                sweep: columns.get::<Option<i64>>("sweep")?.map(SweepId),
                drift: columns.get("drift")?,
                journal: columns.get("journal")?,
            })
        };
        (read.await).map_err(|cause: Cause| cause.during("look at the ends", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use model::SweepId;

    use crate::{AsOf, fixture::Folder, history_fixture::history};

    #[tokio::test]
    async fn the_newest_is_what_the_whole_lists_end_with() {
        let folder = Folder::new();
        let empty = folder.sweeper().await;
        let newest = empty.store().newest().await.unwrap();
        assert_eq!(
            (newest.finished, newest.sweep, newest.journal),
            (None, None, 0)
        );
        empty.close().await.unwrap();

        let folder = Folder::new();
        let sweeper = history(&folder).await;
        let store = sweeper.store();
        let newest = store.newest().await.unwrap();
        let info = store.info().await.unwrap();
        assert_eq!(newest.sweep, info.last_sweep.map(|(sweep, _)| sweep));
        assert_eq!(newest.sweep, Some(SweepId(8)));
        let moment = newest.finished.unwrap();
        let by_time = store
            .moment(AsOf::Time(moment.finished_at.unwrap()))
            .await
            .unwrap();
        assert_eq!(moment, by_time);
        assert_eq!(newest.journal, i64::try_from(info.journal).unwrap());
    }
}
