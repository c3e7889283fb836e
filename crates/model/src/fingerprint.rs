//! By what a process tells whether something is as it was.

use std::{
    cell::Cell,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::LazyLock,
};

/// 128 bits under keys that are drawn for this process: nobody can make two things meet in one. It
/// means nothing to another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u64; 2]);

impl Fingerprint {
    /// The fingerprint of a value: of everything that its [`Hash`] takes in.
    pub fn of(value: &impl Hash) -> Self {
        static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);
        thread_local! {
            // Kept from one to the next: a longer one would have to be moved while it grows.
            static PAPER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
        }
        let mut written = Written(PAPER.take());
        written.0.clear();
        value.hash(&mut written);
        let [one, other] = &*KEYS;
        let fingerprint = Self([one.hash_one(&written.0), other.hash_one(&written.0)]);
        if written.0.capacity() <= LONGEST_KEPT {
            PAPER.set(written.0);
        }
        fingerprint
    }
}

/// How many bytes of room are kept for the next one.
const LONGEST_KEPT: usize = 1 << 20;

/// Takes down what is to be hashed: to hash it at once, and twice, takes a third of the time.
struct Written(Vec<u8>);

impl Hasher for Written {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// What a number counts as in a hash: equal ones as the same.
pub(crate) fn number(number: Option<f64>) -> Option<u64> {
    // Adding zero takes the sign of a negative zero, and nothing else.
    number.map(|number| (number + 0.0).to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_things_meet_and_others_do_not() {
        assert_eq!(Fingerprint::of(&("a", "bc")), Fingerprint::of(&("a", "bc")));
        assert_ne!(Fingerprint::of(&("a", "bc")), Fingerprint::of(&("ab", "c")));
        assert_eq!(number(Some(0.0)), number(Some(-0.0)));
        assert_ne!(number(Some(0.0)), number(None));
        assert_ne!(number(Some(1.0)), number(Some(-1.0)));
    }
}
