//! Brings the schema up to date when somebody says so, and not only when a sweep begins.

use std::path::Path;

use crate::{
    Error, Store,
    database::{inspect, newest_schema, schema_version},
};

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The step that the schema was at.
    pub from: i64,
    /// The step that it is at.
    pub to: i64,
}

impl Store {
    /// The step that the schema of a file is at, and the one that this version knows. A newer one is
    /// refused; an older one is not.
    pub async fn schema(path: impl AsRef<Path>) -> Result<Migrated, Error> {
        let path = path.as_ref();
        let canonical = inspect(path)?.ok_or_else(|| Error::StoreMissing { path: path.into() })?;
        Ok(Migrated {
            from: schema_version(path, &canonical).await?,
            to: newest_schema(),
        })
    }

    /// Brings an existing store up to date, each step in a transaction. Nothing is created.
    #[tracing::instrument(name = "db.migrate", skip_all)]
    pub async fn migrate(path: impl AsRef<Path>) -> Result<Migrated, Error> {
        let path = path.as_ref();
        let steps = Self::schema(path).await?;
        Self::open_sweeper(path).await?.close().await?;
        Ok(steps)
    }
}
