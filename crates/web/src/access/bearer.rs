//! Bearer tokens: what they look like, and what is remembered of them.
//!
//! `scanner_`, eight digits by which a token is recognized, `_`, and the secret: 256 random bits. Such a secret
//! cannot be guessed, however fast the hash: so SHA-256 does, and no slow hash holds up every request.

use std::fmt;

use axum::http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};
use store::TokenHash;
use subtle::ConstantTimeEq as _;

const KIND: &str = "scanner_";
const NAMED_BY: usize = 8;
const SECRET: usize = 64;

/// A token that was just made: to be shown once, and then forgotten.
pub struct FreshToken {
    text: String,
}

impl FreshToken {
    /// A token of random bytes.
    pub fn of(random: &[u8; 36]) -> Self {
        let (name, secret) = random.split_at(NAMED_BY / 2);
        Self {
            text: format!("{KIND}{}_{}", hex::encode(name), hex::encode(secret)),
        }
    }

    /// The token itself.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// How it begins: what it is recognized by.
    pub fn prefix(&self) -> &str {
        self.text.get(..KIND.len() + NAMED_BY).unwrap_or_default()
    }

    /// What is remembered of it.
    pub fn hash(&self) -> TokenHash {
        hash(&self.text)
    }
}

impl fmt::Debug for FreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FreshToken({}_..)", self.prefix())
    }
}

/// What a request shows to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// Nothing.
    Nothing,
    /// Something that is no token of ours.
    Else,
    /// What may be a token.
    Token {
        /// How it begins.
        prefix: String,
        /// What would be remembered of it.
        hash: TokenHash,
    },
}

impl Shown {
    /// Reads the one header that is looked at: a token in the address would end up in logs.
    pub(super) fn by(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = match (values.next(), values.next()) {
            (None, _) => return Self::Nothing,
            (Some(value), None) => value,
            (Some(_), Some(_)) => return Self::Else,
        };
        let Some((scheme, token)) = value.to_str().ok().and_then(|text| text.split_once(' '))
        else {
            return Self::Else;
        };
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || !is_token(token) {
            return Self::Else;
        }
        match token.get(..KIND.len() + NAMED_BY) {
            Some(prefix) => Self::Token {
                prefix: prefix.to_owned(),
                hash: hash(token),
            },
            None => Self::Else,
        }
    }
}

/// Whether they are the same, in a time that does not tell how alike they are.
pub(super) fn is_same(one: &TokenHash, other: &TokenHash) -> bool {
    one.0.ct_eq(&other.0).into()
}

fn hash(text: &str) -> TokenHash {
    TokenHash(Sha256::digest(text.as_bytes()).into())
}

fn is_token(text: &str) -> bool {
    let is_hex = |part: &str, length| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    (text.strip_prefix(KIND))
        .and_then(|rest| rest.split_once('_'))
        .is_some_and(|(name, secret)| is_hex(name, NAMED_BY) && is_hex(secret, SECRET))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(values: &[&str]) -> Shown {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        Shown::by(&headers)
    }

    #[test]
    fn a_token_is_known_by_its_beginning_and_by_its_hash() {
        let token = FreshToken::of(&[7; 36]);
        assert_eq!(token.reveal().len(), 8 + 8 + 1 + 64);
        assert_eq!(token.prefix(), "scanner_07070707");
        let expected = Shown::Token {
            prefix: token.prefix().to_owned(),
            hash: token.hash(),
        };
        for scheme in ["Bearer", "bearer", "BEARER"] {
            assert_eq!(shown(&[&format!("{scheme} {}", token.reveal())]), expected);
        }
        assert!(!format!("{token:?}").contains("0707_07"), "{token:?}");
        assert!(!is_same(&token.hash(), &FreshToken::of(&[8; 36]).hash()));
        assert!(is_same(&token.hash(), &FreshToken::of(&[7; 36]).hash()));
    }

    #[test]
    fn what_is_no_token_is_told_from_nothing() {
        let token = FreshToken::of(&[7; 36]);
        let bearer = format!("Bearer {}", token.reveal());
        assert_eq!(shown(&[]), Shown::Nothing);
        for values in [
            vec![""],
            vec!["Bearer"],
            vec!["Bearer x"],
            vec!["Basic c2Nhbm5lcjp4"],
            vec![&bearer[..bearer.len() - 1]],
            vec![&bearer, &bearer],
        ] {
            assert_eq!(shown(&values), Shown::Else, "{values:?}");
        }
    }
}
