//! What the sweeper knows without asking the database.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use model::{
    Account, AccountId, ContentHash, ControlId, Fingerprint, Judgement, SweepId, Tags,
    evidence::StorableEvidence,
};
use proof::{LeafHash, MerkleTree, TreeHead};

use crate::{JudgedAccount, findings::detail_text};

#[cfg(test)]
mod tests;

/// How many judgements are kept that several accounts share. An organization has some dozens.
const JUDGEMENTS: usize = 4096;

/// How many documents are known to be stored already.
const DOCUMENTS: usize = 65_536;

/// What the sweeper knows of its own store, so that what is unchanged costs no query.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Known>);

#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The leaf of each account; `None` before they were read.
    tree: Option<MerkleTree>,
    /// What the tree lacks yet. An account that joins costs the whole tree, as many as join.
    leaves: BTreeMap<AccountId, Option<LeafHash>>,
    /// The tags of accounts as they were last read, of those whose tags ever were.
    tags: HashMap<AccountId, Tags>,
    /// The rows of documents that are stored.
    pub(crate) documents: HashMap<ContentHash, i64>,
    /// By address.
    judgements: HashMap<usize, KnownJudgement>,
    /// Of accounts that are known to be as they were. A leaf takes twenty times as long to make.
    fingerprints: HashMap<AccountId, Fingerprint>,
    /// What a sweep committed that was begun by this process and not taken up from another.
    committed: Option<(SweepId, HashSet<AccountId>)>,
    /// The controls that sweeps judged up to and with this one.
    pub(crate) judged_before: Option<(SweepId, BTreeSet<ControlId>)>,
}

#[derive(Debug)]
struct KnownJudgement {
    /// Kept alive, so that its address is never that of another one.
    judgement: Arc<Judgement>,
    /// Whether several accounts have it. One of a single account is kept from the question what
    /// changed until that is committed.
    is_shared: bool,
    /// Once somebody had to know.
    fingerprint: Option<Fingerprint>,
    /// The document that it is stored as, once somebody had to know.
    detail: Option<(ContentHash, Arc<str>)>,
}

impl KnownJudgement {
    fn fingerprint(&mut self) -> Fingerprint {
        *(self.fingerprint).get_or_insert_with(|| Fingerprint::of(&self.judgement))
    }
}

