//! The id of a control.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// The slug of a control, such as `organizations-changes`.
///
/// Numbers differ between versions of the benchmark (4.15 became 5.15); the slug does not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ControlId(Arc<str>);

impl ControlId {
    /// The slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ControlId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed = (1..=64).contains(&text.len())
            && text.split('-').all(|word| {
                !word.is_empty()
                    && word
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            });
        if well_formed {
            Ok(Self(text.into()))
        } else {
            Err(InvalidValue::new(
                "control id",
                text,
                "a slug such as organizations-changes",
            ))
        }
    }
}

impl TryFrom<String> for ControlId {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ControlId> for String {
    fn from(id: ControlId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for ControlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_lower_case_words_joined_by_hyphens() {
        assert!("organizations-changes".parse::<ControlId>().is_ok());
        for text in ["", "4.15", "Organizations", "a--b", "-a", "a_b", "ä"] {
            assert!(text.parse::<ControlId>().is_err(), "{text}");
        }
    }
}
