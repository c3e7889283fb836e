//! AWS's request quotas: how often which calls may be made, and whom they are charged to.
//!
//! The figures are those that AWS publishes (Organizations and IAM quotas, CloudTrail, CloudWatch
//! and CloudWatch Logs quotas of the user guides, SNS and Account references). Where AWS publishes
//! a rate and no burst, the burst is one second's worth; where it publishes nothing, that is said
//! beside the figure. The product keeps a table of its own: this one is what it is tested against.

use crate::service::Service;

/// A rate that calls draw on together, within its scope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quota {
    pub(crate) service: Service,
    pub(crate) operations: &'static [&'static str],
    pub(crate) per_second: f64,
    pub(crate) burst: f64,
    pub(crate) scope: Scope,
}

/// What has a token bucket of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The account whose credentials sign, in each region.
    AccountRegion,
    /// The account whose credentials sign, wherever it calls.
    Account,
    /// Everybody in the organization together.
    Organization,
}

impl Quota {
    const fn new(
        service: Service,
        operations: &'static [&'static str],
        per_second: f64,
        burst: f64,
        scope: Scope,
    ) -> Self {
        Self {
            service,
            operations,
            per_second,
            burst,
            scope,
        }
    }

    /// In each region of each account, with a burst of one second's worth.
    const fn regional(
        service: Service,
        operations: &'static [&'static str],
        per_second: f64,
    ) -> Self {
        Self::new(
            service,
            operations,
            per_second,
            per_second,
            Scope::AccountRegion,
        )
    }

    /// Of the account that calls Organizations.
    const fn own(operations: &'static [&'static str], per_second: f64, burst: f64) -> Self {
        Self::new(
            Service::Organizations,
            operations,
            per_second,
            burst,
            Scope::Account,
        )
    }

    /// Of all that call Organizations from within one.
    const fn shared(operations: &'static [&'static str], per_second: f64, burst: f64) -> Self {
        Self::new(
            Service::Organizations,
            operations,
            per_second,
            burst,
            Scope::Organization,
        )
    }

    /// The quotas that a call draws on, with their places in [`QUOTAS`].
    pub(crate) fn of(
        service: Service,
        operation: &str,
    ) -> impl Iterator<Item = (usize, &'static Self)> {
        QUOTAS.iter().enumerate().filter(move |(_, quota)| {
            quota.service == service && quota.operations.contains(&operation)
        })
    }
}

/// Every quota that is enforced. An operation that is not here has none.
pub(crate) static QUOTAS: [Quota; 28] = [
    // STS charges whoever calls, and not the account that AssumeRole enters.
    Quota::regional(Service::Sts, &["AssumeRole", "GetCallerIdentity"], 600.0),
    Quota::own(&["ListAccounts"], 8.0, 12.0),
    Quota::shared(&["ListAccounts"], 9.0, 15.0),
    Quota::own(&["ListAccountsForParent"], 5.0, 8.0),
    Quota::shared(&["ListAccountsForParent"], 6.0, 10.0),
    Quota::own(&["ListOrganizationalUnitsForParent"], 5.0, 8.0),
    Quota::shared(&["ListOrganizationalUnitsForParent"], 6.0, 10.0),
    Quota::own(&["ListParents"], 5.0, 8.0),
    Quota::shared(&["ListParents"], 6.0, 10.0),
    Quota::own(&["ListDelegatedAdministrators"], 5.0, 8.0),
    Quota::shared(&["ListDelegatedAdministrators"], 6.0, 10.0),
    Quota::own(&["ListRoots"], 1.0, 2.0),
    Quota::shared(&["ListRoots"], 1.0, 3.0),
    Quota::own(&["ListTagsForResource"], 10.0, 15.0),
    Quota::shared(&["ListTagsForResource"], 12.0, 18.0),
    Quota::own(&["DescribeAccount"], 20.0, 30.0),
    Quota::shared(&["DescribeAccount"], 24.0, 36.0),
    Quota::own(&["DescribeOrganization"], 1.0, 2.0),
    Quota::new(Service::Account, &["ListRegions"], 5.0, 5.0, Scope::Account),
    Quota::regional(
        Service::CloudTrail,
        &["DescribeTrails", "GetTrailStatus", "GetEventSelectors"],
        10.0,
    ),
    Quota::regional(Service::CloudTrail, &["LookupEvents"], 2.0),
    Quota::regional(Service::Logs, &["DescribeMetricFilters"], 5.0),
    Quota::regional(Service::Logs, &["DescribeLogGroups"], 10.0),
    Quota::regional(Service::CloudWatch, &["DescribeAlarms"], 9.0),
    Quota::regional(Service::CloudWatch, &["DescribeAlarmsForMetric"], 9.0),
    // Not published: taken to be that of CloudWatch's other reads.
    Quota::regional(Service::CloudWatch, &["ListAlarmMuteRules"], 9.0),
    Quota::regional(Service::Sns, &["ListSubscriptionsByTopic"], 30.0),
    // Not published: well below that of the lists of SNS. EventBridge publishes none for its
    // reads either, and is not limited here.
    Quota::regional(Service::Sns, &["GetTopicAttributes"], 10.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_organizations_answers_is_charged_to_the_account_and_to_the_organization() {
        let scopes = |operation| {
            Quota::of(Service::Organizations, operation)
                .map(|(_, quota)| quota.scope)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            scopes("ListAccounts"),
            [Scope::Account, Scope::Organization]
        );
        assert_eq!(scopes("DescribeOrganization"), [Scope::Account]);
        assert_eq!(scopes("MoveAccount"), []);
    }

    #[test]
    fn reads_of_trails_share_one_quota_and_other_services_have_their_own() {
        let place = |operation| {
            Quota::of(Service::CloudTrail, operation)
                .map(|it| it.0)
                .next()
        };
        assert!(place("DescribeTrails").is_some());
        assert_eq!(place("DescribeTrails"), place("GetTrailStatus"));
        assert_ne!(place("DescribeTrails"), place("LookupEvents"));
        assert_eq!(Quota::of(Service::Logs, "DescribeTrails").count(), 0);
    }
}
