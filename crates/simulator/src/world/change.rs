//! Changes that somebody makes to a world, each an operation of AWS.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    Account, AccountState, Actor, Alarm, MetricFilter, Selectors, Subscription, SubscriptionState,
    Topic, Trail, World,
};

/// An operation that changes an account, or its place in the organization.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The id of the account that changes.
    pub account: String,
    /// Where it changes; what is global has no need of it.
    pub region: String,
    pub operation: Operation,
}

/// What is done, in AWS's words.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Adds a filter, or replaces the one of the same name.
    PutMetricFilter {
        log_group: String,
        filter: Box<MetricFilter>,
    },
    DeleteMetricFilter {
        log_group: String,
        filter: String,
    },
    DeleteLogGroup {
        log_group: String,
    },
    /// Adds an alarm, or replaces the one of the same name.
    PutMetricAlarm(Box<Alarm>),
    DeleteAlarms {
        alarm: String,
    },
    DisableAlarmActions {
        alarm: String,
    },
    EnableAlarmActions {
        alarm: String,
    },
    /// Everything but whether it logs, what it selects and how delivery goes.
    UpdateTrail(Box<Trail>),
    DeleteTrail {
        trail: String,
    },
    StartLogging {
        trail: String,
    },
    StopLogging {
        trail: String,
    },
    PutEventSelectors {
        trail: String,
        selectors: Selectors,
    },
    DeleteTopic {
        topic: String,
    },
    Subscribe {
        topic: String,
        subscription: Subscription,
    },
    /// Ends the first confirmed subscription of the endpoint, or of anybody.
    Unsubscribe {
        topic: String,
        endpoint: Option<String>,
        /// By the link in an e-mail, which nobody signs and CloudTrail does not record.
        by_link: bool,
    },
    CloseAccount {
        /// What the account becomes.
        state: AccountState,
    },
    /// AWS does it by itself, so that no call is recorded.
    SuspendAccount,
    MoveAccount {
        /// Names from the root; empty for the root itself.
        unit: String,
    },
    /// Tags the account in the organization, or gives tags other values.
    TagResource {
        tags: BTreeMap<String, String>,
    },
    UntagResource {
        keys: Vec<String>,
    },
    CreateAccount(Box<Account>),
    RemoveAccountFromOrganization,
    /// The account does it, so that it alone has the record.
    LeaveOrganization,
    UpdateAssumeRolePolicy {
        role: String,
        /// The accounts that may enter; `None` for the whole organization. The account itself
        /// always may.
        trusted: Option<Vec<String>>,
    },
    DeleteRole {
        role: String,
    },
    /// A service control policy that denies actions, and everything in regions.
    AttachPolicy {
        deny: Vec<String>,
        regions: Vec<String>,
    },
    /// Takes away what [`AttachPolicy`](Self::AttachPolicy) brought.
    DetachPolicy {
        deny: Vec<String>,
        regions: Vec<String>,
    },
}

/// Why a change cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    #[error("there is no account {account}")]
    NoAccount { account: String },

    #[error("account {account} is there already")]
    AccountExists { account: String },

    #[error("account {account} has no {what} `{name}` in {region}")]
    Missing {
        account: String,
        region: String,
        what: &'static str,
        name: String,
    },

    #[error("the world has no organization")]
    NoOrganization,
}

/// When a change is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) seed: u64,
    pub(crate) now: Timestamp,
    /// How much waiting was skipped so far: events show up so much earlier.
    pub(crate) skipped: SignedDuration,
}

impl Change {
    pub fn new(
        account: impl Into<String>,
        region: impl Into<String>,
        operation: Operation,
    ) -> Self {
        Self {
            account: account.into(),
            region: region.into(),
            operation,
        }
    }
}

impl Operation {
    /// The name of AWS's operation. AWS suspends accounts without one.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PutMetricFilter { .. } => "PutMetricFilter",
            Self::DeleteMetricFilter { .. } => "DeleteMetricFilter",
            Self::DeleteLogGroup { .. } => "DeleteLogGroup",
            Self::PutMetricAlarm(_) => "PutMetricAlarm",
            Self::DeleteAlarms { .. } => "DeleteAlarms",
            Self::DisableAlarmActions { .. } => "DisableAlarmActions",
            Self::EnableAlarmActions { .. } => "EnableAlarmActions",
            Self::UpdateTrail(_) => "UpdateTrail",
            Self::DeleteTrail { .. } => "DeleteTrail",
            Self::StartLogging { .. } => "StartLogging",
            Self::StopLogging { .. } => "StopLogging",
            Self::PutEventSelectors { .. } => "PutEventSelectors",
            Self::DeleteTopic { .. } => "DeleteTopic",
            Self::Subscribe { .. } => "Subscribe",
            Self::Unsubscribe { .. } => "Unsubscribe",
            Self::CloseAccount { .. } => "CloseAccount",
            Self::SuspendAccount => "SuspendAccount",
            Self::MoveAccount { .. } => "MoveAccount",
            Self::TagResource { .. } => "TagResource",
            Self::UntagResource { .. } => "UntagResource",
            Self::CreateAccount(_) => "CreateAccount",
            Self::RemoveAccountFromOrganization => "RemoveAccountFromOrganization",
            Self::LeaveOrganization => "LeaveOrganization",
            Self::UpdateAssumeRolePolicy { .. } => "UpdateAssumeRolePolicy",
            Self::DeleteRole { .. } => "DeleteRole",
            Self::AttachPolicy { .. } => "AttachPolicy",
            Self::DetachPolicy { .. } => "DetachPolicy",
        }
    }
}

