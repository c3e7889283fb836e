//! One hash for a batch of records: those of a sweep's drifts, or of the journal since the last seal.

use sha2::{Digest, Sha256};

use crate::digest::{digest_type, labelled};

const RECORD: &[u8] = b"scanner-proof/record/1\0";
const BATCH: &[u8] = b"scanner-proof/batch/1\0";

digest_type! {
    /// The hash of one record, which stands for it where its text is withheld.
    RecordHash, "record hash"
}

digest_type! {
    /// The hash of the records of a batch, in their order.
    BatchHash, "batch hash"
}

impl RecordHash {
    /// The hash of a record's canonical JSON.
    pub fn of_canonical(record: &str) -> Self {
        Self(
            labelled(RECORD)
                .chain_update(record.as_bytes())
                .finalize()
                .into(),
        )
    }
}

/// Hashes a batch while it goes by.
///
/// SHA-256 over a label, the hash of each record, and how many there are (8 bytes, big-endian). Over the
/// records' hashes and not their text, so that an archive for one team can withhold what concerns
/// others and still be verified.
#[derive(Debug, Clone)]
pub struct BatchHasher {
    hasher: Sha256,
    records: u64,
}

impl BatchHasher {
    /// An empty batch.
    pub fn new() -> Self {
        Self {
            hasher: labelled(BATCH),
            records: 0,
        }
    }

    /// Adds a record, by its canonical JSON.
    pub fn push(&mut self, record: &str) {
        self.push_hash(RecordHash::of_canonical(record));
    }

    /// Adds a record of which only the hash is at hand.
    pub fn push_hash(&mut self, record: RecordHash) {
        self.hasher.update(record.as_bytes());
        self.records += 1;
    }

    /// The hash of what was added.
    pub fn finish(self) -> BatchHash {
        let counted = self.hasher.chain_update(self.records.to_be_bytes());
        BatchHash(counted.finalize().into())
    }
}

impl Default for BatchHasher {
    fn default() -> Self {
        Self::new()
    }
}

/// The hash of a batch of records, each given as canonical JSON; an empty batch has one too.
pub fn batch_hash<R: AsRef<str>>(records: impl IntoIterator<Item = R>) -> BatchHash {
    let mut batch = BatchHasher::new();
    for record in records {
        batch.push(record.as_ref());
    }
    batch.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_batch_differs_from_a_batch_of_an_empty_record() {
        let none: [&str; 0] = [];
        assert_ne!(batch_hash(none), batch_hash([""]));
        assert_ne!(batch_hash([""]), batch_hash(["", ""]));
    }

    #[test]
    fn a_withheld_record_leaves_the_hash_of_the_batch() {
        let mut batch = BatchHasher::new();
        batch.push("{}");
        batch.push_hash(RecordHash::of_canonical("[1]"));
        assert_eq!(batch.finish(), batch_hash(["{}", "[1]"]));
    }

    proptest! {
        #[test]
        fn batches_are_equal_only_if_their_records_are(
            one in prop::collection::vec("[ab]{0,2}", 0..4),
            other in prop::collection::vec("[ab]{0,2}", 0..4),
        ) {
            prop_assert_eq!(one == other, batch_hash(&one) == batch_hash(&other));
        }
    }
}
