//! The controls, read from `config/controls/`.

mod control_file;
mod in_words;
mod lookup;
mod prescription;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use filter_pattern::{FieldConstraint, RequiredEvent};
use include_dir::{Dir, include_dir};
use model::{ContentHash, ControlId};
use serde::{Deserialize, Serialize};

use control_file::ControlFile;

pub use lookup::FindControlError;
pub use prescription::{AlarmSettings, Prescription};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../config/controls");

/// A control: what must be recorded, matched and told to somebody.
#[derive(Debug, Clone)]
pub struct Control {
    /// Its slug, the same in all versions of the benchmark.
    pub id: ControlId,
    /// Its title, in our words.
    pub title: String,
    /// How bad it is to fail it.
    pub severity: Severity,
    /// The CIS profile level, in the newest version of the benchmark.
    pub level: u8,
    /// Why it matters.
    pub rationale: String,
    /// What surprises about it, or is wrong with the benchmark's own text; each a paragraph.
    pub notes: Vec<String>,
    /// Its numbers in the CIS AWS Foundations Benchmark, oldest version first.
    pub benchmarks: Vec<BenchmarkSection>,
    /// Its names in other tools, by tool.
    pub aliases: BTreeMap<String, String>,
    /// What to put in place where it is missing.
    pub prescription: Prescription,
    content_hash: ContentHash,
    groups: Vec<EventGroup>,
    required: Vec<RequiredEvent>,
    asked_for: Vec<RequiredEvent>,
}

/// Required events that differ by name only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventGroup {
    /// What they are called in an answer: the names of the events, or a few words for events that
    /// are told by something else than their name.
    pub names: Vec<String>,
    /// Whether `names` are the values of `eventName`.
    pub are_event_names: bool,
    /// What makes a record one of these events, besides the event's name.
    pub fields: BTreeMap<String, FieldConstraint>,
    /// What is in every record of these events: a filter may demand it or not.
    pub always: BTreeMap<String, FieldConstraint>,
    /// What records of these events hold where CloudTrail writes it, which it need not.
    pub optional: BTreeMap<String, FieldConstraint>,
    /// To what the benchmark lets a filter keep, and so miss the rest of these events.
    pub may_demand: BTreeMap<String, FieldConstraint>,
}

/// How bad it is to fail a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth mending some day.
    Low,
    /// Worth mending soon.
    Medium,
    /// Worth mending now.
    High,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

/// The number of a control in some versions of the benchmark.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkSection {
    /// The versions, such as `v5.0`.
    pub versions: Vec<String>,
    /// The number, such as `4.15`.
    pub section: String,
}

/// A catalogue file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Not the TOML of a control.
    #[error("control file {file}: {source}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong, with its line.
        source: Box<toml::de::Error>,
    },
    /// Two files have the same name, in the same version of the benchmark if it is a number.
    #[error("control file {file}: the name `{name}` is taken by `{other}`")]
    DuplicateName {
        /// The second file.
        file: String,
        /// The name.
        name: String,
        /// The control of the first file.
        other: ControlId,
    },
}

/// All controls, in the order of their numbers.
#[derive(Debug, Clone)]
pub struct Catalog {
    controls: Vec<Control>,
}

