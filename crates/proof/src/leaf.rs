//! A leaf: everything that a sweep says of one account, under one hash.

use std::{collections::BTreeMap, io::Write as _};

use model::{Account, ContentHash, ControlId, Link, Reason, Tags, Verdict};
use serde::Serialize;
use sha2::Digest;

use crate::digest::{digest_type, labelled};

const LABEL: &[u8] = b"scanner-proof/account-leaf/1\0";

digest_type! {
    /// The hash of what a sweep says of one account.
    LeafHash, "leaf hash"
}

/// What a sweep says of one account.
///
/// Its canonical JSON is what is hashed, and what an archive shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AccountLeaf<'a> {
    /// The account as AWS Organizations described it.
    pub account: &'a Account,
    /// The account's own evidence; `None` where there was nothing to look at.
    pub evidence: Option<ContentHash>,
    /// The answer to each control.
    pub findings: &'a BTreeMap<ControlId, FindingLeaf>,
}

/// The answer for one account and control; documents stand in it by hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FindingLeaf {
    /// The verdict as it is stored: that it follows from the reason is checked, not assumed.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The link that is broken or could not be read.
    pub link: Option<Link>,
    /// The document with message, chain, gaps and advice.
    pub detail: ContentHash,
    /// What AWS said when the calls behind the gaps failed; `None` where there are no gaps.
    pub gap_samples: Option<ContentHash>,
}

impl AccountLeaf<'_> {
    /// Its hash. Who hashes many takes a [`LeafHasher`].
    pub fn hash(&self) -> LeafHash {
        LeafHasher::default().hash(self)
    }

    /// Its canonical JSON.
    pub fn canonical(&self) -> String {
        model::canonical_json(self)
    }
}

impl LeafHash {
    /// The hash of a leaf that was read as canonical JSON.
    pub fn of_canonical(leaf: &str) -> Self {
        hash(leaf.as_bytes())
    }
}

fn hash(canonical: &[u8]) -> LeafHash {
    LeafHash(labelled(LABEL).chain_update(canonical).finalize().into())
}

/// Hashes leaves one after the other into one buffer.
///
/// The canonical JSON is written by hand: by way of `serde_json::Value`, ten thousand accounts by
/// fifteen controls would take ten times as long. A property holds the two forms against each other.
#[derive(Debug, Default)]
pub struct LeafHasher {
    text: Vec<u8>,
}

impl LeafHasher {
    /// The hash of a leaf.
    pub fn hash(&mut self, leaf: &AccountLeaf<'_>) -> LeafHash {
        self.text.clear();
        self.write(leaf);
        hash(&self.text)
    }

