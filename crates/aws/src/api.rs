//! The calls the scanner makes: the one list behind rate limits, the session policy and metrics.

use std::fmt;

/// An AWS service that the scanner asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Security Token Service.
    Sts,
    /// AWS Organizations.
    Organizations,
    /// AWS Account Management.
    Account,
    /// CloudTrail.
    CloudTrail,
    /// CloudWatch Logs.
    Logs,
    /// CloudWatch.
    CloudWatch,
    /// Simple Notification Service.
    Sns,
    /// EventBridge.
    Events,
}

impl Service {
    /// The prefix of its IAM actions.
    pub fn iam_prefix(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Organizations => "organizations",
            Self::Account => "account",
            Self::CloudTrail => "cloudtrail",
            Self::Logs => "logs",
            Self::CloudWatch => "cloudwatch",
            Self::Sns => "sns",
            Self::Events => "events",
        }
    }
}

/// One API operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the operation of that name")]
pub enum Api {
    GetCallerIdentity,
    AssumeRole,
    DescribeOrganization,
    ListAccounts,
    ListRoots,
    ListOrganizationalUnitsForParent,
    ListAccountsForParent,
    ListDelegatedAdministrators,
    ListTagsForResource,
    ListRegions,
    DescribeTrails,
    GetTrailStatus,
    GetEventSelectors,
    LookupEvents,
    DescribeLogGroups,
    DescribeMetricFilters,
    DescribeAlarmsForMetric,
    DescribeAlarms,
    ListAlarmMuteRules,
    GetTopicAttributes,
    ListSubscriptionsByTopic,
    /// The one call that is no question: alerts are published with the program's own credentials, and no
    /// session of a sweep may do it.
    Publish,
    ListRules,
    ListTargetsByRule,
}

/// A quota of AWS: calls per second and how many may come at once.
///
/// The figures are AWS's published ones: Organizations and IAM quotas, CloudTrail, CloudWatch Logs
/// and CloudWatch quotas of the user guides, SNS API reference; where AWS publishes none, that is
/// said beside the figure. They are charged to the account whose credentials sign the call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quota {
    /// Calls that share this quota carry the same family name.
    pub(crate) family: &'static str,
    pub(crate) per_second: f64,
    pub(crate) burst: f64,
    pub(crate) scope: Scope,
    /// A second quota, rate and burst, that all accounts of the organization share.
    pub(crate) organization: Option<(f64, f64)>,
}

/// What AWS counts calls by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Each region of an account has its own quota.
    AccountAndRegion,
    /// The service is global: an account has one quota.
    Account,
}

impl Api {
    /// Every operation.
    pub const ALL: [Self; 24] = [
        Self::GetCallerIdentity,
        Self::AssumeRole,
        Self::DescribeOrganization,
        Self::ListAccounts,
        Self::ListRoots,
        Self::ListOrganizationalUnitsForParent,
        Self::ListAccountsForParent,
        Self::ListDelegatedAdministrators,
        Self::ListTagsForResource,
        Self::ListRegions,
        Self::DescribeTrails,
        Self::GetTrailStatus,
        Self::GetEventSelectors,
        Self::LookupEvents,
        Self::DescribeLogGroups,
        Self::DescribeMetricFilters,
        Self::DescribeAlarmsForMetric,
        Self::DescribeAlarms,
        Self::ListAlarmMuteRules,
        Self::GetTopicAttributes,
        Self::ListSubscriptionsByTopic,
        Self::Publish,
        Self::ListRules,
        Self::ListTargetsByRule,
    ];

    /// Its service.
    pub fn service(self) -> Service {
        match self {
            Self::GetCallerIdentity | Self::AssumeRole => Service::Sts,
            Self::DescribeOrganization
            | Self::ListAccounts
            | Self::ListRoots
            | Self::ListOrganizationalUnitsForParent
            | Self::ListAccountsForParent
            | Self::ListDelegatedAdministrators
            | Self::ListTagsForResource => Service::Organizations,
            Self::ListRegions => Service::Account,
            Self::DescribeTrails
            | Self::GetTrailStatus
            | Self::GetEventSelectors
            | Self::LookupEvents => Service::CloudTrail,
            Self::DescribeLogGroups | Self::DescribeMetricFilters => Service::Logs,
            Self::DescribeAlarmsForMetric | Self::DescribeAlarms | Self::ListAlarmMuteRules => {
                Service::CloudWatch
            }
            Self::GetTopicAttributes | Self::ListSubscriptionsByTopic | Self::Publish => {
                Service::Sns
            }
            Self::ListRules | Self::ListTargetsByRule => Service::Events,
        }
    }

