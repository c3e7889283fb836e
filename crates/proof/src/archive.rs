//! The archive: what a sweep found, with all that is needed to verify it offline.
//!
//! A tar (POSIX ustar) in one zstd frame. Its files, in this order:
//!
//! | file | holds |
//! |---|---|
//! | `README.txt` | what this is and how to verify it by hand; the same in every archive of a format |
//! | `seals/N.json` | the seals from the first to that of the sweep, with their headers |
//! | `later-seals/N.json` | those after it, up to the head |
//! | `accounts/ID.json` | an account's leaf and its path; without a path where all accounts are there |
//! | `documents/HASH.json` | evidence and details: canonical JSON, whose SHA-256 is the name |
//! | `drifts/N.json`, `journal/N.json` | the records of the sweep's seal, or the hashes of withheld ones |
//! | `summary.md` | the same for humans |
//! | `manifest.json` | what the archive is of, and size and SHA-256 of every other file |
//!
//! Lists are cut into files of some thousand records, so that neither who writes nor who verifies holds
//! more than one of them. There is one way to write an archive: owners, times and modes are fixed, JSON is
//! canonical, the summary and the manifest follow from the rest. So verifying means to make everything
//! again and to compare, and an archive in which any byte of the tar differs does not verify.
//!
//! A copy of the file in which some compressed byte differs verifies only if it unpacks to the very same
//! tar: zstd has more than one way to say the same.

mod documents;
mod entry;
mod examine;
mod form;
mod manifest;
mod readme;
mod records;
mod summary;
mod verify;
mod write;

#[cfg(test)]
mod tests;

pub use documents::parts_of_evidence;
pub use examine::Verified;
pub use records::BatchCount;
pub use verify::{VerifyError, verify};
pub use write::{ArchiveWriter, BatchRecord, WriteError};

/// The format that this version writes and verifies: bound to the text of `README.txt` and of the
/// summary, and to every layout below.
const FORMAT: u32 = 1;

/// The largest file in an archive, but for the manifest. A list is cut long before.
const LARGEST_FILE: u64 = 16 << 20;

/// The largest manifest: that of a million files.
const LARGEST_MANIFEST: u64 = 256 << 20;

/// How many files an archive may have: 50,000 accounts with ten documents each are half of it.
const MOST_FILES: usize = 1_000_000;

/// How much an archive may unpack to. Nothing is ever unpacked to a disk; this bounds the time.
const LARGEST_TAR: u64 = 64 << 30;

/// zstd may ask for a window of this many bytes (as a power of two) to unpack.
const LARGEST_WINDOW_LOG: u32 = 23;
