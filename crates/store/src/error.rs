//! What can go wrong with a store.

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use model::{AccountId, SweepId};
use proof::{Misfit, archive::WriteError};

use crate::advice;

/// Why the store could not do what was asked.
///
/// Each says what was tried on which file, and what to do where that is known; what lies beneath
/// is in `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder that should hold the store is not there.
    #[error("cannot keep a store at {}: the folder {} does not exist; create it first", path.display(), folder.display())]
    FolderMissing { path: PathBuf, folder: PathBuf },

    /// A reader was pointed at nothing.
    #[error("there is no store at {}; a sweep creates it", path.display())]
    StoreMissing { path: PathBuf },

    /// The path names a folder, a device or the like.
    #[error("{} is not a file; name a file for the store", path.display())]
    NotAFile { path: PathBuf },

    /// The file is something else; it was not touched.
    #[error("{} is not a SQLite database; it was left as it is, name another file for the store", path.display())]
    NotSqlite { path: PathBuf },

    /// A database, but another program's; it was not touched.
    #[error("{} is a SQLite database of another program; it was left as it is, name another file for the store", path.display())]
    ForeignDatabase { path: PathBuf },

    /// Written by a newer version of the scanner.
    #[error("{} was written by a newer version of the scanner (its schema is at step {found}, this version knows {known}); it was left as it is, use the newer version", path.display())]
    NewerSchema {
        path: PathBuf,
        found: i64,
        known: i64,
    },

    /// Written by an older version, and only a sweeper migrates.
    #[error("{} was written by an older version of the scanner (its schema is at step {found}, this version reads {known}); `scanner store migrate` or a sweep brings it up to date", path.display())]
    OlderSchema {
        path: PathBuf,
        found: i64,
        known: i64,
    },

    /// Another process sweeps into this store.
    #[error("another process is sweeping into {}: it holds the lock on {}; wait for it, or use another store", path.display(), lock.display())]
    SweeperBusy { path: PathBuf, lock: PathBuf },

    /// The file was taken away from under whoever has it open.
    #[error("{} was deleted or replaced while it was open: what is written into it would be lost; stop what has it open before, and put a backup in its place with `scanner store restore`", path.display())]
    Replaced { path: PathBuf },

    /// The store holds the history of somebody else.
    #[error("{} holds the history of {owner}, but this sweep is of {sweep_of}; use another store for it", path.display())]
    OtherOwner {
        path: PathBuf,
        owner: String,
        sweep_of: String,
    },

    /// A sweep that is over, or never began, was written to.
    #[error("sweep {sweep} is not under way in {}", path.display())]
    SweepNotRunning { path: PathBuf, sweep: SweepId },

    /// There was no such sweep.
    #[error("{} has no sweep {sweep}", path.display())]
    SweepUnknown { path: PathBuf, sweep: SweepId },

    /// The sweep has no seal, so nothing of it can be proved.
    #[error("sweep {sweep} in {} is not sealed: {why}", path.display())]
    SweepNotSealed {
        path: PathBuf,
        sweep: SweepId,
        why: &'static str,
    },

    /// The account was not known when the sweep ended.
    #[error("account {account} was not known in {} when sweep {sweep} ended", path.display())]
    AccountUnknown {
        path: PathBuf,
        account: AccountId,
        sweep: SweepId,
    },

    /// What was so at the time was dropped by retention.
    #[error("{} has dropped what was known before sweep {content_from}; as of sweep {sweep} there are only its row and its seal", path.display())]
    Pruned {
        path: PathBuf,
        sweep: SweepId,
        content_from: SweepId,
    },

    /// Something would be overwritten.
    #[error("{} exists already; name another file", path.display())]
    TargetExists { path: PathBuf },

    /// The store is not what its seals say it was; the source is the first thing that does not fit.
    #[error("the store {} was altered, or is damaged", path.display())]
    Tampered { path: PathBuf, source: Box<Misfit> },

    /// An archive could not be written.
    #[error("cannot export evidence from the store {}", path.display())]
    Export {
        path: PathBuf,
        source: Box<WriteError>,
    },

    /// The store holds the history of another organization than the one that is asked about.
    #[error("{} holds the history of {owner}, not of organization {wanted}", path.display())]
    NotOfOrganization {
        path: PathBuf,
        owner: String,
        wanted: String,
    },

    /// A sweep that is not in the store.
    #[error("there is no sweep {sweep} in {}; {}", path.display(), last_sweep(*last))]
    UnknownSweep {
        path: PathBuf,
        sweep: SweepId,
        last: Option<SweepId>,
    },

    /// A sweep that has not ended.
    #[error("sweep {sweep} in {} has not ended yet, or its process died; name an earlier one", path.display())]
    SweepUnderWay { path: PathBuf, sweep: SweepId },

    /// No sweep has come to its end.
    #[error("no sweep has finished in {} yet: there is no history to look back on", path.display())]
    NoHistory { path: PathBuf },

    /// A time before the first sweep.
    #[error("{} knows nothing of {asked:.0}: its history begins with sweep {sweep}, which finished at {begins}", path.display())]
    BeforeHistory {
        path: PathBuf,
        asked: Timestamp,
        sweep: SweepId,
        begins: Timestamp,
    },

    /// The file system refused.
    #[error("cannot {attempt} {}", path.display())]
    File {
        attempt: &'static str,
        path: PathBuf,
        source: io::Error,
    },

    /// The database refused.
    #[error("cannot {attempt} in the store {}{}", path.display(), advice::on(source))]
    Database {
        attempt: &'static str,
        path: PathBuf,
        source: sqlx::Error,
    },

    /// The schema could not be brought up to date.
    #[error("cannot bring the schema of {} up to date", path.display())]
    Migration {
        path: PathBuf,
        source: Box<sqlx::migrate::MigrateError>,
    },

    /// A value that this version cannot have written.
    #[error("the store {} is damaged: column {column} of row {row} in {table} cannot be read", path.display())]
    Damaged {
        path: PathBuf,
        table: &'static str,
        column: &'static str,
        row: i64,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Whether the one who asked must name another file, sweep or time, rather than try again.
    pub fn is_bad_input(&self) -> bool {
        matches!(
            self,
            Self::FolderMissing { .. }
                | Self::StoreMissing { .. }
                | Self::NotAFile { .. }
                | Self::NotSqlite { .. }
                | Self::ForeignDatabase { .. }
                | Self::NewerSchema { .. }
                | Self::OlderSchema { .. }
                | Self::OtherOwner { .. }
                | Self::SweepUnknown { .. }
                | Self::SweepNotSealed { .. }
                | Self::AccountUnknown { .. }
                | Self::Pruned { .. }
                | Self::TargetExists { .. }
                | Self::NotOfOrganization { .. }
                | Self::UnknownSweep { .. }
                | Self::SweepUnderWay { .. }
                | Self::NoHistory { .. }
                | Self::BeforeHistory { .. }
        )
    }

    /// The first thing that is not what the seals say it was.
    pub fn misfit(&self) -> Option<&Misfit> {
        match self {
            Self::Tampered { source, .. } => Some(source),
            _ => None,
        }
    }
}

fn last_sweep(last: Option<SweepId>) -> String {
    match last {
        Some(last) => format!("the last one is {last}"),
        None => "there is none at all".to_owned(),
    }
}

/// What lies beneath a failure, before it is known which file and attempt it belongs to.
#[derive(Debug)]
pub(crate) enum Cause {
    Database(sqlx::Error),
    Damaged {
        table: &'static str,
        column: &'static str,
        row: i64,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Cause {
    pub(crate) fn damaged(
        table: &'static str,
        column: &'static str,
        row: i64,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Damaged {
            table,
            column,
            row,
            source: source.into(),
        }
    }

    /// Names the attempt and the file.
    pub(crate) fn during(self, attempt: &'static str, path: &Path) -> Error {
        let path = path.to_owned();
        match self {
            Self::Database(source) => Error::Database {
                attempt,
                path,
                source,
            },
            Self::Damaged {
                table,
                column,
                row,
                source,
            } => Error::Damaged {
                path,
                table,
                column,
                row,
                source,
            },
        }
    }
}

impl From<sqlx::Error> for Cause {
    fn from(source: sqlx::Error) -> Self {
        Self::Database(source)
    }
}
