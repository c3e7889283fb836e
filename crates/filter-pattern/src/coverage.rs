//! Decides whether patterns match every record of the required events.
//!
//! A record that none of them matches is looked for, with the fields that the event fixes as they
//! are, and any other absent or any string. Finding none is a proof of coverage. One that is found
//! is made as small as can be and shown to the evaluator, so that what is reported as missed is
//! missed by the same semantics by which [`FilterPattern::matches`] answers.
//!
//! Doubt is handled by deciding twice. If no record escapes what the patterns match in *every*
//! reading, they cover. If some record escapes what they match in *some* reading, they do not. In
//! between lies [`Coverage::Undecided`].

mod budget;
pub(crate) mod claim;
pub(crate) mod fields;
mod known;
pub(crate) mod noise;
mod problem;
mod rejection;
mod search;
mod term_facts;
#[cfg(test)]
mod tests;
mod text_set;

use std::ops::Range;

use serde_json::Value as Json;

use crate::FilterPattern;
use crate::ast::{Expr, Pattern, Segment, Span};
use crate::evaluate::{evaluate_expr, greatest, held};
use crate::outcome::{Doubt, Outcome};
use crate::record::Value;
use crate::requirement::{FieldConstraint, RequiredEvent};
use crate::witness::{record, shrink};
use budget::Budget;
use claim::Mode;
use fields::Freedom;
use known::{Facts, Known};
use problem::{Problem, Texts};
use search::{Answer, search};
use term_facts::TermFacts;

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
    /// A record of the event that no pattern matches. No field can be left out of it.
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

/// Decides whether all records that satisfy any of `required` are matched by at least one of
/// `candidates`, taken together.
///
/// A field that an event does not name may be absent or hold any string, never null; it is an
/// object or array only where the event or a candidate names something inside of it. The work is
/// bounded; what would exceed the bound is [`Coverage::Undecided`].
///
/// ```
/// use filter_pattern::{Coverage, FieldConstraint, FilterPattern, RequiredEvent, coverage};
///
/// let event = RequiredEvent::new("MoveAccount")
///     .field("eventSource", FieldConstraint::equals("organizations.amazonaws.com"))
///     .field("eventName", FieldConstraint::equals("MoveAccount"));
/// let by_prefix = FilterPattern::parse(r#"{ $.eventName = "Mov*" }"#)?;
/// assert!(matches!(coverage(&[event], &[&by_prefix]), Coverage::Covered { .. }));
/// # Ok::<(), filter_pattern::ParseError>(())
/// ```
pub fn coverage(required: &[RequiredEvent], candidates: &[&FilterPattern]) -> Coverage {
    let mut missed = Vec::new();
    let mut undecided = Vec::new();
    let mut reasons = Vec::new();
    let mut advice = Vec::new();
    let texts = Texts::of(candidates);
    for event in required {
        let facts = Facts::new(event);
        match decide(
            &facts,
            candidates,
            &texts,
            &mut Budget::new(required.len(), candidates.len()),
        ) {
            Decision::Covered => relied_on(&facts, candidates, &texts, &mut advice),
            Decision::Missed(event) => missed.push(event),
            Decision::Undecided(reason) => {
                undecided.push(event.name.clone());
                if !reasons.contains(&reason) {
                    reasons.push(reason);
                }
            }
        }
    }
    if !undecided.is_empty() {
        Coverage::Undecided {
            reason: reasons.join("; "),
            events: undecided,
            missed,
        }
    } else if missed.is_empty() {
        Coverage::Covered { advice }
    } else {
        Coverage::NotCovered { missed }
    }
}

/// Whether `candidate` could match a record that satisfies `required`. `false` is certain.
///
/// Fields that the event does not name may hold anything here, numbers and booleans too.
pub fn may_match(required: &RequiredEvent, candidate: &FilterPattern) -> bool {
    let texts = Texts::of(&[candidate]);
    could_match(
        &Facts::new(required),
        candidate,
        &texts,
        &mut Budget::new(8, 1),
    )
}

