//! The fake organization: what exists in it, and who may read it.
//!
//! A world is plain data. Tests build one from a scenario file, from a seed or by hand, and may
//! change it between two sweeps.

mod account;
mod actor;
mod alarm;
mod api_call;
mod benchmark_patterns;
mod chain;
mod change;
mod event_history;
mod event_rule;
mod metric_filter;
mod mute_rule;
mod organization;
mod partition;
mod record_call;
mod timeline;
mod topic;
mod topic_policy;
mod trail;

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::faults::FaultRule;
use crate::load::Load;

pub use account::{Account, AccountState, DEFAULT_ROLE, Role};
pub use actor::Actor;
pub use alarm::{Alarm, CompositeAlarm, EvaluationWindow, MetricQuery};
pub use benchmark_patterns::BenchmarkControl;
pub(crate) use benchmark_patterns::narrowed;
pub(crate) use chain::log_group_arn;
pub use chain::{ChainNames, FilterNames, Naming};
pub(crate) use change::Moment;
pub use change::{Change, ChangeError, Operation};
pub use event_history::{
    EventDelay, EventDelayError, EventHistory, EventHistorySettings, EventResource, RecordedEvent,
};
pub use event_rule::{EventRule, EventTarget};
pub use metric_filter::{LogGroup, MetricFilter};
pub use mute_rule::{MuteKind, MuteRule, MuteStatus};
pub use organization::{Organization, OrganizationalUnit};
pub use partition::Partition;
pub use timeline::{Timeline, TimelineEntry};
pub use topic::{Subscription, SubscriptionState, Topic};
pub(crate) use topic_policy::default_policy;
pub use topic_policy::{PolicyKind, TopicPolicy};
pub use trail::{AdvancedSelector, Delivery, EventSelector, FieldSelector, Selectors, Trail};

/// Everything that the fake AWS knows.
#[derive(Debug, Clone)]
pub struct World {
    pub partition: Partition,
    /// `None` answers `AWSOrganizationsNotInUseException`, as for an account that stands alone.
    pub organization: Option<Organization>,
    pub caller: Caller,
    pub quirks: Quirks,
    /// Set up when the simulator starts; later ones come through `Simulator::fault`.
    pub faults: Vec<FaultRule>,
    /// How slow and how strict it is.
    pub load: Load,
    /// What will happen to it.
    pub timeline: Timeline,
    /// What CloudTrail has recorded.
    pub event_history: EventHistory,
    accounts: Vec<Account>,
    index: HashMap<String, usize>,
    /// The places of the organization's accounts, found when they are first listed: each page of
    /// a list would look at every account again.
    members: OnceLock<Vec<usize>>,
}

/// Who holds the static key that a scanner starts with.
#[derive(Debug, Clone)]
pub struct Caller {
    pub account: String,
    /// The part of the ARN behind the account: `user/…` or `assumed-role/…/…`.
    pub principal: String,
    pub access_key_id: String,
    pub secret_access_key: String,
}

/// Where AWS has answered differently over the years, and where field reports disagree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quirks {
    /// Whether accounts carry `State`, the field of today's API.
    pub account_state: bool,
    /// Whether accounts carry `Status`, the field that goes away.
    pub account_status: bool,
    /// Whether accounts carry `Paths`.
    pub account_paths: bool,
    /// Whether lists of Organizations come with empty pages in between.
    pub empty_pages: bool,
    /// Whether a member may ask for the status of the organization's trail by ARN.
    pub member_reads_organization_trail: bool,
    /// Smaller pages than the service's own, to page a small world.
    pub page_size: Option<usize>,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            account_state: true,
            account_status: true,
            account_paths: true,
            empty_pages: false,
            member_reads_organization_trail: false,
            page_size: None,
        }
    }
}

