//! What to do when SQLite refuses: one sentence for each of its refusals that a person can mend.

/// The advice, to be put after what was attempted; empty where there is none.
pub(crate) fn on(error: &sqlx::Error) -> &'static str {
    match primary_code(error) {
        Some(BUSY | LOCKED) => {
            ": another process holds it locked; let it finish, or stop it, and try again (nothing \
             that was committed is lost)"
        }
        Some(READONLY) => {
            ": it may not be written to; give the scanner's user the right to write the file and its \
             folder, or look whether the file system is mounted read-only"
        }
        Some(IOERR) => {
            ": the disk did not do what was asked; look at the system's log, and have a backup at hand \
             (`scanner store backup`) before anything else is written"
        }
        Some(CORRUPT | NOTADB) => {
            ": the file is damaged; see what `scanner store check` says, and go back to the last backup \
             with `scanner store restore`, which keeps this file"
        }
        Some(FULL) => {
            ": the disk is full, or the file is as large as it may be; make room (`scanner store prune` \
             drops old history) and try again (nothing that was committed is lost)"
        }
        Some(CANTOPEN) => {
            ": it cannot be opened; look at the rights of the file, of its folder and of the files \
             ending in -wal and -shm beside it"
        }
        _ => "",
    }
}

// https://www.sqlite.org/rescode.html
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;

/// Whether the file itself is not what a database is.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(CORRUPT | NOTADB))
}

/// The lower byte of an extended code.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
