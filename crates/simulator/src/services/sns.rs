//! SNS: who listens to a topic, and who may publish to it.

use super::{ArnParts, Call};
use crate::api_error::ApiError;
use crate::service::Service;
use crate::value::{Fields, Value};
use crate::world::{SubscriptionState, Topic, TopicPolicy, default_policy};

const PAGE: usize = 100;

pub(super) fn answer(operation: &str, call: &Call<'_>) -> Result<Fields, ApiError> {
    match operation {
        "ListSubscriptionsByTopic" => {
            let (arn, topic) = find_topic(call, "sns:ListSubscriptionsByTopic")?;
            list_subscriptions(call, arn, topic)
        }
        "GetTopicAttributes" => {
            let (arn, topic) = find_topic(call, "sns:GetTopicAttributes")?;
            Ok(topic_attributes(call, arn, topic))
        }
        other => Err(Service::Sns.unknown_operation(other)),
    }
}

fn find_topic<'a>(call: &'a Call<'_>, action: &str) -> Result<(&'a str, &'a Topic), ApiError> {
    let arn = call.params.required("TopicArn")?;
    let parts = ArnParts::parse(arn)
        .filter(|parts| parts.service == "sns")
        .filter(|parts| parts.partition == call.world.partition.name())
        .ok_or_else(|| bad_arn("Invalid parameter: TopicArn"))?;
    if parts.region != call.region {
        return Err(bad_arn(
            "Invalid parameter: TopicArn Reason: The region is not this one",
        ));
    }
    call.authorize(action, Some(arn))?;
    let topic = call
        .world
        .account(parts.account)
        .and_then(|owner| owner.topic(parts.region, parts.resource));
    if parts.account != call.account.id {
        let is_readable = topic.is_some_and(|topic| {
            topic
                .readable_by
                .iter()
                .any(|reader| reader == "*" || *reader == call.account.id)
        });
        if !is_readable {
            let operation = action.trim_start_matches("sns:");
            return Err(Service::Sns.access_denied(format!(
                "User: {} is not authorized to perform: SNS:{operation} on resource: {arn} \
                 because no resource-based policy allows the SNS:{operation} action",
                call.identity.arn
            )));
        }
    }
    let topic = topic.ok_or_else(|| ApiError::new(404, "NotFound", "Topic does not exist"))?;
    Ok((arn, topic))
}

fn bad_arn(message: &'static str) -> ApiError {
    Service::Sns.invalid(message.to_owned())
}

fn list_subscriptions(call: &Call<'_>, arn: &str, topic: &Topic) -> Result<Fields, ApiError> {
    let page = call.page(topic.subscriptions.len(), PAGE, None, "NextToken")?;
    let items: Vec<Value> = page
        .positions
        .into_iter()
        .map(|position| {
            let subscription = &topic.subscriptions[position];
            let owner = subscription
                .owner
                .as_deref()
                .or_else(|| arn.split(':').nth(4));
            Fields::new()
                .with("TopicArn", arn.to_owned())
                .with("Protocol", &subscription.protocol)
                .with("SubscriptionArn", topic.subscription_arn(arn, position))
                .with("Owner", owner.unwrap_or_default().to_owned())
                .with("Endpoint", &subscription.endpoint)
                .into()
        })
        .collect();
    Ok(Fields::new()
        .with("Subscriptions", items)
        .maybe("NextToken", page.next_token))
}

fn topic_attributes(call: &Call<'_>, arn: &str, topic: &Topic) -> Fields {
    let owner = arn.split(':').nth(4).unwrap_or_default();
    let count = |state: SubscriptionState| {
        topic
            .subscriptions
            .iter()
            .filter(|it| it.state == state)
            .count()
            .to_string()
    };
    let mut entries = vec![
        ("TopicArn".to_owned(), arn.to_owned()),
        ("Owner".to_owned(), owner.to_owned()),
        ("DisplayName".to_owned(), topic.display_name.clone()),
        (
            "SubscriptionsConfirmed".to_owned(),
            count(SubscriptionState::Confirmed),
        ),
        (
            "SubscriptionsPending".to_owned(),
            count(SubscriptionState::Pending),
        ),
        (
            "SubscriptionsDeleted".to_owned(),
            count(SubscriptionState::Deleted),
        ),
        ("EffectiveDeliveryPolicy".to_owned(), "{}".to_owned()),
    ];
    let policy = match &topic.policy {
        TopicPolicy::Default => Some(default_policy(arn, &topic.readable_by, &topic.policy_note)),
        TopicPolicy::Document(text) => Some(text.clone()),
        TopicPolicy::Absent => None,
    };
    entries.extend(policy.map(|policy| ("Policy".to_owned(), policy)));
    if let Some(key) = &topic.kms_key {
        entries.push(("KmsMasterKeyId".to_owned(), key.clone()));
    }
    if topic.is_fifo() {
        entries.push(("FifoTopic".to_owned(), "true".to_owned()));
        entries.push(("ContentBasedDeduplication".to_owned(), "true".to_owned()));
    }
    let turn = usize::try_from(call.draw.fork("attributes").below(8)).unwrap_or(0);
    let length = entries.len();
    entries.rotate_left(turn % length);
    Fields::new().with("Attributes", Value::Entries(entries))
}