    /// The name of the operation.
    pub fn operation(self) -> &'static str {
        match self {
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::AssumeRole => "AssumeRole",
            Self::DescribeOrganization => "DescribeOrganization",
            Self::ListAccounts => "ListAccounts",
            Self::ListRoots => "ListRoots",
            Self::ListOrganizationalUnitsForParent => "ListOrganizationalUnitsForParent",
            Self::ListAccountsForParent => "ListAccountsForParent",
            Self::ListDelegatedAdministrators => "ListDelegatedAdministrators",
            Self::ListTagsForResource => "ListTagsForResource",
            Self::ListRegions => "ListRegions",
            Self::DescribeTrails => "DescribeTrails",
            Self::GetTrailStatus => "GetTrailStatus",
            Self::GetEventSelectors => "GetEventSelectors",
            Self::LookupEvents => "LookupEvents",
            Self::DescribeLogGroups => "DescribeLogGroups",
            Self::DescribeMetricFilters => "DescribeMetricFilters",
            Self::DescribeAlarmsForMetric => "DescribeAlarmsForMetric",
            Self::DescribeAlarms => "DescribeAlarms",
            Self::ListAlarmMuteRules => "ListAlarmMuteRules",
            Self::GetTopicAttributes => "GetTopicAttributes",
            Self::ListSubscriptionsByTopic => "ListSubscriptionsByTopic",
            Self::Publish => "Publish",
            Self::ListRules => "ListRules",
            Self::ListTargetsByRule => "ListTargetsByRule",
        }
    }

    /// The IAM action that allows it, such as `cloudtrail:DescribeTrails`. For all calls of the
    /// scanner the action is named after the operation (Service Authorization Reference).
    pub fn iam_action(self) -> String {
        format!("{}:{}", self.service().iam_prefix(), self.operation())
    }

    pub(crate) fn quota(self) -> Quota {
        let (family, per_second, burst) = match self {
            Self::GetCallerIdentity | Self::AssumeRole => ("sts", 600.0, 600.0),
            Self::DescribeOrganization => ("describe-organization", 1.0, 2.0),
            Self::ListAccounts => ("list-accounts", 8.0, 12.0),
            Self::ListRoots => ("list-roots", 1.0, 2.0),
            Self::ListOrganizationalUnitsForParent => ("list-organizational-units", 5.0, 8.0),
            Self::ListAccountsForParent => ("list-accounts-for-parent", 5.0, 8.0),
            Self::ListDelegatedAdministrators => ("list-delegated-administrators", 5.0, 8.0),
            Self::ListTagsForResource => ("list-tags", 10.0, 15.0),
            Self::ListRegions => ("account", 5.0, 5.0),
            Self::DescribeTrails | Self::GetTrailStatus | Self::GetEventSelectors => {
                ("cloudtrail-read", 10.0, 10.0)
            }
            Self::LookupEvents => ("lookup-events", 2.0, 2.0),
            Self::DescribeLogGroups => ("log-groups", 10.0, 10.0),
            Self::DescribeMetricFilters => ("metric-filters", 5.0, 5.0),
            Self::DescribeAlarmsForMetric => ("alarms-for-metric", 9.0, 9.0),
            Self::DescribeAlarms => ("alarms", 9.0, 9.0),
            // Not published: taken to be that of CloudWatch's other reads.
            Self::ListAlarmMuteRules => ("mute-rules", 9.0, 9.0),
            // Not published: well below the 30 of the list calls of SNS.
            Self::GetTopicAttributes => ("topic-attributes", 10.0, 10.0),
            Self::ListSubscriptionsByTopic => ("subscriptions", 30.0, 30.0),
            // The lowest of any region's, for standard topics.
            Self::Publish => ("publish", 300.0, 300.0),
            // All calls but PutEvents together, in earlier editions of the user guide; the present
            // one gives no figure for these.
            Self::ListRules | Self::ListTargetsByRule => ("events", 50.0, 50.0),
        };
        let scope = match self.service() {
            Service::Organizations | Service::Account => Scope::Account,
            _ => Scope::AccountAndRegion,
        };
        let organization = match self {
            Self::ListAccounts => Some((9.0, 15.0)),
            Self::ListRoots => Some((1.0, 3.0)),
            Self::ListOrganizationalUnitsForParent
            | Self::ListAccountsForParent
            | Self::ListDelegatedAdministrators => Some((6.0, 10.0)),
            Self::ListTagsForResource => Some((12.0, 18.0)),
            _ => None,
        };
        Quota {
            family,
            per_second,
            burst,
            scope,
            organization,
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service().iam_prefix(), self.operation())
    }
}
