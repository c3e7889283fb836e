//! Plain terms against the raw text of a message.

use crate::ast::{TermPattern, TermRole};
use crate::evaluate::{greatest, least};
use crate::outcome::{Doubt, Outcome};

/// Required terms must all occur and excluded ones must not. Optional terms count only where
/// there are no others; beside required or excluded terms they were observed to have no effect.
pub(super) fn evaluate(pattern: &TermPattern, message: &str) -> Outcome {
    let terms = match pattern {
        TermPattern::Regex(regex) => return regex.matches(message),
        TermPattern::Terms(terms) => terms,
    };
    if !terms.is_empty() && terms.iter().all(|term| term.role == TermRole::Optional) {
        return greatest(terms.iter().map(|term| term_occurs(&term.text, message)));
    }
    least(
        terms
            .iter()
            .filter(|term| term.role != TermRole::Optional)
            .map(|term| {
                let occurs = term_occurs(&term.text, message);
                if term.role == TermRole::Excluded {
                    occurs.negate()
                } else {
                    occurs
                }
            }),
    )
}

/// Whether `term` occurs in `message`, as any part of a word and in this case.
pub(crate) fn term_occurs(term: &str, message: &str) -> Outcome {
    if message.contains(term) {
        return Outcome::Yes;
    }
    if is_blank_term(term) {
        return Outcome::Unsure(Doubt::BlankTerm);
    }
    if term.contains('*') && glob_occurs(term, message) {
        return Outcome::Unsure(Doubt::TermWildcard);
    }
    Outcome::No
}

/// Whether a quoted term holds nothing but blanks: documented to match every message.
pub(crate) fn is_blank_term(term: &str) -> bool {
    term.chars().all(|character| character == ' ')
}

/// Whether the pieces of a term with `*` occur in order.
fn glob_occurs(term: &str, message: &str) -> bool {
    let mut rest = message;
    term.split('*').all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}
