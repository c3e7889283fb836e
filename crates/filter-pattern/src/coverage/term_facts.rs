//! Which terms occur in the raw text of every record of a required event.
//!
//! The text of a required value occurs, and the names of its fields do, however the record is
//! serialised. A term of ordinary characters can only occur inside one string, name or number of
//! the record. What contains quotes, colons or brackets may span several, so whether it occurs
//! depends on blanks that nobody promises.

use crate::ast::{Term, TermPattern, TermRole};
use crate::evaluate::{greatest, is_blank_term, least};
use crate::outcome::{Doubt, Outcome};
use crate::regex::Regex;
use crate::requirement::{FieldConstraint, RequiredEvent};

/// What is known of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TermFact {
    Known(Outcome),
    /// It may occur in some other field.
    Free,
}

/// Pieces of text that every record of an event contains.
pub(super) struct TermFacts<'a> {
    pieces: Vec<Piece<'a>>,
}

struct Piece<'a> {
    text: &'a str,
    /// The piece is a whole string, so quotes enclose it.
    is_whole: bool,
}

impl<'a> TermFacts<'a> {
    pub(super) fn new(event: Option<&'a RequiredEvent>) -> Self {
        let mut pieces = Vec::new();
        for (path, constraint) in event.into_iter().flat_map(RequiredEvent::constraints) {
            let (text, is_whole) = match constraint {
                FieldConstraint::Absent | FieldConstraint::AbsentOr(_) => continue,
                FieldConstraint::Equals(text) => (text.as_str(), true),
                FieldConstraint::StartsWith(text)
                | FieldConstraint::EndsWith(text)
                | FieldConstraint::Contains(text) => (text.as_str(), false),
                FieldConstraint::IsTrue => ("true", false),
                FieldConstraint::IsFalse => ("false", false),
                _ => ("", false),
            };
            if is_written_as_is(text) {
                pieces.push(Piece { text, is_whole });
            }
            let names = path.split('.').filter(|name| is_written_as_is(name));
            pieces.extend(names.map(|name| Piece {
                text: name,
                is_whole: true,
            }));
        }
        Self { pieces }
    }

    /// Whether `term` occurs in the message.
    pub(super) fn term(&self, term: &str) -> TermFact {
        let is_certain = term.is_empty()
            || term == "{"
            || term == "}"
            || self.pieces.iter().any(|piece| {
                piece.text.contains(term)
                    || piece.is_whole && format!("\"{}\"", piece.text).contains(term)
            });
        if is_certain {
            TermFact::Known(Outcome::Yes)
        } else if is_blank_term(term) {
            TermFact::Known(Outcome::Unsure(Doubt::BlankTerm))
        } else if term.contains('*') {
            TermFact::Known(Outcome::Unsure(Doubt::TermWildcard))
        } else if lies_within_a_token(term) {
            TermFact::Free
        } else {
            TermFact::Known(Outcome::Unsure(Doubt::Serialisation))
        }
    }

    /// Whether `pattern` matches `message`, however the record is serialised.
    pub(super) fn outcome(&self, pattern: &TermPattern, message: &str) -> Outcome {
        let terms = match pattern {
            TermPattern::Regex(regex) => return self.regex(regex),
            TermPattern::Terms(terms) => terms,
        };
        let occurs = |term: &Term| match self.term(&term.text) {
            TermFact::Known(outcome) => outcome,
            TermFact::Free => Outcome::from(message.contains(&term.text)),
        };
        if !terms.is_empty() && terms.iter().all(|term| term.role == TermRole::Optional) {
            return greatest(terms.iter().map(occurs));
        }
        least(terms.iter().filter_map(|term| match term.role {
            TermRole::Required => Some(occurs(term)),
            TermRole::Excluded => Some(occurs(term).negate()),
            TermRole::Optional => None,
        }))
    }

    /// Whether `regex` is found in the message.
    pub(super) fn regex(&self, regex: &Regex) -> Outcome {
        let is_anchored = regex.source().contains(['^', '$']);
        let is_certain = self
            .pieces
            .iter()
            .any(|piece| regex.matches(piece.text) == Outcome::Yes);
        if is_certain && !is_anchored {
            Outcome::Yes
        } else {
            Outcome::Unsure(Doubt::Serialisation)
        }
    }
}

/// Whether every serialiser writes the text as it is: some escape slashes, and some whatever
/// means something in HTML.
fn is_written_as_is(text: &str) -> bool {
    text.chars()
        .all(|c| (c.is_ascii_graphic() || c == ' ') && !"\"\\/<>&'=+".contains(c))
}

/// Whether the term can occur only inside one string, name or number.
fn lies_within_a_token(term: &str) -> bool {
    is_written_as_is(term)
        && !term.contains([':', ',', '{', '}', '[', ']'])
        && !term.starts_with(' ')
        && !term.ends_with(' ')
}
