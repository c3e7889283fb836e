//! The controls, read from `config/controls/`.

use std::{collections::BTreeMap, fmt};

use filter_pattern::{FieldConstraint, RequiredEvent};
use include_dir::{Dir, include_dir};
use model::ControlId;
use serde::Deserialize;

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
    /// The CIS profile level.
    pub level: u8,
    /// Why it matters.
    pub rationale: String,
    /// Its numbers in the CIS AWS Foundations Benchmark.
    pub benchmarks: Vec<BenchmarkSection>,
    /// Its names in other tools, by tool.
    pub aliases: BTreeMap<String, String>,
    required: Vec<RequiredEvent>,
}

/// How bad it is to fail a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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
    /// Two files have the same id.
    #[error("control file {file}: the id `{id}` is taken by another file")]
    DuplicateId {
        /// The second file.
        file: String,
        /// The id.
        id: ControlId,
    },
}

/// A name that no control has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no control is called `{given}`; known are: {}", .known.join(", "))]
pub struct UnknownControl {
    /// The name as given, made safe to print.
    pub given: String,
    /// The slugs of all controls.
    pub known: Vec<String>,
}

/// All controls, by slug.
#[derive(Debug, Clone)]
pub struct Catalog {
    controls: BTreeMap<ControlId, Control>,
}

impl Catalog {
    /// The catalogue that is part of the binary.
    pub fn embedded() -> Result<Self, CatalogError> {
        let files = EMBEDDED
            .files()
            .filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)));
        Self::read(files)
    }

    fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, CatalogError> {
        let mut controls = BTreeMap::new();
        for (file, text) in files {
            let row: Row = toml::from_str(text).map_err(|source| CatalogError::Malformed {
                file: file.to_owned(),
                source: Box::new(source),
            })?;
            let control = Control::from(row);
            let id = control.id.clone();
            if controls.insert(id.clone(), control).is_some() {
                return Err(CatalogError::DuplicateId {
                    file: file.to_owned(),
                    id,
                });
            }
        }
        Ok(Self { controls })
    }

    /// Every control, by slug.
    pub fn controls(&self) -> impl Iterator<Item = &Control> {
        self.controls.values()
    }

    /// The control of this slug.
    pub fn get(&self, id: &ControlId) -> Option<&Control> {
        self.controls.get(id)
    }

    /// Finds a control by any of its names: `organizations-changes`, `4.15`, `cis-4.15`,
    /// `5.15@v6.0`, `lacework-global-66`.
    pub fn find(&self, name: &str) -> Result<&Control, UnknownControl> {
        let wanted = name.trim().to_ascii_lowercase();
        let number = wanted.strip_prefix("cis-").unwrap_or(&wanted);
        let (section, version) = match number.split_once('@') {
            Some((section, version)) => (section, Some(version.trim_start_matches('v'))),
            None => (number, None),
        };
        let is_section = |benchmark: &BenchmarkSection| {
            benchmark.section == section
                && version.is_none_or(|v| {
                    benchmark
                        .versions
                        .iter()
                        .any(|known| known.trim_start_matches('v') == v)
                })
        };
        self.controls()
            .find(|control| {
                control.id.as_str() == wanted
                    || control
                        .aliases
                        .values()
                        .any(|alias| alias.to_ascii_lowercase() == wanted)
                    || control.benchmarks.iter().any(is_section)
            })
            .ok_or_else(|| UnknownControl {
                given: name.chars().take(80).flat_map(char::escape_debug).collect(),
                known: self.controls.keys().map(ToString::to_string).collect(),
            })
    }
}

impl Control {
    /// The events that must reach somebody.
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

