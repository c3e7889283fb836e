//! The calls by which a change is made: one or several, each in the account and region where AWS
//! records it.

use serde_json::{Value, json};

use super::{
    Account, AdvancedSelector, Alarm, Change, ChangeError, MetricFilter, Operation, Organization,
    Partition, Selectors, Subscription, Trail, World,
};
use crate::chance::Draw;

/// One call before it is an event: where it is recorded and what it asks for.
#[derive(Debug, Clone)]
pub(super) struct ApiCall {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) source: &'static str,
    pub(super) name: &'static str,
    pub(super) parameters: Value,
    pub(super) response: Value,
    /// The name or id by which the request names its resource.
    pub(super) subject: String,
    /// Its type, for those that CloudTrail finds events by.
    pub(super) kind: Option<&'static str>,
    /// What a service says that did something by itself.
    pub(super) details: Option<Value>,
}

const ORGANIZATIONS: &str = "organizations.amazonaws.com";
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

impl World {
    /// The calls by which a change is made.
    pub(super) fn calls_of(&self, change: &Change) -> Result<Vec<ApiCall>, ChangeError> {
        let account = self.account(&change.account);
        if let Operation::CreateAccount(_) = change.operation {
            return Ok(self.creation(change, self.in_organization()?));
        }
        let account = account.ok_or_else(|| ChangeError::NoAccount {
            account: change.account.clone(),
        })?;
        if matches!(
            change.operation,
            Operation::SuspendAccount | Operation::Unsubscribe { by_link: true, .. }
        ) {
            return Ok(Vec::new());
        }
        let call = match self.regional(change, account) {
            Some(call) => call,
            None => self.global(change, account)?,
        };
        Ok(vec![call])
    }

    fn in_organization(&self) -> Result<&Organization, ChangeError> {
        self.organization
            .as_ref()
            .ok_or(ChangeError::NoOrganization)
    }

    /// A call that is recorded in the account and region of what it changes.
    fn regional(&self, change: &Change, account: &Account) -> Option<ApiCall> {
        let partition = self.partition.name();
        let (id, region) = (&change.account, &change.region);
        let arn =
            |service: &str, what: &str| format!("arn:{partition}:{service}:{region}:{id}:{what}");
        let (source, subject, parameters) = match &change.operation {
            Operation::PutMetricFilter { log_group, filter } => (
                "logs.amazonaws.com",
                filter.name.clone(),
                filter_parameters(log_group, filter),
            ),
            Operation::DeleteMetricFilter { log_group, filter } => (
                "logs.amazonaws.com",
                filter.clone(),
                json!({ "logGroupName": log_group, "filterName": filter }),
            ),
            Operation::DeleteLogGroup { log_group } => (
                "logs.amazonaws.com",
                log_group.clone(),
                json!({ "logGroupName": log_group }),
            ),
            Operation::PutMetricAlarm(alarm) => (
                "monitoring.amazonaws.com",
                alarm.name.clone(),
                alarm_parameters(alarm),
            ),
            Operation::DeleteAlarms { alarm }
            | Operation::DisableAlarmActions { alarm }
            | Operation::EnableAlarmActions { alarm } => (
                "monitoring.amazonaws.com",
                alarm.clone(),
                json!({ "alarmNames": [alarm] }),
            ),
            Operation::UpdateTrail(trail) => (
                "cloudtrail.amazonaws.com",
                trail.name.clone(),
                trail_parameters(trail),
            ),
            // The console names a trail by its ARN, the command line often by its name.
            Operation::DeleteTrail { trail } | Operation::StopLogging { trail } => (
                "cloudtrail.amazonaws.com",
                trail.clone(),
                json!({ "name": arn("cloudtrail", &format!("trail/{trail}")) }),
            ),
            Operation::StartLogging { trail } => (
                "cloudtrail.amazonaws.com",
                trail.clone(),
                json!({ "name": trail }),
            ),
            Operation::PutEventSelectors { trail, selectors } => (
                "cloudtrail.amazonaws.com",
                trail.clone(),
                selector_parameters(trail, selectors),
            ),
            Operation::DeleteTopic { topic } => (
                "sns.amazonaws.com",
                topic.clone(),
                json!({ "topicArn": arn("sns", topic) }),
            ),
            Operation::Subscribe {
                topic,
                subscription: Subscription { protocol, .. },
            } => (
                "sns.amazonaws.com",
                topic.clone(),
                json!({
                    "topicArn": arn("sns", topic), "protocol": protocol, "endpoint": HIDDEN,
                    "returnSubscriptionArn": true,
                }),
            ),
            Operation::Unsubscribe {
                topic, endpoint, ..
            } => {
                let topic_arn = arn("sns", topic);
                let subscription = account.topic(region, topic).and_then(|topic| {
                    let position = topic.confirmed(endpoint.as_deref())?;
                    Some(topic.subscription_arn(&topic_arn, position))
                });
                let parameters = json!({ "subscriptionArn": subscription });
                ("sns.amazonaws.com", topic.clone(), parameters)
            }
            _ => return None,
        };
        let kind = match source {
            "cloudtrail.amazonaws.com" => Some("AWS::CloudTrail::Trail"),
            "sns.amazonaws.com" => Some("AWS::SNS::Topic"),
            "monitoring.amazonaws.com" => Some("AWS::CloudWatch::Alarm"),
            _ => None,
        };
        Some(ApiCall {
            account: id.clone(),
            region: region.clone(),
            source,
            name: change.operation.name(),
            parameters,
            response: Value::Null,
            subject,
            kind,
            details: None,
        })
    }

