//! Writes an archive, file after file, without holding it.

use std::io::{self, Write};

use model::ContentHash;

use super::{
    LARGEST_FILE, LARGEST_MANIFEST, MOST_FILES,
    entry::{BLOCK, EntryName, padding},
    examine::{Examiner, Verified},
    readme::README,
};
use crate::{
    batch::RecordHash, leaf::AccountLeaf, merkle::InclusionPath, misfit::Misfit, seal::Seal,
};

/// zstd's own default, as for the documents in the store.
const COMPRESSION_LEVEL: i32 = 3;

/// A list is cut into files of no more records than this, and not much more text: what is held while an
/// archive is written or verified.
const RECORDS_A_FILE: usize = 1_000;
const BYTES_A_FILE: usize = 4 << 20;

/// Why an archive was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The output could not be written to.
    #[error("write the archive")]
    Output(#[source] io::Error),
    /// What was given does not fit together: it would not verify.
    #[error("the evidence does not fit together")]
    Misfit(#[source] Misfit),
    /// Something is larger than what a verifier takes.
    #[error("{file} has {size} bytes, more than an archive may hold")]
    TooLarge {
        /// The file.
        file: String,
        /// Its size.
        size: u64,
    },
    /// There are more files than a verifier takes.
    #[error("more than {MOST_FILES} files; export fewer accounts")]
    TooManyFiles,
}

/// A record of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchRecord<'a> {
    /// With its canonical JSON.
    Shown(&'a str),
    /// By its hash alone, because it concerns others.
    Withheld(RecordHash),
}

/// Writes an archive.
///
/// Calls must come in the order of the methods: seals, later seals, accounts in the order of ids,
/// documents in the order of hashes, drifts, journal. What is written is examined on the way as a
/// verifier would: evidence that does not fit is refused with the first thing that does not.
pub struct ArchiveWriter<W: Write> {
    output: zstd::Encoder<'static, W>,
    examiner: Examiner,
    files: usize,
    list: Option<List>,
}

/// A file of a list that is being filled.
struct List {
    name: EntryName,
    text: String,
    records: usize,
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins an archive.
    pub fn new(output: W) -> Result<Self, WriteError> {
        let output = zstd::Encoder::new(output, COMPRESSION_LEVEL).and_then(|mut output| {
            output.include_checksum(true)?;
            output.window_log(super::LARGEST_WINDOW_LOG)?;
            Ok(output)
        });
        let mut writer = Self {
            output: output.map_err(WriteError::Output)?,
            examiner: Examiner::new(None),
            files: 0,
            list: None,
        };
        writer.file(EntryName::Readme, README.as_bytes())?;
        // A block of its own: so the rest may be cut off, and it is still known for an archive.
        writer.output.flush().map_err(WriteError::Output)?;
        Ok(writer)
    }

    /// Adds a seal with its header's canonical JSON: all from the first to that of the sweep.
    pub fn seal(&mut self, seal: &Seal, header: &str) -> Result<(), WriteError> {
        self.record(EntryName::Seals, &seal_line(seal, header))
    }

    /// Adds a seal after that of the sweep.
    pub fn later_seal(&mut self, seal: &Seal, header: &str) -> Result<(), WriteError> {
        self.record(EntryName::LaterSeals, &seal_line(seal, header))
    }

    /// Adds an account with its path; without one, where all accounts are added.
    pub fn account(
        &mut self,
        leaf: &AccountLeaf<'_>,
        path: Option<&InclusionPath>,
    ) -> Result<(), WriteError> {
        let id = leaf.account.id;
        let text = format!(
            r#"{{"leaf":{},"leaf_hash":"{}","path":{}}}"#,
            leaf.canonical(),
            leaf.hash(),
            model::canonical_json(&path),
        );
        self.whole_file(EntryName::Account(id), text.as_bytes())
    }

    /// Adds a document that an account, its evidence or the header refers to.
    pub fn document(&mut self, canonical: &str) -> Result<(), WriteError> {
        let hash = ContentHash::of_text(canonical);
        self.whole_file(EntryName::Document(hash), canonical.as_bytes())
    }

    /// Adds a record of the sweep's drifts, in the order in which they were sealed.
    pub fn drift(&mut self, record: BatchRecord<'_>) -> Result<(), WriteError> {
        self.record(EntryName::Drifts, &record.line())
    }

    /// Adds a record of the journal that the sweep sealed, in the order in which they were.
    pub fn journal(&mut self, record: BatchRecord<'_>) -> Result<(), WriteError> {
        self.record(EntryName::Journal, &record.line())
    }

    /// Adds summary and manifest, and ends the archive.
    pub fn finish(mut self) -> Result<(Verified, W), WriteError> {
        self.end_list()?;
        // Closes what is before the summary, so that nothing is told of evidence that does not fit.
        let summary = self.examiner.end_evidence().map_err(WriteError::Misfit)?;
        self.file(EntryName::Summary, summary.as_bytes())?;
        let manifest = self.examiner.manifest().map_err(WriteError::Misfit)?;
        let manifest = model::canonical_json(&manifest);
        self.file(EntryName::Manifest, manifest.as_bytes())?;
        let verified = self.examiner.finish().map_err(WriteError::Misfit)?;
        let mut output = self.output;
        let ended = output
            .write_all(&[0; 2 * BLOCK])
            .and_then(|()| output.finish());
        Ok((verified, ended.map_err(WriteError::Output)?))
    }

    fn whole_file(&mut self, name: EntryName, bytes: &[u8]) -> Result<(), WriteError> {
        self.end_list()?;
        self.file(name, bytes)
    }

    /// Adds a record to the list that `name` makes the files of.
    fn record(&mut self, name: fn(u32) -> EntryName, record: &str) -> Result<(), WriteError> {
        let section = name(1).section();
        let is_full = |list: &List| {
            list.records >= RECORDS_A_FILE || list.text.len() + record.len() > BYTES_A_FILE
        };
        let next = match &self.list {
            Some(list) if list.name.section() == section => {
                is_full(list).then(|| list.name.number().unwrap_or_default() + 1)
            }
            _ => Some(1),
        };
        if let Some(number) = next {
            self.end_list()?;
            self.list = Some(List {
                name: name(number),
                text: String::new(),
                records: 0,
            });
        }
        if let Some(list) = &mut self.list {
            list.text.push(if list.records == 0 { '[' } else { ',' });
            list.text.push_str(record);
            list.records += 1;
        }
        Ok(())
    }

    fn end_list(&mut self) -> Result<(), WriteError> {
        let Some(mut list) = self.list.take() else {
            return Ok(());
        };
        list.text.push(']');
        self.file(list.name, list.text.as_bytes())
    }

    fn file(&mut self, name: EntryName, bytes: &[u8]) -> Result<(), WriteError> {
        let size = bytes.len() as u64;
        let largest = match name {
            EntryName::Manifest => LARGEST_MANIFEST,
            _ => LARGEST_FILE,
        };
        if size > largest {
            let file = name.to_string();
            return Err(WriteError::TooLarge { file, size });
        }
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(WriteError::TooManyFiles);
        }
        self.examiner
            .accept(name, bytes)
            .map_err(WriteError::Misfit)?;
        let written = name.header(size).and_then(|header| {
            self.output.write_all(header.as_bytes())?;
            self.output.write_all(bytes)?;
            self.output.write_all(&[0; BLOCK][..padding(size)])
        });
        written.map_err(WriteError::Output)
    }
}

impl BatchRecord<'_> {
    fn line(self) -> String {
        match self {
            Self::Shown(text) => model::canonical_json(text),
            Self::Withheld(hash) => format!(r#"{{"withheld":"{hash}"}}"#),
        }
    }
}

fn seal_line(seal: &Seal, header: &str) -> String {
    format!(
        r#"{{"header":{header},"seal":{}}}"#,
        model::canonical_json(seal)
    )
}
