//! SNS topics and who listens to them.

use serde::Deserialize;

use super::TopicPolicy;
use crate::chance::Draw;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    pub region: String,
    pub display_name: String,
    pub subscriptions: Vec<Subscription>,
    /// Accounts that the topic's policy lets read it; `*` means all.
    pub readable_by: Vec<String>,
    pub policy: TopicPolicy,
    /// Added to the id of a default policy, where a canary can sit.
    pub policy_note: String,
    pub kms_key: Option<String>,
}

impl Topic {
    /// A topic as somebody makes it who wants to be told by e-mail, and confirmed it.
    pub fn new(name: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            region: region.into(),
            display_name: String::new(),
            subscriptions: vec![Subscription {
                protocol: "email".to_owned(),
                endpoint: "security@example.com".to_owned(),
                state: SubscriptionState::Confirmed,
                owner: None,
            }],
            readable_by: Vec::new(),
            policy: TopicPolicy::Default,
            policy_note: String::new(),
            kms_key: None,
        }
    }

    /// AWS tells FIFO topics by their name.
    pub fn is_fifo(&self) -> bool {
        self.name.strip_suffix(".fifo").is_some()
    }

    /// Depends on who listens and not on the place in the list, so that a subscription keeps its
    /// ARN when another one goes.
    pub(crate) fn subscription_arn(&self, topic_arn: &str, position: usize) -> String {
        let Some(Subscription {
            protocol,
            endpoint,
            state,
            ..
        }) = self.subscriptions.get(position)
        else {
            return "Deleted".to_owned();
        };
        match state {
            SubscriptionState::Pending => "PendingConfirmation".to_owned(),
            SubscriptionState::Deleted => "Deleted".to_owned(),
            SubscriptionState::Unheard => "AwaitingReview".to_owned(),
            SubscriptionState::Confirmed => {
                let alike = self
                    .subscriptions
                    .iter()
                    .take(position)
                    .filter(|other| other.protocol == *protocol && other.endpoint == *endpoint)
                    .count();
                let parts = [topic_arn, protocol, endpoint, &alike.to_string()];
                format!("{topic_arn}:{}", Draw::new(0, &parts).uuid())
            }
        }
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
    /// A word stands there that AWS has never documented.
    Unheard,
}