    /// A call to IAM or Organizations, which record in one region: IAM in the account, and
    /// Organizations in the account that calls.
    fn global(&self, change: &Change, account: &Account) -> Result<ApiCall, ChangeError> {
        let id = &change.account;
        if let Some((role, parameters)) = self.role_call(change) {
            return Ok(ApiCall {
                account: id.clone(),
                region: iam_region(self.partition).to_owned(),
                source: "iam.amazonaws.com",
                name: change.operation.name(),
                parameters,
                response: Value::Null,
                subject: role.to_owned(),
                kind: Some("AWS::IAM::Role"),
                details: None,
            });
        }
        let organization = self.in_organization()?;
        let mut recorded_in = &organization.management_account;
        let parameters = match &change.operation {
            Operation::MoveAccount { unit } => {
                // What is not there yet is made with the change, and its id follows from its path.
                let mut later = organization.clone();
                later.add_unit(unit);
                let destination = later.unit_at(unit).map_or(&later.root_id, |unit| &unit.id);
                json!({
                    "accountId": id, "sourceParentId": organization.parent_of(account),
                    "destinationParentId": destination,
                })
            }
            Operation::LeaveOrganization => {
                recorded_in = id;
                Value::Null
            }
            Operation::AttachPolicy { deny, regions }
            | Operation::DetachPolicy { deny, regions } => policy_parameters(id, deny, regions),
            Operation::TagResource { tags } => {
                let tags = tags.iter();
                let tags = tags.map(|(key, value)| json!({ "key": key, "value": value }));
                json!({ "resourceId": id, "tags": tags.collect::<Vec<_>>() })
            }
            Operation::UntagResource { keys } => json!({ "resourceId": id, "tagKeys": keys }),
            _ => json!({ "accountId": id }),
        };
        Ok(ApiCall {
            account: recorded_in.clone(),
            region: self.partition.default_region().to_owned(),
            source: ORGANIZATIONS,
            name: change.operation.name(),
            parameters,
            response: Value::Null,
            subject: id.clone(),
            kind: None,
            details: None,
        })
    }

    fn role_call<'a>(&self, change: &'a Change) -> Option<(&'a str, Value)> {
        match &change.operation {
            Operation::DeleteRole { role } => Some((role, json!({ "roleName": role }))),
            Operation::UpdateAssumeRolePolicy { role, trusted } => {
                let principals = trusted.as_ref().map(|trusted| {
                    let own = trusted.iter().chain([&change.account]);
                    own.map(|id| format!("arn:{}:iam::{id}:root", self.partition.name()))
                        .collect::<Vec<_>>()
                });
                let document = json!({
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Principal": { "AWS": principals.map_or(json!("*"), |list| json!(list)) },
                        "Action": "sts:AssumeRole",
                    }],
                });
                let parameters =
                    json!({ "roleName": role, "policyDocument": document.to_string() });
                Some((role, parameters))
            }
            _ => None,
        }
    }

    /// The call, which does not tell who the account will be, and the event that does.
    fn creation(&self, change: &Change, organization: &Organization) -> Vec<ApiCall> {
        let request = Draw::new(0, &["creation", &change.account])
            .key_text(32)
            .to_lowercase();
        let status = |state: &str| json!({ "id": format!("car-{request}"), "state": state, "accountName": "****" });
        let mut done = status("SUCCEEDED");
        done["accountId"] = json!(change.account);
        let call = ApiCall {
            account: organization.management_account.clone(),
            region: self.partition.default_region().to_owned(),
            source: ORGANIZATIONS,
            name: change.operation.name(),
            parameters: json!({ "accountName": "****", "email": "****" }),
            response: json!({ "createAccountStatus": status("IN_PROGRESS") }),
            subject: change.account.clone(),
            kind: None,
            details: None,
        };
        let result = ApiCall {
            name: "CreateAccountResult",
            parameters: Value::Null,
            response: Value::Null,
            details: Some(json!({ "createAccountStatus": done })),
            ..call.clone()
        };
        vec![call, result]
    }
}