impl World {
    /// Makes a change and lets CloudTrail record it; a change that fails leaves all as it was.
    pub(crate) fn change(
        &mut self,
        change: &Change,
        by: &Actor,
        moment: Moment,
    ) -> Result<(), ChangeError> {
        // Said before it is done: an event names what was there.
        let calls = self.calls_of(change)?;
        self.perform(change)?;
        for call in calls {
            self.record_call(&call, by, moment);
        }
        Ok(())
    }

    fn perform(&mut self, change: &Change) -> Result<(), ChangeError> {
        let Change { account: id, .. } = change;
        match &change.operation {
            Operation::CreateAccount(account) => {
                if self.account(id).is_some() {
                    return Err(ChangeError::AccountExists {
                        account: id.clone(),
                    });
                }
                if let Some(organization) = &mut self.organization {
                    organization.add_unit(&account.unit);
                }
                self.add(Account::clone(account));
                Ok(())
            }
            Operation::MoveAccount { unit } => {
                self.move_to_unit(id, unit);
                Ok(())
            }
            operation => {
                let account = self.account_mut(id).ok_or_else(|| ChangeError::NoAccount {
                    account: id.clone(),
                })?;
                perform(account, &change.region, operation).map_err(|(what, name)| {
                    ChangeError::Missing {
                        account: id.clone(),
                        region: change.region.clone(),
                        what,
                        name: name.to_owned(),
                    }
                })
            }
        }
    }
}

/// What is not there.
type Missing<'a> = (&'static str, &'a str);

fn perform<'a>(
    account: &mut Account,
    region: &str,
    operation: &'a Operation,
) -> Result<(), Missing<'a>> {
    match operation {
        Operation::PutMetricFilter { log_group, filter } => {
            let filters = filters(account, region, log_group)?;
            match filters.iter_mut().find(|one| one.name == filter.name) {
                Some(one) => one.clone_from(filter),
                None => filters.push(MetricFilter::clone(filter)),
            }
        }
        Operation::DeleteMetricFilter { log_group, filter } => {
            let filters = filters(account, region, log_group)?;
            let is_it = |one: &MetricFilter| one.name == *filter;
            remove(filters, is_it, ("metric filter", filter))?;
        }
        Operation::DeleteLogGroup { log_group } => {
            let groups = &mut account.log_groups;
            remove(
                groups,
                |one| one.region == region && one.name == *log_group,
                ("log group", log_group),
            )?;
        }
        Operation::PutMetricAlarm(alarm) => {
            let same = |one: &&mut Alarm| one.name == alarm.name && one.region == alarm.region;
            match account.alarms.iter_mut().find(same) {
                Some(one) => one.clone_from(alarm),
                None => account.alarms.push(Alarm::clone(alarm)),
            }
        }
        Operation::DeleteAlarms { alarm } => {
            let is_it = |one: &Alarm| one.name == *alarm && one.region == region;
            remove(&mut account.alarms, is_it, ("alarm", alarm))?;
        }
        Operation::DisableAlarmActions { alarm } => {
            find_alarm(account, region, alarm)?.actions_enabled = false;
        }
        Operation::EnableAlarmActions { alarm } => {
            find_alarm(account, region, alarm)?.actions_enabled = true;
        }
        Operation::UpdateTrail(trail) => {
            let old = find_trail(account, region, &trail.name)?;
            *old = Trail {
                is_logging: old.is_logging,
                selectors: old.selectors.clone(),
                delivery: old.delivery.clone(),
                ..Trail::clone(trail)
            };
        }
        Operation::DeleteTrail { trail } => {
            let is_it = |one: &Trail| one.name == *trail && one.home_region == region;
            remove(&mut account.trails, is_it, ("trail", trail))?;
        }
        Operation::StartLogging { trail } => find_trail(account, region, trail)?.is_logging = true,
        Operation::StopLogging { trail } => find_trail(account, region, trail)?.is_logging = false,
        Operation::PutEventSelectors { trail, selectors } => {
            let trail = find_trail(account, region, trail)?;
            trail.selectors.clone_from(selectors);
        }
        Operation::DeleteTopic { topic } => {
            let is_it = |one: &Topic| one.name == *topic && one.region == region;
            remove(&mut account.topics, is_it, ("topic", topic))?;
        }
        Operation::Subscribe {
            topic,
            subscription,
        } => {
            let topic = find_topic(account, region, topic)?;
            topic.subscriptions.push(subscription.clone());
        }
        Operation::Unsubscribe {
            topic, endpoint, ..
        } => {
            let topic = find_topic(account, region, topic)?;
            let position = topic.confirmed(endpoint.as_deref());
            let missing = ("confirmed subscription", endpoint.as_deref().unwrap_or("*"));
            topic.subscriptions.remove(position.ok_or(missing)?);
        }
        operation => return perform_on_account(account, operation),
    }
    Ok(())
}

