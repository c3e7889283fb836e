//! Reads an archive of unknown origin and verifies it.

use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Read},
    rc::Rc,
};

use super::{
    FORMAT, LARGEST_FILE, LARGEST_MANIFEST, LARGEST_TAR, LARGEST_WINDOW_LOG, MOST_FILES,
    entry::{BLOCK, EntryName, padding},
    examine::{Examiner, Verified},
    readme::{README, format_of},
};
use model::SweepId;

use crate::{misfit::Misfit, seal::SealHash};

const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Why an archive was not verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file could not be read.
    #[error("read the archive")]
    Input(#[source] io::Error),
    /// It does not begin as an archive that this version knows does.
    #[error("not an evidence archive: {0}")]
    NotAnArchive(String),
    /// It is an archive, in which this is the first thing that does not fit.
    #[error("the archive does not fit together")]
    Tampered(#[source] Misfit),
    /// Everything in it fits, but the noted head is none of its seals: it was noted after the archive was
    /// written, or whoever wrote the archive made the chain anew. Nobody can tell which from the archive.
    #[error("the noted seal {expected} is not among the seals of sweeps {} to {}", seals.0, seals.1)]
    NotNoted {
        /// The head that was noted.
        expected: SealHash,
        /// The sweeps of the first and of the last seal that are there.
        seals: (SweepId, SweepId),
    },
}

impl From<Misfit> for VerifyError {
    fn from(misfit: Misfit) -> Self {
        Self::Tampered(misfit)
    }
}

/// Verifies an archive; with `expected`, also that the head that was noted is one of its seals, which is
/// decided last: what was altered is said before it.
///
/// Everything is made again from what is in the archive, down to the last byte of the tar. What is in
/// memory at a time is one file of it, and a few hundred bytes for each file, account and finding. Files of
/// more than 16 MiB (the manifest: 256 MiB), more than a million files or 64 GiB in all are refused.
pub fn verify(archive: impl Read, expected: Option<SealHash>) -> Result<Verified, VerifyError> {
    let failed = Rc::new(Cell::new(false));
    let source = Source {
        inner: archive,
        failed: Rc::clone(&failed),
    };
    let mut source = BufReader::new(source);
    let mut magic = Vec::new();
    let start = (&mut source)
        .take(ZSTD_MAGIC.len() as u64)
        .read_to_end(&mut magic);
    start.map_err(VerifyError::Input)?;
    if magic != ZSTD_MAGIC {
        let why = "it is not compressed with zstd";
        return Err(VerifyError::NotAnArchive(why.to_owned()));
    }
    let decoder = zstd::Decoder::with_buffer(ZSTD_MAGIC.chain(source)).and_then(|mut decoder| {
        decoder.window_log_max(LARGEST_WINDOW_LOG)?;
        Ok(decoder.single_frame())
    });
    let mut tar = Tar {
        unpacked: decoder.map_err(VerifyError::Input)?,
        taken: 0,
        source_failed: failed,
    };
    let verified = verify_tar(&mut tar, expected)?;
    let mut source = tar.unpacked.finish();
    if !source.fill_buf().map_err(VerifyError::Input)?.is_empty() {
        let place = "after the archive";
        return Err(Misfit::new("end", &place, &"the end of the file", &"more bytes").into());
    }
    match (expected, verified.noted_sweep) {
        (Some(expected), None) => Err(VerifyError::NotNoted {
            expected,
            seals: (verified.first_sweep, verified.head_sweep),
        }),
        _ => Ok(verified),
    }
}

fn verify_tar<R: Read>(
    tar: &mut Tar<R>,
    expected: Option<SealHash>,
) -> Result<Verified, VerifyError> {
    let mut examiner = Examiner::new(expected);
    open(tar, &mut examiner)?;
    let mut files = 1;
    while let Some((name, bytes)) = next_file(tar)? {
        files += 1;
        if files > MOST_FILES {
            let most = format!("at most {MOST_FILES}");
            return Err(Misfit::new("number of files", &name, &most, &"more").into());
        }
        examiner.accept(name, &bytes)?;
    }
    let verified = examiner.finish()?;
    tar.end()?;
    Ok(verified)
}

/// Verifies what an archive unpacks to: for tests that alter every byte of it.
#[cfg(test)]
pub(super) fn verify_unpacked(tar: &[u8]) -> Result<Verified, VerifyError> {
    let mut tar = Tar {
        unpacked: tar,
        taken: 0,
        source_failed: Rc::default(),
    };
    verify_tar(&mut tar, None)
}

/// Reads the first file, by which an archive is known for one.
fn open<R: Read>(tar: &mut Tar<R>, examiner: &mut Examiner) -> Result<(), VerifyError> {
    let not_one = |why: &str| VerifyError::NotAnArchive(why.to_owned());
    let mut block = [0; BLOCK];
    let other = "it does not begin with the README.txt of an archive";
    match tar.fill(&mut block) {
        Ok(()) => (),
        Err(VerifyError::Input(error)) => return Err(VerifyError::Input(error)),
        Err(_) => return Err(not_one(other)),
    }
    let header = tar::Header::from_byte_slice(&block);
    let name = EntryName::Readme;
    let is_named = *header.path_bytes() == *name.to_string().as_bytes();
    let (true, Ok(size)) = (is_named, header.entry_size()) else {
        let mut text = vec![0; README.len()];
        return Err(if tar.fill(&mut text).is_ok() && is_nearly_readme(&text) {
            let found = "another name or size";
            Misfit::new("tar header", &name, &"that of every file", &found).into()
        } else {
            not_one(other)
        });
    };
    let bytes = tar.content(name, size)?;
    let Some(format) = format_of(&bytes) else {
        return Err(if is_nearly_readme(&bytes) {
            let found = "another text";
            Misfit::new("text", &name, &"that of every archive", &found).into()
        } else {
            not_one(other)
        });
    };
    if format != FORMAT.to_string() {
        let why = format!(
            "its format is {}, this version knows {FORMAT}",
            format.escape_debug()
        );
        return Err(VerifyError::NotAnArchive(why));
    }
    check_header(name, size, &block)?;
    Ok(examiner.accept(name, &bytes)?)
}

/// Whether a text is that of every archive but for a few bytes: what was altered may be the very place by
/// which an archive is known for one.
fn is_nearly_readme(text: &[u8]) -> bool {
    let same = (text.iter().zip(README.as_bytes())).filter(|(one, other)| one == other);
    text.len() == README.len() && same.count() * 10 >= README.len() * 9
}

/// The next file; `None` at the first block of the end.
fn next_file<R: Read>(tar: &mut Tar<R>) -> Result<Option<(EntryName, Vec<u8>)>, VerifyError> {
    let mut block = [0; BLOCK];
    tar.fill(&mut block)?;
    if block == [0; BLOCK] {
        return Ok(None);
    }
    let header = tar::Header::from_byte_slice(&block);
    let path = header.path_bytes();
    let shown = String::from_utf8_lossy(&path);
    let name = EntryName::parse(&shown).ok_or_else(|| {
        Misfit::new(
            "file",
            &shown,
            &"a file that an archive has",
            &"another name",
        )
    })?;
    let size = (header.entry_size())
        .map_err(|error| Misfit::new("tar header", &name, &"a size", &error))?;
    check_header(name, size, &block)?;
    let bytes = tar.content(name, size)?;
    Ok(Some((name, bytes)))
}

fn check_header(name: EntryName, size: u64, given: &[u8; BLOCK]) -> Result<(), VerifyError> {
    let header = name.header(size).map_err(VerifyError::Input)?;
    if header.as_bytes() == given {
        return Ok(());
    }
    let found = "another owner, mode, time, kind or checksum";
    Err(Misfit::new("tar header", &name, &"that of every file", &found).into())
}

/// What is unpacked, as blocks.
struct Tar<R> {
    unpacked: R,
    taken: u64,
    source_failed: Rc<Cell<bool>>,
}

impl<R: Read> Tar<R> {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), VerifyError> {
        self.taken += buffer.len() as u64;
        if self.taken > LARGEST_TAR {
            return Err(self.misfit("size", &format!("at most {LARGEST_TAR} bytes"), &"more"));
        }
        (self.unpacked.read_exact(buffer)).map_err(|error| self.broken(error))
    }

    /// The content of a file whose header was read, and the zeros after it.
    fn content(&mut self, name: EntryName, size: u64) -> Result<Vec<u8>, VerifyError> {
        let largest = match name {
            EntryName::Manifest => LARGEST_MANIFEST,
            _ => LARGEST_FILE,
        };
        if size > largest {
            let most = format!("at most {largest} bytes");
            return Err(Misfit::new("size", &name, &most, &size).into());
        }
        // Read as far as there is something, and not into room for what a header claims.
        let mut bytes = Vec::new();
        let read = (&mut self.unpacked).take(size).read_to_end(&mut bytes);
        read.map_err(|error| self.broken(error))?;
        if bytes.len() as u64 != size {
            return Err(self.broken(io::ErrorKind::UnexpectedEof.into()));
        }
        self.taken += size;
        let mut padded = [0; BLOCK];
        let padded = &mut padded[..padding(size)];
        self.fill(padded)?;
        if padded.iter().any(|byte| *byte != 0) {
            return Err(Misfit::new("padding", &name, &"zeros", &"other bytes").into());
        }
        Ok(bytes)
    }

    /// The second block of the end, and nothing after it.
    fn end(&mut self) -> Result<(), VerifyError> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        let more = self.unpacked.read(&mut [0]);
        let more = more.map_err(|error| self.broken(error))?;
        if block == [0; BLOCK] && more == 0 {
            Ok(())
        } else {
            Err(self.misfit("end", &"the end of the tar", &"more bytes"))
        }
    }

    /// What an error of the decoder means: that the source could not be read, or that it is no longer
    /// what was written.
    fn broken(&self, error: io::Error) -> VerifyError {
        if self.source_failed.get() {
            return VerifyError::Input(error);
        }
        let found = if error.kind() == io::ErrorKind::UnexpectedEof {
            "the end of the file".to_owned()
        } else {
            error.to_string()
        };
        self.misfit("compressed data", &"more of the archive", &found)
    }

    fn misfit(
        &self,
        what: &'static str,
        expected: &impl std::fmt::Display,
        found: &impl std::fmt::Display,
    ) -> VerifyError {
        let place = format!("byte {} of the tar", self.taken);
        Misfit::new(what, &place, expected, found).into()
    }
}

/// Remembers whether reading failed, because the decoder's own errors look the same.
struct Source<R> {
    inner: R,
    failed: Rc<Cell<bool>>,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        let failed = |error: &io::Error| error.kind() != io::ErrorKind::Interrupted;
        if read.as_ref().is_err_and(failed) {
            self.failed.set(true);
        }
        read
    }
}
