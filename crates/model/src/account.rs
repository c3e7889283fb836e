//! The organization and its accounts.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{AccountId, Gap, Partition};

/// What AWS Organizations says of an account's life.
///
/// `State` of the Organizations API, which replaces `Status`; only an active account can be
/// entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountState {
    /// Being created.
    PendingActivation,
    /// In use: the only state in which roles can be assumed.
    Active,
    /// Suspended by AWS.
    Suspended,
    /// Its owner asked for it to be closed.
    PendingClosure,
    /// Closed, still listed for 90 days.
    Closed,
    /// AWS answered a state this version does not know, or none.
    Unknown,
}

impl AccountState {
    /// The state as AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// Reads what AWS wrote in `State` or `Status`.
    pub fn from_aws(text: &str) -> Self {
        [
            Self::PendingActivation,
            Self::Active,
            Self::Suspended,
            Self::PendingClosure,
            Self::Closed,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
        .unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for AccountState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The way from the root to an account: ids of the root and of each OU, outermost first.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OuPath(pub Vec<String>);

impl OuPath {
    /// Whether the account lives in this OU or root, directly or further down.
    pub fn is_within(&self, ou: &str) -> bool {
        self.0.iter().any(|id| id == ou)
    }
}

impl fmt::Display for OuPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.join("/"))
    }
}

/// An account of the organization, or one that was named by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name in AWS Organizations; empty where Organizations could not be asked.
    pub name: String,
    /// Whether it is in use.
    pub state: AccountState,
    /// Where it hangs; `None` where AWS did not say.
    pub ou_path: Option<OuPath>,
    /// What it is tagged with; `None` where that was not read. Left out of what is written then, so that
    /// what was sealed before tags were kept is still written as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
}

/// The tags of an account in AWS Organizations, by key.
pub type Tags = BTreeMap<String, String>;

/// The organization as seen from the account of the credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Its id, such as `o-a1b2c3d4e5`.
    pub id: String,
    /// The account in which nearly all of its events arise.
    pub management_account: AccountId,
    /// The partition of all of its accounts.
    pub partition: Partition,
    /// Member accounts that administer some service for the organization, or why that is not known.
    pub delegated_administrators: Result<Vec<AccountId>, Gap>,
}
