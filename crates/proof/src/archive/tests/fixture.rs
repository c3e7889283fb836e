//! A small organization with three seals, its archives, and what it takes to alter them.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
};

use jiff::Timestamp;
use model::{
    Account, AccountId, AccountState, ContentHash, ControlId, DiscoveryState, Link, OuPath, Reason,
    SweepId, SweepScope, SweepState, Verdict,
};
use serde_json::{Value, json};

use crate::{
    AccountLeaf, FindingLeaf, LeafHash, MerkleTree, Misfit, RecordHash, Seal, SealHeader,
    SeenAccounts,
    archive::{
        ArchiveWriter, BatchRecord, Verified, VerifyError, WriteError,
        documents::parts_of_evidence, entry::padding,
    },
    batch_hash,
};

pub(super) type Findings = BTreeMap<ControlId, FindingLeaf>;

/// What a store would have. The archives are of its second seal.
pub(super) struct Fixture {
    pub(super) accounts: Vec<(Account, Option<ContentHash>, Findings)>,
    pub(super) documents: BTreeMap<ContentHash, String>,
    pub(super) drifts: Vec<String>,
    pub(super) journal: Vec<String>,
    pub(super) verdicts: BTreeMap<Verdict, u64>,
    pub(super) seals: Vec<(Seal, String)>,
    pub(super) tree: MerkleTree,
    organization: ContentHash,
}

