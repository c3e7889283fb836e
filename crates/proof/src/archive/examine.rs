//! Goes through the files of an archive in their order and names the first thing that does not fit.
//!
//! Who writes an archive and who verifies one do the same here, so nothing is written that would not
//! verify, and what follows from the rest (summary, manifest) is made in one place.

use std::collections::BTreeMap;

use model::{AccountId, Reason, SweepId, Verdict};
use serde::Deserialize;
use serde_json::Value;

use super::{
    documents::Documents,
    entry::{EntryName, Section},
    form::{canonical, same_text},
    manifest::{FileHash, FileLine, Head, Manifest, Selection, Subject},
    readme::README,
    records::{Batch, BatchCount},
    summary::{HeaderClaims, LeafClaims, Summary},
};
use crate::{
    leaf::LeafHash,
    merkle::{InclusionPath, MerkleTree},
    misfit::Misfit,
    seal::{Chain, Seal, SealHash},
};

/// An archive in which everything fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The sweep that the archive is of.
    pub sweep: SweepId,
    /// The organization that was swept, where there was one.
    pub organization_id: Option<String>,
    /// The seal of that sweep.
    pub seal: SealHash,
    /// The last seal of the archive, which is the sweep's own unless later ones were exported.
    pub head: SealHash,
    /// The sweep of the last seal.
    pub head_sweep: SweepId,
    /// The sweep of the first seal.
    pub first_sweep: SweepId,
    /// How many seals lead from the first to the last.
    pub seals: u64,
    /// The sweep whose seal is the one that was expected. If it is before `sweep`, then the noted head
    /// vouches for the seals up to it, and not for the sweep of the archive.
    pub noted_sweep: Option<SweepId>,
    /// How many accounts the archive has.
    pub accounts: u64,
    /// How many accounts are sealed.
    pub accounts_sealed: u64,
    /// Whether the archive has all of them.
    pub is_whole: bool,
    /// How many findings in the archive have which verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// How many documents the archive has.
    pub documents: u64,
    /// The records of the sweep's drifts.
    pub drifts: BatchCount,
    /// The records of the journal that the sweep sealed.
    pub journal: BatchCount,
}

// What no hash binds is refused: a field more could say anything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SealLine {
    seal: Seal,
    header: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountFile {
    leaf: Value,
    leaf_hash: LeafHash,
    path: Option<InclusionPath>,
}

/// The seal of the archive's sweep.
struct Sealed {
    seal: Seal,
    header: HeaderClaims,
}

/// What is known after the files so far.
pub(super) struct Examiner {
    expected: Option<SealHash>,
    noted_sweep: Option<SweepId>,
    first_sweep: Option<SweepId>,
    last: Option<EntryName>,
    /// The first section that may still have files.
    open: Option<Section>,
    files: Vec<FileLine>,
    chain: Chain,
    /// The header of the last seal, until it is known whether that is the sweep's.
    last_header: Option<(Seal, Value)>,
    sealed: Option<Sealed>,
    is_whole: Option<bool>,
    leaves: Vec<(AccountId, LeafHash)>,
    accounts: Vec<LeafClaims>,
    documents: Documents,
    drifts: Batch,
    journal: Batch,
}

impl Examiner {
    /// Begins. If a head is expected, it is looked for among the seals.
    pub(super) fn new(expected: Option<SealHash>) -> Self {
        Self {
            expected,
            noted_sweep: None,
            first_sweep: None,
            last: None,
            open: Some(Section::Readme),
            files: Vec::new(),
            chain: Chain::default(),
            last_header: None,
            sealed: None,
            is_whole: None,
            leaves: Vec::new(),
            accounts: Vec::new(),
            documents: Documents::default(),
            drifts: Batch::default(),
            journal: Batch::default(),
        }
    }

    /// Takes the next file.
    pub(super) fn accept(&mut self, name: EntryName, bytes: &[u8]) -> Result<(), Misfit> {
        self.advance(name)?;
        match name {
            EntryName::Readme => same_text(name, README, bytes)?,
            EntryName::Seals(_) | EntryName::LaterSeals(_) => self.accept_seals(name, bytes)?,
            EntryName::Account(id) => self.accept_account(id, bytes)?,
            EntryName::Document(hash) => self.documents.accept(hash, bytes)?,
            EntryName::Drifts(_) => self.drifts.accept(name, bytes)?,
            EntryName::Journal(_) => self.journal.accept(name, bytes)?,
            EntryName::Summary => same_text(name, &self.summary()?, bytes)?,
            EntryName::Manifest => return self.manifest()?.compare(bytes),
        }
        self.files.push(FileLine {
            path: name.to_string(),
            size: bytes.len() as u64,
            sha256: match name {
                EntryName::Document(hash) => FileHash(*hash.as_bytes()),
                _ => FileHash::of(bytes),
            },
        });
        Ok(())
    }

