//! Patterns and requirement as one formula over claims about fields.

use super::claim::{Claim, Mode};
use super::fields::{Fields, Freedom};
use super::known::{Facts, Known};
use super::term_facts::{TermFact, TermFacts};
use crate::FilterPattern;
use crate::ast::{Expr, Operand, Operator, Pattern, Segment, Term, TermPattern, TermRole, Test};
use crate::outcome::Outcome;
use crate::requirement::FieldConstraint;
use crate::text::Text;

/// A formula, by its index.
pub(super) type FormulaId = usize;

/// A monotone formula: negation occurs only in the claims themselves.
#[derive(Debug)]
pub(super) enum Formula<'a> {
    Const(bool),
    Claim { node: usize, claim: Claim<'a> },
    All(Vec<FormulaId>),
    Any(Vec<FormulaId>),
}

/// What is asked about a record, before it is searched for.
pub(super) struct Problem<'a> {
    pub(super) formulas: Vec<Formula<'a>>,
    pub(super) fields: Fields<'a>,
    mode: Mode,
    facts: Option<&'a Facts<'a>>,
    terms: TermFacts<'a>,
    /// The node that stands for the text of the rest of the record.
    rest: Option<usize>,
    texts: &'a Texts,
}

/// The terms of the candidates as texts to look for.
pub(super) struct Texts {
    by_term: Vec<(String, Text)>,
}

impl Texts {
    pub(super) fn of(candidates: &[&FilterPattern]) -> Self {
        let by_term = candidates
            .iter()
            .filter_map(|candidate| match &candidate.pattern {
                Pattern::Terms(TermPattern::Terms(terms)) => Some(terms),
                _ => None,
            })
            .flatten()
            .map(|term| (term.text.clone(), Text::new(&format!("*{}*", term.text))))
            .collect();
        Self { by_term }
    }

    fn find(&self, term: &str) -> Option<&Text> {
        self.by_term
            .iter()
            .find(|(own, _)| own == term)
            .map(|(_, text)| text)
    }
}

impl<'a> Problem<'a> {
    pub(super) fn new(
        mode: Mode,
        freedom: Freedom,
        facts: Option<&'a Facts<'a>>,
        texts: &'a Texts,
    ) -> Self {
        Self {
            formulas: Vec::new(),
            fields: Fields::new(mode, freedom),
            mode,
            terms: TermFacts::new(facts.map(|facts| facts.event)),
            facts,
            rest: None,
            texts,
        }
    }

    fn push(&mut self, formula: Formula<'a>) -> FormulaId {
        self.formulas.push(formula);
        self.formulas.len() - 1
    }

    fn constant(&mut self, value: bool) -> FormulaId {
        self.push(Formula::Const(value))
    }

    /// A statement that holds in some readings only.
    fn doubtful(&mut self) -> FormulaId {
        self.constant(self.mode == Mode::Possible)
    }

    fn outcome(&mut self, outcome: Outcome) -> FormulaId {
        match outcome {
            Outcome::Yes => self.constant(true),
            Outcome::No => self.constant(false),
            Outcome::Unsure(_) => self.doubtful(),
        }
    }

    /// That the candidate matches.
    pub(super) fn candidate(&mut self, candidate: &'a FilterPattern) -> FormulaId {
        match &candidate.pattern {
            Pattern::Json(expr) => self.expr(expr),
            Pattern::Space(_) => self.doubtful(),
            Pattern::Terms(TermPattern::Regex(regex)) => {
                let outcome = self.terms.regex(regex);
                self.outcome(outcome)
            }
            Pattern::Terms(TermPattern::Terms(terms)) => self.term_list(terms),
        }
    }

    /// Notes which fields the candidate names, although it cannot match: they tell what is an
    /// object.
    pub(super) fn mention(&mut self, candidate: &FilterPattern) {
        if let Pattern::Json(expr) = &candidate.pattern {
            self.mention_expr(expr);
        }
    }

    fn mention_expr(&mut self, expr: &Expr) {
        match expr {
            Expr::And(parts, _) | Expr::Or(parts, _) => {
                for part in parts {
                    self.mention_expr(part);
                }
            }
            Expr::Test(comparison) => {
                self.fields.node(&comparison.selector.segments);
            }
        }
    }

