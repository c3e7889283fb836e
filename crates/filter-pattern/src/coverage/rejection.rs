//! Which part of which pattern rejects a record.

use super::known::{Facts, Known};
use crate::FilterPattern;
use crate::ast::{Expr, Pattern, Span, Term, TermPattern, TermRole};
use crate::evaluate::{evaluate_expr, term_occurs};
use crate::outcome::Outcome;
use crate::record::Value;
use crate::witness::Part;

/// The part that rejects `record`, of the candidate that comes closest to matching it.
pub(super) fn rejected_by(
    facts: &Facts<'_>,
    candidates: &[&FilterPattern],
    message: &str,
) -> Option<Part> {
    let record = Value::read(message).ok()?;
    let closest = (0..candidates.len()).max_by_key(|index| {
        let candidate = candidates[*index];
        let may_match = facts.pattern(candidate) == Known::Depends;
        let score = match &candidate.pattern {
            Pattern::Json(expr) => score(expr, &record),
            _ => 0,
        };
        // Of equals the first.
        (may_match, score, candidates.len() - index)
    })?;
    let span = match &candidates[closest].pattern {
        Pattern::Json(expr) => rejecting_part(facts, expr, &record),
        Pattern::Terms(TermPattern::Terms(terms)) => rejecting_term(terms, message)?,
        _ => return None,
    };
    Some((closest, span.range()))
}

/// How many conditions on the way to a match hold.
fn score(expr: &Expr, record: &Value<'_>) -> usize {
    match expr {
        Expr::And(parts, _) => parts.iter().map(|part| score(part, record)).sum(),
        Expr::Or(parts, _) => parts
            .iter()
            .map(|part| score(part, record))
            .max()
            .unwrap_or(0),
        Expr::Test(_) => usize::from(evaluate_expr(expr, record) == Outcome::Yes),
    }
}

fn rejecting_part(facts: &Facts<'_>, expr: &Expr, record: &Value<'_>) -> Span {
    let next = match expr {
        Expr::Test(_) => None,
        Expr::And(parts, _) => parts
            .iter()
            .find(|part| evaluate_expr(part, record) == Outcome::No),
        Expr::Or(parts, _) => {
            // Of several ways to match, the only one that is open to this event.
            let mut open = parts
                .iter()
                .filter(|part| facts.expr(part) == Known::Depends);
            match (open.next(), open.next()) {
                (only, None) => only,
                _ => None,
            }
        }
    };
    next.map_or(expr.span(), |part| rejecting_part(facts, part, record))
}

fn rejecting_term(terms: &[Term], message: &str) -> Option<Span> {
    let mut failing = terms.iter().filter(|term| {
        let occurs = term_occurs(&term.text, message) == Outcome::Yes;
        match term.role {
            TermRole::Required => !occurs,
            TermRole::Excluded => occurs,
            TermRole::Optional => false,
        }
    });
    let first_optional = || terms.first().map(|term| term.span);
    failing.next().map(|term| term.span).or_else(first_optional)
}
