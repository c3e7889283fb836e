//! The subscriptions of a topic.

use aws::{Api, Target};
use aws_sdk_sns::types::Subscription as SdkSubscription;
use model::{
    Arn,
    evidence::{Read, Subscription, SubscriptionState},
};

use crate::{Collector, endpoint_mask::mask, unasked::homeless};

impl Collector {
    /// The subscriptions of a topic; all pages, sorted.
    pub(crate) async fn subscriptions(&self, topic: &Arn) -> Read<Vec<Subscription>> {
        let Some((owner, region)) = topic.home() else {
            return Err(homeless(Api::ListSubscriptionsByTopic, topic));
        };
        let client = &self.aws.clients().sns;
        let session = self.aws.session(owner);
        let arn = topic.as_str();
        let mut subscriptions = Vec::new();
        let send = |target: Target, token| {
            let request = client.list_subscriptions_by_topic().topic_arn(arn);
            request
                .set_next_token(token)
                .customize()
                .config_override(target.sns())
                .send()
        };
        session
            .pages(
                Api::ListSubscriptionsByTopic,
                &region,
                Some(arn),
                send,
                |page| {
                    let listed = page.subscriptions.unwrap_or_default();
                    subscriptions.extend(listed.into_iter().map(subscription));
                    Ok(page.next_token)
                },
            )
            .await?;
        subscriptions.sort();
        Ok(subscriptions)
    }
}

fn subscription(subscription: SdkSubscription) -> Subscription {
    let protocol = subscription.protocol.unwrap_or_default();
    let endpoint = mask(
        &protocol,
        subscription.endpoint.as_deref().unwrap_or_default(),
    );
    let state = match subscription.subscription_arn.as_deref() {
        Some("PendingConfirmation") => SubscriptionState::Pending,
        Some("Deleted") => SubscriptionState::Deleted,
        // A subscription's ARN is its topic's with an id behind it.
        Some(arn) => match arn.parse::<Arn>() {
            Ok(arn) if arn.service() == "sns" && arn.resource().contains(':') => {
                SubscriptionState::Confirmed(arn)
            }
            _ => SubscriptionState::Unrecognized,
        },
        None => SubscriptionState::Unrecognized,
    };
    Subscription {
        state,
        protocol,
        endpoint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_arn_of_its_own_makes_a_subscription_confirmed() {
        let state = |arn: Option<&str>| {
            subscription(
                SdkSubscription::builder()
                    .set_subscription_arn(arn.map(str::to_owned))
                    .build(),
            )
            .state
        };
        let arn = "arn:aws:sns:us-east-1:111111111111:alerts:0b6a1f7e-1";
        assert_eq!(
            state(Some(arn)),
            SubscriptionState::Confirmed(arn.parse().unwrap())
        );
        assert_eq!(
            state(Some("PendingConfirmation")),
            SubscriptionState::Pending
        );
        assert_eq!(state(Some("Deleted")), SubscriptionState::Deleted);
        for strange in [
            None,
            Some(""),
            Some("confirmed"),
            Some("arn:aws:sns:us-east-1:111111111111:alerts"),
        ] {
            assert_eq!(
                state(strange),
                SubscriptionState::Unrecognized,
                "{strange:?}"
            );
        }
    }
}
