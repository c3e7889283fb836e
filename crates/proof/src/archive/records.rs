//! The records of a batch in an archive: each with its text, or withheld.

use serde::Deserialize;

use super::{entry::EntryName, form::canonical};
use crate::{
    batch::{BatchHash, BatchHasher, RecordHash},
    misfit::Misfit,
};

/// How many records of a batch an archive shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchCount {
    /// With their text.
    pub shown: u64,
    /// By their hash alone.
    pub withheld: u64,
}

/// A record of a batch in its file.
#[derive(Deserialize)]
#[serde(untagged)]
enum RecordLine {
    Shown(String),
    Withheld(Withheld),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Withheld {
    withheld: RecordHash,
}

/// The records of a batch that were read so far.
#[derive(Default)]
pub(super) struct Batch {
    hasher: BatchHasher,
    pub(super) count: BatchCount,
}

impl Batch {
    pub(super) fn accept(&mut self, name: EntryName, bytes: &[u8]) -> Result<(), Misfit> {
        let lines: Vec<RecordLine> = canonical(name, bytes)?;
        for line in lines {
            match line {
                RecordLine::Shown(record) => {
                    self.hasher.push(&record);
                    self.count.shown += 1;
                }
                RecordLine::Withheld(Withheld { withheld }) => {
                    self.hasher.push_hash(withheld);
                    self.count.withheld += 1;
                }
            }
        }
        Ok(())
    }

    /// That the records are those that were sealed.
    pub(super) fn close(&mut self, what: &'static str, sealed: BatchHash) -> Result<(), Misfit> {
        let found = self.hasher.clone().finish();
        Misfit::unless_equal("hash of the records", &what, &sealed, &found)
    }
}
