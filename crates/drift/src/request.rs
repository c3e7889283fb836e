//! Whether a recorded call was about a resource: reads the request parameters of CloudTrail records.
//!
//! What is not of the documented shape fits nothing.

use model::{AccountId, Arn, LogGroupArn};
use serde_json::Value;

/// What a call must be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// `name` or `trailName`: the trail's name or its ARN.
    Trail(Arn),
    /// `logGroupName`, or `logGroupIdentifier`, which may be the ARN.
    LogGroup(LogGroupArn),
    /// `filterName` on a log group.
    MetricFilter(LogGroupArn, String),
    /// `alarmName`, or one of `alarmNames`.
    Alarm(String),
    /// `topicArn`.
    Topic(String),
    /// `name`, in CreateTopic: the caller's own account and region are the topic's.
    TopicName(String),
    /// `subscriptionArn`.
    Subscription(String),
    /// `accountId`.
    Account(AccountId),
    /// `target.id`, in InviteAccountToOrganization.
    Invited(AccountId),
    /// `accountId` in CreateAccountResult, which Organizations writes when an account is made.
    Created(AccountId),
    /// Nothing but the account in which it was recorded, unless `accountId` names another.
    Itself(AccountId),
}

/// What a call must have asked for to lead to what is seen now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Asks {
    /// Anything.
    Anything,
    /// This flag, given so.
    Flag(&'static str, bool),
    /// Not the opposite of this flag, which is on where it is not given.
    FlagOrDefault(&'static str, bool),
    /// One of these parameters, whatever it says.
    Gives(&'static [&'static str]),
    /// This text, where the parameter is given at all.
    Text(&'static str, String),
}

pub(crate) fn is_about(target: &Target, request: &Value) -> bool {
    match target {
        Target::Trail(arn) => {
            let name = arn.resource().strip_prefix("trail/");
            ["name", "trailName"].iter().any(|key| {
                text(request, key).is_some_and(|given| given == arn.as_str() || Some(given) == name)
            })
        }
        Target::LogGroup(group) => is_group(group, request),
        Target::MetricFilter(group, name) => {
            is_group(group, request) && text(request, "filterName") == Some(name)
        }
        Target::Alarm(name) => {
            text(request, "alarmName") == Some(name)
                || field(request, "alarmNames")
                    .and_then(Value::as_array)
                    .is_some_and(|names| names.iter().any(|one| one.as_str() == Some(name)))
        }
        Target::Topic(arn) => text(request, "topicArn") == Some(arn),
        Target::TopicName(name) => text(request, "name") == Some(name),
        Target::Subscription(arn) => text(request, "subscriptionArn") == Some(arn),
        Target::Account(id) => is_account(text(request, "accountId"), *id),
        Target::Invited(id) => {
            let target = field(request, "target");
            is_account(target.and_then(|target| text(target, "id")), *id)
        }
        Target::Created(id) => {
            let status = field(request, "createAccountStatus");
            is_account(status.and_then(|status| text(status, "accountId")), *id)
        }
        Target::Itself(id) => field(request, "accountId")
            .is_none_or(|given| given.is_null() || is_account(given.as_str(), *id)),
    }
}

pub(crate) fn asks_for(asks: &Asks, request: &Value) -> bool {
    let flag = |name| field(request, name).and_then(Value::as_bool);
    match asks {
        Asks::Anything => true,
        Asks::Flag(name, wanted) => flag(name) == Some(*wanted),
        Asks::FlagOrDefault(name, wanted) => flag(name).unwrap_or(true) == *wanted,
        Asks::Gives(names) => names
            .iter()
            .any(|name| field(request, name).is_some_and(|value| !value.is_null())),
        Asks::Text(name, wanted) => {
            field(request, name).is_none_or(|given| given == wanted.as_str())
        }
    }
}

fn is_group(group: &LogGroupArn, request: &Value) -> bool {
    let is_name = |given: &str| given == group.name();
    let is_arn = |given: &str| given.parse::<LogGroupArn>().is_ok_and(|arn| arn == *group);
    ["logGroupName", "logGroupIdentifier"]
        .iter()
        .any(|key| text(request, key).is_some_and(|given| is_name(given) || is_arn(given)))
}

fn is_account(given: Option<&str>, wanted: AccountId) -> bool {
    given.is_some_and(|given| given.parse() == Ok(wanted))
}

fn text<'r>(request: &'r Value, name: &str) -> Option<&'r str> {
    field(request, name)?.as_str()
}

/// A parameter. Services differ in how they write the first letter, and `ARN`.
fn field<'r>(request: &'r Value, name: &str) -> Option<&'r Value> {
    let request = request.as_object()?;
    request.get(name).or_else(|| {
        let mut fields = request.iter();
        fields.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    })
}
