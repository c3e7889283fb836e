//! Tokens: who may use the API.
//!
//! Access is the state of a service and no history: rows change and go, no seal is over them and no archive
//! holds them. A copy of the store does: it has the hashes, and so the same tokens are taken with it.

use std::fmt;

use jiff::Timestamp;
use model::TokenRole;
use sqlx::{Connection, sqlite::SqliteRow};

use crate::{Error, Journal, Store, column::Columns, database, error::Cause};

#[cfg(test)]
mod tests;

/// The SHA-256 of a token: what is remembered of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// A token that is to be taken from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenToAdd {
    /// Whose it is, or what for.
    pub name: String,
    /// What it allows.
    pub role: TokenRole,
    /// How it begins.
    pub prefix: String,
    /// Its hash.
    pub hash: TokenHash,
    /// The first moment at which it is no longer taken.
    pub expires_at: Option<Timestamp>,
}

/// A token as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its number.
    pub id: i64,
    /// Whose it is, or what for.
    pub name: String,
    /// What it allows.
    pub role: TokenRole,
    /// How it begins.
    pub prefix: String,
    /// Its hash.
    pub hash: TokenHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// The first moment at which it is no longer taken.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl TokenRow {
    /// Whether it has expired by this time.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires| expires <= now)
    }

    /// Whether it is taken at this time.
    pub fn is_taken(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && !self.has_expired(now)
    }
}

/// What a request for access needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFound {
    /// Whether there is any token at all, in force or not.
    pub is_any_known: bool,
    /// The token that begins like this.
    pub token: Option<TokenRow>,
}

impl Store {
    /// Every token that is remembered, the oldest first.
    #[tracing::instrument(name = "db.token.list", skip(self))]
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, Error> {
        let read = async {
            let rows = sqlx::query("SELECT * FROM tokens ORDER BY id")
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(row).collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause: Cause| cause.during("list the tokens", &self.path))
    }

    /// The token that begins like this, if one does, and whether there are any.
    pub async fn token(&self, prefix: Option<&str>) -> Result<TokenFound, Error> {
        let read = async {
            let rows = sqlx::query(
                "SELECT tokens.*, 1 AS is_it FROM tokens WHERE prefix = ?1
                 UNION ALL
                 SELECT * FROM (SELECT tokens.*, 0 AS is_it FROM tokens LIMIT 1)",
            )
            .bind(prefix)
            .fetch_all(&self.readers)
            .await?;
            let mut token = None;
            for found in &rows {
                if Columns::of("tokens", found)?.get("is_it")? {
                    token = Some(row(found)?);
                }
            }
            Ok(TokenFound {
                is_any_known: !rows.is_empty(),
                token,
            })
        };
        (read.await).map_err(|cause: Cause| cause.during("look up a token", &self.path))
    }
}

impl Journal {
    /// Remembers a token; `false` if one of this name is remembered that was not revoked.
    pub async fn add_token(&self, at: Timestamp, token: &TokenToAdd) -> Result<bool, Error> {
        let mut writer = database::locked(&self.writer, &self.store().canonical).await;
        let write = async {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            let added = sqlx::query(
                "INSERT INTO tokens (name, role, prefix, hash, created_at, expires_at)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6
                 WHERE NOT EXISTS (SELECT 1 FROM tokens WHERE name = ?1 AND revoked_at IS NULL)",
            )
            .bind(&token.name)
            .bind(token.role.as_str())
            .bind(&token.prefix)
            .bind(token.hash.0.as_slice())
            .bind(at.as_microsecond())
            .bind(token.expires_at.map(Timestamp::as_microsecond))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(added.rows_affected() > 0)
        };
        (write.await).map_err(|cause: Cause| cause.during("add a token", self.store().path()))
    }

    /// Ends a token, by its name or by its beginning; `None` if there is none that was not revoked.
    pub async fn revoke_token(
        &self,
        at: Timestamp,
        which: &str,
    ) -> Result<Option<TokenRow>, Error> {
        let mut writer = database::locked(&self.writer, &self.store().canonical).await;
        let write = async {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            let revoked = sqlx::query(
                "UPDATE tokens SET revoked_at = ?2
                 WHERE (name = ?1 OR prefix = ?1) AND revoked_at IS NULL RETURNING *",
            )
            .bind(which)
            .bind(at.as_microsecond())
            .fetch_optional(&mut *transaction)
            .await?;
            transaction.commit().await?;
            revoked.as_ref().map(row).transpose()
        };
        (write.await).map_err(|cause: Cause| cause.during("revoke a token", self.store().path()))
    }

    /// Forgets every token that was revoked, and says how many those were.
    pub async fn forget_revoked_tokens(&self) -> Result<u64, Error> {
        let mut writer = database::locked(&self.writer, &self.store().canonical).await;
        let write = async {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            let gone = sqlx::query("DELETE FROM tokens WHERE revoked_at IS NOT NULL")
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(gone.rows_affected())
        };
        (write.await).map_err(|cause: Cause| cause.during("forget tokens", self.store().path()))
    }

    /// Notes that a token was used.
    pub async fn note_token_use(&self, id: i64, at: Timestamp) -> Result<(), Error> {
        let mut writer = database::locked(&self.writer, &self.store().canonical).await;
        let write = async {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::query(
                "UPDATE tokens SET last_used_at = ?2
                 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
            )
            .bind(id)
            .bind(at.as_microsecond())
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(())
        };
        (write.await)
            .map_err(|cause: Cause| cause.during("note the use of a token", self.store().path()))
    }
}

fn row(row: &SqliteRow) -> Result<TokenRow, Cause> {
    let columns = Columns::of("tokens", row)?;
    let hash: &[u8] = columns.get("hash")?;
    let hash = hash
        .try_into()
        .map_err(|_| columns.damaged("hash", "a SHA-256 has 32 bytes"))?;
    Ok(TokenRow {
        id: columns.id(),
        name: columns.get("name")?,
        role: columns.parsed("role")?,
        prefix: columns.get("prefix")?,
        hash: TokenHash(hash),
        created_at: columns.required("created_at", columns.time("created_at")?)?,
        expires_at: columns.time("expires_at")?,
        last_used_at: columns.time("last_used_at")?,
        revoked_at: columns.time("revoked_at")?,
    })
}
