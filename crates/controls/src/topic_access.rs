//! Can an alarm publish to a topic, and does anybody listen there?

use model::{
    Advice, AdviceCode, Arn, Link, Reason,
    evidence::{Presence, SubscriptionState, TopicAttributes, TopicEvidence},
};

use crate::{
    obstacle::Obstacle,
    topic_policy::{Publishing, publishing},
};

/// The alias of the key that AWS manages for SNS. Its policy does not admit CloudWatch and cannot be
/// changed (SNS Developer Guide, key management).
const MANAGED_KEY: &str = "alias/aws/sns";

/// What keeps an alarm from reaching anybody through a topic.
pub(crate) fn topic_obstacles(
    alarm: &Arn,
    arn: &Arn,
    topic: Option<&TopicEvidence>,
    advice: &mut Vec<Advice>,
) -> Vec<Obstacle> {
    let of = |reason, message: String| Obstacle::new(Link::Topic, reason, message);
    // AWS refuses such an action today; one that is there all the same leads nowhere.
    if let (Some(own), Some(other)) = (alarm.region(), arn.region())
        && own != other
    {
        let message = format!("the topic lies in {other}, the alarm in {own}");
        return vec![of(Reason::TopicOtherRegion, message)];
    }
    let Some(topic) = topic else {
        return vec![of(Reason::EvidenceGap, "the topic was not read".to_owned())];
    };
    let missing = matches!(topic.attributes, Ok(Presence::Missing))
        || matches!(topic.subscriptions, Ok(Presence::Missing));
    if missing {
        return vec![of(
            Reason::TopicMissing,
            "the topic does not exist".to_owned(),
        )];
    }
    let mut obstacles: Vec<Obstacle> = match &topic.attributes {
        Err(gap) => vec![Obstacle::gap(Link::Topic, gap)],
        Ok(Presence::Missing) => Vec::new(),
        Ok(Presence::Present(attributes)) => access_obstacle(alarm, arn, attributes, advice)
            .into_iter()
            .collect(),
    };
    obstacles.extend(listener_obstacle(topic));
    obstacles
}

fn access_obstacle(
    alarm: &Arn,
    arn: &Arn,
    attributes: &TopicAttributes,
    advice: &mut Vec<Advice>,
) -> Option<Obstacle> {
    let of = |reason, message: String| Some(Obstacle::new(Link::Topic, reason, message));
    if attributes.is_fifo {
        advice.push(Advice {
            code: AdviceCode::FifoTopic,
            message: format!("the topic {arn} is a FIFO topic, which delivers to queues only"),
        });
    }
    if let Some(key) = &attributes.kms_key {
        if key == MANAGED_KEY || key.ends_with(&format!(":{MANAGED_KEY}")) {
            let message = format!(
                "the topic is encrypted with {MANAGED_KEY}, whose policy does not let CloudWatch use it"
            );
            return of(Reason::TopicKeyBlocks, message);
        }
        let whose = if key.contains("alias/") {
            "a customer key"
        } else {
            "a key that is given by its id, which could be the one that AWS manages"
        };
        advice.push(Advice {
            code: AdviceCode::CustomerKeyNotRead,
            message: format!(
                "the topic {arn} is encrypted with {whose}; its policy must let cloudwatch.amazonaws.com use it and was not read"
            ),
        });
    }
    let Some(policy) = &attributes.policy else {
        return of(
            Reason::TopicUndecided,
            "the topic's policy is not understood".to_owned(),
        );
    };
    match publishing(policy, alarm, arn) {
        Publishing::Allowed => None,
        Publishing::Denied(why) => of(
            Reason::TopicPolicyDenies,
            format!("CloudWatch may not publish for the alarm: the topic's policy {why}"),
        ),
        Publishing::Undecided(why) => of(
            Reason::TopicUndecided,
            format!(
                "whether the topic's policy lets CloudWatch publish for the alarm is not decided: {why}"
            ),
        ),
    }
}

fn listener_obstacle(topic: &TopicEvidence) -> Option<Obstacle> {
    let of = |reason, message: &str| Some(Obstacle::new(Link::Subscription, reason, message));
    let subscriptions = match &topic.subscriptions {
        Err(gap) => return Some(Obstacle::gap(Link::Subscription, gap)),
        Ok(Presence::Missing) => return None,
        Ok(Presence::Present(subscriptions)) => subscriptions,
    };
    let any = |is: fn(&SubscriptionState) -> bool| subscriptions.iter().any(|one| is(&one.state));
    if any(|state| matches!(state, SubscriptionState::Confirmed(_))) {
        None
    } else if any(|state| matches!(state, SubscriptionState::Unrecognized)) {
        of(
            Reason::SubscriptionUndecided,
            "a subscription is in a state that this version does not know",
        )
    } else if subscriptions.is_empty() {
        of(Reason::SubscriptionAbsent, "the topic has no subscription")
    } else {
        of(
            Reason::SubscriptionUnconfirmed,
            "the topic has subscriptions, but nobody confirmed one",
        )
    }
}
