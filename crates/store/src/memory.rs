//! What the sweeper knows without asking the database.

use std::{
    collections::HashMap,
    hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use model::{AccountId, ContentHash, Judgement};
use proof::{LeafHash, MerkleTree};

use crate::{
    JudgedAccount,
    findings::{detail_text, feed_detail},
};

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
    pub(crate) tree: Option<MerkleTree>,
    /// The rows of documents that are stored.
    pub(crate) documents: HashMap<ContentHash, i64>,
    /// By address. The judgement is kept alive, so that an address is never that of another one.
    judgements: HashMap<usize, (Arc<Judgement>, ContentHash)>,
    /// Of accounts that are known to be as they were. A leaf takes twenty times as long to make.
    fingerprints: HashMap<AccountId, Fingerprint>,
    keys: [RandomState; 2],
}

/// 128 bits under keys that are drawn for this process: nobody can make two accounts meet in one.
pub(crate) type Fingerprint = [u64; 2];

impl Memory {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The name of the document that a judgement is stored as, and its text if it had to be written.
    pub(crate) fn detail(&mut self, judgement: &Arc<Judgement>) -> (ContentHash, Option<String>) {
        let address = Arc::as_ptr(judgement).addr();
        if let Some((_, hash)) = self.judgements.get(&address) {
            return (*hash, None);
        }
        let text = detail_text(judgement);
        let hash = ContentHash::of_text(&text);
        // Nobody else will come with one that is not shared.
        if Arc::strong_count(judgement) > 1 {
            if self.judgements.len() >= JUDGEMENTS {
                self.judgements.clear();
            }
            let kept = (Arc::clone(judgement), hash);
            self.judgements.insert(address, kept);
        }
        (hash, Some(text))
    }

    /// Forgets what only one sweep shares: the next one makes its judgements anew, at other addresses.
    pub(crate) fn forget_judgements(&mut self) {
        self.judgements = HashMap::new();
    }

    /// What an account is known by within this process.
    pub(crate) fn fingerprint(&self, judged: &JudgedAccount) -> Fingerprint {
        let account = &judged.account;
        let mut hasher = Two(self.keys.each_ref().map(BuildHasher::build_hasher));
        (account.id, &account.name, account.state).hash(&mut hasher);
        (account.ou_path.as_ref().map(|path| &path.0)).hash(&mut hasher);
        judged.evidence.is_some().hash(&mut hasher);
        if let Some(evidence) = &judged.evidence {
            evidence.fingerprint(&mut hasher);
        }
        judged.findings.len().hash(&mut hasher);
        for finding in &judged.findings {
            (&finding.control, finding.reason, finding.link).hash(&mut hasher);
            let address = Arc::as_ptr(&finding.judgement).addr();
            // What is kept alive keeps its address.
            match self.judgements.get(&address) {
                Some((_, hash)) => hash.hash(&mut hasher),
                None => feed_detail(&finding.judgement, &mut hasher),
            }
            for gap in &finding.gaps {
                (&gap.sample.message, &gap.sample.request_id).hash(&mut hasher);
            }
        }
        let Two([one, other]) = hasher;
        [one.finish(), other.finish()]
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

    /// Notes leaves and documents that are stored for certain: after the commit.
    pub(crate) fn stored(
        &mut self,
        leaves: Vec<(AccountId, LeafHash)>,
        documents: HashMap<ContentHash, i64>,
    ) {
        if let Some(tree) = &mut self.tree {
            tree.update((leaves.into_iter()).map(|(account, leaf)| (account, Some(leaf))));
        }
        if self.documents.len() + documents.len() > DOCUMENTS {
            self.documents.clear();
        }
        self.documents.extend(documents);
    }

    /// Forgets accounts that left.
    pub(crate) fn forget(&mut self, gone: &[AccountId]) {
        for account in gone {
            self.fingerprints.remove(account);
        }
        if let Some(tree) = &mut self.tree {
            tree.update(gone.iter().map(|account| (*account, None)));
        }
    }
}

/// Two hashers that are fed the same.
struct Two([DefaultHasher; 2]);

impl Hasher for Two {
    fn finish(&self) -> u64 {
        self.0[0].finish()
    }

    fn write(&mut self, bytes: &[u8]) {
        for hasher in &mut self.0 {
            hasher.write(bytes);
        }
    }
}
