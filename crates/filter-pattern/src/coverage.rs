//! Decides whether patterns match every record of the required events.

use std::ops::Range;

use serde_json::Value as Json;

use crate::FilterPattern;
use crate::ast::{Comparison, Expr, Operand, Operator, Pattern, Segment, Test};
use crate::evaluate::{Held, greatest, least, test_holds};
use crate::outcome::{Match, Outcome};
use crate::requirement::{FieldConstraint, RequiredEvent};

/// Whether every record of the required events is matched by at least one pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum Coverage {
    /// Every one is: a proof, not a sample.
    Covered {
        /// What the proof rests on that a reader may want to know.
        advice: Vec<Advice>,
    },
    /// Some record is matched by none.
    NotCovered {
        /// The events that are missed, in the order in which they were required.
        missed: Vec<MissedEvent>,
    },
    /// It depends on something that AWS leaves unknown, or the proof would take too long.
    Undecided {
        /// What the answer depends on.
        reason: String,
        /// The events for which it does.
        events: Vec<String>,
        /// The events that are missed in any case.
        missed: Vec<MissedEvent>,
    },
}

/// Something to know about a proof of coverage.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// The proof uses a field of [`RequiredEvent::holds`], such as `readOnly`.
    ReliesOn {
        /// The path of the field.
        path: String,
    },
}

/// A required event of which some record is not matched.
#[derive(Debug, Clone, PartialEq)]
pub struct MissedEvent {
    /// [`RequiredEvent::name`].
    pub event: String,
    /// Whether all its records are missed, or some.
    pub kind: MissedKind,
    /// A record of the event that no pattern matches. Without any one of its optional fields it
    /// would be matched.
    pub witness: Json,
    /// The part that rejects the witness, in the pattern that comes closest to matching it: an
    /// index into the candidates and bytes of that pattern's text.
    pub rejected_by: Option<(usize, Range<usize>)>,
}

/// How much of an event is missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissedKind {
    /// No record of the event is matched.
    NeverMatched,
    /// Records are matched only under a condition of which the requirement says nothing.
    Narrowed {
        /// The condition, in canonical form: `$.errorCode NOT EXISTS`.
        condition: String,
    },
}

/// Records that a pattern matches although nobody asked for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// Such a record.
    pub example: Json,
}

/// Decides whether all records that satisfy any of `required` are matched by at least one of
/// `candidates`, taken together.
pub fn coverage(required: &[RequiredEvent], candidates: &[&FilterPattern]) -> Coverage {
    let mut missed = Vec::new();
    let mut undecided = Vec::new();
    for event in required {
        let certain = candidates
            .iter()
            .any(|candidate| known(event, candidate) == Some(Outcome::Yes));
        if certain {
            continue;
        }
        let witness = minimal_record(event);
        let message = witness.to_string();
        if candidates
            .iter()
            .all(|candidate| candidate.matches(&message) == Match::No)
        {
            let narrowed = candidates.iter().find_map(|candidate| {
                may_match(event, candidate).then(|| condition(event, candidate))
            });
            missed.push(MissedEvent {
                event: event.name.clone(),
                kind: narrowed.map_or(MissedKind::NeverMatched, |condition| MissedKind::Narrowed {
                    condition,
                }),
                witness,
                rejected_by: None,
            });
        } else {
            undecided.push(event.name.clone());
        }
    }
    if !undecided.is_empty() {
        return Coverage::Undecided {
            reason: "not decided yet".to_owned(),
            events: undecided,
            missed,
        };
    }
    if missed.is_empty() {
        Coverage::Covered { advice: Vec::new() }
    } else {
        Coverage::NotCovered { missed }
    }
}

/// Whether `candidate` could match a record that satisfies `required`. `false` is certain.
pub fn may_match(required: &RequiredEvent, candidate: &FilterPattern) -> bool {
    known(required, candidate) != Some(Outcome::No)
}

/// Whether `candidate` also matches records that satisfy none of `required`.
pub fn noise(_required: &[RequiredEvent], _candidate: &FilterPattern) -> Option<Noise> {
    None
}

