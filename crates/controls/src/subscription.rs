//! Does an alarm action end at a human or a machine that listens?

use model::{
    Link, Reason,
    evidence::{Presence, SubscriptionState, TopicEvidence},
};

use crate::obstacle::Obstacle;

/// What keeps a topic from reaching anybody.
pub(crate) fn topic_obstacle(topic: Option<&TopicEvidence>) -> Option<Obstacle> {
    let of = |link, reason, message: &str| Some(Obstacle::new(link, reason, message));
    let Some(topic) = topic else {
        return of(Link::Topic, Reason::EvidenceGap, "the topic was not read");
    };
    let subscriptions = match &topic.subscriptions {
        Err(gap) => return Some(Obstacle::gap(Link::Subscription, gap)),
        Ok(Presence::Missing) => {
            return of(
                Link::Topic,
                Reason::TopicMissing,
                "the topic does not exist",
            );
        }
        Ok(Presence::Present(subscriptions)) => subscriptions,
    };
    let any = |is: fn(&SubscriptionState) -> bool| subscriptions.iter().any(|one| is(&one.state));
    if any(|state| matches!(state, SubscriptionState::Confirmed(_))) {
        None
    } else if any(|state| matches!(state, SubscriptionState::Unrecognized)) {
        of(
            Link::Subscription,
            Reason::EvidenceGap,
            "a subscription is in a state that this version does not know",
        )
    } else if subscriptions.is_empty() {
        of(
            Link::Subscription,
            Reason::SubscriptionAbsent,
            "the topic has no subscription",
        )
    } else {
        of(
            Link::Subscription,
            Reason::SubscriptionUnconfirmed,
            "the topic has subscriptions, but nobody confirmed one",
        )
    }
}
