//! What must be matched, as data.

use std::collections::BTreeMap;

use crate::evaluate::Held;

/// A kind of event that must be matched, described by what its records hold.
///
/// A field that is not named may be absent or hold any string. Keys are dotted paths of member
/// names, such as `eventName` or `userIdentity.type`.
///
/// ```
/// use filter_pattern::{FieldConstraint, RequiredEvent};
///
/// let event = RequiredEvent::new("MoveAccount")
///     .field("eventSource", FieldConstraint::equals("organizations.amazonaws.com"))
///     .field("eventName", FieldConstraint::equals("MoveAccount"))
///     .holding("readOnly", FieldConstraint::IsFalse);
/// assert_eq!(event.fields.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredEvent {
    /// How the event is called in an answer.
    pub name: String,
    /// What makes a record one of these events.
    pub fields: BTreeMap<String, FieldConstraint>,
    /// What a record of this event holds besides: it may be relied on to prove coverage, but a
    /// record without it is not another event. CloudTrail's `readOnly: false` on a write is the
    /// example.
    pub holds: BTreeMap<String, FieldConstraint>,
}

/// What one field of a required record holds.
///
/// Except for [`Absent`](Self::Absent) and [`AbsentOr`](Self::AbsentOr) the field is there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldConstraint {
    /// This string.
    Equals(String),
    /// One of these strings.
    OneOf(Vec<String>),
    /// Any string but this one.
    NotEquals(String),
    /// Any string but these.
    NotOneOf(Vec<String>),
    /// A string that starts so.
    StartsWith(String),
    /// A string that ends so.
    EndsWith(String),
    /// A string with this in it.
    Contains(String),
    /// The JSON value `true`.
    IsTrue,
    /// The JSON value `false`.
    IsFalse,
    /// Any string.
    Present,
    /// An object or array, whose members are free.
    Container,
    /// The field is not there.
    Absent,
    /// The field is not there, or it is and holds this.
    AbsentOr(Box<FieldConstraint>),
}

impl RequiredEvent {
    /// An event without constraints: every record.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            fields: BTreeMap::new(),
            holds: BTreeMap::new(),
        }
    }

    /// Adds what makes a record one of these events.
    #[must_use]
    pub fn field(mut self, path: impl Into<String>, constraint: FieldConstraint) -> Self {
        self.fields.insert(without_root(path.into()), constraint);
        self
    }

    /// Adds what a record of this event holds besides.
    #[must_use]
    pub fn holding(mut self, path: impl Into<String>, constraint: FieldConstraint) -> Self {
        self.holds.insert(without_root(path.into()), constraint);
        self
    }

    /// All constraints, those of `fields` before those of `holds`.
    pub(crate) fn constraints(&self) -> impl Iterator<Item = (&str, &FieldConstraint)> {
        let besides = self
            .holds
            .iter()
            .filter(|(path, _)| !self.fields.contains_key(*path));
        self.fields
            .iter()
            .chain(besides)
            .map(|(path, constraint)| (path.as_str(), constraint))
    }
}

/// Paths are written without the `$.` of selectors; with it they are meant alike.
fn without_root(path: String) -> String {
    path.strip_prefix("$.").map(str::to_owned).unwrap_or(path)
}

impl FieldConstraint {
    /// [`FieldConstraint::Equals`], from anything that becomes a string.
    pub fn equals(value: impl Into<String>) -> Self {
        Self::Equals(value.into())
    }

    /// Whether a value satisfies the constraint.
    pub(crate) fn admits(&self, held: Held<'_>) -> bool {
        match (self, held) {
            (Self::Absent | Self::AbsentOr(_), Held::Nothing)
            | (Self::Container, Held::Container(_)) => true,
            (Self::AbsentOr(inner), held) => inner.admits(held),
            (Self::IsTrue, Held::Bool(value)) => value,
            (Self::IsFalse, Held::Bool(value)) => !value,
            (_, Held::Text(subject)) => self.admits_text(subject),
            _ => false,
        }
    }

    fn admits_text(&self, subject: &str) -> bool {
        match self {
            Self::Equals(value) => subject == value,
            Self::OneOf(values) => values.iter().any(|value| value == subject),
            Self::NotEquals(value) => subject != value,
            Self::NotOneOf(values) => values.iter().all(|value| value != subject),
            Self::StartsWith(value) => subject.starts_with(value.as_str()),
            Self::EndsWith(value) => subject.ends_with(value.as_str()),
            Self::Contains(value) => subject.contains(value.as_str()),
            Self::Present => true,
            _ => false,
        }
    }
}
