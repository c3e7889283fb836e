//! Seals: each finished sweep under one hash, on top of the one before.

use std::collections::BTreeMap;

use model::{ContentHash, GapClass, SweepId};
use proof::{BatchHash, MerkleRoot, Seal, SealHash, TreeHead, batch_hash};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use crate::{
    Error, Store,
    column::Columns,
    drifts,
    error::Cause,
    evidence::{self, Documents},
    journal, sealed_header,
};

/// A seal as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct SealRow {
    /// The seal.
    pub seal: Seal,
    /// Its header's canonical JSON.
    pub header: String,
    /// The rows of drifts that it is over: after the first, up to and with the second.
    pub(crate) drifts: (i64, i64),
    /// The records of the journal that it is over, likewise.
    pub(crate) journal: (i64, i64),
}

/// Seals a sweep that is finished by the books, in the same transaction.
pub(crate) async fn seal(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    accounts: TreeHead,
    gaps: BTreeMap<GapClass, u64>,
) -> Result<SealHash, Cause> {
    let before = last(connection).await?;
    let since = before.as_ref().map(|row| row.seal.sweep);
    let header = sealed_header::of(connection, sweep, gaps, since).await?;
    let text = header.canonical();
    let drifts_after = before.as_ref().map_or(0, |row| row.drifts.1);
    let journal_after = before.as_ref().map_or(0, |row| row.journal.1);
    let drifts_until = newest(connection, "SELECT coalesce(max(id), 0) FROM drifts").await?;
    let journal_until = newest(connection, "SELECT coalesce(max(id), 0) FROM journal").await?;
    let (drifts_until, journal_until) = (
        drifts_until.max(drifts_after),
        journal_until.max(journal_after),
    );
    let seal = Seal::make(
        before.map(|row| row.seal.hash),
        &header,
        accounts,
        drifts_hash(connection, (drifts_after, drifts_until)).await?,
        journal_hash(connection, (journal_after, journal_until)).await?,
    );
    let hash = ContentHash::of_text(&text);
    let documents = Documents::from([(hash, text.as_str())]);
    let header = (evidence::put(connection, &documents).await?)
        .get(&hash)
        .copied();
    sqlx::query(
        "INSERT INTO seals (sweep, version, previous, header, accounts, root, drifts_until, drifts,
             journal_until, journal, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )
    .bind(sweep.0)
    .bind(seal.version)
    .bind(seal.previous.map(|hash| hash.as_bytes().to_vec()))
    .bind(header)
    .bind(i64::try_from(seal.accounts.accounts).unwrap_or(i64::MAX))
    .bind(seal.accounts.root.as_bytes().to_vec())
    .bind(drifts_until)
    .bind(seal.drifts.as_bytes().to_vec())
    .bind(journal_until)
    .bind(seal.journal.as_bytes().to_vec())
    .bind(seal.hash.as_bytes().to_vec())
    .execute(connection)
    .await?;
    Ok(seal.hash)
}

async fn newest(connection: &mut SqliteConnection, query: &'static str) -> Result<i64, Cause> {
    Ok(sqlx::query_scalar(query).fetch_one(connection).await?)
}

/// The hash over drifts, as they are stored.
pub(crate) async fn drifts_hash(
    connection: &mut SqliteConnection,
    rows: (i64, i64),
) -> Result<BatchHash, Cause> {
    let drifts = drifts::between(connection, rows).await?;
    Ok(batch_hash(drifts.iter().map(model::canonical_json)))
}

/// The hash over records of the journal, as they are stored.
pub(crate) async fn journal_hash(
    connection: &mut SqliteConnection,
    rows: (i64, i64),
) -> Result<BatchHash, Cause> {
    let records = journal::between(connection, rows).await?;
    Ok(batch_hash(records.iter().map(model::canonical_json)))
}

async fn last(connection: &mut SqliteConnection) -> Result<Option<SealRow>, Cause> {
    let row = sqlx::query(
        "SELECT seals.sweep AS id, seals.*, size, body, 0 AS drifts_after, 0 AS journal_after
         FROM seals JOIN documents ON documents.id = seals.header
         ORDER BY sweep DESC LIMIT 1",
    )
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(seal_row).transpose()
}