    /// The services whose events are required.
    pub(crate) fn event_sources(&self) -> Vec<&str> {
        let mut sources: Vec<&str> = self
            .required
            .iter()
            .filter_map(|event| match event.fields.get("eventSource") {
                Some(FieldConstraint::Equals(source)) => Some(source.as_str()),
                _ => None,
            })
            .collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}

/// A catalogue file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: ControlId,
    title: String,
    severity: Severity,
    level: u8,
    rationale: String,
    benchmarks: Vec<BenchmarkSection>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    required: Vec<RequiredRow>,
}

/// Events that share their constraints and differ by name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequiredRow {
    event_names: Vec<String>,
    #[serde(default)]
    fields: BTreeMap<String, ConstraintRow>,
    #[serde(default)]
    holds: BTreeMap<String, ConstraintRow>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "snake_case")]
enum ConstraintRow {
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
    AbsentOr(Box<ConstraintRow>),
}

impl From<ConstraintRow> for FieldConstraint {
    fn from(row: ConstraintRow) -> Self {
        match row {
            ConstraintRow::Equals(value) => Self::Equals(value),
            ConstraintRow::OneOf(values) => Self::OneOf(values),
            ConstraintRow::NotEquals(value) => Self::NotEquals(value),
            ConstraintRow::NotOneOf(values) => Self::NotOneOf(values),
            ConstraintRow::StartsWith(value) => Self::StartsWith(value),
            ConstraintRow::EndsWith(value) => Self::EndsWith(value),
            ConstraintRow::Contains(value) => Self::Contains(value),
            ConstraintRow::IsTrue => Self::IsTrue,
            ConstraintRow::IsFalse => Self::IsFalse,
            ConstraintRow::Present => Self::Present,
            ConstraintRow::Absent => Self::Absent,
            ConstraintRow::AbsentOr(inner) => Self::AbsentOr(Box::new(Self::from(*inner))),
        }
    }
}

impl From<Row> for Control {
    fn from(row: Row) -> Self {
        let required = row
            .required
            .into_iter()
            .flat_map(|group| {
                let RequiredRow {
                    event_names,
                    fields,
                    holds,
                } = group;
                event_names.into_iter().map(move |name| {
                    let mut event = RequiredEvent::new(name.clone())
                        .field("eventName", FieldConstraint::Equals(name));
                    for (path, constraint) in fields.clone() {
                        event = event.field(path, constraint.into());
                    }
                    for (path, constraint) in holds.clone() {
                        event = event.holding(path, constraint.into());
                    }
                    event
                })
            })
            .collect();
        Self {
            id: row.id,
            title: row.title,
            severity: row.severity,
            level: row.level,
            rationale: row.rationale,
            benchmarks: row.benchmarks,
            aliases: row.aliases,
            required,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_organizations_control_requires_eighteen_events_under_each_of_its_names() {
        let catalog = Catalog::embedded().unwrap();
        for name in [
            "organizations-changes",
            "4.15",
            "cis-4.15",
            "CIS-4.15",
            "5.15",
            "5.15@v6.0",
            "5.15@7.0",
            "cis-4.15@v4.0.1",
            "lacework-global-66",
        ] {
            let control = catalog.find(name).unwrap();
            assert_eq!(control.id.as_str(), "organizations-changes", "{name}");
            assert_eq!(control.required_events().len(), 18);
            assert_eq!(control.event_sources(), ["organizations.amazonaws.com"]);
        }
    }

    #[test]
    fn a_number_of_another_version_is_not_found() {
        let catalog = Catalog::embedded().unwrap();
        for name in [
            "4.15@v6.0",
            "5.15@v5.0",
            "4.99",
            "",
            "organizations",
            "\u{1b}[31m",
        ] {
            let error = catalog.find(name).unwrap_err();
            assert!(!error.to_string().contains('\u{1b}'));
            assert!(
                error.to_string().contains("organizations-changes"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_mistake_in_a_file_names_file_and_line() {
        let error = Catalog::read([("a.toml", "id = \"a\"\ntitel = \"b\"\n")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("a.toml") && error.contains("line 2"),
            "{error}"
        );
    }
}
