//! The policies that topics have: the one that AWS gives them, and those that people write.

use serde_json::{Value, json};

/// A topic's policy as GetTopicAttributes gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TopicPolicy {
    /// The one of a new topic: its owner may do everything, and so may services for its owner.
    #[default]
    Default,
    /// This text, whatever it is.
    Document(String),
    /// The attribute is left out.
    Absent,
}

/// Policies that are met often, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// As AWS makes it.
    Default,
    /// CloudWatch may publish for the named accounts (`aws:SourceAccount`).
    CloudWatch,
    /// CloudWatch may publish for the alarms of the named accounts (`aws:SourceArn`).
    CloudWatchAlarms,
    /// CloudWatch may publish, for whomever.
    CloudWatchAny,
    /// Only the named accounts' own principals may publish; no service.
    OwnerOnlyPrincipal,
    /// As AWS makes it, and then nobody may publish.
    DenyPublish,
    /// As AWS makes it, but not without TLS.
    DenyInsecureTransport,
    /// Whoever belongs to the organization may publish; a service belongs to none.
    OrganizationOnly,
    /// A condition under a made-up operator, which nobody can judge.
    UnknownCondition,
    /// The attribute is left out.
    None,
}

impl PolicyKind {
    const ALL: [(&'static str, Self); 10] = [
        ("default", Self::Default),
        ("cloudwatch", Self::CloudWatch),
        ("cloudwatch-alarms", Self::CloudWatchAlarms),
        ("cloudwatch-any", Self::CloudWatchAny),
        ("owner-only-principal", Self::OwnerOnlyPrincipal),
        ("deny-publish", Self::DenyPublish),
        ("deny-insecure-transport", Self::DenyInsecureTransport),
        ("organization-only", Self::OrganizationOnly),
        ("unknown-condition", Self::UnknownCondition),
        ("none", Self::None),
    ];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| *kind)
    }

    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(name, _)| *name)
    }

    /// The policy of that kind on the topic `arn`. `accounts` are those it speaks of.
    pub fn policy(self, arn: &str, accounts: &[String], organization: &str) -> TopicPolicy {
        let owner = owner_of(arn);
        let partition = arn.split(':').nth(1).unwrap_or_default();
        let cloudwatch = |condition: Option<Value>| {
            let principal = json!({"Service": "cloudwatch.amazonaws.com"});
            statement("Allow", &principal, &json!("sns:Publish"), arn, condition)
        };
        let statements = match self {
            Self::Default => return TopicPolicy::Default,
            Self::None => return TopicPolicy::Absent,
            Self::CloudWatch => {
                let condition = json!({"StringEquals": {"aws:SourceAccount": accounts}});
                vec![cloudwatch(Some(condition))]
            }
            Self::CloudWatchAlarms => {
                let region = arn.split(':').nth(3).unwrap_or_default();
                let alarms: Vec<String> = accounts
                    .iter()
                    .map(|account| format!("arn:{partition}:cloudwatch:{region}:{account}:alarm:*"))
                    .collect();
                vec![cloudwatch(Some(
                    json!({"ArnLike": {"aws:SourceArn": alarms}}),
                ))]
            }
            Self::CloudWatchAny => vec![cloudwatch(None)],
            Self::OwnerOnlyPrincipal => {
                let roots: Vec<String> = accounts
                    .iter()
                    .map(|account| format!("arn:{partition}:iam::{account}:root"))
                    .collect();
                let actions = json!(OWNERS_ACTIONS);
                vec![statement(
                    "Allow",
                    &json!({"AWS": roots}),
                    &actions,
                    arn,
                    None,
                )]
            }
            Self::DenyPublish => vec![
                default_statement(arn, owner),
                statement("Deny", &json!("*"), &json!("SNS:Publish"), arn, None),
            ],
            Self::DenyInsecureTransport => {
                let condition = json!({"Bool": {"aws:SecureTransport": "false"}});
                let deny = statement(
                    "Deny",
                    &json!({"AWS": "*"}),
                    &json!("SNS:Publish"),
                    arn,
                    Some(condition),
                );
                vec![default_statement(arn, owner), deny]
            }
            Self::OrganizationOnly => {
                let condition = json!({"StringEquals": {"aws:PrincipalOrgID": organization}});
                vec![statement(
                    "Allow",
                    &json!({"AWS": "*"}),
                    &json!("sns:Publish"),
                    arn,
                    Some(condition),
                )]
            }
            Self::UnknownCondition => {
                let condition = json!({"SimulatedOperator": {"aws:SourceAccount": accounts}});
                vec![cloudwatch(Some(condition))]
            }
        };
        TopicPolicy::Document(json!({"Version": "2012-10-17", "Statement": statements}).to_string())
    }
}

const OWNERS_ACTIONS: [&str; 8] = [
    "SNS:GetTopicAttributes",
    "SNS:SetTopicAttributes",
    "SNS:AddPermission",
    "SNS:RemovePermission",
    "SNS:DeleteTopic",
    "SNS:Subscribe",
    "SNS:ListSubscriptionsByTopic",
    "SNS:Publish",
];

fn owner_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// The policy of a new topic, and a statement more where others may read it. `note` is free text.
pub(crate) fn default_policy(arn: &str, readers: &[String], note: &str) -> String {
    let owner = owner_of(arn);
    let mut statements = vec![default_statement(arn, owner)];
    if !readers.is_empty() {
        statements.push(json!({
            "Sid": "readers",
            "Effect": "Allow",
            "Principal": {"AWS": readers},
            "Action": ["SNS:GetTopicAttributes", "SNS:ListSubscriptionsByTopic"],
            "Resource": arn,
        }));
    }
    json!({
        "Version": "2008-10-17",
        "Id": format!("__default_policy_ID{note}"),
        "Statement": statements,
    })
    .to_string()
}

fn default_statement(arn: &str, owner: &str) -> Value {
    json!({
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": OWNERS_ACTIONS,
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
    })
}

fn statement(
    effect: &str,
    principal: &Value,
    action: &Value,
    resource: &str,
    condition: Option<Value>,
) -> Value {
    let mut statement = json!({
        "Effect": effect,
        "Principal": principal,
        "Action": action,
        "Resource": resource,
    });
    if let (Some(members), Some(condition)) = (statement.as_object_mut(), condition) {
        members.insert("Condition".to_owned(), condition);
    }
    statement
}