fn condition(event: &RequiredEvent, candidate: &FilterPattern) -> String {
    match &candidate.pattern {
        Pattern::Json(expr) => {
            residual(event, expr).map_or_else(String::new, |expr| expr.to_string())
        }
        _ => candidate.to_string(),
    }
}

fn residual(event: &RequiredEvent, expr: &Expr) -> Option<Expr> {
    let keep = |parts: &[Expr]| -> Vec<Expr> {
        parts
            .iter()
            .filter_map(|part| residual(event, part))
            .collect()
    };
    if known_expr(event, expr) == Some(Outcome::Yes) || known_expr(event, expr) == Some(Outcome::No)
    {
        return None;
    }
    Some(match expr {
        Expr::And(parts, span) => Expr::all(keep(parts), *span),
        Expr::Or(parts, span) => Expr::any(keep(parts), *span),
        Expr::Test(_) => expr.clone(),
    })
}

fn minimal_record(event: &RequiredEvent) -> Json {
    let mut record = Json::Object(serde_json::Map::new());
    for (path, constraint) in event.constraints() {
        let value = match constraint {
            FieldConstraint::Equals(value)
            | FieldConstraint::StartsWith(value)
            | FieldConstraint::EndsWith(value)
            | FieldConstraint::Contains(value) => Json::from(value.as_str()),
            FieldConstraint::OneOf(values) => Json::from(values.first().map_or("", String::as_str)),
            FieldConstraint::IsTrue => Json::from(true),
            FieldConstraint::IsFalse => Json::from(false),
            FieldConstraint::Absent | FieldConstraint::AbsentOr(_) => continue,
            _ => Json::from("example"),
        };
        let mut at = &mut record;
        for name in path.split('.') {
            if !at.is_object() {
                *at = Json::Object(serde_json::Map::new());
            }
            at = &mut at[name];
        }
        *at = value;
    }
    record
}

fn known(event: &RequiredEvent, candidate: &FilterPattern) -> Option<Outcome> {
    match &candidate.pattern {
        Pattern::Json(expr) => known_expr(event, expr),
        _ => None,
    }
}

fn known_expr(event: &RequiredEvent, expr: &Expr) -> Option<Outcome> {
    match expr {
        Expr::Test(comparison) => known_comparison(event, comparison),
        Expr::And(parts, _) => {
            let outcomes: Vec<_> = parts.iter().map(|part| known_expr(event, part)).collect();
            if outcomes.contains(&Some(Outcome::No)) {
                return Some(Outcome::No);
            }
            outcomes.into_iter().collect::<Option<Vec<_>>>().map(least)
        }
        Expr::Or(parts, _) => {
            let outcomes: Vec<_> = parts.iter().map(|part| known_expr(event, part)).collect();
            if outcomes.contains(&Some(Outcome::Yes)) {
                return Some(Outcome::Yes);
            }
            outcomes
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .map(greatest)
        }
    }
}

fn known_comparison(event: &RequiredEvent, comparison: &Comparison) -> Option<Outcome> {
    let segments = &comparison.selector.segments;
    let names: Option<Vec<&str>> = segments
        .iter()
        .map(|segment| match segment {
            Segment::Member(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let names = names?;
    for (path, constraint) in event.constraints() {
        if path.split('.').eq(names.iter().copied()) {
            return match constraint {
                FieldConstraint::Equals(value) => {
                    Some(test_holds(&comparison.test, Held::Text(value)))
                }
                FieldConstraint::IsTrue => Some(test_holds(&comparison.test, Held::Bool(true))),
                FieldConstraint::IsFalse => Some(test_holds(&comparison.test, Held::Bool(false))),
                FieldConstraint::Absent => Some(test_holds(&comparison.test, Held::Nothing)),
                FieldConstraint::Present => match &comparison.test {
                    Test::NotExists => Some(Outcome::No),
                    Test::Compare(Operator::Equal, Operand::Text(text)) if text.is_anything() => {
                        Some(Outcome::Yes)
                    }
                    _ => None,
                },
                _ => None,
            };
        }
    }
    None
}
