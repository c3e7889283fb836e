//! Opens a store: checks whose file it is, takes the sweeper's lock, migrates.
//!
//! What is not ours is told from the header of the file, before anything is made beside it: a file that is
//! refused is left exactly as it was.
//!
//! Whoever closes a file takes back all locks that his process has on it (POSIX says so,
//! <https://sqlite.org/howtocorrupt.html>, 2.2): SQLite waits with that for its own connections, and cannot
//! wait for ours. Without locks, the next process to close the file would delete the log of a sweeper that
//! still writes into it. So a file that we opened to read its header stays open ([`header`]).

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::{Mutex, MutexGuard};

use crate::{Error, error::Cause, memory::Memory};

#[cfg(test)]
mod tests;

pub(crate) static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// Stands in the header of every store: "CIS4".
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"CIS4");

/// How long one waits for another's short transaction. Every transaction of ours takes
/// milliseconds; ten seconds only pass when somebody else holds the file, such as a backup tool.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many readers work at a time. Each costs a thread; the queries are short.
const READERS: u32 = 4;

/// A store open for reading, beside a sweeper or without one.
#[derive(Debug)]
pub struct Store {
    pub(crate) path: PathBuf,
    /// The one name of the file, whatever it was called.
    pub(crate) canonical: PathBuf,
    pub(crate) readers: SqlitePool,
    /// The file that was there when it was opened.
    opened: Option<FileIdentity>,
}

/// A store open for sweeping: one process at a time holds it.
///
/// Reads go through [`Sweeper::store`]. Dropping it lets go of the lock; [`Sweeper::close`] also
/// waits until everything lies in the one file.
#[derive(Debug)]
pub struct Sweeper {
    pub(crate) store: Store,
    pub(crate) writer: Mutex<SqliteConnection>,
    pub(crate) memory: Memory,
    /// Held as long as it is open.
    lock: File,
}

impl Store {
    /// Opens an existing store for reading. Never creates, never migrates.
    pub async fn open_reader(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let canonical = inspect(path)?.ok_or_else(|| Error::StoreMissing { path: path.into() })?;
        let found = schema_version(path, &canonical).await?;
        if found < newest_schema() {
            return Err(Error::OlderSchema {
                path: path.into(),
                found,
                known: newest_schema(),
            });
        }
        Ok(Self::over(path, &canonical))
    }

    /// Opens a store for sweeping, creating it where there is none, readable by its owner alone.
    pub async fn open_sweeper(path: impl AsRef<Path>) -> Result<Sweeper, Error> {
        let path = path.as_ref();
        let existing = inspect(path)?;
        let canonical = canonical(path)?;
        if existing.is_some() {
            schema_version(path, &canonical).await?;
        }
        let lock = take_lock(path, &canonical)?;
        if existing.is_none() {
            create(path, &canonical).await?;
        }
        let mut writer =
            (writer(&canonical).await).map_err(|cause| cause.during("open the database", path))?;
        MIGRATOR
            .run(&mut writer)
            .await
            .map_err(|source| Error::Migration {
                path: path.into(),
                source: Box::new(source),
            })?;
        Ok(Sweeper {
            store: Self::over(path, &canonical),
            writer: Mutex::new(writer),
            memory: Memory::default(),
            lock,
        })
    }

    fn over(path: &Path, canonical: &Path) -> Self {
        Self {
            path: path.into(),
            canonical: canonical.into(),
            readers: SqlitePoolOptions::new()
                .max_connections(READERS)
                // To ask a file whether it still answers takes as long as a question, and says nothing: one
                // that was deleted answers ([`Store::check_in_place`]).
                .test_before_acquire(false)
                .connect_lazy_with(options(canonical).read_only(true)),
            opened: FileIdentity::of(canonical).ok().flatten(),
        }
    }

    /// Fails where the file under this name is no longer the one that was opened. What is written then goes
    /// into a file that nobody can open again, and what is read may come from either.
    pub fn check_in_place(&self) -> Result<(), Error> {
        let replaced = || Error::Replaced {
            path: self.path.clone(),
        };
        let Some(opened) = self.opened else {
            return Ok(());
        };
        match FileIdentity::of(&self.canonical) {
            Ok(found) if found == Some(opened) => Ok(()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(file_error("look at the store", &self.path, error))
            }
            Ok(_) | Err(_) => Err(replaced()),
        }
    }

