//! SNS topics and who listens to them.

use serde::Deserialize;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    pub region: String,
    pub display_name: String,
    pub subscriptions: Vec<Subscription>,
    /// Accounts that the topic's policy lets read it; `*` means all.
    pub readable_by: Vec<String>,
    /// The policy as JSON; `None` gives the one that a new topic has.
    pub policy: Option<String>,
    pub kms_key: Option<String>,
}

impl Topic {
    /// AWS tells FIFO topics by their name.
    pub fn is_fifo(&self) -> bool {
        self.name.strip_suffix(".fifo").is_some()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub protocol: String,
    pub endpoint: String,
    pub state: SubscriptionState,
    /// Who subscribed, where it was not the topic's owner.
    pub owner: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubscriptionState {
    /// It has an ARN.
    #[default]
    Confirmed,
    /// `PendingConfirmation` stands where the ARN would be.
    Pending,
    /// `Deleted` stands where the ARN would be.
    Deleted,
}
