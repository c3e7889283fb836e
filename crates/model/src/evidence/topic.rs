//! Topics and their subscriptions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Arn,
    evidence::{Presence, Read},
};

/// A topic and its subscriptions, read at its owner.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TopicEvidence {
    /// Which topic.
    pub arn: Arn,
    /// Who may publish to it and how it is encrypted.
    pub attributes: Read<Presence<TopicAttributes>>,
    /// Its subscriptions, sorted.
    pub subscriptions: Read<Presence<Vec<Subscription>>>,
}

/// What GetTopicAttributes says, as far as it decides whether CloudWatch can publish.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TopicAttributes {
    /// The statements of its policy, in their order; `None` if the policy was not understood.
    pub policy: Option<Vec<PolicyStatement>>,
    /// The key it is encrypted with, as AWS writes it: an alias, an id or an ARN.
    pub kms_key: Option<String>,
    /// Whether it is a FIFO topic.
    pub is_fifo: bool,
}

/// One statement of a topic's policy. A list that is empty is an element that is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PolicyStatement {
    /// `Allow` or `Deny`.
    pub effect: String,
    /// Whom it concerns: `AWS`, `Service`, … and their values, sorted; `*` alone is `*` of `*`.
    pub principals: BTreeMap<String, Vec<String>>,
    /// Whom it does not concern.
    pub not_principals: BTreeMap<String, Vec<String>>,
    /// Which actions, sorted.
    pub actions: Vec<String>,
    /// Which actions it does not concern.
    pub not_actions: Vec<String>,
    /// Which resources, sorted.
    pub resources: Vec<String>,
    /// Which resources it does not concern.
    pub not_resources: Vec<String>,
    /// Under which conditions: operator, key, values, sorted.
    pub conditions: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// One subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subscription {
    /// Whether somebody confirmed it.
    pub state: SubscriptionState,
    /// `email`, `https`, `sqs`, …
    pub protocol: String,
    /// Where it leads, masked: a host, or the first letter of a mailbox and its domain.
    pub endpoint: String,
}

/// Whether a subscription is in force, told by its ARN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
