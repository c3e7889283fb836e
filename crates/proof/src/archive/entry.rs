//! The names of the files in an archive, and the one tar header that each can have.

use std::{fmt, io};

use model::{AccountId, ContentHash};
use tar::{EntryType, Header};

/// The size of a tar header, and what files are padded to.
pub(super) const BLOCK: usize = 512;

/// A part of an archive, in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Readme,
    Seals,
    LaterSeals,
    Accounts,
    Documents,
    Drifts,
    Journal,
    Summary,
    Manifest,
}

impl Section {
    /// The one after it.
    pub(super) fn next(self) -> Option<Self> {
        match self {
            Self::Readme => Some(Self::Seals),
            Self::Seals => Some(Self::LaterSeals),
            Self::LaterSeals => Some(Self::Accounts),
            Self::Accounts => Some(Self::Documents),
            Self::Documents => Some(Self::Drifts),
            Self::Drifts => Some(Self::Journal),
            Self::Journal => Some(Self::Summary),
            Self::Summary => Some(Self::Manifest),
            Self::Manifest => None,
        }
    }
}

/// The name of a file. There are no others, so a name cannot lead out of anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EntryName {
    Readme,
    Seals(u32),
    LaterSeals(u32),
    Account(AccountId),
    Document(ContentHash),
    Drifts(u32),
    Journal(u32),
    Summary,
    Manifest,
}

impl EntryName {
    pub(super) fn section(self) -> Section {
        match self {
            Self::Readme => Section::Readme,
            Self::Seals(_) => Section::Seals,
            Self::LaterSeals(_) => Section::LaterSeals,
            Self::Account(_) => Section::Accounts,
            Self::Document(_) => Section::Documents,
            Self::Drifts(_) => Section::Drifts,
            Self::Journal(_) => Section::Journal,
            Self::Summary => Section::Summary,
            Self::Manifest => Section::Manifest,
        }
    }

    /// Its number, where a list is cut into several files.
    pub(super) fn number(self) -> Option<u32> {
        match self {
            Self::Seals(number)
            | Self::LaterSeals(number)
            | Self::Drifts(number)
            | Self::Journal(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let parsed = match name {
            "README.txt" => Self::Readme,
            "summary.md" => Self::Summary,
            "manifest.json" => Self::Manifest,
            _ => {
                let (folder, file) = name.strip_suffix(".json")?.split_once('/')?;
                match folder {
                    "seals" => Self::Seals(file.parse().ok()?),
                    "later-seals" => Self::LaterSeals(file.parse().ok()?),
                    "accounts" => Self::Account(file.parse().ok()?),
                    "documents" => Self::Document(file.parse().ok()?),
                    "drifts" => Self::Drifts(file.parse().ok()?),
                    "journal" => Self::Journal(file.parse().ok()?),
                    _ => return None,
                }
            }
        };
        // No second spelling: no `+1`, no capital digits.
        (parsed.to_string() == name).then_some(parsed)
    }

    /// The header of the file: everything but name and size is the same in all of them.
    pub(super) fn header(self, size: u64) -> io::Result<Header> {
        let mut header = Header::new_ustar();
        header.set_path(self.to_string())?;
        header.set_size(size);
        header.set_mode(0o444);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_entry_type(EntryType::Regular);
        header.set_cksum();
        Ok(header)
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Readme => f.write_str("README.txt"),
            Self::Seals(number) => write!(f, "seals/{number:08}.json"),
            Self::LaterSeals(number) => write!(f, "later-seals/{number:08}.json"),
            Self::Account(id) => write!(f, "accounts/{id}.json"),
            Self::Document(hash) => write!(f, "documents/{hash}.json"),
            Self::Drifts(number) => write!(f, "drifts/{number:08}.json"),
            Self::Journal(number) => write!(f, "journal/{number:08}.json"),
            Self::Summary => f.write_str("summary.md"),
            Self::Manifest => f.write_str("manifest.json"),
        }
    }
}

/// How many zeros follow a file of this size.
pub(super) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling_and_leads_nowhere_else() {
        let hash = ContentHash::of("x");
        for name in [
            EntryName::Readme,
            EntryName::Seals(1),
            EntryName::Account("000000000012".parse().unwrap()),
            EntryName::Document(hash),
            EntryName::Manifest,
        ] {
            assert_eq!(EntryName::parse(&name.to_string()), Some(name));
        }
        for name in [
            "",
            "/README.txt",
            "./README.txt",
            "../x.json",
            "accounts/../../x.json",
            "accounts/1.json",
            "seals/1.json",
            "seals/+0000001.json",
            "accounts/111111111111.json/x",
            &format!("documents/{}.json", hash.to_string().to_uppercase()),
        ] {
            assert_eq!(EntryName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn sections_stand_in_the_order_of_their_files() {
        let sections = std::iter::successors(Some(Section::Readme), |section| section.next());
        assert!(sections.is_sorted());
        assert!(EntryName::Readme < EntryName::Seals(1));
        assert!(EntryName::Journal(9) < EntryName::Summary);
    }

    #[test]
    fn files_are_padded_to_whole_blocks() {
        assert_eq!([0, 1, 511, 512, 513].map(padding), [0, 511, 1, 0, 511]);
    }
}
