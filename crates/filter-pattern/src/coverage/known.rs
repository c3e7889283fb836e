//! What can be told of a pattern from the required fields alone.
//!
//! Most decisions end here: the fields that a pattern compares are those that the requirement
//! fixes, and every comparison is simply evaluated.

use crate::FilterPattern;
use crate::ast::{Comparison, Expr, Operand, Operator, Pattern, Segment, Test};
use crate::evaluate::{Held, test_holds};
use crate::outcome::Outcome;
use crate::requirement::{FieldConstraint, RequiredEvent};

/// A required event with its paths taken apart.
pub(super) struct Facts<'a> {
    pub(super) event: &'a RequiredEvent,
    fields: Vec<(Vec<&'a str>, &'a FieldConstraint)>,
}

/// An outcome, or that it depends on fields that are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Always(Outcome),
    Depends,
}

impl<'a> Facts<'a> {
    pub(super) fn new(event: &'a RequiredEvent) -> Self {
        let fields = event
            .constraints()
            .map(|(path, constraint)| (path.split('.').collect(), constraint))
            .collect();
        Self { event, fields }
    }

    pub(super) fn pattern(&self, candidate: &FilterPattern) -> Known {
        match &candidate.pattern {
            Pattern::Json(expr) => self.expr(expr),
            _ => Known::Depends,
        }
    }

    pub(super) fn expr(&self, expr: &Expr) -> Known {
        let (parts, deciding) = match expr {
            Expr::Test(comparison) => return self.comparison(comparison),
            Expr::And(parts, _) => (parts, Outcome::No),
            Expr::Or(parts, _) => (parts, Outcome::Yes),
        };
        let mut depends = false;
        let mut result = if deciding == Outcome::No {
            Outcome::Yes
        } else {
            Outcome::No
        };
        for part in parts {
            match self.expr(part) {
                Known::Always(outcome) if outcome == deciding => return Known::Always(outcome),
                Known::Always(outcome) if deciding == Outcome::No => result = result.min(outcome),
                Known::Always(outcome) => result = result.max(outcome),
                Known::Depends => depends = true,
            }
        }
        if depends {
            Known::Depends
        } else {
            Known::Always(result)
        }
    }

    fn comparison(&self, comparison: &Comparison) -> Known {
        let segments = &comparison.selector.segments;
        let found = self.fields.iter().find(|(path, _)| {
            path.len() == segments.len()
                && path
                    .iter()
                    .zip(segments)
                    .all(|(name, segment)| matches!(segment, Segment::Member(own) if own == name))
        });
        let held = match found {
            Some((_, FieldConstraint::Equals(value))) => Held::Text(value),
            Some((_, FieldConstraint::IsTrue)) => Held::Bool(true),
            Some((_, FieldConstraint::IsFalse)) => Held::Bool(false),
            Some((_, FieldConstraint::Absent)) => Held::Nothing,
            Some((_, constraint)) => {
                return implied(constraint, &comparison.test)
                    .map_or(Known::Depends, |yes| Known::Always(yes.into()));
            }
            None => return Known::Depends,
        };
        Known::Always(test_holds(&comparison.test, held))
    }

    /// The part of `expr` on which a match depends, the rest taken as known.
    pub(super) fn remainder(&self, expr: &Expr) -> Option<Expr> {
        if self.expr(expr) != Known::Depends {
            return None;
        }
        let rest = |parts: &[Expr]| {
            parts
                .iter()
                .filter_map(|part| self.remainder(part))
                .collect()
        };
        Some(match expr {
            Expr::And(parts, span) => Expr::all(rest(parts), *span),
            Expr::Or(parts, span) => Expr::any(rest(parts), *span),
            Expr::Test(_) => expr.clone(),
        })
    }
}

/// Whether a comparison holds for every string that a constraint admits, or for none, where that is
/// plain: a pattern that repeats the constraint.
fn implied(constraint: &FieldConstraint, test: &Test) -> Option<bool> {
    let Test::Compare(operator, Operand::Text(wanted)) = test else {
        return None;
    };
    let equal = match constraint {
        FieldConstraint::NotEquals(value) => {
            (wanted.exact() == Some(value.as_str())).then_some(false)
        }
        FieldConstraint::StartsWith(value) => {
            (!wanted.open_start() && wanted.open_end() && wanted.core() == value).then_some(true)
        }
        FieldConstraint::EndsWith(value) => {
            (wanted.open_start() && !wanted.open_end() && wanted.core() == value).then_some(true)
        }
        _ => None,
    }?;
    match operator {
        Operator::Equal => Some(equal),
        Operator::NotEqual => Some(!equal),
        _ => None,
    }
}