    fn term_list(&mut self, terms: &'a [Term]) -> FormulaId {
        let is_optional = |term: &Term| term.role == TermRole::Optional;
        if !terms.is_empty() && terms.iter().all(is_optional) {
            let parts = terms.iter().map(|term| self.term(term)).collect();
            return self.any(parts);
        }
        let parts = terms
            .iter()
            .filter(|term| !is_optional(term))
            .map(|term| self.term(term))
            .collect();
        self.all(parts)
    }

    fn term(&mut self, term: &'a Term) -> FormulaId {
        let is_excluded = term.role == TermRole::Excluded;
        match (self.terms.term(&term.text), self.texts.find(&term.text)) {
            (TermFact::Known(outcome), _) => self.outcome(if is_excluded {
                outcome.negate()
            } else {
                outcome
            }),
            (TermFact::Free, Some(text)) => {
                let node = self.rest();
                let claim = if is_excluded {
                    Claim::OccursNot(text)
                } else {
                    Claim::Occurs(text)
                };
                self.push(Formula::Claim { node, claim })
            }
            (TermFact::Free, None) => self.doubtful(),
        }
    }

    /// A member that no pattern mentions.
    fn rest(&mut self) -> usize {
        if let Some(node) = self.rest {
            return node;
        }
        let node = self.fields.node(&[Segment::Member("\u{0}rest".to_owned())]);
        self.rest = Some(node);
        node
    }

    fn expr(&mut self, expr: &'a Expr) -> FormulaId {
        match expr {
            Expr::And(parts, _) => {
                let parts = parts.iter().map(|part| self.expr(part)).collect();
                self.all(parts)
            }
            Expr::Or(parts, _) => {
                let parts = parts.iter().map(|part| self.expr(part)).collect();
                self.any(parts)
            }
            Expr::Test(comparison) => {
                if let Some(Known::Always(outcome)) = self.facts.map(|facts| facts.expr(expr)) {
                    return self.outcome(outcome);
                }
                let node = self.fields.node(&comparison.selector.segments);
                let through_wildcard = comparison.selector.wildcards() > 0;
                let test = &comparison.test;
                if !is_analysable(test, self.mode) {
                    return self.doubtful();
                }
                self.push(Formula::Claim {
                    node,
                    claim: Claim::Test {
                        test,
                        through_wildcard,
                    },
                })
            }
        }
    }

    pub(super) fn all(&mut self, mut parts: Vec<FormulaId>) -> FormulaId {
        if parts
            .iter()
            .any(|part| matches!(self.formulas[*part], Formula::Const(false)))
        {
            return self.constant(false);
        }
        parts.retain(|part| !matches!(self.formulas[*part], Formula::Const(true)));
        match parts.as_slice() {
            [] => self.constant(true),
            [one] => *one,
            _ => self.push(Formula::All(parts)),
        }
    }

    pub(super) fn any(&mut self, mut parts: Vec<FormulaId>) -> FormulaId {
        if parts
            .iter()
            .any(|part| matches!(self.formulas[*part], Formula::Const(true)))
        {
            return self.constant(true);
        }
        parts.retain(|part| !matches!(self.formulas[*part], Formula::Const(false)));
        match parts.as_slice() {
            [] => self.constant(false),
            [one] => *one,
            _ => self.push(Formula::Any(parts)),
        }
    }

    /// That the field at a dotted path is as `constraint` says.
    pub(super) fn constraint(&mut self, path: &str, constraint: &'a FieldConstraint) -> FormulaId {
        let node = self.path(path);
        self.push(Formula::Claim {
            node,
            claim: Claim::Constraint(constraint),
        })
    }

    /// The node at a dotted path.
    pub(super) fn path(&mut self, path: &str) -> usize {
        let member = |name: &str| Segment::Member(name.to_owned());
        let segments: Vec<Segment> = path.split('.').map(member).collect();
        self.fields.node(&segments)
    }
}

/// Whether there is an automaton for the reading of a regular expression that `mode` asks for.
fn is_analysable(test: &Test, mode: Mode) -> bool {
    match test {
        Test::Compare(operator, Operand::Regex(regex)) => {
            if (mode == Mode::Sure) == (*operator == Operator::Equal) {
                regex.narrow_dfa().is_some()
            } else {
                regex.wide_dfas().is_some()
            }
        }
        _ => true,
    }
}
