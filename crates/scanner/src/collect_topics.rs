//! A topic: whether it can be published to, and who hears of it.

use std::collections::HashMap;

use aws::Api;
use model::{
    Arn, GapClass,
    evidence::{Presence, Read, TopicAttributes, TopicEvidence},
};

use crate::{Collector, topic_policy::parse_policy, unasked::homeless};

impl Collector {
    /// Asks the topic's owner, in its region.
    pub(crate) async fn collect_topic(&self, topic: &Arn) -> TopicEvidence {
        let (attributes, subscriptions) =
            tokio::join!(self.topic_attributes(topic), self.subscriptions(topic));
        TopicEvidence {
            arn: topic.clone(),
            attributes: present(attributes),
            subscriptions: present(subscriptions),
        }
    }

    async fn topic_attributes(&self, topic: &Arn) -> Read<TopicAttributes> {
        let Some((owner, region)) = topic.home() else {
            return Err(homeless(Api::GetTopicAttributes, topic));
        };
        let client = &self.aws.clients().sns;
        let arn = topic.as_str();
        let answer = self
            .aws
            .session(owner)
            .call(Api::GetTopicAttributes, &region, Some(arn), |target| {
                client
                    .get_topic_attributes()
                    .topic_arn(arn)
                    .customize()
                    .config_override(target.sns())
                    .send()
            })
            .await?;
        Ok(topic_attributes(&answer.attributes.unwrap_or_default()))
    }
}

/// The owner itself says that something is gone: that is an absence, not a gap.
fn present<T>(read: Read<T>) -> Read<Presence<T>> {
    match read {
        Err(gap) if gap.class == GapClass::NotFound => Ok(Presence::Missing),
        read => read.map(Presence::Present),
    }
}

/// Three of the attributes; the others are counts that tick, names, and settings of delivery.
fn topic_attributes(attributes: &HashMap<String, String>) -> TopicAttributes {
    let text = |name: &str| attributes.get(name).filter(|text| !text.is_empty());
    TopicAttributes {
        policy: text("Policy").and_then(|policy| parse_policy(policy)),
        kms_key: text("KmsMasterKeyId").cloned(),
        is_fifo: text("FifoTopic").is_some_and(|flag| flag == "true"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_attributes_only_policy_key_and_kind_are_kept() {
        let attributes = |pairs: &[(&str, &str)]| {
            topic_attributes(
                &pairs
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
            )
        };
        let kept = attributes(&[
            ("DisplayName", "SECRET"),
            ("DeliveryPolicy", "SECRET"),
            ("EffectiveDeliveryPolicy", "SECRET"),
            ("SubscriptionsConfirmed", "7"),
            ("Owner", "111111111111"),
            ("KmsMasterKeyId", "alias/aws/sns"),
            ("FifoTopic", "true"),
            (
                "Policy",
                r#"{"Statement":{"Sid":"SECRET","Effect":"Allow","Action":"sns:Publish"}}"#,
            ),
        ]);
        assert_eq!(kept.kms_key.as_deref(), Some("alias/aws/sns"));
        assert!(kept.is_fifo);
        assert_eq!(kept.policy.as_ref().map(Vec::len), Some(1));
        assert!(!format!("{kept:?}").contains("SECRET"));

        let bare = attributes(&[("KmsMasterKeyId", ""), ("FifoTopic", "false")]);
        assert_eq!(bare, TopicAttributes::default());
    }
}