/// What the findings of an account are known by.
#[derive(Hash)]
enum Said<'a> {
    /// They follow from this and from what else the account is known by.
    FollowsFrom(Fingerprint),
    /// Each of them, by control.
    Each(Vec<(&'a ControlId, Fingerprint)>),
}

impl Memory {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    pub(crate) fn has_leaves(&self) -> bool {
        self.tree.is_some()
    }

    pub(crate) fn read_leaves(
        &mut self,
        leaves: BTreeMap<AccountId, LeafHash>,
        tags: HashMap<AccountId, Tags>,
    ) {
        self.tags = tags;
        self.tree = Some(MerkleTree::new(leaves));
        self.leaves.clear();
    }

    /// The account with the tags that were last read, where nobody read them this time.
    pub(crate) fn with_tags<'a>(&self, account: &'a Account) -> Cow<'a, Account> {
        match self.tags.get(&account.id) {
            Some(tags) if account.tags.is_none() => Cow::Owned(Account {
                tags: Some(tags.clone()),
                ..account.clone()
            }),
            _ => Cow::Borrowed(account),
        }
    }

    /// The leaf of an account as it is stored.
    pub(crate) fn leaf(&self, account: AccountId) -> Option<LeafHash> {
        match self.leaves.get(&account) {
            Some(leaf) => *leaf,
            None => self.tree.as_ref()?.leaf(account),
        }
    }

    /// Every account that is known now; `None` before the leaves were read.
    pub(crate) fn accounts(&self) -> Option<impl Iterator<Item = AccountId>> {
        let before = self.tree.as_ref()?.leaves().map(|(account, _)| account);
        let before = before.filter(|account| !self.leaves.contains_key(account));
        let since = (self.leaves.iter()).filter_map(|(account, leaf)| leaf.map(|_| *account));
        Some(before.chain(since))
    }

    /// What the tree over all accounts comes to; `None` before the leaves were read.
    pub(crate) fn head(&mut self) -> Option<TreeHead> {
        let tree = self.tree.as_mut()?;
        tree.update(std::mem::take(&mut self.leaves));
        Some(tree.head())
    }

    fn judgement(&mut self, judgement: &Arc<Judgement>) -> &mut KnownJudgement {
        let address = Arc::as_ptr(judgement).addr();
        self.judgements
            .entry(address)
            .or_insert_with(|| KnownJudgement {
                judgement: Arc::clone(judgement),
                // Nobody else will come with one that is not shared.
                is_shared: Arc::strong_count(judgement) > 2,
                fingerprint: None,
                detail: None,
            })
    }

    /// The name and the text of the document that a judgement is stored as.
    pub(crate) fn detail(&mut self, judgement: &Arc<Judgement>) -> (ContentHash, Arc<str>) {
        let known = self.judgement(judgement);
        let (hash, text) = known.detail.get_or_insert_with(|| {
            let text = detail_text(&known.judgement);
            (ContentHash::of_text(&text), text.into())
        });
        (*hash, Arc::clone(text))
    }

    /// Forgets what only one sweep shares: the next one makes its judgements anew, at other addresses.
    pub(crate) fn forget_judgements(&mut self) {
        self.judgements = HashMap::new();
    }

    /// What an account is known by within this process: as for findings, what AWS said this time is
    /// no part of it.
    pub(crate) fn fingerprint(&mut self, judged: &JudgedAccount) -> Fingerprint {
        let Account {
            id,
            name,
            state,
            ou_path,
            tags,
        } = &judged.account;
        let path = ou_path.as_ref().map(|path| &path.0);
        let findings = match judged.basis {
            Some(basis) => Said::FollowsFrom(basis),
            None => Said::Each(
                (judged.findings.iter())
                    .map(|finding| {
                        let said = self.judgement(&finding.judgement).fingerprint();
                        (&finding.control, said)
                    })
                    .collect(),
            ),
        };
        let evidence = judged.evidence.as_ref().map(StorableEvidence::fingerprint);
        let tags = tags.as_ref().or_else(|| self.tags.get(id));
        Fingerprint::of(&(id, name, state, path, tags, findings, evidence))
    }

    /// A sweep was begun: none of it is committed yet.
    pub(crate) fn begin(&mut self, sweep: SweepId) {
        self.committed = Some((sweep, HashSet::new()));
    }

    /// Notes which accounts a sweep committed: after the commit.
    pub(crate) fn committed(&mut self, sweep: SweepId, accounts: impl Iterator<Item = AccountId>) {
        if let Some((begun, committed)) = &mut self.committed
            && *begun == sweep
        {
            committed.extend(accounts);
        }
    }

    /// Whether a sweep is known to have committed every account that is known; `false` also where only
    /// the store can tell.
    pub(crate) fn has_seen_all(&self, sweep: SweepId) -> bool {
        match (&self.committed, self.accounts()) {
            (Some((begun, committed)), Some(mut accounts)) if *begun == sweep => {
                accounts.all(|account| committed.contains(&account))
            }
            _ => false,
        }
    }

    pub(crate) fn is_as_it_was(&self, account: AccountId, fingerprint: Fingerprint) -> bool {
        self.fingerprints.get(&account) == Some(&fingerprint)
    }

    /// Notes that accounts are stored as they are now: after the commit.
    pub(crate) fn confirm(
        &mut self,
        fingerprints: impl IntoIterator<Item = (AccountId, Fingerprint)>,
    ) {
        self.fingerprints.extend(fingerprints);
    }

    /// Lets go of the judgements of single accounts: the next group brings its own.
    pub(crate) fn end_group(&mut self) {
        let judgements = &mut self.judgements;
        judgements.retain(|_, known| known.is_shared);
        if judgements.len() > JUDGEMENTS {
            judgements.clear();
        }
    }

    /// Notes leaves, documents and tags that are stored for certain: after the commit.
    pub(crate) fn stored(
        &mut self,
        leaves: Vec<(AccountId, LeafHash)>,
        documents: HashMap<ContentHash, i64>,
        tags: Vec<(AccountId, Tags)>,
    ) {
        self.tags.extend(tags);
        let leaves = leaves.into_iter();
        (self.leaves).extend(leaves.map(|(account, leaf)| (account, Some(leaf))));
        if self.documents.len() + documents.len() > DOCUMENTS {
            self.documents.clear();
        }
        self.documents.extend(documents);
    }

    /// Forgets accounts that left.
    pub(crate) fn forget(&mut self, gone: &[AccountId]) {
        for account in gone {
            self.fingerprints.remove(account);
            self.tags.remove(account);
            self.leaves.insert(*account, None);
        }
    }
}
