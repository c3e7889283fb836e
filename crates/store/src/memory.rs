//! What the sweeper knows without asking the database.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use model::{AccountId, ContentHash, Judgement};

use crate::findings::detail_text;

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
    pub(crate) leaves: Option<HashMap<AccountId, ContentHash>>,
    /// The rows of documents that are stored.
    pub(crate) documents: HashMap<ContentHash, i64>,
    /// By address. The judgement is kept alive, so that an address is never that of another one.
    judgements: HashMap<usize, (Arc<Judgement>, ContentHash)>,
}

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

    /// Notes documents that are stored for certain: after the commit.
    pub(crate) fn stored(&mut self, documents: HashMap<ContentHash, i64>) {
        if self.documents.len() + documents.len() > DOCUMENTS {
            self.documents.clear();
        }
        self.documents.extend(documents);
    }
}
