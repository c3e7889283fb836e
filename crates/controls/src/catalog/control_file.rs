//! A file of `config/controls/`, and the control it describes. `config/controls/README.md` says
//! what the keys mean.

use std::collections::BTreeMap;

use filter_pattern::{FieldConstraint, FilterPattern, RequiredEvent};
use model::{ContentHash, ControlId};
use serde::Deserialize;

use super::{BenchmarkSection, Control, EventGroup, Prescription, Severity};

/// The longest pattern that CloudWatch Logs takes.
const LONGEST_PATTERN: usize = 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ControlFile {
    id: ControlId,
    title: String,
    severity: Severity,
    level: u8,
    rationale: String,
    #[serde(default)]
    notes: Vec<String>,
    benchmarks: Vec<BenchmarkSection>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    required: Vec<RequiredTable>,
    prescribed: PrescribedTable,
}

/// Events that share their constraints and differ by name, or one kind of event that is not told by
/// a name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequiredKeys {
    #[serde(default)]
    event_names: Vec<String>,
    name: Option<String>,
    #[serde(default)]
    fields: BTreeMap<String, Constraint>,
    #[serde(default)]
    always: BTreeMap<String, Constraint>,
    #[serde(default)]
    holds: BTreeMap<String, Constraint>,
    #[serde(default)]
    may_demand: BTreeMap<String, Constraint>,
}

#[derive(Deserialize)]
#[serde(try_from = "RequiredKeys")]
struct RequiredTable(EventGroup);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrescribedTable {
    metric_namespace: String,
    metric_name: String,
    filter_pattern: PatternText,
}

/// A filter pattern that CloudWatch Logs takes.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct PatternText(String);

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Constraint {
    Equals(String),
    OneOf(Vec<String>),
    NotEquals(String),
    NotOneOf(Vec<String>),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    IsTrue,
    IsFalse,
    Present,
    Absent,
    AbsentOr(Box<Constraint>),
}

impl From<Constraint> for FieldConstraint {
    fn from(constraint: Constraint) -> Self {
        match constraint {
            Constraint::Equals(value) => Self::Equals(value),
            Constraint::OneOf(values) => Self::OneOf(values),
            Constraint::NotEquals(value) => Self::NotEquals(value),
            Constraint::NotOneOf(values) => Self::NotOneOf(values),
            Constraint::StartsWith(value) => Self::StartsWith(value),
            Constraint::EndsWith(value) => Self::EndsWith(value),
            Constraint::Contains(value) => Self::Contains(value),
            Constraint::IsTrue => Self::IsTrue,
            Constraint::IsFalse => Self::IsFalse,
            Constraint::Present => Self::Present,
            Constraint::Absent => Self::Absent,
            Constraint::AbsentOr(inner) => Self::AbsentOr(Box::new(Self::from(*inner))),
        }
    }
}

impl TryFrom<RequiredKeys> for RequiredTable {
    type Error = String;

    fn try_from(keys: RequiredKeys) -> Result<Self, String> {
        let (names, are_event_names) = match (keys.event_names, keys.name) {
            (names, None) if !names.is_empty() => (names, true),
            (names, Some(name)) if names.is_empty() => (vec![name], false),
            _ => return Err("give either `event_names`, not empty, or `name`".to_owned()),
        };
        if !are_event_names && keys.fields.is_empty() {
            return Err("events without `event_names` are told by `fields`".to_owned());
        }
        if are_event_names && keys.fields.contains_key("eventName") {
            return Err("`event_names` and a field `eventName` contradict each other".to_owned());
        }
        Ok(Self(EventGroup {
            names,
            are_event_names,
            fields: constraints(keys.fields),
            always: constraints(keys.always),
            optional: constraints(keys.holds),
            may_demand: constraints(keys.may_demand),
        }))
    }
}

impl TryFrom<String> for PatternText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let length = text.chars().count();
        if length > LONGEST_PATTERN {
            return Err(format!(
                "the pattern has {length} characters, of which CloudWatch Logs takes {LONGEST_PATTERN}"
            ));
        }
        match FilterPattern::parse(&text) {
            Ok(_) => Ok(Self(text)),
            Err(error) => Err(format!("not a filter pattern: {error}")),
        }
    }
}

impl ControlFile {
    /// The control that the file with this text describes.
    pub(super) fn control(self, text: &str) -> Control {
        let file = self;
        let groups: Vec<EventGroup> = file.required.into_iter().map(|table| table.0).collect();
        let required = groups.iter().flat_map(EventGroup::required).collect();
        let asked_for = groups.iter().flat_map(EventGroup::asked_for).collect();
        Control {
            content_hash: ContentHash::of_text(text),
            id: file.id,
            title: file.title,
            severity: file.severity,
            level: file.level,
            rationale: file.rationale,
            notes: file.notes,
            benchmarks: file.benchmarks,
            aliases: file.aliases,
            prescription: Prescription::new(
                file.prescribed.filter_pattern.0,
                file.prescribed.metric_namespace,
                file.prescribed.metric_name,
            ),
            groups,
            required,
            asked_for,
        }
    }
}

impl EventGroup {
    /// What every filter must match.
    fn required(&self) -> impl Iterator<Item = RequiredEvent> {
        // Behind `fields`, so that it may say more of the same field.
        let kept_to = self.may_demand.iter();
        self.asked_for().map(move |event| {
            kept_to.clone().fold(event, |event, (path, constraint)| {
                event.field(path, constraint.clone())
            })
        })
    }

    /// What a filter may match.
    fn asked_for(&self) -> impl Iterator<Item = RequiredEvent> {
        self.names.iter().map(|name| {
            let mut event = RequiredEvent::new(name);
            if self.are_event_names {
                event = event.field("eventName", FieldConstraint::equals(name));
            }
            for (path, constraint) in &self.fields {
                event = event.field(path, constraint.clone());
            }
            for (path, constraint) in self.always.iter().chain(&self.optional) {
                event = event.holding(path, constraint.clone());
            }
            event
        })
    }
}

fn constraints(of_file: BTreeMap<String, Constraint>) -> BTreeMap<String, FieldConstraint> {
    let pairs = of_file.into_iter();
    pairs
        .map(|(path, constraint)| (path, constraint.into()))
        .collect()
}
