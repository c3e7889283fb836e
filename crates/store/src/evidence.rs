//! Documents: canonical JSON, named by its hash, compressed, stored once.
//!
//! Evidence is kept in them, and the bulky part of findings, which a thousand accounts under one
//! organization trail have in common.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{self, Read},
};

use model::ContentHash;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::{Error, Store, column::Columns, error::Cause};

/// zstd's own default: a document of a few kilobytes takes some 20 µs, and higher levels gain
/// little on texts this short.
const COMPRESSION_LEVEL: i32 = 3;

/// Rows of one statement. From 500 on, more make it no faster (and 32,766 binds are the limit).
pub(crate) const ROWS_A_STATEMENT: usize = 500;

/// The size up to which a document is unpacked into room that is made for it.
const AT_ONCE: usize = 1 << 20;

/// Documents to be stored: each by the hash of its text.
pub(crate) type Documents<'t> = BTreeMap<ContentHash, &'t str>;

impl Store {
    /// The canonical JSON with this hash: an account's evidence, or a part of it.
    #[tracing::instrument(name = "db.evidence.lookup", skip(self))]
    pub async fn evidence(&self, hash: ContentHash) -> Result<Option<String>, Error> {
        let read = async {
            let row = sqlx::query("SELECT id, size, body FROM documents WHERE hash = ?1")
                .bind(hash.as_bytes().as_slice())
                .fetch_optional(&self.readers)
                .await?;
            row.map(|row| text(&Columns::of("documents", &row)?))
                .transpose()
        };
        read.await
            .map_err(|cause: Cause| cause.during("read evidence", &self.path))
    }
}

/// Stores what is not stored yet and gives the row of each document.
pub(crate) async fn put(
    connection: &mut SqliteConnection,
    documents: &Documents<'_>,
) -> Result<HashMap<ContentHash, i64>, Cause> {
    let wanted: Vec<ContentHash> = documents.keys().copied().collect();
    let mut rows = find(connection, &wanted).await?;
    let new: Vec<ContentHash> = (wanted.into_iter())
        .filter(|hash| !rows.contains_key(hash))
        .collect();
    if new.is_empty() {
        return Ok(rows);
    }
    // Its memory costs more to get than a document to compress.
    let mut compressor = zstd::bulk::Compressor::new(COMPRESSION_LEVEL).map_err(sqlx::Error::Io)?;
    for some in new.chunks(ROWS_A_STATEMENT) {
        let packed = (some.iter())
            .map(|hash| {
                let text = documents.get(hash).copied().unwrap_or_default();
                let body = compressor.compress(text.as_bytes())?;
                let size = i64::try_from(text.len()).map_err(io::Error::other)?;
                Ok((hash.as_bytes().to_vec(), size, body))
            })
            .collect::<io::Result<Vec<_>>>()
            .map_err(sqlx::Error::Io)?;
        QueryBuilder::<Sqlite>::new("INSERT INTO documents (hash, size, body) ")
            .push_values(packed, |mut row, (hash, size, body)| {
                row.push_bind(hash).push_bind(size).push_bind(body);
            })
            .build()
            .execute(&mut *connection)
            .await?;
    }
    rows.extend(find(connection, &new).await?);
    Ok(rows)
}

/// The rows of those documents that are stored.
async fn find(
    connection: &mut SqliteConnection,
    hashes: &[ContentHash],
) -> Result<HashMap<ContentHash, i64>, Cause> {
    if hashes.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "SELECT id, hash FROM documents
         WHERE hash IN (SELECT unhex(value) FROM json_each(?1))",
    )
    .bind(model::canonical_json(hashes))
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("documents", row)?;
            let hash = columns.required("hash", columns.hash("hash")?)?;
            Ok((hash, columns.id()))
        })
        .collect()
}

/// The texts of the documents in these rows.
pub(crate) async fn texts(
    connection: &mut SqliteConnection,
    ids: &BTreeSet<i64>,
) -> Result<HashMap<i64, String>, Cause> {
    let rows = sqlx::query(
        "SELECT id, size, body FROM documents WHERE id IN (SELECT value FROM json_each(?1))",
    )
    .bind(model::canonical_json(ids))
    .fetch_all(connection)
    .await?;
    let mut decompressor = zstd::bulk::Decompressor::new().map_err(sqlx::Error::Io)?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("documents", row)?;
            Ok((columns.id(), unpack(&columns, &mut decompressor)?))
        })
        .collect()
}

/// Unpacks a row that has the size and the body of a document.
pub(crate) fn text(columns: &Columns<'_>) -> Result<String, Cause> {
    let mut decompressor = zstd::bulk::Decompressor::new().map_err(sqlx::Error::Io)?;
    unpack(columns, &mut decompressor)
}

fn unpack(
    columns: &Columns<'_>,
    decompressor: &mut zstd::bulk::Decompressor<'_>,
) -> Result<String, Cause> {
    let body: &[u8] = columns.get("body")?;
    let size = columns.count("size")?;
    let bytes = match usize::try_from(size) {
        Ok(room) if room <= AT_ONCE => decompressor.decompress(body, room),
        _ => piecewise(body, size),
    };
    let bytes = bytes.map_err(|source| columns.damaged("body", source))?;
    if u64::try_from(bytes.len()) != Ok(size) {
        return Err(columns.damaged("size", "it is not the size of the text"));
    }
    String::from_utf8(bytes).map_err(|source| columns.damaged("body", source))
}

/// No room is made for what is only said to be there: a damaged size must not fill the memory.
fn piecewise(body: &[u8], size: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let text = zstd::Decoder::new(body)?;
    text.take(size.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
