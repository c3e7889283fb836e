//! The manifest: what an archive is of, and every file in it.

use model::{AccountId, SweepId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FORMAT, entry::EntryName};
use crate::{digest::digest_type, misfit::Misfit, seal::SealHash};

const KIND: &str = "scanner-evidence";

digest_type! {
    /// The SHA-256 of a file, as any tool computes it.
    FileHash, "SHA-256"
}

impl FileHash {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// What an archive is of. Every field follows from the other files: a verifier makes it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    schema_version: u32,
    kind: String,
    organization_id: Option<String>,
    sweep: SweepId,
    seal: SealHash,
    head: Head,
    /// How many accounts are sealed; those that are exported stand in `selection`.
    accounts_sealed: u64,
    selection: Selection,
    files: Vec<FileLine>,
}

/// The last seal of the archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) sweep: SweepId,
    pub(super) seal: SealHash,
}

/// Which accounts are exported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Selection {
    Whole,
    Accounts(Vec<AccountId>),
}

/// A file, by its path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FileLine {
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) sha256: FileHash,
}

/// What an archive is of, but for the fixed fields.
pub(super) struct Subject {
    pub(super) organization_id: Option<String>,
    pub(super) sweep: SweepId,
    pub(super) seal: SealHash,
    pub(super) head: Head,
    pub(super) accounts_sealed: u64,
    pub(super) selection: Selection,
}

impl Manifest {
    pub(super) fn new(subject: Subject, files: Vec<FileLine>) -> Self {
        Self {
            schema_version: FORMAT,
            kind: KIND.to_owned(),
            organization_id: subject.organization_id,
            sweep: subject.sweep,
            seal: subject.seal,
            head: subject.head,
            accounts_sealed: subject.accounts_sealed,
            selection: subject.selection,
            files,
        }
    }

    /// Names the first thing that the manifest in the archive says otherwise.
    pub(super) fn compare(&self, given: &[u8]) -> Result<(), Misfit> {
        let place = EntryName::Manifest;
        if model::canonical_json(self).as_bytes() == given {
            return Ok(());
        }
        let given: Self = serde_json::from_slice(given)
            .map_err(|error| Misfit::new("manifest", &place, &"a manifest", &error))?;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let numbers = [
            (
                "schema_version",
                self.schema_version.to_string(),
                given.schema_version.to_string(),
            ),
            ("kind", self.kind.clone(), given.kind.clone()),
            (
                "organization_id",
                text(&self.organization_id),
                text(&given.organization_id),
            ),
            ("sweep", self.sweep.to_string(), given.sweep.to_string()),
            ("seal", self.seal.to_string(), given.seal.to_string()),
            (
                "sweep of the head",
                self.head.sweep.to_string(),
                given.head.sweep.to_string(),
            ),
            (
                "head",
                self.head.seal.to_string(),
                given.head.seal.to_string(),
            ),
            (
                "accounts_sealed",
                self.accounts_sealed.to_string(),
                given.accounts_sealed.to_string(),
            ),
        ];
        for (what, expected, found) in numbers {
            Misfit::unless_equal(what, &place, &expected, &found)?;
        }
        self.compare_files(&given.files)?;
        if self.selection != given.selection {
            let shown = |manifest: &Self| match &manifest.selection {
                Selection::Whole => "the whole organization".to_owned(),
                Selection::Accounts(accounts) => {
                    let ids: Vec<String> = accounts.iter().map(ToString::to_string).collect();
                    format!("accounts {}", ids.join(", "))
                }
            };
            return Err(Misfit::new(
                "selection",
                &place,
                &shown(self),
                &shown(&given),
            ));
        }
        let found = "the same, written in another way";
        Err(Misfit::new("form", &place, &"canonical JSON", &found))
    }

    fn compare_files(&self, listed: &[FileLine]) -> Result<(), Misfit> {
        let mut left = listed.iter();
        for file in &self.files {
            let Some(line) = left.next() else {
                return Err(not_listed(file));
            };
            if line.path != file.path {
                // Both lists are in the order of the archive: what is listed further down was skipped here.
                return Err(if left.any(|later| later.path == file.path) {
                    missing(line)
                } else {
                    not_listed(file)
                });
            }
            let path = &file.path;
            Misfit::unless_equal("size", path, &line.size, &file.size)?;
            Misfit::unless_equal("SHA-256", path, &line.sha256, &file.sha256)?;
        }
        left.next().map_or(Ok(()), |line| Err(missing(line)))
    }
}

fn not_listed(file: &FileLine) -> Misfit {
    let expected = "a file that the manifest lists";
    Misfit::new("file", &file.path, &expected, &"one that it does not list")
}

fn missing(line: &FileLine) -> Misfit {
    let expected = "the file that the manifest lists";
    Misfit::new("file", &line.path, &expected, &"no such file")
}