pub(super) fn account_id(number: usize) -> AccountId {
    format!("{number}").repeat(12).parse().unwrap()
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::of(&["prod", "evil\u{202e}|[x](y)\u{1b}[2J", ""])
    }

    pub(super) fn of(names: &[&str]) -> Self {
        let mut documents = BTreeMap::new();
        let mut document = |value: &Value| {
            let text = model::canonical_json(value);
            let hash = ContentHash::of_text(&text);
            documents.insert(hash, text);
            hash
        };
        let shared = document(&json!({"arn": "arn:aws:cloudtrail:us-east-1:1:trail/t"}));
        let organization = document(&json!({"id": "o-a1b2c3d4e5"}));
        let covered = document(&json!({"message": "It is covered.", "gaps": [], "x": 0.1}));
        let mut accounts = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let id = account_id(at + 1);
            let evidence = document(&json!({
                "account": id,
                "trails": {"Ok": [{"arn": "x"}]},
                "trail_details": {"arn:aws:cloudtrail:us-east-1:1:trail/t": shared},
            }));
            let pass = FindingLeaf {
                verdict: Verdict::Pass,
                reason: Reason::CoveredByOrganizationTrail,
                link: None,
                detail: covered,
                gap_samples: None,
            };
            let other = if at == 2 {
                let samples = document(&json!([{"message": "denied", "request_id": null}]));
                FindingLeaf {
                    verdict: Verdict::Unknown,
                    reason: Reason::EvidenceGap,
                    detail: document(&json!({"message": "Not read.", "reason": "evidence-gap"})),
                    gap_samples: Some(samples),
                    ..pass
                }
            } else {
                FindingLeaf {
                    verdict: Verdict::Fail,
                    reason: Reason::FilterAbsent,
                    link: Some(Link::MetricFilter),
                    detail: document(&json!({"message": format!("No filter in {name}.")})),
                    ..pass
                }
            };
            let account = Account {
                id,
                name: (*name).to_owned(),
                state: AccountState::Active,
                ou_path: (at > 0).then(|| OuPath(vec!["r-ab12".to_owned()])),
                tags: None,
            };
            let findings = [("organizations-changes", pass), ("root-usage", other)];
            let findings = findings.map(|(control, finding)| (control.parse().unwrap(), finding));
            accounts.push((account, Some(evidence), findings.into()));
        }
        if names.is_empty() {
            documents.retain(|hash, _| *hash == organization);
        }
        let mut fixture = Self {
            verdicts: count(&accounts),
            tree: tree(&accounts),
            accounts,
            documents,
            drifts: vec![r#"{"drift":1}"#.to_owned(), r#"{"drift":2}"#.to_owned()],
            journal: vec![r#"{"author":"x"}"#.to_owned()],
            seals: Vec::new(),
            organization,
        };
        fixture.seal_anew();
        fixture
    }

    /// Makes the seals of sweeps 1, 2 and 4, as a store does and as a forger could.
    pub(super) fn seal_anew(&mut self) {
        self.seals.clear();
        self.tree = tree(&self.accounts);
        let none = batch_hash::<&str>([]);
        for sweep in [1, 2, 4] {
            let previous = self.seals.last().map(|(seal, _)| seal.hash);
            let header = SealHeader {
                sweep: SweepId(sweep),
                organization_id: Some("o-a1b2c3d4e5".to_owned()),
                organization: Some(self.organization),
                caller: account_id(1),
                scope: SweepScope {
                    controls: ["organizations-changes", "root-usage"]
                        .map(|control| control.parse().unwrap())
                        .into(),
                    accounts: Vec::new(),
                    regions: Vec::new(),
                },
                scanner_version: "1.0.0".to_owned(),
                configuration: None,
                started_at: Timestamp::from_second(1_790_000_000 + sweep * 60).unwrap(),
                finished_at: Timestamp::from_second(1_790_000_042 + sweep * 60).unwrap(),
                state: SweepState::Finished,
                discovery: Some(DiscoveryState::Complete),
                verdicts: self.verdicts.clone(),
                gaps: [(model::GapClass::AccessDenied, 1)].into(),
                accounts_seen: 3,
                findings_seen: 6,
                api_calls: 17,
                seen: Some(SeenAccounts::All),
                unsealed: None,
                content_from: None,
            };
            let (drifts, journal) = if sweep == 2 {
                (batch_hash(&self.drifts), batch_hash(&self.journal))
            } else {
                (none, none)
            };
            let seal = Seal::make(previous, &header, self.tree.head(), drifts, journal);
            self.seals.push((seal, header.canonical()));
        }
    }

    pub(super) fn whole(&self) -> (Verified, Vec<u8>) {
        self.write_whole().unwrap()
    }

    pub(super) fn write_whole(&self) -> Result<(Verified, Vec<u8>), WriteError> {
        let mut writer = ArchiveWriter::new(Vec::new())?;
        self.write_seals(&mut writer)?;
        for (account, evidence, findings) in &self.accounts {
            writer.account(&leaf(account, *evidence, findings), None)?;
        }
        for text in self.documents.values() {
            writer.document(text)?;
        }
        for drift in &self.drifts {
            writer.drift(BatchRecord::Shown(drift))?;
        }
        for record in &self.journal {
            writer.journal(BatchRecord::Shown(record))?;
        }
        writer.finish()
    }

    /// The archive of one account, which withholds the second drift.
    pub(super) fn one(&self, number: usize) -> (Verified, Vec<u8>) {
        let (account, evidence, findings) = &self.accounts[number - 1];
        let mut needed = vec![self.organization, evidence.unwrap()];
        needed.extend(parts_of_evidence(&self.documents[&evidence.unwrap()]).unwrap());
        needed.extend(
            findings
                .values()
                .flat_map(|finding| std::iter::once(finding.detail).chain(finding.gap_samples)),
        );
        let write = || {
            let mut writer = ArchiveWriter::new(Vec::new())?;
            self.write_seals(&mut writer)?;
            let path = self.tree.path(account.id);
            writer.account(&leaf(account, *evidence, findings), path.as_ref())?;
            for (_, text) in self
                .documents
                .iter()
                .filter(|(hash, _)| needed.contains(hash))
            {
                writer.document(text)?;
            }
            writer.drift(BatchRecord::Shown(&self.drifts[0]))?;
            writer.drift(BatchRecord::Withheld(RecordHash::of_canonical(
                &self.drifts[1],
            )))?;
            writer.journal(BatchRecord::Shown(&self.journal[0]))?;
            writer.finish()
        };
        write().unwrap()
    }

    fn write_seals(&self, writer: &mut ArchiveWriter<Vec<u8>>) -> Result<(), WriteError> {
        for (seal, header) in &self.seals[..2] {
            writer.seal(seal, header)?;
        }
        for (seal, header) in &self.seals[2..] {
            writer.later_seal(seal, header)?;
        }
        Ok(())
    }
}

fn leaf<'a>(
    account: &'a Account,
    evidence: Option<ContentHash>,
    findings: &'a Findings,
) -> AccountLeaf<'a> {
    AccountLeaf {
        account,
        evidence,
        findings,
    }
}