    fn advance(&mut self, name: EntryName) -> Result<(), Misfit> {
        if let Some(last) = self.last.filter(|last| *last >= name) {
            let expected = format!("a file that stands after {last}");
            return Err(Misfit::new("order of files", &name, &expected, &name));
        }
        let section = name.section();
        self.close_before(section)?;
        if let Some(number) = name.number() {
            let before = self.last.filter(|last| last.section() == section);
            let next = before.and_then(EntryName::number).unwrap_or(0) + 1;
            Misfit::unless_equal("number of the file", &name, &next, &number)?;
        }
        self.last = Some(name);
        Ok(())
    }

    fn close_before(&mut self, section: Section) -> Result<(), Misfit> {
        while let Some(open) = self.open.filter(|open| *open < section) {
            self.close(open)?;
            self.open = open.next();
        }
        Ok(())
    }

    fn close(&mut self, section: Section) -> Result<(), Misfit> {
        match section {
            Section::Readme if self.last.is_none() => Err(missing(EntryName::Readme)),
            Section::Seals => self.close_seals(),
            Section::Accounts => self.close_accounts(),
            Section::Documents => self.documents.close(),
            Section::Drifts => self.drifts.close("drifts", self.sealed()?.seal.drifts),
            Section::Journal => self.journal.close("journal", self.sealed()?.seal.journal),
            Section::Summary if self.last != Some(EntryName::Summary) => {
                Err(missing(EntryName::Summary))
            }
            Section::Readme | Section::LaterSeals | Section::Summary | Section::Manifest => Ok(()),
        }
    }

    fn sealed(&self) -> Result<&Sealed, Misfit> {
        self.sealed
            .as_ref()
            .ok_or_else(|| missing(EntryName::Seals(1)))
    }

    fn accept_seals(&mut self, name: EntryName, bytes: &[u8]) -> Result<(), Misfit> {
        let lines: Vec<SealLine> = canonical(name, bytes)?;
        for SealLine { seal, header } in lines {
            self.chain.follow(&seal, &header.to_string())?;
            self.first_sweep.get_or_insert(seal.sweep);
            if self.expected == Some(seal.hash) {
                self.noted_sweep = Some(seal.sweep);
            }
            self.last_header = Some((seal, header));
        }
        Ok(())
    }

    /// The last of the seals before the later ones is that of the sweep.
    fn close_seals(&mut self) -> Result<(), Misfit> {
        let (seal, header) =
            (self.last_header.take()).ok_or_else(|| missing(EntryName::Seals(1)))?;
        let header = serde_json::from_value(header).map_err(|error| {
            let place = format!("header of sweep {}", seal.sweep);
            Misfit::new("header", &place, &"the header of a sweep", &error)
        })?;
        self.sealed = Some(Sealed { seal, header });
        Ok(())
    }

    fn accept_account(&mut self, id: AccountId, bytes: &[u8]) -> Result<(), Misfit> {
        let name = EntryName::Account(id);
        let file: AccountFile = canonical(name, bytes)?;
        let hash = LeafHash::of_canonical(&file.leaf.to_string());
        Misfit::unless_equal("leaf hash", &name, &file.leaf_hash, &hash)?;
        let leaf: LeafClaims = serde_json::from_value(file.leaf)
            .map_err(|error| Misfit::new("leaf", &name, &"the leaf of an account", &error))?;
        Misfit::unless_equal("account id", &name, &id, &leaf.account.id)?;
        let is_whole = file.path.is_none();
        if self.is_whole.is_some_and(|so_far| so_far != is_whole) {
            let found = "both";
            return Err(Misfit::new(
                "path",
                &name,
                &"all accounts with a path or none",
                &found,
            ));
        }
        self.is_whole = Some(is_whole);
        let accounts = self.sealed()?.seal.accounts;
        if let Some(path) = file.path {
            let root = path.root(id, hash, accounts.accounts);
            let root = root.map_or("a path of another length".to_owned(), String::from);
            Misfit::unless_equal("Merkle root", &name, &accounts.root.to_string(), &root)?;
        } else {
            self.leaves.push((id, hash));
        }
        for finding in leaf.findings.values() {
            let reason = &finding.reason;
            // A later version may know more reasons; the leaf binds what it made of them.
            if let Ok(known) = reason.parse::<Reason>() {
                Misfit::unless_equal("verdict", &name, &known.verdict(), &finding.verdict)?;
            }
            self.documents.need_detail(finding.detail, name, reason);
            if let Some(samples) = finding.gap_samples {
                self.documents.need(samples, name);
            }
        }
        if let Some(evidence) = leaf.evidence {
            self.documents.need_evidence(evidence, name);
        }
        self.accounts.push(leaf);
        Ok(())
    }