enum Decision {
    Covered,
    Missed(MissedEvent),
    Undecided(String),
}

/// The search takes paths for different fields, which with wildcards they need not be.
const OVERLAP: &str = "which fields the wildcard selectors reach is not analysed";
const BUDGET_SPENT: &str = "the patterns are too intricate to be decided within bounds";

fn decide(
    facts: &Facts<'_>,
    candidates: &[&FilterPattern],
    texts: &Texts,
    budget: &mut Budget,
) -> Decision {
    let covers =
        |candidate: &&FilterPattern| facts.pattern(candidate) == Known::Always(Outcome::Yes);
    if candidates.iter().any(covers) {
        return Decision::Covered;
    }
    let mut doubt = None;
    for mode in [Mode::Sure, Mode::Possible] {
        match escape(facts, candidates, texts, mode, budget) {
            Escape::None if mode == Mode::Sure => return Decision::Covered,
            Escape::None => break,
            Escape::GaveUp => doubt = doubt.or(Some(BUDGET_SPENT.to_owned())),
            Escape::Found(witness) => match outcome(facts, candidates, &witness) {
                Outcome::No => {
                    return Decision::Missed(describe(facts, candidates, texts, witness, budget));
                }
                Outcome::Unsure(reason) => doubt = doubt.or(Some(reason.to_string())),
                Outcome::Yes => doubt = doubt.or(Some(OVERLAP.to_owned())),
            },
        }
    }
    Decision::Undecided(doubt.unwrap_or_else(|| BUDGET_SPENT.to_owned()))
}

enum Escape {
    Found(Json),
    None,
    GaveUp,
}

/// A record of the event that no candidate matches, in the sense of `mode`.
fn escape(
    facts: &Facts<'_>,
    candidates: &[&FilterPattern],
    texts: &Texts,
    mode: Mode,
    budget: &mut Budget,
) -> Escape {
    let mut problem = Problem::new(mode, Freedom::Strings, Some(facts), texts);
    let mut goals = Vec::new();
    for (path, constraint) in facts.event.constraints() {
        goals.push((problem.constraint(path, constraint), true));
    }
    for candidate in candidates {
        if facts.pattern(candidate) == Known::Always(Outcome::No) {
            problem.mention(candidate);
        } else {
            goals.push((problem.candidate(candidate), false));
        }
    }
    goals.reverse();
    match search(&mut problem, goals, budget) {
        Answer::Impossible => Escape::None,
        // A search that was broken off may have come far enough.
        Answer::GaveUp => match record(&problem.fields) {
            Some(record) if outcome(facts, candidates, &record) == Outcome::No => {
                Escape::Found(record)
            }
            _ => Escape::GaveUp,
        },
        Answer::Found => record(&problem.fields).map_or(Escape::GaveUp, Escape::Found),
    }
}

/// Whether any candidate matches `record`, however the record is serialised.
fn outcome(facts: &Facts<'_>, candidates: &[&FilterPattern], record: &Json) -> Outcome {
    let message = record.to_string();
    let Ok(value) = Value::read(&message) else {
        return Outcome::Unsure(Doubt::RecordDepth);
    };
    if !satisfies(facts.event.constraints(), &value) {
        return Outcome::Yes;
    }
    let terms = TermFacts::new(Some(facts.event));
    greatest(candidates.iter().map(|candidate| match &candidate.pattern {
        Pattern::Json(expr) => evaluate_expr(expr, &value),
        Pattern::Space(_) => Outcome::Unsure(Doubt::Serialisation),
        Pattern::Terms(pattern) => terms.outcome(pattern, &message),
    }))
}

/// Whether a record is as `constraints` say.
fn satisfies<'c>(
    mut constraints: impl Iterator<Item = (&'c str, &'c FieldConstraint)>,
    record: &Value<'_>,
) -> bool {
    constraints.all(|(path, constraint)| {
        let value = path
            .split('.')
            .try_fold(record, |value, name| value.member(name));
        constraint.admits(held(value))
    })
}

