//! What must reach no log, no store and no error.

use std::fmt;

/// A secret: it can be used, and not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret into keeping.
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// A text without the secret, wherever it stands in it.
    pub(crate) fn cut_out(&self, text: &str) -> String {
        // Shorter ones stand in words that give nothing away, and are refused as secrets elsewhere.
        if self.0.len() < 4 {
            return text.to_owned();
        }
        text.replace(&self.0, "(secret)")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("hunter2!".to_owned());
        assert!(!format!("{secret:?} {secret:#?}").contains("hunter2"));
        assert_eq!(secret.cut_out("no hunter2! here"), "no (secret) here");
    }
}