fn tree(accounts: &[(Account, Option<ContentHash>, Findings)]) -> MerkleTree {
    MerkleTree::new(accounts.iter().map(|(account, evidence, findings)| {
        (account.id, leaf(account, *evidence, findings).hash())
    }))
}

fn count(accounts: &[(Account, Option<ContentHash>, Findings)]) -> BTreeMap<Verdict, u64> {
    let mut counted = BTreeMap::new();
    for finding in accounts
        .iter()
        .flat_map(|(_, _, findings)| findings.values())
    {
        *counted.entry(finding.verdict).or_default() += 1;
    }
    counted
}

/// An archive taken apart.
#[derive(Clone)]
pub(super) struct Unpacked {
    pub(super) files: Vec<(String, Vec<u8>)>,
}

/// The tar within an archive.
pub(super) fn tar_of(archive: &[u8]) -> Vec<u8> {
    zstd::decode_all(archive).unwrap()
}

pub(super) fn compress(tar: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn unpack(archive: &[u8]) -> Unpacked {
    let tar = tar_of(archive);
    let mut files = Vec::new();
    for entry in tar::Archive::new(tar.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.push((entry.path().unwrap().display().to_string(), bytes));
    }
    Unpacked { files }
}

impl Unpacked {
    pub(super) fn file(&mut self, start: &str) -> &mut Vec<u8> {
        let found = self
            .files
            .iter_mut()
            .find(|(name, _)| name.starts_with(start));
        &mut found.unwrap().1
    }

    pub(super) fn remove(&mut self, start: &str) {
        let at = self
            .files
            .iter()
            .position(|(name, _)| name.starts_with(start))
            .unwrap();
        self.files.remove(at);
    }

    /// Puts text in the place of text.
    pub(super) fn replace(&mut self, start: &str, from: &str, to: &str) {
        let file = self.file(start);
        let text = String::from_utf8(file.clone()).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        *file = text.replacen(from, to, 1).into_bytes();
    }

    /// Changes a file as JSON and writes it in canonical form.
    pub(super) fn json(&mut self, start: &str, alter: impl FnOnce(&mut Value)) {
        let file = self.file(start);
        let mut value = serde_json::from_slice(file).unwrap();
        alter(&mut value);
        *file = model::canonical_json(&value).into_bytes();
    }

    /// Changes the leaf of an account and mends its hash.
    pub(super) fn leaf(&mut self, start: &str, alter: impl FnOnce(&mut Value)) {
        self.json(start, |file| {
            alter(&mut file["leaf"]);
            let hash = LeafHash::of_canonical(&model::canonical_json(&file["leaf"]));
            file["leaf_hash"] = json!(hash);
        });
    }

    /// Lets the manifest list what is there.
    pub(super) fn mend_manifest(&mut self) {
        let lines: Vec<Value> = (self.files.iter())
            .filter(|(name, _)| name != "manifest.json")
            .map(|(name, bytes)| {
                let sha256 = crate::archive::manifest::FileHash::of(bytes);
                json!({"path": name, "size": bytes.len(), "sha256": sha256})
            })
            .collect();
        if self.files.iter().any(|(name, _)| name == "manifest.json") {
            self.json("manifest.json", |manifest| manifest["files"] = json!(lines));
        }
    }

    pub(super) fn tar(&self) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, bytes) in &self.files {
            let size = bytes.len() as u64;
            let mut header = tar::Header::new_ustar();
            header.set_path(name).unwrap();
            header.set_size(size);
            header.set_mode(0o444);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            header.set_entry_type(tar::EntryType::Regular);
            header.set_cksum();
            tar.extend_from_slice(header.as_bytes());
            tar.extend_from_slice(bytes);
            tar.resize(tar.len() + padding(size), 0);
        }
        tar.resize(tar.len() + 1024, 0);
        tar
    }

    pub(super) fn pack(&self) -> Vec<u8> {
        compress(&self.tar())
    }
}

pub(super) fn misfit_of(result: Result<Verified, VerifyError>) -> Misfit {
    match result {
        Err(VerifyError::Tampered(misfit)) => misfit,
        other => panic!("{other:?}"),
    }
}