/// IAM's own region in each partition.
fn iam_region(partition: Partition) -> &'static str {
    match partition {
        Partition::China => "cn-north-1",
        Partition::Aws | Partition::GovCloud => partition.default_region(),
    }
}

fn policy_parameters(target: &str, deny: &[String], regions: &[String]) -> Value {
    let parts: Vec<&str> = deny.iter().chain(regions).map(String::as_str).collect();
    let id = Draw::new(0, &parts).key_text(8).to_lowercase();
    json!({ "policyId": format!("p-{id}"), "targetId": target })
}

fn filter_parameters(log_group: &str, filter: &MetricFilter) -> Value {
    let mut transformation = json!({
        "metricName": filter.metric,
        "metricNamespace": filter.namespace,
        "metricValue": filter.value,
    });
    if let Some(default) = filter.default_value {
        transformation["defaultValue"] = json!(default);
    }
    json!({
        "logGroupName": log_group,
        "filterName": filter.name,
        "filterPattern": filter.pattern,
        "metricTransformations": [transformation],
    })
}

fn alarm_parameters(alarm: &Alarm) -> Value {
    let mut parameters = json!({
        "alarmName": alarm.name,
        "alarmDescription": alarm.description,
        "actionsEnabled": alarm.actions_enabled,
        "alarmActions": alarm.alarm_actions,
        "evaluationPeriods": alarm.evaluation_periods,
        "comparisonOperator": alarm.comparison,
        "treatMissingData": alarm.treat_missing_data,
    });
    if alarm.queries.is_empty() {
        parameters["metricName"] = json!(alarm.metric);
        parameters["namespace"] = json!(alarm.namespace);
        parameters["period"] = json!(alarm.period);
    }
    if let Some(statistic) = &alarm.statistic {
        parameters["statistic"] = json!(statistic);
    }
    if let Some(threshold) = alarm.threshold {
        parameters["threshold"] = json!(threshold);
    }
    parameters
}

fn trail_parameters(trail: &Trail) -> Value {
    let mut parameters = json!({
        "name": trail.name,
        "s3BucketName": trail.s3_bucket,
        "isMultiRegionTrail": trail.is_multi_region,
        "isOrganizationTrail": trail.is_organization,
    });
    if let Some(group) = &trail.log_group_arn {
        parameters["cloudWatchLogsLogGroupArn"] = json!(group);
    }
    parameters
}

fn selector_parameters(trail: &str, selectors: &Selectors) -> Value {
    let mut parameters = json!({ "trailName": trail });
    match selectors {
        Selectors::Basic(basic) => {
            let all = basic.iter().map(|one| {
                json!({
                    "readWriteType": one.read_write_type,
                    "includeManagementEvents": one.include_management_events,
                    "dataResources": [],
                    "excludeManagementEventSources": one.exclude_sources,
                })
            });
            parameters["eventSelectors"] = all.collect();
        }
        Selectors::Advanced(advanced) => {
            let fields = |one: &AdvancedSelector| -> Value {
                let fields = one.fields.iter();
                fields
                    .map(|field| json!({ "field": field.field, "equals": field.equals }))
                    .collect()
            };
            let all = advanced
                .iter()
                .map(|one| json!({ "name": one.name, "fieldSelectors": fields(one) }));
            parameters["advancedEventSelectors"] = all.collect();
        }
    }
    parameters
}
