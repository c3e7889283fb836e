//! One AWS account with what it holds.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Alarm, CompositeAlarm, EventRule, LogGroup, MuteRule, Partition, Topic, Trail};
use crate::chance::Draw;

/// The role that AWS Organizations creates in accounts it opens, and that every generated account
/// but the management account has.
pub const DEFAULT_ROLE: &str = "OrganizationAccountAccessRole";

#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub email: String,
    pub state: AccountState,
    /// Where it sits, as names from the root: `Workloads/Production`. Empty at the root itself.
    pub unit: String,
    pub tags: BTreeMap<String, String>,
    pub roles: Vec<Role>,
    /// Whether it belongs to the organization. An account of somebody else does not.
    pub is_member: bool,
    /// Whether the organization's trail has reached it. It has not where the account joined
    /// lately, or where trusted access was taken away.
    pub sees_organization_trail: bool,
    /// The services it administers for the organization.
    pub delegated_services: Vec<String>,
    /// Opt-in regions that it has enabled.
    pub opted_in_regions: Vec<String>,
    /// Actions that an identity policy denies to everybody here; `*` and `?` are wildcards.
    pub deny: Vec<String>,
    /// Actions that a service control policy denies.
    pub scp_deny: Vec<String>,
    /// Regions that a service control policy closes; `eu-*` is understood.
    pub region_deny: Vec<String>,
    pub trails: Vec<Trail>,
    pub log_groups: Vec<LogGroup>,
    pub alarms: Vec<Alarm>,
    pub composite_alarms: Vec<CompositeAlarm>,
    pub mute_rules: Vec<MuteRule>,
    pub topics: Vec<Topic>,
    pub event_rules: Vec<EventRule>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountState {
    PendingActivation,
    #[default]
    Active,
    Suspended,
    PendingClosure,
    Closed,
}

impl AccountState {
    pub fn name(self) -> &'static str {
        match self {
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
        }
    }

    /// What the older `Status` field says: it knows three states only.
    pub fn old_name(self) -> &'static str {
        match self {
            Self::PendingActivation | Self::Active => "ACTIVE",
            Self::Suspended | Self::Closed => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
        }
    }
}

/// A role that somebody may assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// With its path, if it has one: `audit/Scanner`.
    pub name: String,
    /// What the trust policy wants to hear.
    pub external_id: Option<String>,
    pub max_session_seconds: i64,
    /// Actions that the role's policy allows; `None` allows whatever the simulator can answer.
    pub allow: Option<Vec<String>>,
    /// Accounts whose principals the trust policy admits; empty admits the whole organization.
    pub trusted_accounts: Vec<String>,
}

impl Role {
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            external_id: None,
            max_session_seconds: 3600,
            allow: None,
            trusted_accounts: Vec::new(),
        }
    }
}

impl Account {
    /// An active member with the role `OrganizationAccountAccessRole` and nothing else in it.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        let (id, name) = (id.into(), name.into());
        Self {
            email: format!("aws+{id}@example.com"),
            id,
            name,
            state: AccountState::Active,
            unit: String::new(),
            tags: BTreeMap::new(),
            roles: vec![Role::new(DEFAULT_ROLE)],
            is_member: true,
            sees_organization_trail: true,
            delegated_services: Vec::new(),
            opted_in_regions: Vec::new(),
            deny: Vec::new(),
            scp_deny: Vec::new(),
            region_deny: Vec::new(),
            trails: Vec::new(),
            log_groups: Vec::new(),
            alarms: Vec::new(),
            composite_alarms: Vec::new(),
            mute_rules: Vec::new(),
            topics: Vec::new(),
            event_rules: Vec::new(),
        }
    }

    pub fn log_group(&self, region: &str, name: &str) -> Option<&LogGroup> {
        self.log_groups
            .iter()
            .find(|group| group.region == region && group.name == name)
    }

    pub fn topic(&self, region: &str, name: &str) -> Option<&Topic> {
        self.topics
            .iter()
            .find(|topic| topic.region == region && topic.name == name)
    }

    /// Whether calls to `region` reach the account at all.
    pub fn has_region(&self, partition: Partition, region: &str) -> bool {
        partition.regions().contains(&region)
            || self
                .opted_in_regions
                .iter()
                .any(|enabled| enabled == region)
    }

    /// Seconds since 1970 at which something of this account was made: any fixed time will do,
    /// as long as asking twice gives the same.
    pub(crate) fn made_at(&self, what: &str) -> jiff::Timestamp {
        const FIRST_DAY: i64 = 1_577_836_800;
        const FOUR_YEARS: u64 = 4 * 365 * 86_400;
        let age = Draw::new(0, &[&self.id, what]).below(FOUR_YEARS);
        let second = FIRST_DAY + i64::try_from(age).unwrap_or(0);
        jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}
