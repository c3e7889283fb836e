//! From the written scenario to a world: names become ids, what was left out is filled in.

use std::collections::{HashMap, HashSet};

use super::ScenarioError;
use super::format::{
    AccountTable, AlarmTable, ChainKind, File, FilterTable, LogGroupTable, RoleTable, TopicTable,
};
use super::pieces;
use super::timeline::{self, EntryTable};
use crate::world::{Account, BenchmarkControl, Organization, Partition, Role, World};

/// Ids of accounts that do not say theirs: 111100000001, 111100000002 and so on.
const FIRST_ID: u64 = 111_100_000_001;

pub(super) fn world(file: File) -> Result<World, ScenarioError> {
    let tables = repeated(file.account);
    let first = tables.first().ok_or(ScenarioError::NoAccount)?;
    let entries = (1..)
        .zip(file.timeline)
        .map(|(number, table)| EntryTable::read(number, table))
        .collect::<Result<Vec<_>, _>>()?;
    // With those that come later, so that whoever is there from the start may already trust them.
    let created = entries.iter().filter_map(EntryTable::created).cloned();
    let all_tables: Vec<AccountTable> = tables.iter().cloned().chain(created).collect();
    let ids = assign_ids(&all_tables)?;
    let names = Names { ids: &ids };
    let management = match &file.organization.management {
        Some(name) => names.id("organization.management", name)?,
        None => names.id("organization", &first.name)?,
    };
    let region = file
        .region
        .clone()
        .unwrap_or_else(|| file.partition.default_region().to_owned());
    let place = Place {
        partition: file.partition,
        region,
        names,
        role: &file.role,
        organization: &file.organization.id,
    };

    let mut accounts = tables
        .iter()
        .map(|table| account(table, &place, &management))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter();
    let first = accounts.next().ok_or(ScenarioError::NoAccount)?;
    let mut world = World::new(file.partition, first);
    for account in accounts {
        world.add(account);
    }

    let mut organization = Organization::new(&file.organization.id, &management);
    organization.feature_set = file.organization.feature_set;
    for table in &tables {
        organization.add_unit(&table.unit);
    }
    world.organization = file.organization.exists.then_some(organization);
    world.caller.account = match &file.caller.account {
        Some(name) => place.names.id("caller.account", name)?,
        None => management.clone(),
    };
    if let Some(principal) = file.caller.principal {
        world.caller.principal = principal;
    }
    world.quirks = file.quirks;
    world.load = file.load;
    world.faults = file.fault;
    for fault in &mut world.faults {
        if let Some(account) = &fault.account {
            fault.account = Some(place.names.id("fault.account", account)?);
        }
    }
    if let Some(canary) = &file.canary {
        world.plant_canary(canary);
    }
    world.event_history.settings = file.event_history;
    timeline::add(&mut world, entries, &all_tables, &place, &management)?;
    Ok(world)
}

fn repeated(tables: Vec<AccountTable>) -> Vec<AccountTable> {
    let mut all = Vec::with_capacity(tables.len());
    for table in tables {
        match table.count {
            None => all.push(table),
            Some(count) => all.extend((1..=count).map(|number| AccountTable {
                name: format!("{}-{number}", table.name),
                ..table.clone()
            })),
        }
    }
    all
}

fn assign_ids(tables: &[AccountTable]) -> Result<HashMap<String, String>, ScenarioError> {
    let mut ids = HashMap::new();
    let mut taken = HashSet::new();
    for (number, table) in (FIRST_ID..).zip(tables) {
        let id = table.id.clone().unwrap_or_else(|| number.to_string());
        if id.len() != 12 || !id.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(problem(table, format!("`{id}` is not twelve digits")));
        }
        let duplicate = |what, value: &str| ScenarioError::Duplicate {
            account: table.name.clone(),
            what,
            value: value.to_owned(),
        };
        if !taken.insert(id.clone()) {
            return Err(duplicate("id", &id));
        }
        if ids.insert(table.name.clone(), id).is_some() {
            return Err(duplicate("name", &table.name));
        }
    }
    Ok(ids)
}