impl Catalog {
    /// The catalogue that is part of the binary.
    pub fn embedded() -> Result<Self, CatalogError> {
        let files = EMBEDDED
            .files()
            .filter(|file| file.path().extension().is_some_and(|it| it == "toml"))
            .filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)));
        Self::read(files)
    }

    fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, CatalogError> {
        let mut controls: Vec<Control> = Vec::new();
        let mut taken: BTreeMap<String, ControlId> = BTreeMap::new();
        for (file, text) in files {
            let control_file: ControlFile =
                toml::from_str(text).map_err(|source| CatalogError::Malformed {
                    file: file.to_owned(),
                    source: Box::new(source),
                })?;
            let control = control_file.control(text);
            for name in control.unambiguous_names() {
                if let Some(other) = taken.insert(name.clone(), control.id.clone()) {
                    return Err(CatalogError::DuplicateName {
                        file: file.to_owned(),
                        name,
                        other,
                    });
                }
            }
            controls.push(control);
        }
        controls.sort_by(|a, b| (a.position(), &a.id).cmp(&(b.position(), &b.id)));
        Ok(Self { controls })
    }

    /// Every control, in the order of the benchmark.
    pub fn controls(&self) -> impl Iterator<Item = &Control> {
        self.controls.iter()
    }

    /// The versions of the benchmark, oldest first.
    pub fn versions(&self) -> Vec<&str> {
        let rows = self.controls().flat_map(|control| &control.benchmarks);
        let mut versions: Vec<&str> = rows
            .flat_map(|row| row.versions.iter().map(String::as_str))
            .collect();
        versions.sort_by_key(|version| parts(version));
        versions.dedup();
        versions
    }

    /// The control of this slug.
    pub fn get(&self, id: &ControlId) -> Option<&Control> {
        self.controls.iter().find(|control| control.id == *id)
    }
}

impl Control {
    /// The SHA-256 of the file that describes it: another one may judge otherwise.
    pub fn content_hash(&self) -> ContentHash {
        self.content_hash
    }

    /// The events that must reach somebody. Where the benchmark lets a filter leave some out, those
    /// that remain.
    pub fn required_events(&self) -> &[RequiredEvent] {
        &self.required
    }

    /// Whether all required events change something.
    pub(crate) fn are_writes(&self) -> bool {
        self.required.iter().all(|event| {
            let read_only = event.fields.get("readOnly").or(event.holds.get("readOnly"));
            read_only == Some(&FieldConstraint::IsFalse)
        })
    }

    /// The events that a filter may tell somebody of without being called noisy: the required ones,
    /// and those that the benchmark lets a filter leave out.
    pub fn asked_for_events(&self) -> &[RequiredEvent] {
        &self.asked_for
    }

    /// The required events, by what they have in common.
    pub fn event_groups(&self) -> &[EventGroup] {
        &self.groups
    }

    /// The fields of required events that CloudTrail need not write, such as `readOnly`: a proof
    /// that rests on one is worth less.
    pub fn optional_fields(&self) -> BTreeSet<&str> {
        let groups = self.groups.iter();
        groups
            .flat_map(|group| group.optional.keys())
            .map(String::as_str)
            .collect()
    }

    /// Its number in most versions of the benchmark, such as `4.15`.
    pub fn number(&self) -> &str {
        let most = self.benchmarks.iter().max_by_key(|row| row.versions.len());
        most.map_or("", |row| row.section.as_str())
    }

    /// Its number in a version of the benchmark, if it is in it.
    pub fn number_in(&self, version: &str) -> Option<&str> {
        let is_in = |row: &&BenchmarkSection| row.versions.iter().any(|known| known == version);
        let row = self.benchmarks.iter().find(is_in);
        row.map(|row| row.section.as_str())
    }

    /// Where it stands among the controls: 15 of `4.15`.
    fn position(&self) -> u32 {
        let last = self.number().rsplit('.').next();
        last.and_then(|number| number.parse().ok())
            .unwrap_or(u32::MAX)
    }

    /// The services whose events are required; none where events of any service are.
    pub(crate) fn event_sources(&self) -> Vec<&str> {
        let mut sources: Vec<&str> = self
            .groups
            .iter()
            .filter_map(EventGroup::event_source)
            .collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}

impl EventGroup {
    /// The service that these events come from, if it is a single one.
    pub fn event_source(&self) -> Option<&str> {
        let source = self.fields.get("eventSource");
        match source.or_else(|| self.always.get("eventSource")) {
            Some(FieldConstraint::Equals(source)) => Some(source),
            _ => None,
        }
    }
}

/// The numbers of `v4.0.1`.
fn parts(version: &str) -> Vec<u32> {
    version
        .trim_start_matches('v')
        .split('.')
        .map(|part| part.parse().unwrap_or(u32::MAX))
        .collect()
}

#[cfg(test)]
mod tests;
