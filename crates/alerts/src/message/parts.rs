//! What a notice is made of.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{AccountId, Author, AuthorOutcome, Link, OuPath, Region, SweepId, Verdict};
use serde::{Deserialize, Serialize};

/// An account, and where it hangs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// Its name; empty where it is not known.
    pub name: String,
    /// Where it hangs, where that is known.
    pub ou_path: Option<OuPath>,
}

/// A resource, so that it can be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Which link of the chain it is.
    pub link: Link,
    /// Its ARN, or its name where AWS gives it no ARN.
    pub resource: String,
    /// The account in which it lives.
    pub account: Option<AccountId>,
    /// The region in which it lives.
    pub region: Option<Region>,
}

/// A sweep, and when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepTime {
    /// The sweep.
    pub sweep: SweepId,
    /// When it began.
    pub at: Timestamp,
}

/// The two sweeps between which it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The last sweep that saw it as it was before; `None` where nothing was before.
    pub not_before: Option<SweepTime>,
    /// The sweep that saw it as it is.
    pub seen: SweepTime,
}

/// Who did it, as far as that is known when it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Who {
    /// This call did it.
    Found {
        /// Who, when and from where.
        author: Box<Author>,
    },
    /// CloudTrail does not show it yet; it goes into the history when it does.
    NotYet,
    /// No call that could have done it was recorded.
    NotFound,
    /// CloudTrail denied the question, or did not answer.
    Denied,
    /// Nobody is looked for: no call to AWS does such a thing.
    Nobody,
}

/// How many findings hold, of how many that were judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// How many hold.
    pub hold: u64,
    /// Of how many.
    pub of: u64,
    /// Whether they are of the accounts of the organization, by this control, or else of the controls of
    /// this account.
    pub is_of_accounts: bool,
}

/// What became of the findings of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Still {
    /// How many have which verdict now.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// In how many accounts it lasts.
    pub accounts: usize,
    /// When the alert began.
    pub opened_at: Timestamp,
}

/// A seal, and its sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The sweep.
    pub sweep: SweepId,
    /// Its hash, which all sweeps before it went into.
    pub hash: String,
}

impl From<AuthorOutcome> for Who {
    fn from(outcome: AuthorOutcome) -> Self {
        match outcome {
            AuthorOutcome::Found { author } => Self::Found {
                author: Box::new(author),
            },
            AuthorOutcome::NotFound { .. } => Self::NotFound,
            AuthorOutcome::Denied { .. } => Self::Denied,
        }
    }
}