    /// The file, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until every reader is done and lets go of the file.
    pub async fn close(self) {
        self.readers.close().await;
    }
}

impl Sweeper {
    /// The same store, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Writes everything into the one file and lets go of it.
    pub async fn close(self) -> Result<(), Error> {
        let Self {
            store,
            writer,
            memory: _,
            lock,
        } = self;
        store.readers.close().await;
        let closed = writer.into_inner().close().await;
        drop(lock);
        closed.map_err(|source| Cause::from(source).during("write the last changes", &store.path))
    }
}

/// A connection that writes.
pub(crate) async fn writer(canonical: &Path) -> Result<SqliteConnection, Cause> {
    let connection = options(canonical)
        .journal_mode(SqliteJournalMode::Wal)
        // A power cut may take back the last groups of a sweep, which then goes on before them; what
        // is reported is sealed first.
        .synchronous(SqliteSynchronous::Normal)
        // In KiB: the indexes that each group of accounts touches stay in memory.
        .pragma("cache_size", "-16384")
        // In pages, 16 MiB: what many groups touch is copied into the file once.
        .pragma("wal_autocheckpoint", "4096")
        .connect()
        .await?;
    Ok(connection)
}

/// The connection that writes, once it is ours and between transactions.
///
/// SQLite ends a transaction by itself where a full disk stops it midway. sqlx then takes it for open for
/// ever, because its own ROLLBACK is refused; so the connection is made anew.
pub(crate) async fn locked<'w>(
    open: &'w Mutex<SqliteConnection>,
    canonical: &Path,
) -> MutexGuard<'w, SqliteConnection> {
    let mut connection = open.lock().await;
    // Nearly always: a transaction that was dropped counts until it is rolled back.
    if !connection.is_in_transaction() {
        return connection;
    }
    // Behind that rollback.
    let answered = connection.ping().await;
    if answered.is_err() || connection.is_in_transaction() {
        match writer(canonical).await {
            Ok(another) => *connection = another,
            // What is asked of the old one will say what is wrong.
            Err(cause) => tracing::warn!(?cause, "the connection could not be made anew"),
        }
    }
    connection
}

/// Tells from the file alone whether it is a store. `None`: nothing there yet.
pub(crate) fn inspect(path: &Path) -> Result<Option<PathBuf>, Error> {
    let file_error = |attempt| move |source| file_error(attempt, path, source);
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
            {
                Some(folder) if !folder.is_dir() => Err(Error::FolderMissing {
                    path: path.into(),
                    folder: folder.into(),
                }),
                _ => Ok(None),
            };
        }
        Err(source) => return Err(file_error("look at the store")(source)),
    };
    if !metadata.is_file() {
        return Err(Error::NotAFile { path: path.into() });
    }
    if metadata.len() == 0 {
        return Ok(None);
    }
    let header = header(path).map_err(file_error("read the store"))?;
    // https://www.sqlite.org/fileformat.html, "The Database Header". The id is in place before
    // the file is switched to WAL, so it never stands in the log alone.
    if header.len() < 100 || !header.starts_with(b"SQLite format 3\0") {
        return Err(Error::NotSqlite { path: path.into() });
    }
    if header[68..72] != APPLICATION_ID.to_be_bytes() {
        return Err(Error::ForeignDatabase { path: path.into() });
    }
    canonical(path).map(Some)
}

/// What tells a file from another one that has its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    #[cfg(unix)]
    fn of(path: &Path) -> io::Result<Option<Self>> {
        fs::metadata(path).map(|metadata| Some(Self::told_by(&metadata)))
    }

    #[cfg(unix)]
    fn told_by(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;

        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }

    #[cfg(not(unix))]
    fn of(path: &Path) -> io::Result<Option<Self>> {
        fs::metadata(path).map(|_| None)
    }
}

/// The first hundred bytes of a file, which stays open as long as it is there.
#[cfg(unix)]
fn header(path: &Path) -> io::Result<Vec<u8>> {
    use std::{
        os::unix::fs::{FileExt as _, MetadataExt as _},
        sync::{Mutex, PoisonError},
    };

    static OPEN: Mutex<Vec<File>> = Mutex::new(Vec::new());

    let wanted = FileIdentity::told_by(&fs::metadata(path)?);
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Nobody can open what was deleted, and so nobody minds its locks.
    open.retain(|file| file.metadata().is_ok_and(|metadata| metadata.nlink() > 0));
    let is_it = |file: &File| {
        (file.metadata()).is_ok_and(|metadata| FileIdentity::told_by(&metadata) == wanted)
    };
    if !open.iter().any(is_it) {
        open.push(File::open(path)?);
    }
    let mut header = vec![0; 100];
    let mut read = 0;
    if let Some(file) = open.iter().rfind(|file| is_it(file)) {
        while read < header.len() {
            match file.read_at(&mut header[read..], read as u64)? {
                0 => break,
                more => read += more,
            }
        }
    }
    header.truncate(read);
    Ok(header)
}