pub(super) fn problem(table: &AccountTable, problem: String) -> ScenarioError {
    ScenarioError::Account {
        account: table.name.clone(),
        problem,
    }
}

/// Finds accounts by name or id.
pub(super) struct Names<'a> {
    ids: &'a HashMap<String, String>,
}

impl Names<'_> {
    /// Whether the account of the table has that id.
    pub(super) fn is(&self, table: &AccountTable, id: &str) -> bool {
        self.ids.get(&table.name).is_some_and(|own| own == id)
    }

    pub(super) fn id(&self, place: &str, reference: &str) -> Result<String, ScenarioError> {
        if let Some(id) = self.ids.get(reference) {
            return Ok(id.clone());
        }
        if self.ids.values().any(|id| id == reference) {
            return Ok(reference.to_owned());
        }
        Err(ScenarioError::UnknownAccount {
            place: place.to_owned(),
            account: reference.to_owned(),
        })
    }
}

/// What all accounts of a scenario share.
pub(super) struct Place<'a> {
    pub(super) partition: Partition,
    region: String,
    pub(super) names: Names<'a>,
    role: &'a RoleTable,
    /// Its id.
    pub(super) organization: &'a str,
}

impl Place<'_> {
    /// What roles are called in this scenario, if it says so.
    pub(super) fn role_name(&self) -> Option<String> {
        self.role.name.clone()
    }

    pub(super) fn region(&self, own: Option<&String>) -> String {
        own.unwrap_or(&self.region).clone()
    }

    /// ARNs for actions: `topic`, `topic@account`, either with `/region`, or an ARN.
    pub(super) fn actions(
        &self,
        id: &str,
        region: &str,
        actions: &[String],
    ) -> Result<Vec<String>, ScenarioError> {
        actions
            .iter()
            .map(|action| {
                if action.starts_with("arn:") {
                    return Ok(action.clone());
                }
                let (name, region) = action.split_once('/').unwrap_or((action, region));
                let (topic, owner) = match name.split_once('@') {
                    Some((topic, owner)) => (topic, self.names.id("an alarm's actions", owner)?),
                    None => (name, id.to_owned()),
                };
                Ok(format!(
                    "arn:{}:sns:{region}:{owner}:{topic}",
                    self.partition.name()
                ))
            })
            .collect()
    }
}

pub(super) fn account(
    table: &AccountTable,
    place: &Place<'_>,
    management: &str,
) -> Result<Account, ScenarioError> {
    let id = place.names.id("account", &table.name)?;
    let is_management = id == management;
    if is_management && !(table.scp_deny.is_empty() && table.region_deny.is_empty()) {
        let message = "service control policies do not bind the management account";
        return Err(problem(table, message.to_owned()));
    }
    let mut account = Account::new(id, &table.name);
    if let Some(email) = &table.email {
        account.email.clone_from(email);
    }
    account.state = table.state;
    account.unit.clone_from(&table.unit);
    account.tags.clone_from(&table.tags);
    account.is_member = table.member;
    account.sees_organization_trail = table.organization_trail;
    account
        .delegated_services
        .clone_from(&table.delegated_administrator);
    account.opted_in_regions.clone_from(&table.opted_in_regions);
    account.deny.clone_from(&table.deny);
    account.scp_deny.clone_from(&table.scp_deny);
    account.region_deny.clone_from(&table.region_deny);
    // AWS makes the role in accounts that the organization opens, so not in its first one.
    let roles = match &table.roles {
        Some(roles) => roles.clone(),
        None if is_management => Vec::new(),
        None => vec![RoleTable::default()],
    };
    account.roles = roles
        .iter()
        .map(|role| self::role(role, place))
        .collect::<Result<_, _>>()?;

    let complete = table.chain != ChainKind::None;
    let trails = or_default(table.trails.as_deref(), complete);
    account.trails = trails
        .iter()
        .map(|trail| pieces::trail(table, trail, &account.id, place))
        .collect::<Result<_, _>>()?;
    for group in or_default::<LogGroupTable>(table.log_groups.as_deref(), complete) {
        account.log_groups.push(pieces::log_group(&group, place));
    }
    for filter in filters(table).iter().filter(|filter| !filter.absent) {
        pieces::add_filter(&mut account, table, filter, place)?;
    }
    account.alarms = alarms(table)
        .iter()
        .filter(|alarm| !alarm.absent)
        .map(|alarm| pieces::alarm(alarm, &account.id, place))
        .collect::<Result<_, _>>()?;
    account.composite_alarms = table
        .composite_alarms
        .iter()
        .map(|alarm| pieces::composite_alarm(alarm, &account.id, place))
        .collect::<Result<_, _>>()?;
    account.topics = or_default::<TopicTable>(table.topics.as_deref(), complete)
        .iter()
        .map(|topic| pieces::topic(table, topic, &account.id, place))
        .collect::<Result<_, _>>()?;
    account.mute_rules = table
        .mute_rules
        .iter()
        .map(|rule| pieces::mute_rule(rule, place))
        .collect();
    account.event_rules = table
        .event_rules
        .iter()
        .map(|rule| pieces::event_rule(rule, &account.id, place))
        .collect::<Result<_, _>>()?;
    Ok(account)
}

