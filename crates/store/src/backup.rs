//! A copy of the store as it is at one moment, made while others sweep and read.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use model::SweepId;
use proof::SealHash;
use sqlx::{ConnectOptions, Connection, Row};

use crate::{
    Error, Store,
    database::{self, canonical, file_error, owner_only},
    error::Cause,
};

#[cfg(test)]
mod tests;

/// A copy that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Where it is.
    pub path: PathBuf,
    /// How large it is.
    pub bytes: u64,
    /// The last sweep in it, under way or not.
    pub latest_sweep: Option<SweepId>,
    /// The last seal in it, with its sweep: to be noted elsewhere.
    pub head: Option<(SweepId, SealHash)>,
}

/// A file that goes away unless it was put in its place.
pub(crate) struct Partial(pub(crate) PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // Gone already where the copy was put in its place by a rename.
        let removed = fs::remove_file(&self.0);
        if let Err(error) = removed.or_else(ignore_missing) {
            tracing::warn!(%error, file = %self.0.display(), "a part of a backup is left");
        }
    }
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}

impl Store {
    /// Copies the store as it is now into a new file, readable by its owner alone.
    ///
    /// The copy appears under its name when it is whole and on the disk, and nothing is ever overwritten.
    /// It holds no more than what is in use, so it may be smaller. A sweep may go on meanwhile: its
    /// commits are either all in the copy or not at all.
    #[tracing::instrument(name = "db.backup", skip_all)]
    pub async fn backup(&self, to: impl AsRef<Path>) -> Result<Backup, Error> {
        let to = to.as_ref();
        let exists = || Error::TargetExists { path: to.into() };
        if fs::symlink_metadata(to).is_ok() {
            return Err(exists());
        }
        match to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) if !folder.is_dir() => {
                return Err(Error::FolderMissing {
                    path: to.into(),
                    folder: folder.into(),
                });
            }
            _ => {}
        }
        let target = canonical(to)?;
        let partial = partial_name(&target);
        // SQLite writes into an empty file, whose mode is right before there is anything in it.
        owner_only(OpenOptions::new().create_new(true).write(true))
            .open(&partial)
            .map_err(|source| file_error("create the backup", &partial, source))?;
        let partial = Partial(partial);
        let name = (partial.0.to_str()).ok_or_else(|| {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "the name is not UTF-8");
            file_error("create the backup", to, source)
        })?;
        let copy = async {
            let mut connection = self.readers.acquire().await?;
            sqlx::query("VACUUM INTO ?1")
                .bind(name)
                .execute(&mut *connection)
                .await?;
            Ok(())
        };
        (copy.await)
            .map_err(|cause: Cause| cause.during("write a backup beside what is", &self.path))?;
        let mut backup = (describe(&partial.0).await)
            .map_err(|cause: Cause| cause.during("read back the backup of", &self.path))?;
        let failed = |source| file_error("write the backup", to, source);
        let bytes = put_in_place(&partial.0, &target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(),
            _ => failed(error),
        })?;
        backup.path = to.into();
        backup.bytes = bytes;
        Ok(backup)
    }
}

/// A name of its own in the same folder, so that it can be put in its place at once.
pub(crate) fn partial_name(target: &Path) -> PathBuf {
    let mut name = OsString::from(target);
    name.push(format!(".partial-{}", std::process::id()));
    name.into()
}

/// What a copy holds that nobody has open.
pub(crate) async fn describe(copy: &Path) -> Result<Backup, Cause> {
    let mut connection = database::options(copy)
        .read_only(true)
        .immutable(true)
        .connect()
        .await?;
    let latest: Option<i64> = sqlx::query_scalar("SELECT max(id) FROM sweeps")
        .fetch_one(&mut connection)
        .await?;
    let head = sqlx::query("SELECT sweep, hash FROM seals ORDER BY sweep DESC LIMIT 1")
        .fetch_optional(&mut connection)
        .await?;
    let head = match head {
        Some(row) => {
            let sweep: i64 = row.try_get("sweep")?;
            let hash = SealHash::from_bytes(row.try_get("hash")?)
                .ok_or_else(|| Cause::damaged("seals", "hash", sweep, "a SHA-256 has 32 bytes"))?;
            Some((SweepId(sweep), hash))
        }
        None => None,
    };
    connection.close().await?;
    Ok(Backup {
        path: PathBuf::new(),
        bytes: 0,
        latest_sweep: latest.map(SweepId),
        head,
    })
}

/// Gives the copy its name once it is on the disk. A second link fails where the name is taken; a rename
/// would not.
fn put_in_place(partial: &Path, target: &Path) -> io::Result<u64> {
    let file = File::open(partial)?;
    file.sync_all()?;
    let bytes = file.metadata()?.len();
    match fs::hard_link(partial, target) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        // A file system without links: then a name that appeared meanwhile is not noticed.
        Err(_) => fs::rename(partial, target)?,
    }
    if let Some(folder) = target.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(bytes)
}