/// The first hundred bytes of a file.
#[cfg(not(unix))]
fn header(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;

    let mut header = Vec::with_capacity(100);
    File::open(path)?.take(100).read_to_end(&mut header)?;
    Ok(header)
}

/// The one name of the file, whatever links lead to it: two sweepers must meet at the same lock.
///
/// It begins with a slash, so that SQLite does not take a name such as `file:x` for a URI.
pub(crate) fn canonical(path: &Path) -> Result<PathBuf, Error> {
    fs::canonicalize(path)
        .or_else(|_| {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
            Ok(folder.join(path.file_name().unwrap_or_default()))
        })
        .map_err(|source| file_error("find the folder of", path, source))
}

/// Takes the lock that makes this process the only sweeper.
///
/// It lies beside the database, because SQLite's own locks are held for a transaction only. The
/// file stays when the lock goes: removing it would race with the next one who opens it.
pub(crate) fn take_lock(path: &Path, canonical: &Path) -> Result<File, Error> {
    let lock = beside(canonical, ".lock.sweeper");
    let file = owner_only(OpenOptions::new().create(true).truncate(false).write(true))
        .open(&lock)
        .map_err(|source| file_error("create the sweeper's lock", &lock, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::SweeperBusy {
            path: path.into(),
            lock,
        }),
        Err(TryLockError::Error(source)) => {
            Err(file_error("take the sweeper's lock", &lock, source))
        }
    }
}

/// The file next to the store that carries its name and an ending of its own.
pub(crate) fn beside(canonical: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(canonical);
    name.push(ending);
    name.into()
}

/// Creates the file and signs it as ours.
///
/// SQLite gives the log and the index beside it the mode of the database, so the mode must be
/// right before SQLite opens it.
async fn create(path: &Path, canonical: &Path) -> Result<(), Error> {
    owner_only(OpenOptions::new().create(true).truncate(false).write(true))
        .open(canonical)
        .map_err(|source| file_error("create the store", path, source))?;
    let sign = async {
        let mut connection = options(canonical).connect().await?;
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "PRAGMA application_id = {APPLICATION_ID}"
        )))
        .execute(&mut connection)
        .await?;
        connection.close().await
    };
    sign.await
        .map_err(|source: sqlx::Error| Cause::from(source).during("create the database", path))
}

/// The step of the schema that the file is at, refused if this version does not know it.
///
/// 0: signed, but the process died before the first migration.
pub(crate) async fn schema_version(path: &Path, canonical: &Path) -> Result<i64, Error> {
    // Even a reader makes a log and its index where there are none; a refusal leaves nothing.
    let has_log = beside(canonical, "-wal").exists();
    let read = async {
        let mut connection = options(canonical)
            .read_only(true)
            .immutable(!has_log)
            .connect()
            .await?;
        let has_steps: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')",
        )
        .fetch_one(&mut connection)
        .await?;
        let version: Option<i64> = if has_steps {
            sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
                .fetch_one(&mut connection)
                .await?
        } else {
            None
        };
        connection.close().await?;
        Ok(version.unwrap_or_default())
    };
    let found = (read.await)
        .map_err(|source: sqlx::Error| Cause::from(source).during("read the schema", path))?;
    if found > newest_schema() {
        return Err(Error::NewerSchema {
            path: path.into(),
            found,
            known: newest_schema(),
        });
    }
    Ok(found)
}

pub(crate) fn newest_schema() -> i64 {
    (MIGRATOR.iter().map(|step| step.version))
        .max()
        .unwrap_or_default()
}

pub(crate) fn options(canonical: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(canonical)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

#[cfg(unix)]
pub(crate) fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
pub(crate) fn owner_only(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

pub(crate) fn file_error(attempt: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File {
        attempt,
        path: path.into(),
        source,
    }
}
