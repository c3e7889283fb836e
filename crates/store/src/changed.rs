//! The accounts of a commit that are not as they were, and what is written for them.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use model::{
    Account, AccountId, ContentHash, ControlId, Fingerprint, SweepId, Tags,
    evidence::StorableEvidence,
};
use proof::{FindingLeaf, LeafHash};
use sqlx::SqliteConnection;

use crate::{
    JudgedAccount, accounts,
    error::Cause,
    evidence::{self, Documents},
    findings::{self, NewFinding},
    leaves::{self, NewLeaf},
    memory::{Known, Memory},
};

/// Accounts that are not as they were, as far as the sweeper remembers.
pub(crate) struct Changed<'a> {
    accounts: Vec<ChangedAccount<'a>>,
    /// What the changed accounts' judgements are stored as.
    texts: BTreeMap<ContentHash, Arc<str>>,
    /// Of all accounts that were looked at, to be confirmed when what changed is committed.
    pub(crate) fingerprints: Vec<(AccountId, Fingerprint)>,
}

struct ChangedAccount<'a> {
    judged: &'a JudgedAccount,
    /// With the tags that are known of it.
    account: Cow<'a, Account>,
    findings: BTreeMap<ControlId, FindingLeaf>,
}

/// What was recorded, to be remembered when it is committed.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) leaves: Vec<(AccountId, LeafHash)>,
    pub(crate) documents: HashMap<ContentHash, i64>,
    pub(crate) tags: Vec<(AccountId, Tags)>,
}

impl<'a> Changed<'a> {
    pub(crate) fn of(judged: impl Iterator<Item = &'a JudgedAccount>, known: &mut Known) -> Self {
        let mut changed = Self {
            accounts: Vec::new(),
            texts: BTreeMap::new(),
            fingerprints: Vec::new(),
        };
        for judged in judged {
            let account = &judged.account;
            let fingerprint = known.fingerprint(judged);
            if known.is_as_it_was(account.id, fingerprint) {
                continue;
            }
            changed.fingerprints.push((account.id, fingerprint));
            let mut texts = Vec::with_capacity(judged.findings.len());
            let findings = (judged.findings.iter())
                .map(|finding| {
                    let (detail, text) = known.detail(&finding.judgement);
                    texts.push((detail, text));
                    (finding.control.clone(), findings::leaf(finding, detail))
                })
                .collect();
            let evidence = judged.evidence.as_ref().map(StorableEvidence::root);
            let account = known.with_tags(account);
            let leaf = leaves::leaf(&account, evidence, &findings);
            if known.leaf(account.id) != Some(leaf) {
                changed.texts.extend(texts);
                changed.accounts.push(ChangedAccount {
                    judged,
                    account,
                    findings,
                });
            }
        }
        changed
    }

    pub(crate) fn ids(&self) -> Vec<AccountId> {
        (self.accounts.iter())
            .map(|changed| changed.judged.account.id)
            .collect()
    }

    /// Writes what is new of these accounts.
    pub(crate) async fn record(
        &self,
        connection: &mut SqliteConnection,
        sweep: SweepId,
        memory: &Memory,
    ) -> Result<Recorded, Cause> {
        if self.accounts.is_empty() {
            return Ok(Recorded::default());
        }
        let ids = self.ids();
        let open_leaves = leaves::open(connection, &ids).await?;
        let mut open_findings = findings::open(connection, &ids).await?;

        let mut new_findings = Vec::new();
        let mut new_leaves = Vec::new();
        for changed in &self.accounts {
            let judged = changed.judged;
            let id = judged.account.id;
            let open = open_findings.remove(&id).unwrap_or_default();
            let replaces = open_leaves.get(&id).copied();
            let judges_all = open
                .keys()
                .all(|control| changed.findings.contains_key(control));
            let mut leaf: BTreeMap<ControlId, FindingLeaf> = (open.iter())
                .map(|(control, open)| (control.clone(), open.leaf))
                .collect();
            for finding in &judged.findings {
                let Some(new) = changed.findings.get(&finding.control) else {
                    continue;
                };
                let before = open.get(&finding.control).copied();
                if before.is_none_or(|before| !findings::is_same(&before.leaf, new)) {
                    leaf.insert(finding.control.clone(), *new);
                    new_findings.push(NewFinding {
                        finding,
                        detail: new.detail,
                        replaces: before,
                    });
                }
            }
            // What was read for some controls is not all that is known of the account.
            let evidence = match replaces {
                Some(leaf) if !judges_all => leaf.evidence,
                _ => judged.evidence.as_ref().map(StorableEvidence::root),
            };
            let leaf = leaves::leaf(&changed.account, evidence, &leaf);
            if replaces.and_then(|open| open.leaf) != Some(leaf) {
                new_leaves.push(NewLeaf {
                    account: id,
                    leaf,
                    evidence,
                    replaces,
                });
            }
        }

        let documents = self.documents(&new_findings, memory, connection).await?;
        let accounts = (self.accounts.iter())
            .map(|changed| (changed.account.id, changed.account.as_ref()))
            .collect();
        accounts::record(connection, sweep, &accounts).await?;
        findings::record(connection, sweep, &new_findings, &documents).await?;
        leaves::record(connection, sweep, &new_leaves, &documents).await?;
        Ok(Recorded {
            leaves: (new_leaves.iter())
                .map(|new| (new.account, new.leaf))
                .collect(),
            documents,
            tags: (self.accounts.iter())
                .filter_map(|changed| Some((changed.account.id, changed.account.tags.clone()?)))
                .collect(),
        })
    }

    /// The rows of all documents that are referred to; those that are new are stored.
    async fn documents(
        &self,
        new_findings: &[NewFinding<'_>],
        memory: &Memory,
        connection: &mut SqliteConnection,
    ) -> Result<HashMap<ContentHash, i64>, Cause> {
        let evidence = (self.accounts.iter())
            .filter_map(|changed| changed.judged.evidence.as_ref())
            .flat_map(|evidence| &evidence.documents().parts)
            .map(|(hash, text)| (*hash, text.as_str()));
        let mut wanted: Documents<'_> = evidence.collect();
        let mut rows = HashMap::new();
        {
            let known = memory.lock();
            wanted.retain(|hash, _| match known.documents.get(hash) {
                Some(row) => {
                    rows.insert(*hash, *row);
                    false
                }
                None => true,
            });
            for new in new_findings {
                if let Some(row) = known.documents.get(&new.detail) {
                    rows.insert(new.detail, *row);
                    continue;
                }
                if let Some(text) = self.texts.get(&new.detail) {
                    wanted.insert(new.detail, text.as_ref());
                }
            }
        }
        rows.extend(evidence::put(connection, &wanted).await?);
        Ok(rows)
    }
}