fn filters(table: &AccountTable) -> Vec<FilterTable> {
    let written = table.filters.as_deref();
    if table.chain != ChainKind::Benchmark {
        return or_default(written, table.chain == ChainKind::Complete);
    }
    let of = |control| FilterTable {
        control,
        ..FilterTable::default()
    };
    each_control(written, |filter| filter.control, of)
}

fn alarms(table: &AccountTable) -> Vec<AlarmTable> {
    let written = table.alarms.as_deref();
    if table.chain != ChainKind::Benchmark {
        return or_default(written, table.chain == ChainKind::Complete);
    }
    let of = |control| AlarmTable {
        control,
        ..AlarmTable::default()
    };
    each_control(written, |alarm| alarm.control, of)
}

/// What is written for a control takes the place of what the benchmark chain would bring for it;
/// a list that was written empty takes the place of all.
fn each_control<T: Clone>(
    written: Option<&[T]>,
    control_of: impl Fn(&T) -> BenchmarkControl,
    default_of: impl Fn(BenchmarkControl) -> T,
) -> Vec<T> {
    if written.is_some_and(<[T]>::is_empty) {
        return Vec::new();
    }
    let written = written.unwrap_or_default();
    let is_written = |control| written.iter().any(|one| control_of(one) == control);
    BenchmarkControl::ALL
        .into_iter()
        .filter(|control| !is_written(*control))
        .map(default_of)
        .chain(written.iter().cloned())
        .collect()
}

/// A list that was written replaces what the chain would bring.
fn or_default<T: Clone + Default>(written: Option<&[T]>, complete: bool) -> Vec<T> {
    match written {
        Some(written) => written.to_vec(),
        None if complete => vec![T::default()],
        None => Vec::new(),
    }
}

fn role(table: &RoleTable, place: &Place<'_>) -> Result<Role, ScenarioError> {
    let all = place.role;
    let name = table.name.as_ref().or(all.name.as_ref());
    let mut role = Role::new(name.map_or("OrganizationAccountAccessRole", String::as_str));
    role.external_id = table
        .external_id
        .clone()
        .or_else(|| all.external_id.clone());
    role.allow = table.allow.clone().or_else(|| all.allow.clone());
    if let Some(seconds) = table.max_session_seconds.or(all.max_session_seconds) {
        role.max_session_seconds = seconds;
    }
    if let Some(trusted) = table.trusted.as_ref().or(all.trusted.as_ref()) {
        role.trusted_accounts = trusted
            .iter()
            .map(|account| place.names.id("a role's trusted accounts", account))
            .collect::<Result<_, _>>()?;
    }
    Ok(role)
}