/// The seals, a page at a time, the first one first.
#[derive(Debug, Default)]
pub(crate) struct SealPages {
    last: i64,
    drifts: i64,
    journal: i64,
}

/// How many seals are held at a time.
const SEALS_A_PAGE: i64 = 500;

impl SealPages {
    /// The next seals; none when there are no more.
    pub(crate) async fn next(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<SealRow>, Cause> {
        let rows = sqlx::query(
            "SELECT seals.sweep AS id, seals.*, size, body, 0 AS drifts_after, 0 AS journal_after
             FROM seals LEFT JOIN documents ON documents.id = seals.header
             WHERE sweep > ?1 ORDER BY sweep LIMIT ?2",
        )
        .bind(self.last)
        .bind(SEALS_A_PAGE)
        .fetch_all(connection)
        .await?;
        let mut page = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut row = seal_row(row)?;
            row.drifts.0 = self.drifts;
            row.journal.0 = self.journal;
            (self.drifts, self.journal) = (row.drifts.1, row.journal.1);
            self.last = row.seal.sweep.0;
            page.push(row);
        }
        Ok(page)
    }
}

/// Every seal, the first one first.
async fn all(connection: &mut SqliteConnection) -> Result<Vec<SealRow>, Cause> {
    let (mut pages, mut all) = (SealPages::default(), Vec::new());
    loop {
        let page = pages.next(connection).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

fn seal_row(row: &SqliteRow) -> Result<SealRow, Cause> {
    let columns = Columns::of("seals", row)?;
    let short = |column| columns.damaged(column, "a SHA-256 has 32 bytes");
    let hash = |column: &'static str| -> Result<SealHash, Cause> {
        SealHash::from_bytes(columns.get(column)?).ok_or_else(|| short(column))
    };
    let batch = |column: &'static str| -> Result<BatchHash, Cause> {
        BatchHash::from_bytes(columns.get(column)?).ok_or_else(|| short(column))
    };
    let header = evidence::text(&columns)?;
    let version: i64 = columns.get("version")?;
    let seal = Seal {
        version: u32::try_from(version).map_err(|source| columns.damaged("version", source))?,
        sweep: SweepId(columns.id()),
        previous: match columns.get::<Option<&[u8]>>("previous")? {
            Some(_) => Some(hash("previous")?),
            None => None,
        },
        header: ContentHash::of_text(&header),
        accounts: TreeHead {
            accounts: columns.count("accounts")?,
            root: MerkleRoot::from_bytes(columns.get("root")?).ok_or_else(|| short("root"))?,
        },
        drifts: batch("drifts")?,
        journal: batch("journal")?,
        hash: hash("hash")?,
    };
    Ok(SealRow {
        seal,
        header,
        drifts: (columns.get("drifts_after")?, columns.get("drifts_until")?),
        journal: (columns.get("journal_after")?, columns.get("journal_until")?),
    })
}

impl Store {
    /// The seal of a sweep; `None` where it is not finished or was finished by an earlier version.
    #[tracing::instrument(name = "db.seal.lookup", skip(self))]
    pub async fn seal(&self, sweep: SweepId) -> Result<Option<SealRow>, Error> {
        Ok((self.seals().await?)
            .into_iter()
            .find(|row| row.seal.sweep == sweep))
    }

    /// The last seal: the head of the chain.
    #[tracing::instrument(name = "db.seal.head", skip(self))]
    pub async fn head(&self) -> Result<Option<SealRow>, Error> {
        let read = async {
            let mut connection = self.readers.acquire().await?;
            last(&mut connection).await
        };
        (read.await).map_err(|cause: Cause| cause.during("look up the last seal", &self.path))
    }

    /// Every seal, the first one first.
    #[tracing::instrument(name = "db.seal.list", skip(self))]
    pub async fn seals(&self) -> Result<Vec<SealRow>, Error> {
        let read = async {
            let mut transaction = self.readers.begin().await?;
            all(&mut transaction).await
        };
        (read.await).map_err(|cause: Cause| cause.during("list the seals", &self.path))
    }
}
