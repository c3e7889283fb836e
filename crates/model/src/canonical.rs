//! The one canonical form of what is stored and hashed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::InvalidValue;

/// Serialises `value` with object keys sorted and nothing between the tokens.
///
/// Equal values give equal bytes, whatever the order in which fields are declared. Model types
/// have string keys and no floating point specials, so serialising them cannot fail; anything
/// else gives JSON `null`.
pub fn canonical_json<T: Serialize + ?Sized>(value: &T) -> String {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    value.sort_all_objects();
    value.to_string()
}

/// The SHA-256 of a canonical JSON text: the name of a piece of evidence.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The hash of a value's canonical form.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        Self::of_text(&canonical_json(value))
    }

    /// The hash of a text that is canonical already.
    pub fn of_text(canonical: &str) -> Self {
        Self(Sha256::digest(canonical.as_bytes()).into())
    }

    /// The 32 bytes of the digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Takes a digest read back from the store.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl FromStr for ContentHash {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| InvalidValue::new("hash", text, "64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for ContentHash {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ContentHash> for String {
    fn from(hash: ContentHash) -> Self {
        hash.to_string()
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_fields_does_not_change_the_hash() {
        #[derive(Serialize)]
        struct OneOrder {
            zone: u8,
            alpha: u8,
        }
        assert_eq!(
            canonical_json(&OneOrder { zone: 1, alpha: 2 }),
            r#"{"alpha":2,"zone":1}"#
        );
    }

    #[test]
    fn a_hash_survives_its_text_form() {
        let hash = ContentHash::of("x");
        assert_eq!(hash.to_string().parse::<ContentHash>().unwrap(), hash);
        assert_eq!(ContentHash::from_bytes(hash.as_bytes()), Some(hash));
    }
}
