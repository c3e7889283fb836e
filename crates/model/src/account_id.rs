//! The id of an AWS account.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// The twelve digits that name an AWS account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AccountId(u64);

impl FromStr for AccountId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let twelve_digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        (twelve_digits.then(|| text.parse().ok()).flatten())
            .map(Self)
            .ok_or_else(|| InvalidValue::new("account id", text, "twelve digits"))
    }
}

impl TryFrom<String> for AccountId {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:012}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_are_kept() {
        let id: AccountId = "000000000012".parse().unwrap();
        assert_eq!(id.to_string(), "000000000012");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"000000000012\"");
    }

    #[test]
    fn anything_but_twelve_ascii_digits_is_refused() {
        for text in [
            "",
            "1",
            "1234567890123",
            "12345678901a",
            "１２３４５６７８９０１２",
            "+12345678901",
        ] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }
}
