//! Which documents an archive needs, and what they have to say.

use std::collections::{BTreeMap, BTreeSet};

use model::ContentHash;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::entry::EntryName;
use crate::misfit::Misfit;

/// The documents that an account's evidence refers to by hash; `None` for what is no such document.
///
/// Each member that is an object holds the hashes of its parts under their names: whatever kinds of
/// parts evidence comes to have, they are found.
pub fn parts_of_evidence(root: &str) -> Option<BTreeSet<ContentHash>> {
    let members: Map<String, Value> = serde_json::from_str(root).ok()?;
    let parts = members.values().filter_map(Value::as_object);
    let hashes = parts
        .flat_map(Map::values)
        .filter_map(|value| value.as_str()?.parse().ok());
    Some(hashes.collect())
}

/// The documents that are needed and those that were there.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// Each with what refers to it first.
    needed: BTreeMap<ContentHash, Need>,
    found: BTreeSet<ContentHash>,
    /// What the details say, for the summary.
    pub(super) messages: BTreeMap<ContentHash, String>,
}

#[derive(Debug, Default)]
struct Need {
    by: Option<EntryName>,
    is_evidence: bool,
    /// The reasons and verdicts of the findings that it is the detail of.
    reasons: BTreeSet<String>,
}

/// What is read of a detail. It names its reason where it was written by a version that does so.
#[derive(Deserialize)]
struct Detail {
    message: String,
    reason: Option<String>,
}

impl Documents {
    pub(super) fn need(&mut self, hash: ContentHash, by: EntryName) {
        self.need_entry(hash, by);
    }

    pub(super) fn need_evidence(&mut self, hash: ContentHash, by: EntryName) {
        self.need_entry(hash, by).is_evidence = true;
    }

    pub(super) fn need_detail(&mut self, hash: ContentHash, by: EntryName, reason: &str) {
        let need = self.need_entry(hash, by);
        if !need.reasons.contains(reason) {
            need.reasons.insert(reason.to_owned());
        }
    }

    fn need_entry(&mut self, hash: ContentHash, by: EntryName) -> &mut Need {
        let need = self.needed.entry(hash).or_default();
        need.by.get_or_insert(by);
        need
    }

    /// How many were there.
    pub(super) fn count(&self) -> u64 {
        self.found.len() as u64
    }

    /// Takes a document. Parts of evidence may come before what refers to them.
    pub(super) fn accept(&mut self, hash: ContentHash, text: &[u8]) -> Result<(), Misfit> {
        let name = EntryName::Document(hash);
        let text = (std::str::from_utf8(text))
            .map_err(|error| Misfit::new("text", &name, &"UTF-8", &error))?;
        Misfit::unless_equal("SHA-256", &name, &hash, &ContentHash::of_text(text))?;
        self.found.insert(hash);
        let Some(need) = self.needed.get(&hash) else {
            return Ok(());
        };
        if !need.reasons.is_empty() {
            let detail: Detail = serde_json::from_str(text)
                .map_err(|error| Misfit::new("document", &name, &"a finding's detail", &error))?;
            if let Some(reason) = detail.reason {
                for of_leaf in &need.reasons {
                    Misfit::unless_equal("reason", &name, of_leaf, &reason)?;
                }
            }
            self.messages.insert(hash, detail.message);
        }
        if need.is_evidence {
            let parts = parts_of_evidence(text).ok_or_else(|| {
                Misfit::new("document", &name, &"an account's evidence", &"other JSON")
            })?;
            for part in parts {
                self.need(part, name);
            }
        }
        Ok(())
    }

    /// That all are there, and no others.
    pub(super) fn close(&self) -> Result<(), Misfit> {
        for (hash, need) in &self.needed {
            if !self.found.contains(hash) {
                let by = need.by.map(|by| by.to_string()).unwrap_or_default();
                let expected = format!("the document that {by} names");
                let name = EntryName::Document(*hash);
                return Err(Misfit::new("document", &name, &expected, &"no such file"));
            }
        }
        let surplus = (self.found.iter()).find(|hash| !self.needed.contains_key(hash));
        surplus.map_or(Ok(()), |hash| {
            let name = EntryName::Document(*hash);
            let found = "a document that nothing names";
            Err(Misfit::new("document", &name, &"no such file", &found))
        })
    }
}

#[cfg(test)]
mod tests {
    use model::{
        Arn,
        evidence::{AccountEvidence, Delivery, EventSelectors, TrailEvidence, TrailStatus},
    };
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_parts_of_evidence_are_those_that_the_model_makes() {
        let arn: Arn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/org"
            .parse()
            .unwrap();
        let mut evidence = AccountEvidence::of_trails("111111111111".parse().unwrap(), Vec::new());
        let trail = TrailEvidence {
            arn: arn.clone(),
            status: Ok(TrailStatus {
                is_logging: true,
                delivery: Delivery::Fresh,
            }),
            selectors: Ok(EventSelectors::default()),
        };
        evidence.trail_details.insert(arn, Arc::new(trail));
        let documents = evidence.documents();
        let parts = parts_of_evidence(&documents.parts[&documents.root]).unwrap();
        let made: BTreeSet<_> = (documents.parts.keys().copied())
            .filter(|hash| *hash != documents.root)
            .collect();
        assert_eq!(parts, made);
        assert_eq!(parts_of_evidence("[]"), None);
    }
}
