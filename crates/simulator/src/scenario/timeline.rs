//! The changes of a scenario: as they are written, and what they mean.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::ScenarioError;
use super::format::{AccountTable, AlarmTable, FilterTable, SubscriptionTable, TrailTable};
use super::pieces;
use super::resolve::{self, Place};
use crate::world::{
    AccountState, Actor, BenchmarkControl, ChainNames, Change, DEFAULT_ROLE, Moment, Naming,
    Operation, Subscription, SubscriptionState, Timeline, TimelineEntry, World,
};

/// An entry of the timeline. What the change takes stands beside these keys.
#[derive(Debug)]
pub(super) struct EntryTable {
    after: Option<SignedDuration>,
    by: Actor,
    account: Option<String>,
    region: Option<String>,
    change: ChangeTable,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case", deny_unknown_fields)]
enum ChangeTable {
    PutMetricFilter(Box<FilterTable>),
    DeleteMetricFilter(FilterName),
    DeleteLogGroup(LogGroupName),
    PutMetricAlarm(Box<AlarmTable>),
    DeleteAlarms(AlarmName),
    DisableAlarmActions(AlarmName),
    EnableAlarmActions(AlarmName),
    UpdateTrail(Box<TrailTable>),
    DeleteTrail(TrailName),
    StartLogging(TrailName),
    StopLogging(TrailName),
    PutEventSelectors(Box<TrailTable>),
    DeleteTopic(TopicName),
    Subscribe(NewSubscription),
    Unsubscribe(OldSubscription),
    CloseAccount {
        #[serde(default = "pending_closure")]
        state: AccountState,
    },
    SuspendAccount {},
    MoveAccount {
        unit: String,
    },
    TagResource {
        tags: BTreeMap<String, String>,
    },
    UntagResource {
        keys: Vec<String>,
    },
    CreateAccount(Box<AccountTable>),
    RemoveAccountFromOrganization {},
    LeaveOrganization {},
    UpdateAssumeRolePolicy {
        role: Option<String>,
        trusted: Option<Vec<String>>,
    },
    DeleteRole {
        role: Option<String>,
    },
    AttachPolicy(Denials),
    DetachPolicy(Denials),
}

fn pending_closure() -> AccountState {
    AccountState::PendingClosure
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FilterName {
    control: BenchmarkControl,
    name: Option<String>,
    log_group: String,
}

impl Default for FilterName {
    fn default() -> Self {
        Self {
            control: BenchmarkControl::default(),
            name: None,
            log_group: ChainNames::default().log_group,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LogGroupName {
    name: String,
}

impl Default for LogGroupName {
    fn default() -> Self {
        Self {
            name: ChainNames::default().log_group,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AlarmName {
    control: BenchmarkControl,
    name: Option<String>,
}

impl AlarmName {
    fn resolve(self) -> String {
        self.name
            .unwrap_or_else(|| Naming::Slugs.of(self.control).alarm)
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TrailName {
    name: String,
}

impl Default for TrailName {
    fn default() -> Self {
        Self {
            name: ChainNames::default().trail,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TopicName {
    name: String,
}

impl Default for TopicName {
    fn default() -> Self {
        Self {
            name: ChainNames::default().topic,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NewSubscription {
    topic: String,
    protocol: String,
    endpoint: String,
    state: SubscriptionState,
}

impl Default for NewSubscription {
    fn default() -> Self {
        let SubscriptionTable {
            protocol,
            endpoint,
            state,
        } = SubscriptionTable::default();
        Self {
            topic: ChainNames::default().topic,
            protocol,
            endpoint,
            state,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OldSubscription {
    topic: String,
    endpoint: Option<String>,
    by_link: bool,
}

impl Default for OldSubscription {
    fn default() -> Self {
        Self {
            topic: ChainNames::default().topic,
            endpoint: None,
            by_link: false,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Denials {
    deny: Vec<String>,
    regions: Vec<String>,
}

impl EntryTable {
    /// Reads the entry at place `number`, which the error names.
    pub(super) fn read(number: usize, mut table: toml::Table) -> Result<Self, ScenarioError> {
        let wrong = |problem: String| ScenarioError::Timeline {
            entry: number,
            problem,
        };
        let mut text = |name: &str| match table.remove(name) {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(format!("`{name}` is no text"))),
        };
        let (account, region, after) = (text("account")?, text("region")?, text("after")?);
        let after = after
            .map(|after| after.parse::<SignedDuration>())
            .transpose()
            .map_err(|error| wrong(format!("`after`: {error}")))?;
        let by = table
            .remove("by")
            .map_or(Ok(Actor::default()), Actor::deserialize);
        let by = by.map_err(|error| wrong(format!("`by`: {}", error.message())))?;
        let change = ChangeTable::deserialize(table);
        Ok(Self {
            after,
            by,
            account,
            region,
            change: change.map_err(|error| wrong(error.message().to_owned()))?,
        })
    }

    /// The account that it makes, if it makes one.
    pub(super) fn created(&self) -> Option<&AccountTable> {
        match &self.change {
            ChangeTable::CreateAccount(account) => Some(account),
            _ => None,
        }
    }
}

/// Puts the entries on the world's timeline, once it is sure that each can be made.
pub(super) fn add(
    world: &mut World,
    entries: Vec<EntryTable>,
    tables: &[AccountTable],
    place: &Place<'_>,
    management: &str,
) -> Result<(), ScenarioError> {
    let mut timeline = VecDeque::with_capacity(entries.len());
    for (number, entry) in (1..).zip(entries) {
        timeline.push_back(resolved(number, entry, tables, place, management)?);
    }
    if timeline.is_empty() {
        return Ok(());
    }
    world.timeline = Timeline::of(timeline);
    let mut trial = world.clone();
    let moment = Moment {
        seed: 0,
        now: Timestamp::UNIX_EPOCH,
        skipped: SignedDuration::ZERO,
    };
    for number in 1..=world.timeline.entries.len() {
        let outcome = trial.next_change(moment);
        outcome.map_err(|error| ScenarioError::Timeline {
            entry: number,
            problem: error.to_string(),
        })?;
    }
    Ok(())
}

fn resolved(
    number: usize,
    entry: EntryTable,
    tables: &[AccountTable],
    place: &Place<'_>,
    management: &str,
) -> Result<TimelineEntry, ScenarioError> {
    let wrong = |problem: &str| ScenarioError::Timeline {
        entry: number,
        problem: problem.to_owned(),
    };
    let named = match (&entry.account, entry.created()) {
        (Some(name), None) => name.clone(),
        (None, Some(created)) => created.name.clone(),
        (None, None) => return Err(wrong("`account` is missing")),
        (Some(_), Some(_)) => return Err(wrong("a new account has a `name` and no `account`")),
    };
    let id = place
        .names
        .id(&format!("timeline entry {number}"), &named)?;
    // The table is there for what is said of mistakes.
    let table = tables
        .iter()
        .find(|table| place.names.is(table, &id))
        .ok_or_else(|| wrong("the account is not in the scenario"))?;
    let region = place.region(entry.region.as_ref());
    let operation = operation(
        entry.change,
        entry.region.as_ref(),
        table,
        &id,
        place,
        management,
    )?;
    let is_policy = matches!(operation, Operation::AttachPolicy { .. });
    if is_policy && id == management {
        return Err(wrong(
            "service control policies do not bind the management account",
        ));
    }
    Ok(TimelineEntry {
        after: entry.after,
        change: Change::new(id, region, operation),
        by: entry.by,
    })
}

fn operation(
    change: ChangeTable,
    region: Option<&String>,
    account: &AccountTable,
    id: &str,
    place: &Place<'_>,
    management: &str,
) -> Result<Operation, ScenarioError> {
    let role = |role: Option<String>| {
        role.or_else(|| place.role_name())
            .unwrap_or_else(|| DEFAULT_ROLE.to_owned())
    };
    Ok(match change {
        ChangeTable::PutMetricFilter(table) => Operation::PutMetricFilter {
            filter: Box::new(pieces::metric_filter(account, &table)?),
            log_group: table.log_group,
        },
        ChangeTable::DeleteMetricFilter(table) => Operation::DeleteMetricFilter {
            filter: table
                .name
                .unwrap_or_else(|| Naming::Slugs.of(table.control).filter),
            log_group: table.log_group,
        },
        ChangeTable::DeleteLogGroup(table) => Operation::DeleteLogGroup {
            log_group: table.name,
        },
        ChangeTable::PutMetricAlarm(mut table) => {
            table.region = region.cloned();
            Operation::PutMetricAlarm(Box::new(pieces::alarm(&table, id, place)?))
        }
        ChangeTable::DeleteAlarms(table) => Operation::DeleteAlarms {
            alarm: table.resolve(),
        },
        ChangeTable::DisableAlarmActions(table) => Operation::DisableAlarmActions {
            alarm: table.resolve(),
        },
        ChangeTable::EnableAlarmActions(table) => Operation::EnableAlarmActions {
            alarm: table.resolve(),
        },
        ChangeTable::UpdateTrail(mut table) => {
            table.region = region.cloned();
            let trail = pieces::trail(account, &table, id, place)?;
            Operation::UpdateTrail(Box::new(trail))
        }
        ChangeTable::DeleteTrail(table) => Operation::DeleteTrail { trail: table.name },
        ChangeTable::StartLogging(table) => Operation::StartLogging { trail: table.name },
        ChangeTable::StopLogging(table) => Operation::StopLogging { trail: table.name },
        ChangeTable::PutEventSelectors(table) => {
            let trail = pieces::trail(account, &table, id, place)?;
            Operation::PutEventSelectors {
                trail: trail.name,
                selectors: trail.selectors,
            }
        }
        ChangeTable::DeleteTopic(table) => Operation::DeleteTopic { topic: table.name },
        ChangeTable::Subscribe(table) => Operation::Subscribe {
            topic: table.topic,
            subscription: Subscription {
                protocol: table.protocol,
                endpoint: table.endpoint,
                state: table.state,
                owner: None,
            },
        },
        ChangeTable::Unsubscribe(table) => Operation::Unsubscribe {
            topic: table.topic,
            endpoint: table.endpoint,
            by_link: table.by_link,
        },
        ChangeTable::CloseAccount { state } => Operation::CloseAccount { state },
        ChangeTable::SuspendAccount {} => Operation::SuspendAccount,
        ChangeTable::MoveAccount { unit } => Operation::MoveAccount { unit },
        ChangeTable::TagResource { tags } => Operation::TagResource { tags },
        ChangeTable::UntagResource { keys } => Operation::UntagResource { keys },
        ChangeTable::CreateAccount(table) => {
            let account = resolve::account(&table, place, management)?;
            Operation::CreateAccount(Box::new(account))
        }
        ChangeTable::RemoveAccountFromOrganization {} => Operation::RemoveAccountFromOrganization,
        ChangeTable::LeaveOrganization {} => Operation::LeaveOrganization,
        ChangeTable::UpdateAssumeRolePolicy {
            role: name,
            trusted,
        } => {
            let ids = |names: Vec<String>| {
                let names = names.iter();
                names
                    .map(|name| place.names.id("a role's trusted accounts", name))
                    .collect::<Result<Vec<_>, _>>()
            };
            Operation::UpdateAssumeRolePolicy {
                role: role(name),
                trusted: trusted.map(ids).transpose()?,
            }
        }
        ChangeTable::DeleteRole { role: name } => Operation::DeleteRole { role: role(name) },
        ChangeTable::AttachPolicy(Denials { deny, regions }) => {
            Operation::AttachPolicy { deny, regions }
        }
        ChangeTable::DetachPolicy(Denials { deny, regions }) => {
            Operation::DetachPolicy { deny, regions }
        }
    })
}