    fn close_accounts(&mut self) -> Result<(), Misfit> {
        let sealed = self.sealed()?;
        let organization = sealed.header.organization;
        let (head, sweep) = (sealed.seal.accounts, sealed.seal.sweep);
        if self.is_whole.unwrap_or(true) {
            let tree = MerkleTree::new(std::mem::take(&mut self.leaves)).head();
            let place = format!("accounts of sweep {sweep}");
            Misfit::unless_equal("number of accounts", &place, &head.accounts, &tree.accounts)?;
            Misfit::unless_equal("Merkle root", &place, &head.root, &tree.root)?;
            self.is_whole = Some(true);
            self.compare_verdicts()?;
        }
        if let Some(organization) = organization {
            self.documents.need(organization, EntryName::Seals(1));
        }
        Ok(())
    }

    /// That the counts of the header follow from the leaves.
    ///
    /// They do where the sweep saw every account: what was not looked at keeps its leaf from before
    /// (even under the whole account list, where an account was once named by hand), and a control that
    /// was not judged keeps its findings.
    fn compare_verdicts(&self) -> Result<(), Misfit> {
        let Sealed { seal, header } = self.sealed()?;
        if header.seen.as_ref().and_then(|seen| seen.as_str()) != Some("all") {
            return Ok(());
        }
        let mut counted: BTreeMap<Verdict, u64> = BTreeMap::new();
        for (control, finding) in self.accounts.iter().flat_map(|leaf| &leaf.findings) {
            if header.scope.controls.contains(control) {
                *counted.entry(finding.verdict).or_default() += 1;
            }
        }
        let place = format!("header of sweep {}", seal.sweep);
        for verdict in Verdict::ALL {
            let of = |counts: &BTreeMap<_, _>| {
                let count = counts.get(&verdict).copied().unwrap_or_default();
                format!("{count} {verdict}")
            };
            Misfit::unless_equal("verdicts", &place, &of(&counted), &of(&header.verdicts))?;
        }
        Ok(())
    }

    fn head(&self) -> Result<&Seal, Misfit> {
        self.chain
            .last()
            .ok_or_else(|| missing(EntryName::Seals(1)))
    }

    /// Ends the evidence; gives the summary that must follow it.
    pub(super) fn end_evidence(&mut self) -> Result<String, Misfit> {
        self.close_before(Section::Summary)?;
        self.summary()
    }

    fn summary(&self) -> Result<String, Misfit> {
        let (Sealed { seal, header }, head) = (self.sealed()?, self.head()?);
        let summary = Summary {
            sweep: seal.sweep,
            seal: seal.hash.to_string(),
            header,
            head: head.hash.to_string(),
            head_sweep: head.sweep,
            seals: self.chain.seals(),
            accounts_sealed: seal.accounts.accounts,
            is_whole: self.is_whole.unwrap_or_default(),
            accounts: &self.accounts,
            messages: &self.documents.messages,
            drifts: self.drifts.count,
            journal: self.journal.count,
        };
        Ok(summary.render())
    }

    /// The manifest of what was accepted.
    pub(super) fn manifest(&self) -> Result<Manifest, Misfit> {
        let (Sealed { seal, header }, head) = (self.sealed()?, self.head()?);
        let subject = Subject {
            organization_id: header.organization_id.clone(),
            sweep: seal.sweep,
            seal: seal.hash,
            head: Head {
                sweep: head.sweep,
                seal: head.hash,
            },
            accounts_sealed: seal.accounts.accounts,
            selection: if self.is_whole.unwrap_or_default() {
                Selection::Whole
            } else {
                Selection::Accounts(self.accounts.iter().map(|leaf| leaf.account.id).collect())
            },
        };
        Ok(Manifest::new(subject, self.files.clone()))
    }

    /// Ends after the last file, which is the manifest.
    pub(super) fn finish(self) -> Result<Verified, Misfit> {
        if self.last != Some(EntryName::Manifest) {
            return Err(missing(EntryName::Manifest));
        }
        let (Sealed { seal, header }, head) = (self.sealed()?, self.head()?);
        let mut verdicts = BTreeMap::new();
        for finding in self.accounts.iter().flat_map(|leaf| leaf.findings.values()) {
            *verdicts.entry(finding.verdict).or_default() += 1;
        }
        Ok(Verified {
            sweep: seal.sweep,
            organization_id: header.organization_id.clone(),
            seal: seal.hash,
            head: head.hash,
            head_sweep: head.sweep,
            first_sweep: self.first_sweep.unwrap_or(seal.sweep),
            seals: self.chain.seals(),
            noted_sweep: self.noted_sweep,
            accounts: self.accounts.len() as u64,
            accounts_sealed: seal.accounts.accounts,
            is_whole: self.is_whole.unwrap_or_default(),
            verdicts,
            documents: self.documents.count(),
            drifts: self.drifts.count,
            journal: self.journal.count,
        })
    }
}

fn missing(name: EntryName) -> Misfit {
    Misfit::new("file", &name, &"this file", &"no such file")
}
