//! Topics and their subscriptions.

use serde::{Deserialize, Serialize};

use crate::{
    Arn,
    evidence::{Presence, Read},
};

/// A topic and its subscriptions, read at its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicEvidence {
    /// Which topic.
    pub arn: Arn,
    /// Its subscriptions, sorted.
    pub subscriptions: Read<Presence<Vec<Subscription>>>,
}

/// One subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subscription {
    /// Whether somebody confirmed it.
    pub state: SubscriptionState,
    /// `email`, `https`, `sqs`, …
    pub protocol: String,
    /// Where it leads, masked: a host, or the first letter of a mailbox and its domain.
    pub endpoint: String,
}

/// Whether a subscription is in force, told by its ARN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionState {
    /// It has an ARN of its own.
    Confirmed(Arn),
    /// `PendingConfirmation`.
    Pending,
    /// `Deleted`.
    Deleted,
    /// Neither an ARN nor a word that AWS documents.
    Unrecognized,
}