    fn write(&mut self, leaf: &AccountLeaf<'_>) {
        let account = leaf.account;
        let written = write!(self.text, r#"{{"account":{{"id":"{}","name":"#, account.id);
        debug_assert!(written.is_ok(), "writing into a Vec cannot fail");
        self.string(&account.name);
        self.push(r#","ou_path":"#);
        match &account.ou_path {
            None => self.push("null"),
            Some(path) => {
                for (at, ou) in path.0.iter().enumerate() {
                    self.push(if at == 0 { "[" } else { "," });
                    self.string(ou);
                }
                self.push(if path.0.is_empty() { "[]" } else { "]" });
            }
        }
        self.push(r#","state":""#);
        self.push(account.state.as_str());
        self.push("\"");
        if let Some(tags) = &account.tags {
            self.tags(tags);
        }
        self.push(r#"},"evidence":"#);
        self.digest(leaf.evidence);
        self.push(r#","findings":{"#);
        for (at, (control, finding)) in leaf.findings.iter().enumerate() {
            self.push(if at == 0 { "\"" } else { ",\"" });
            // A slug: there is nothing to escape in it.
            self.push(control.as_str());
            self.push(r#"":{"detail":"#);
            self.digest(Some(finding.detail));
            self.push(r#","gap_samples":"#);
            self.digest(finding.gap_samples);
            self.push(r#","link":"#);
            match finding.link {
                None => self.push("null"),
                Some(link) => {
                    self.push("\"");
                    self.push(link.as_str());
                    self.push("\"");
                }
            }
            self.push(r#","reason":""#);
            self.push(finding.reason.code());
            self.push(r#"","verdict":""#);
            self.push(finding.verdict.as_str());
            self.push("\"}");
        }
        self.push("}}");
    }

    /// What an account is tagged with. Nothing where that was not read, as in leaves of versions that did not
    /// keep it.
    fn tags(&mut self, tags: &Tags) {
        self.push(r#","tags":{"#);
        for (at, (key, value)) in tags.iter().enumerate() {
            if at > 0 {
                self.push(",");
            }
            self.string(key);
            self.push(":");
            self.string(value);
        }
        self.push("}");
    }

    fn push(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    fn string(&mut self, text: &str) {
        let written = serde_json::to_writer(&mut self.text, text);
        debug_assert!(written.is_ok(), "writing into a Vec cannot fail");
    }

    fn digest(&mut self, hash: Option<ContentHash>) {
        let Some(hash) = hash else {
            return self.push("null");
        };
        let mut digits = [0; 64];
        let encoded = hex::encode_to_slice(hash.as_bytes(), &mut digits);
        debug_assert!(encoded.is_ok(), "64 digits hold 32 bytes");
        self.push("\"");
        self.text.extend_from_slice(&digits);
        self.push("\"");
    }
}

#[cfg(test)]
mod tests {
    use model::{AccountState, OuPath};
    use proptest::prelude::*;

    use super::*;

    fn content() -> impl Strategy<Value = ContentHash> {
        any::<u8>().prop_map(|seed| ContentHash::of(&seed))
    }

    fn finding() -> impl Strategy<Value = FindingLeaf> {
        let word = (
            prop::sample::select(&Verdict::ALL[..]),
            prop::sample::select(Reason::ALL),
            prop::option::of(prop::sample::select(&Link::ALL[..])),
        );
        let hashes = (content(), prop::option::of(content()));
        (word, hashes).prop_map(
            |((verdict, reason, link), (detail, gap_samples))| FindingLeaf {
                verdict,
                reason,
                link,
                detail,
                gap_samples,
            },
        )
    }

    fn account() -> impl Strategy<Value = Account> {
        let states = [
            AccountState::Active,
            AccountState::Suspended,
            AccountState::PendingClosure,
            AccountState::Unknown,
        ];
        let path = prop::option::of(prop::collection::vec(any::<String>(), 0..3));
        let tags = prop::option::of(prop::collection::btree_map(
            any::<String>(),
            any::<String>(),
            0..3,
        ));
        (
            "[0-9]{12}",
            any::<String>(),
            prop::sample::select(states.to_vec()),
            path,
            tags,
        )
            .prop_map(|(id, name, state, path, tags)| Account {
                id: id.parse().unwrap(),
                name,
                state,
                ou_path: path.map(OuPath),
                tags,
            })
    }

    proptest! {
        #[test]
        fn a_leaf_is_hashed_as_its_canonical_json(
            account in account(),
            evidence in prop::option::of(content()),
            findings in prop::collection::btree_map(
                "[a-z]{1,6}(-[a-z0-9]{1,4})?".prop_map(|slug| slug.parse().unwrap()),
                finding(),
                0..4,
            ),
        ) {
            let leaf = AccountLeaf { account: &account, evidence, findings: &findings };
            let mut hasher = LeafHasher::default();
            let hash = hasher.hash(&leaf);
            prop_assert_eq!(String::from_utf8(hasher.text.clone()).unwrap(), leaf.canonical());
            prop_assert_eq!(hash, LeafHash::of_canonical(&leaf.canonical()));
            // What was hashed before leaves nothing behind.
            prop_assert_eq!(hasher.hash(&leaf), hash);
        }
    }

    #[test]
    fn a_leaf_of_an_account_whose_tags_were_not_read_is_what_it_always_was() {
        let account = Account {
            id: "111111111111".parse().unwrap(),
            name: "one".to_owned(),
            state: AccountState::Active,
            ou_path: None,
            tags: None,
        };
        let leaf = |account: &Account| {
            let leaf = AccountLeaf {
                account,
                evidence: None,
                findings: &BTreeMap::new(),
            };
            (leaf.canonical(), leaf.hash())
        };
        let (text, hash) = leaf(&account);
        assert_eq!(
            text,
            r#"{"account":{"id":"111111111111","name":"one","ou_path":null,"state":"ACTIVE"},"evidence":null,"findings":{}}"#
        );
        let tagged = |tags: &[(&str, &str)]| {
            let tags = tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            leaf(&Account {
                tags: Some(tags.collect()),
                ..account.clone()
            })
            .1
        };
        let hashes = [
            hash,
            tagged(&[]),
            tagged(&[("a", "b")]),
            tagged(&[("a", "c")]),
        ];
        let distinct: std::collections::BTreeSet<String> =
            hashes.into_iter().map(String::from).collect();
        assert_eq!(distinct.len(), hashes.len());
    }

    #[test]
    fn a_leaf_is_no_document_of_the_same_text() {
        assert_ne!(
            LeafHash::of_canonical("{}").as_bytes(),
            ContentHash::of_text("{}").as_bytes()
        );
    }
}