impl World {
    /// An organization of one: its management account, which is also where the caller is.
    pub fn new(partition: Partition, management: Account) -> Self {
        let mut world = Self {
            partition,
            organization: Some(Organization::new("o-simulated0", &management.id)),
            caller: Caller {
                account: management.id.clone(),
                principal: "user/scanner".to_owned(),
                access_key_id: "AKIASIMULATEDCALLER7".to_owned(),
                secret_access_key: "the-simulator-does-not-verify-signatures".to_owned(),
            },
            quirks: Quirks::default(),
            faults: Vec::new(),
            load: Load::default(),
            timeline: Timeline::default(),
            event_history: EventHistory::default(),
            accounts: Vec::new(),
            index: HashMap::new(),
            members: OnceLock::new(),
        };
        world.add(management);
        world
    }

    /// Adds an account, or replaces the one of the same id.
    pub fn add(&mut self, account: Account) {
        self.members.take();
        if let Some(&position) = self.index.get(&account.id) {
            self.accounts[position] = account;
        } else {
            self.index.insert(account.id.clone(), self.accounts.len());
            self.accounts.push(account);
        }
    }

    /// Takes an account out of the world, as when it was closed for good.
    pub fn remove(&mut self, id: &str) -> Option<Account> {
        self.members.take();
        let position = self.index.remove(id)?;
        let account = self.accounts.remove(position);
        for place in self.index.values_mut().filter(|place| **place > position) {
            *place -= 1;
        }
        Some(account)
    }

    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The places in [`accounts`](Self::accounts) of those that belong to the organization.
    pub(crate) fn members(&self) -> &[usize] {
        self.members.get_or_init(|| {
            (0..self.accounts.len())
                .filter(|place| self.accounts[*place].is_member)
                .collect()
        })
    }

    pub fn account(&self, id: &str) -> Option<&Account> {
        self.index.get(id).map(|&position| &self.accounts[position])
    }

    pub fn account_mut(&mut self, id: &str) -> Option<&mut Account> {
        self.members.take();
        self.index
            .get(id)
            .map(|&position| &mut self.accounts[position])
    }

    /// The first account of that name. Names are unique in scenarios, though not in AWS.
    pub fn named(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name)
    }

    pub fn named_mut(&mut self, name: &str) -> Option<&mut Account> {
        self.members.take();
        self.accounts
            .iter_mut()
            .find(|account| account.name == name)
    }

    /// The management account, where the world has an organization.
    pub fn management(&self) -> Option<&Account> {
        self.account(&self.organization.as_ref()?.management_account)
    }

    /// Plants `secret` in every text that people write freely, so that a test can prove that
    /// none of it travels further. Names of resources are no such texts: reports show them.
    pub fn plant_canary(&mut self, secret: &str) {
        for account in &mut self.accounts {
            account.email = format!("{secret}+{}", account.email);
            for value in account.tags.values_mut() {
                *value = format!("{value} {secret}");
            }
            account.tags.insert("note".to_owned(), secret.to_owned());
            for alarm in &mut account.alarms {
                alarm.description = format!("{} {secret}", alarm.description);
                secret.clone_into(&mut alarm.state_note);
            }
            for alarm in &mut account.composite_alarms {
                alarm.description = format!("{} {secret}", alarm.description);
                secret.clone_into(&mut alarm.state_note);
            }
            for rule in &mut account.event_rules {
                rule.description = format!("{} {secret}", rule.description);
                for target in &mut rule.targets {
                    target.input = Some(format!("\"{secret}\""));
                }
            }
            for topic in &mut account.topics {
                secret.clone_into(&mut topic.display_name);
                secret.clone_into(&mut topic.policy_note);
                for subscription in &mut topic.subscriptions {
                    subscription.endpoint = if subscription.protocol.starts_with("http") {
                        format!("{}/{secret}?token={secret}", subscription.endpoint)
                    } else {
                        format!("{secret}.{}", subscription.endpoint)
                    };
                }
            }
        }
    }
}
