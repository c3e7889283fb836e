//! Reads the columns of a row into the model's types.
//!
//! A value that does not fit is named by table, column and row: it is damage, or the work of
//! another program, and whoever mends it must find it.

use std::str::FromStr;

use jiff::Timestamp;
use model::ContentHash;
use serde::de::DeserializeOwned;
use sqlx::{Decode, Row, Sqlite, Type, sqlite::SqliteRow};

use crate::error::Cause;

/// One row, and what it is called when something in it cannot be read.
pub(crate) struct Columns<'r> {
    table: &'static str,
    id: i64,
    row: &'r SqliteRow,
}

impl<'r> Columns<'r> {
    /// A row that has its number in the column `id`.
    pub(crate) fn of(table: &'static str, row: &'r SqliteRow) -> Result<Self, Cause> {
        Ok(Self {
            table,
            id: row.try_get("id")?,
            row,
        })
    }

    pub(crate) fn id(&self) -> i64 {
        self.id
    }

    /// The value as SQLite has it.
    pub(crate) fn get<T>(&self, column: &'static str) -> Result<T, Cause>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        self.row
            .try_get(column)
            .map_err(|source| self.damaged(column, source))
    }

    /// A count, which is never negative.
    pub(crate) fn count(&self, column: &'static str) -> Result<u64, Cause> {
        self.get::<i64>(column)?
            .try_into()
            .map_err(|source: std::num::TryFromIntError| self.damaged(column, source))
    }

    /// A text in the model's own notation.
    pub(crate) fn parsed<T>(&self, column: &'static str) -> Result<T, Cause>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        (self.get::<&str>(column)?)
            .parse()
            .map_err(|source: T::Err| self.damaged(column, source))
    }

    /// A text in the model's own notation, or nothing.
    pub(crate) fn parsed_option<T>(&self, column: &'static str) -> Result<Option<T>, Cause>
    where
        T: FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        (self.get::<Option<&str>>(column)?)
            .map(|text| {
                text.parse()
                    .map_err(|source: T::Err| self.damaged(column, source))
            })
            .transpose()
    }

    /// A word that serde knows as the variant of an enum.
    pub(crate) fn variant<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Cause> {
        serde_json::from_value(serde_json::Value::from(self.get::<&str>(column)?))
            .map_err(|source| self.damaged(column, source))
    }

    /// JSON, or nothing.
    pub(crate) fn json<T: DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, Cause> {
        (self.get::<Option<&str>>(column)?)
            .map(|text| serde_json::from_str(text).map_err(|source| self.damaged(column, source)))
            .transpose()
    }

    /// A moment, or nothing.
    pub(crate) fn time(&self, column: &'static str) -> Result<Option<Timestamp>, Cause> {
        (self.get::<Option<i64>>(column)?)
            .map(|micros| {
                Timestamp::from_microsecond(micros).map_err(|source| self.damaged(column, source))
            })
            .transpose()
    }

    /// A digest, or nothing.
    pub(crate) fn hash(&self, column: &'static str) -> Result<Option<ContentHash>, Cause> {
        (self.get::<Option<&[u8]>>(column)?)
            .map(|bytes| {
                ContentHash::from_bytes(bytes)
                    .ok_or_else(|| self.damaged(column, "a SHA-256 has 32 bytes"))
            })
            .transpose()
    }

    /// What must be there and is not.
    pub(crate) fn required<T>(&self, column: &'static str, value: Option<T>) -> Result<T, Cause> {
        value.ok_or_else(|| self.damaged(column, "it is empty"))
    }

    /// Names the column.
    pub(crate) fn damaged(
        &self,
        column: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Cause {
        Cause::damaged(self.table, column, self.id, source)
    }
}
