//! The accounts of a commit that are not as they were, and what is written for them.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use model::{AccountId, ContentHash, ControlId, SweepId};
use sqlx::SqliteConnection;

use crate::{
    JudgedAccount, accounts,
    error::Cause,
    evidence::{self, Documents},
    findings::{self, NewFinding, OpenFinding},
    leaves::{self, FindingIdentity, Leaf, NewLeaf},
    memory::{Known, Memory},
};

/// Accounts that are not as they were, as far as the sweeper remembers.
pub(crate) struct Changed<'a> {
    accounts: Vec<ChangedAccount<'a>>,
    /// The judgements that had to be written out.
    texts: BTreeMap<ContentHash, Cow<'a, str>>,
}

struct ChangedAccount<'a> {
    judged: &'a JudgedAccount,
    findings: BTreeMap<&'a ControlId, FindingIdentity>,
}

/// What was recorded, to be remembered when it is committed.
#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) leaves: Vec<(AccountId, ContentHash)>,
    pub(crate) documents: HashMap<ContentHash, i64>,
}

impl<'a> Changed<'a> {
    pub(crate) fn of(judged: impl Iterator<Item = &'a JudgedAccount>, known: &mut Known) -> Self {
        let mut changed = Self {
            accounts: Vec::new(),
            texts: BTreeMap::new(),
        };
        for judged in judged {
            let mut findings = BTreeMap::new();
            let mut texts = Vec::new();
            for finding in &judged.findings {
                let (detail, text) = known.detail(&finding.judgement);
                texts.extend(text.map(|text| (detail, Cow::Owned(text))));
                let identity = FindingIdentity {
                    reason: finding.reason,
                    link: finding.link,
                    detail,
                };
                findings.insert(&finding.control, identity);
            }
            let leaf = Leaf {
                account: &judged.account,
                evidence: judged.evidence.as_ref().map(|evidence| evidence.root),
                findings,
            };
            let leaves = known.leaves.as_ref();
            let before = leaves.and_then(|leaves| leaves.get(&judged.account.id));
            if before != Some(&leaf.hash()) {
                changed.texts.extend(texts);
                changed.accounts.push(ChangedAccount {
                    judged,
                    findings: leaf.findings,
                });
            }
        }
        changed
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Writes what is new of these accounts.
    pub(crate) async fn record(
        self,
        connection: &mut SqliteConnection,
        sweep: SweepId,
        memory: &Memory,
    ) -> Result<Recorded, Cause> {
        let ids: Vec<AccountId> = (self.accounts.iter())
            .map(|changed| changed.judged.account.id)
            .collect();
        let open_leaves = leaves::open(connection, &ids).await?;
        let mut open_findings = findings::open(connection, &ids).await?;

        let mut new_findings = Vec::new();
        let mut new_leaves = Vec::new();
        for changed in &self.accounts {
            let judged = changed.judged;
            let id = judged.account.id;
            let open = open_findings.remove(&id).unwrap_or_default();
            for finding in &judged.findings {
                let Some(identity) = changed.findings.get(&finding.control) else {
                    continue;
                };
                let before = open.get(&finding.control).copied();
                if before.is_none_or(|before| before.identity != *identity) {
                    new_findings.push(NewFinding {
                        finding,
                        detail: identity.detail,
                        replaces: before,
                    });
                }
            }
            let replaces = open_leaves.get(&id).copied();
            let others: BTreeMap<&ControlId, &OpenFinding> = (open.iter())
                .filter(|(control, _)| !changed.findings.contains_key(control))
                .collect();
            // What was read for some controls is not all that is known of the account.
            let root = judged.evidence.as_ref().map(|evidence| evidence.root);
            let evidence = match replaces {
                Some(leaf) if !others.is_empty() => leaf.evidence,
                _ => root,
            };
            let others = others
                .into_iter()
                .map(|(control, open)| (control, open.identity));
            let leaf = Leaf {
                account: &judged.account,
                evidence,
                findings: others
                    .chain(changed.findings.iter().map(|(id, it)| (*id, *it)))
                    .collect(),
            };
            new_leaves.push(NewLeaf {
                account: id,
                leaf: leaf.hash(),
                evidence,
                replaces,
            });
        }
        new_leaves.retain(|new| new.replaces.and_then(|open| open.leaf) != Some(new.leaf));

        let documents = self.documents(&new_findings, memory, connection).await?;
        let accounts = (self.accounts.iter())
            .map(|changed| (changed.judged.account.id, &changed.judged.account))
            .collect();
        accounts::record(connection, sweep, &accounts).await?;
        findings::record(connection, sweep, &new_findings, &documents).await?;
        leaves::record(connection, sweep, &new_leaves, &documents).await?;
        Ok(Recorded {
            leaves: new_leaves
                .iter()
                .map(|new| (new.account, new.leaf))
                .collect(),
            documents,
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
            .flat_map(|evidence| &evidence.parts)
            .map(|(hash, text)| (*hash, Cow::Borrowed(text.as_str())));
        let mut wanted: BTreeMap<ContentHash, Cow<'_, str>> = evidence.collect();
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
                } else {
                    wanted
                        .entry(new.detail)
                        .or_insert_with(|| match self.texts.get(&new.detail) {
                            Some(text) => Cow::Borrowed(text.as_ref()),
                            None => Cow::Owned(findings::detail_text(&new.finding.judgement)),
                        });
                }
            }
        }
        let documents: Documents<'_> = (wanted.iter())
            .map(|(hash, text)| (*hash, text.as_ref()))
            .collect();
        rows.extend(evidence::put(connection, &documents).await?);
        Ok(rows)
    }
}
