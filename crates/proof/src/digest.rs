//! SHA-256 under labels, and a type of its own for each thing that is hashed.

use sha2::{Digest, Sha256};

/// Begins a hash of one kind of thing: two kinds never hash the same bytes.
///
/// A label is ASCII, begins with a letter, and ends with the only zero byte in it. So no label is the
/// beginning of another, and none begins like a node of the Merkle tree (0x00, 0x01) or like JSON.
pub(crate) fn labelled(label: &'static [u8]) -> Sha256 {
    debug_assert!(label.iter().position(|byte| *byte == 0) == Some(label.len() - 1));
    Sha256::new_with_prefix(label)
}

/// Declares a digest: 32 bytes, written as 64 hexadecimal digits.
macro_rules! digest_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(pub(crate) [u8; 32]);

        impl $name {
            /// The 32 bytes of the digest.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Takes a digest read back from the store.
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = model::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse::<model::ContentHash>()
                    .map(|hash| Self(*hash.as_bytes()))
                    .map_err(|invalid| model::InvalidValue { what: $what, ..invalid })
            }
        }

        impl TryFrom<String> for $name {
            type Error = model::InvalidValue;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(digest: $name) -> Self {
                hex::encode(digest.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}

pub(crate) use digest_type;
