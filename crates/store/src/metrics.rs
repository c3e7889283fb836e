//! What the store tells of itself in metrics, and what it counts for those of others.

use std::{collections::BTreeMap, fs, time::Duration};

use metrics::{gauge, histogram};
use model::{MetricFamily, Verdict};
use sqlx::{Row as _, SqliteConnection};

use crate::{Error, Store, column::Columns, database, error::Cause};

/// The families of metrics that are kept here.
pub const METRICS: &[MetricFamily] = &[
    MetricFamily::gauge(
        "scanner_store_size_bytes",
        &[],
        "The store's file, and what is not yet written into it.",
    ),
    MetricFamily::gauge(
        "scanner_store_free_bytes",
        &[],
        "The part of the store's file that is free for what comes.",
    ),
    MetricFamily::gauge(
        "scanner_store_rows",
        &["table"],
        "Rows of the store's largest tables, measured after each sweep.",
    ),
    MetricFamily::histogram(
        "scanner_store_commit_seconds",
        &[],
        "How long it took to commit a group of accounts.",
    ),
];

/// The tables that grow.
const TABLES: [&str; 7] = [
    "sweeps",
    "findings",
    "account_states",
    "account_leaves",
    "drifts",
    "journal",
    "documents",
];

/// Shows every metric at zero, so that nothing is missing before the first sweep.
pub fn register_metrics() {
    gauge!("scanner_store_size_bytes").set(0.0);
    gauge!("scanner_store_free_bytes").set(0.0);
    for table in TABLES {
        gauge!("scanner_store_rows", "table" => table).set(0.0);
    }
    let _ = histogram!("scanner_store_commit_seconds");
}

pub(crate) fn committed(took: Duration) {
    histogram!("scanner_store_commit_seconds").record(took);
}

/// How many there are of each verdict now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerdictCounts {
    /// Findings.
    pub findings: BTreeMap<Verdict, u64>,
    /// Accounts, by the worst verdict that any finding of theirs has: FAIL, UNKNOWN, PASS, and
    /// NOT_APPLICABLE if they have no other.
    pub accounts: BTreeMap<Verdict, u64>,
}

impl Store {
    /// Measures the store and shows it in its metrics.
    #[tracing::instrument(name = "db.measure", skip(self))]
    pub async fn show_size(&self) -> Result<(), Error> {
        let read = async {
            let mut connection = self.readers.acquire().await?;
            self.show(&mut connection).await
        };
        (read.await).map_err(|cause: Cause| cause.during("measure what is", &self.path))
    }

    async fn show(&self, connection: &mut SqliteConnection) -> Result<(), Cause> {
        let size = sqlx::query(
            "SELECT page_count * page_size AS bytes, freelist_count * page_size AS free
             FROM pragma_page_count, pragma_page_size, pragma_freelist_count",
        )
        .fetch_one(&mut *connection)
        .await?;
        // What was committed and not yet written into the file.
        let log = fs::metadata(database::beside(&self.canonical, "-wal"));
        let log = i64::try_from(log.map_or(0, |log| log.len())).unwrap_or(i64::MAX);
        let bytes: i64 = size.try_get("bytes")?;
        gauge!("scanner_store_size_bytes").set(shown(bytes.saturating_add(log)));
        gauge!("scanner_store_free_bytes").set(shown(size.try_get("free")?));
        for table in TABLES {
            let rows: i64 =
                sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
                    .fetch_one(&mut *connection)
                    .await?;
            gauge!("scanner_store_rows", "table" => table).set(shown(rows));
        }
        Ok(())
    }

    /// How many findings and accounts there are of each verdict now.
    #[tracing::instrument(name = "db.finding.count", skip(self))]
    pub async fn verdict_counts(&self) -> Result<VerdictCounts, Error> {
        let read = async {
            let mut transaction = self.readers.begin().await?;
            Ok(VerdictCounts {
                findings: counts(
                    &mut transaction,
                    "SELECT 0 AS id, verdict, count(*) AS number FROM findings
                     WHERE valid_until IS NULL GROUP BY verdict",
                )
                .await?,
                accounts: counts(
                    &mut transaction,
                    "SELECT 0 AS id, count(*) AS number, CASE worst
                         WHEN 3 THEN 'FAIL' WHEN 2 THEN 'UNKNOWN' WHEN 1 THEN 'PASS'
                         ELSE 'NOT_APPLICABLE' END AS verdict
                     FROM (SELECT max(CASE verdict
                         WHEN 'FAIL' THEN 3 WHEN 'UNKNOWN' THEN 2 WHEN 'PASS' THEN 1
                         ELSE 0 END) AS worst
                         FROM findings WHERE valid_until IS NULL GROUP BY account)
                     GROUP BY worst",
                )
                .await?,
            })
        };
        (read.await).map_err(|cause: Cause| cause.during("count the findings", &self.path))
    }
}

async fn counts(
    connection: &mut SqliteConnection,
    query: &'static str,
) -> Result<BTreeMap<Verdict, u64>, Cause> {
    let rows = sqlx::query(query).fetch_all(connection).await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("findings", row)?;
            Ok((columns.parsed("verdict")?, columns.count("number")?))
        })
        .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "what is shown need not be exact beyond fifteen digits"
)]
fn shown(number: i64) -> f64 {
    number as f64
}
