//! Whether a pattern also matches what nobody asked for.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::budget::Budget;
use super::claim::Mode;
use super::fields::Freedom;
use super::problem::{Problem, Texts};
use super::satisfies;
use super::search::{Answer, search};
use crate::FilterPattern;
use crate::outcome::Match;
use crate::record::Value;
use crate::requirement::{FieldConstraint, RequiredEvent};
use crate::witness::{record, shrink};

/// Records that a pattern matches although nobody asked for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// Such a record.
    pub example: Json,
}

/// Whether `candidate` also matches records that are none of `required`, with an example: a filter
/// whose `||` escaped its parentheses, say. This is never a reason to call the events missed.
///
/// What makes a record one of the events is [`RequiredEvent::fields`]; boolean fields do not count,
/// because a record in which CloudTrail left out `readOnly` is the same event. A field that holds a
/// string in each of the events is not thought to hold a number or an object elsewhere. `None` does
/// not prove that there is no noise.
pub fn noise(required: &[RequiredEvent], candidate: &FilterPattern) -> Option<Noise> {
    let absent_or_text = FieldConstraint::AbsentOr(Box::new(FieldConstraint::Present));
    let texts = Texts::of(&[candidate]);
    let mut problem = Problem::new(Mode::Sure, Freedom::Anything, None, &texts);
    let mut goals = vec![(problem.candidate(candidate), true)];
    for event in required {
        let parts = identity(event)
            .map(|(path, constraint)| problem.constraint(path, constraint))
            .collect();
        goals.push((problem.all(parts), false));
    }
    let always = common_paths(required, |constraint| {
        matches!(
            constraint,
            FieldConstraint::Equals(_) | FieldConstraint::OneOf(_)
        )
    });
    for path in &always {
        let node = problem.path(path);
        problem.fields.require_text(node);
    }
    let textual = common_paths(required, is_textual);
    for path in &textual {
        goals.push((problem.constraint(path, &absent_or_text), true));
    }
    goals.reverse();
    let mut budget = Budget::new(4, 1);
    if !problem.fields.settle_all(&mut budget)
        || !matches!(search(&mut problem, goals, &mut budget), Answer::Found)
    {
        return None;
    }
    let mut example = record(&problem.fields)?;
    let is_noise = |record: &Json| {
        let message = record.to_string();
        let Ok(value) = Value::read(&message) else {
            return false;
        };
        candidate.matches(&message) == Match::Yes
            && !required
                .iter()
                .any(|event| satisfies(identity(event), &value))
            && satisfies(
                always.iter().map(|path| (*path, &FieldConstraint::Present)),
                &value,
            )
            && satisfies(textual.iter().map(|path| (*path, &absent_or_text)), &value)
    };
    if !is_noise(&example) {
        return None;
    }
    let kept: Vec<&str> = always.iter().copied().collect();
    shrink(&mut example, &kept, &is_noise);
    Some(Noise { example })
}

/// What makes a record one of the events.
fn identity(event: &RequiredEvent) -> impl Iterator<Item = (&str, &FieldConstraint)> {
    event
        .fields
        .iter()
        .filter(|(_, constraint)| {
            !matches!(
                constraint,
                FieldConstraint::IsTrue | FieldConstraint::IsFalse
            )
        })
        .map(|(path, constraint)| (path.as_str(), constraint))
}

/// Paths that every one of the events constrains so.
fn common_paths(
    required: &[RequiredEvent],
    so: impl Fn(&FieldConstraint) -> bool,
) -> BTreeSet<&str> {
    let first = required
        .first()
        .into_iter()
        .flat_map(|event| event.fields.keys());
    first
        .filter(|path| {
            required
                .iter()
                .all(|event| event.fields.get(*path).is_some_and(&so))
        })
        .map(String::as_str)
        .collect()
}

/// Whether a field of which this is said holds a string.
fn is_textual(constraint: &FieldConstraint) -> bool {
    match constraint {
        FieldConstraint::Equals(_)
        | FieldConstraint::OneOf(_)
        | FieldConstraint::NotEquals(_)
        | FieldConstraint::NotOneOf(_)
        | FieldConstraint::StartsWith(_)
        | FieldConstraint::EndsWith(_)
        | FieldConstraint::Contains(_)
        | FieldConstraint::Present => true,
        FieldConstraint::IsTrue
        | FieldConstraint::IsFalse
        | FieldConstraint::Container
        | FieldConstraint::Absent
        | FieldConstraint::AbsentOr(_) => false,
    }
}