fn describe(
    facts: &Facts<'_>,
    candidates: &[&FilterPattern],
    texts: &Texts,
    mut witness: Json,
    budget: &mut Budget,
) -> MissedEvent {
    let kept: Vec<&str> = facts.event.constraints().map(|(path, _)| path).collect();
    shrink(&mut witness, &kept, &|smaller| {
        outcome(facts, candidates, smaller) == Outcome::No
    });
    let narrowed: Vec<&FilterPattern> = candidates
        .iter()
        .copied()
        .filter(|candidate| could_match(facts, candidate, texts, budget))
        .collect();
    let kind = if narrowed.is_empty() {
        MissedKind::NeverMatched
    } else {
        MissedKind::Narrowed {
            condition: condition(facts, &narrowed),
        }
    };
    let rejected_by = rejection::rejected_by(facts, candidates, &witness.to_string());
    MissedEvent {
        event: facts.event.name.clone(),
        kind,
        witness,
        rejected_by,
    }
}

/// What must hold besides the requirement for one of `narrowed` to match.
fn condition(facts: &Facts<'_>, narrowed: &[&FilterPattern]) -> String {
    let mut of_records = Vec::new();
    let mut of_texts = Vec::new();
    for candidate in narrowed {
        match &candidate.pattern {
            Pattern::Json(expr) => of_records.extend(facts.remainder(expr)),
            _ => of_texts.push(format!("the message matches `{candidate}`")),
        }
    }
    of_records.dedup();
    if !of_records.is_empty() {
        of_texts.insert(0, Expr::any(of_records, Span::default()).to_string());
    }
    of_texts.join(" or ")
}

fn could_match(
    facts: &Facts<'_>,
    candidate: &FilterPattern,
    texts: &Texts,
    budget: &mut Budget,
) -> bool {
    match facts.pattern(candidate) {
        Known::Always(Outcome::No) => return false,
        Known::Always(_) => return true,
        Known::Depends => {}
    }
    let mut problem = Problem::new(Mode::Possible, Freedom::Anything, Some(facts), texts);
    let mut goals = Vec::new();
    for (path, constraint) in facts.event.constraints() {
        goals.push((problem.constraint(path, constraint), true));
    }
    goals.push((problem.candidate(candidate), true));
    goals.reverse();
    !matches!(search(&mut problem, goals, budget), Answer::Impossible)
}

/// Notes which of the fields that records merely hold are needed for the proof.
fn relied_on(
    facts: &Facts<'_>,
    candidates: &[&FilterPattern],
    texts: &Texts,
    advice: &mut Vec<Advice>,
) {
    let used: Vec<&String> = facts
        .event
        .holds
        .keys()
        .filter(|path| candidates.iter().any(|candidate| mentions(candidate, path)))
        .collect();
    if used.is_empty() {
        return;
    }
    let without = RequiredEvent {
        holds: std::collections::BTreeMap::new(),
        ..facts.event.clone()
    };
    if matches!(
        decide(
            &Facts::new(&without),
            candidates,
            texts,
            &mut Budget::new(16, candidates.len())
        ),
        Decision::Covered
    ) {
        return;
    }
    for path in used {
        let item = Advice::ReliesOn { path: path.clone() };
        if !advice.contains(&item) {
            advice.push(item);
        }
    }
}

fn mentions(candidate: &FilterPattern, path: &str) -> bool {
    fn expr_mentions(expr: &Expr, path: &str) -> bool {
        match expr {
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                parts.iter().any(|part| expr_mentions(part, path))
            }
            Expr::Test(comparison) => {
                let names = comparison
                    .selector
                    .segments
                    .iter()
                    .map(|segment| match segment {
                        Segment::Member(name) => name.as_str(),
                        _ => "",
                    });
                names.eq(path.split('.'))
            }
        }
    }
    match &candidate.pattern {
        Pattern::Json(expr) => expr_mentions(expr, path),
        _ => true,
    }
}