/// What has no region: the account's place in the organization, who may enter and what is forbidden.
fn perform_on_account<'a>(
    account: &mut Account,
    operation: &'a Operation,
) -> Result<(), Missing<'a>> {
    match operation {
        Operation::CloseAccount { state } => account.state = *state,
        Operation::SuspendAccount => account.state = AccountState::Suspended,
        Operation::RemoveAccountFromOrganization | Operation::LeaveOrganization => {
            account.is_member = false;
        }
        Operation::TagResource { tags } => account.tags.extend(tags.clone()),
        Operation::UntagResource { keys } => account.tags.retain(|key, _| !keys.contains(key)),
        Operation::UpdateAssumeRolePolicy { role, trusted } => {
            let own = account.id.clone();
            let found = account.roles.iter_mut().find(|one| one.name == *role);
            found.ok_or(("role", role.as_str()))?.trusted_accounts = match trusted {
                None => Vec::new(),
                Some(trusted) => trusted.iter().cloned().chain([own]).collect(),
            };
        }
        Operation::DeleteRole { role } => {
            remove(&mut account.roles, |one| one.name == *role, ("role", role))?;
        }
        Operation::AttachPolicy { deny, regions } => {
            account.scp_deny.extend_from_slice(deny);
            account.region_deny.extend_from_slice(regions);
        }
        Operation::DetachPolicy { deny, regions } => {
            account.scp_deny.retain(|action| !deny.contains(action));
            account
                .region_deny
                .retain(|region| !regions.contains(region));
        }
        // Of what has a region, or of the world and not of an account in it.
        _ => {}
    }
    Ok(())
}

impl Topic {
    /// The place of the first confirmed subscription, of an endpoint or of anybody.
    pub(super) fn confirmed(&self, endpoint: Option<&str>) -> Option<usize> {
        self.subscriptions.iter().position(|one| {
            one.state == SubscriptionState::Confirmed
                && endpoint.is_none_or(|endpoint| one.endpoint == endpoint)
        })
    }
}

fn remove<'a, T>(
    list: &mut Vec<T>,
    is_it: impl Fn(&T) -> bool,
    missing: Missing<'a>,
) -> Result<(), Missing<'a>> {
    let position = list.iter().position(is_it).ok_or(missing)?;
    list.remove(position);
    Ok(())
}

fn filters<'w, 'a>(
    account: &'w mut Account,
    region: &str,
    log_group: &'a str,
) -> Result<&'w mut Vec<MetricFilter>, Missing<'a>> {
    let groups = &mut account.log_groups;
    let group = groups
        .iter_mut()
        .find(|group| group.region == region && group.name == log_group);
    let group = group.ok_or(("log group", log_group))?;
    Ok(&mut group.metric_filters)
}

fn find_alarm<'w, 'a>(
    account: &'w mut Account,
    region: &str,
    name: &'a str,
) -> Result<&'w mut Alarm, Missing<'a>> {
    let alarms = &mut account.alarms;
    let found = alarms
        .iter_mut()
        .find(|one| one.region == region && one.name == name);
    found.ok_or(("alarm", name))
}

fn find_trail<'w, 'a>(
    account: &'w mut Account,
    region: &str,
    name: &'a str,
) -> Result<&'w mut Trail, Missing<'a>> {
    let trails = &mut account.trails;
    let found = trails
        .iter_mut()
        .find(|one| one.home_region == region && one.name == name);
    found.ok_or(("trail", name))
}

fn find_topic<'w, 'a>(
    account: &'w mut Account,
    region: &str,
    name: &'a str,
) -> Result<&'w mut Topic, Missing<'a>> {
    let topics = &mut account.topics;
    let found = topics
        .iter_mut()
        .find(|one| one.region == region && one.name == name);
    found.ok_or(("topic", name))
}
