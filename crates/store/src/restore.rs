//! A backup in the place of a store, which is kept beside it.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions, Connection};

use crate::{
    Backup, Error, Store,
    backup::{Partial, describe, partial_name},
    database::{
        self, beside, canonical, file_error, inspect, owner_only, schema_version, take_lock,
    },
    error::Cause,
};

#[cfg(test)]
mod tests;

/// What was committed last, until SQLite has written it into the database.
const LOG: &str = "-wal";

/// The index of the log, which SQLite makes anew where it is missing.
const INDEX: &str = "-shm";

/// A store that is a backup's copy now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What it is now.
    pub backup: Backup,
    /// Where the store is that was there before; `None` where there was none.
    pub kept: Option<PathBuf>,
}

impl Store {
    /// Puts a copy of a backup in the place of a store, while nobody sweeps into it.
    ///
    /// A file that is merely copied over a store meets the log of the one before, and is damaged by it.
    /// The store that was there is kept, with its log, under a name beside it; nothing is lost if this
    /// process dies midway. The backup is read in full first: one that is damaged replaces nothing.
    #[tracing::instrument(name = "db.restore", skip_all)]
    pub async fn restore(
        backup: impl AsRef<Path>,
        to: impl AsRef<Path>,
    ) -> Result<Restored, Error> {
        let (backup, to) = (backup.as_ref(), to.as_ref());
        let from = inspect(backup)?.ok_or_else(|| Error::StoreMissing {
            path: backup.into(),
        })?;
        schema_version(backup, &from).await?;
        // What is another program's is not put aside.
        inspect(to)?;
        let target = canonical(to)?;
        if target == from {
            return Err(Error::TargetExists { path: to.into() });
        }
        // Held until the copy has its name.
        let lock = take_lock(to, &target)?;

        let partial = partial_name(&target);
        owner_only(OpenOptions::new().create_new(true).write(true))
            .open(&partial)
            .map_err(|source| file_error("create the copy", &partial, source))?;
        let partial = Partial(partial);
        (copy(&from, &partial.0).await)
            .map_err(|cause| cause.during("read the whole of", backup))?;
        let mut restored =
            (describe(&partial.0).await).map_err(|cause| cause.during("read back", backup))?;
        let (kept, bytes) = put_in_place(&partial.0, &target)
            .map_err(|source| file_error("put the copy in the place of", to, source))?;
        drop(lock);
        restored.path = to.into();
        restored.bytes = bytes;
        Ok(Restored {
            backup: restored,
            kept,
        })
    }
}

async fn copy(from: &Path, to: &Path) -> Result<(), Cause> {
    let name = to.to_str().ok_or_else(|| {
        let why = io::Error::new(io::ErrorKind::InvalidInput, "the name is not UTF-8");
        sqlx::Error::Io(why)
    })?;
    let has_log = beside(from, LOG).exists();
    let mut connection = database::options(from)
        .read_only(true)
        .immutable(!has_log)
        .connect()
        .await?;
    sqlx::query("VACUUM INTO ?1")
        .bind(name)
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}

/// Keeps what is there under another name, and gives the copy its name.
///
/// The log of the one before goes only when both are kept; then the name changes hands at once.
fn put_in_place(partial: &Path, target: &Path) -> io::Result<(Option<PathBuf>, u64)> {
    let file = File::open(partial)?;
    file.sync_all()?;
    let bytes = file.metadata()?.len();
    let kept = fs::exists(target)?.then(|| free_name(target)).transpose()?;
    if let Some(kept) = &kept {
        let log = beside(target, LOG);
        if fs::exists(&log)? {
            link_or_copy(&log, &beside(kept, LOG))?;
        }
        link_or_copy(target, kept)?;
    }
    for ending in [LOG, INDEX] {
        match fs::remove_file(beside(target, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(partial, target)?;
    if let Some(folder) = target.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok((kept, bytes))
}

fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    // A file system without links: then it is copied.
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop))
}

/// The first of the names `….replaced-1`, `….replaced-2` and so on that is not taken.
fn free_name(target: &Path) -> io::Result<PathBuf> {
    for number in 1..10_000 {
        let name = beside(target, &format!(".replaced-{number}"));
        let is_taken = |name: &Path| fs::symlink_metadata(name).is_ok();
        if !is_taken(&name) && !is_taken(&beside(&name, LOG)) {
            return Ok(name);
        }
    }
    Err(io::Error::other("too many stores are kept beside it"))
}
