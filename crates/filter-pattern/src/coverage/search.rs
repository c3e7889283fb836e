//! Looks for a record about which a formula is true or false.
//!
//! A formula that must be true is taken apart until claims about fields remain; where it can be
//! true in several ways they are tried in turn. Claims are checked as they are made, so a branch
//! ends at its first contradiction, and a choice that the record found so far already satisfies is
//! never made. Without a record at the end, there is none.

use super::budget::Budget;
use super::fields::Fields;
use super::problem::{Formula, FormulaId, Problem};

/// A formula, and the value it must have.
pub(super) type Goal = (FormulaId, bool);

/// What a search came to.
pub(super) enum Answer {
    /// The fields hold a record.
    Found,
    Impossible,
    /// The budget ran out first.
    GaveUp,
}

/// A goal that can be reached in several ways.
struct Choice {
    goal: Goal,
    is_open: bool,
}

/// A choice that was made.
struct Decision {
    choice: usize,
    /// The next way to try.
    next: usize,
    /// What to go back to.
    claims: usize,
    choices: usize,
}

struct Search<'p, 'a> {
    formulas: &'p [Formula<'a>],
    fields: &'p mut Fields<'a>,
    budget: &'p mut Budget,
    pending: Vec<Goal>,
    choices: Vec<Choice>,
    decisions: Vec<Decision>,
    /// The nodes of the claims made so far, in order.
    claims: Vec<usize>,
    gave_up: bool,
}

/// Looks for a record that satisfies `goals`; it is left in the fields of the problem.
pub(super) fn search(problem: &mut Problem<'_>, goals: Vec<Goal>, budget: &mut Budget) -> Answer {
    let mut search = Search {
        formulas: &problem.formulas,
        fields: &mut problem.fields,
        budget,
        pending: goals,
        choices: Vec::new(),
        decisions: Vec::new(),
        claims: Vec::new(),
        gave_up: false,
    };
    search.run()
}

impl Search<'_, '_> {
    fn run(&mut self) -> Answer {
        loop {
            if !self.budget.spend(1) {
                return Answer::GaveUp;
            }
            let is_consistent = self.propagate();
            if !is_consistent {
                if !self.go_back() {
                    let gave_up = self.gave_up || self.fields.gave_up;
                    return if gave_up {
                        Answer::GaveUp
                    } else {
                        Answer::Impossible
                    };
                }
                continue;
            }
            match self.unsatisfied_choice() {
                None if self.budget.is_spent() => return Answer::GaveUp,
                None => return Answer::Found,
                Some(choice) => self.decide(choice),
            }
        }
    }

    /// Takes pending goals apart. `false` if one cannot be reached.
    fn propagate(&mut self) -> bool {
        while let Some((formula, wanted)) = self.pending.pop() {
            if !self.budget.spend(1) {
                self.gave_up = true;
                self.pending.clear();
                return false;
            }
            let is_reachable = match &self.formulas[formula] {
                Formula::Const(value) => *value == wanted,
                Formula::Claim { node, claim } => {
                    let added = self.fields.add(*node, *claim, wanted, self.budget);
                    if added {
                        self.claims.push(*node);
                    }
                    added
                }
                Formula::All(parts) | Formula::Any(parts) => {
                    if matches!(self.formulas[formula], Formula::All(_)) == wanted {
                        self.pending
                            .extend(parts.iter().rev().map(|part| (*part, wanted)));
                    } else {
                        self.choices.push(Choice {
                            goal: (formula, wanted),
                            is_open: true,
                        });
                    }
                    true
                }
            };
            if !is_reachable {
                self.pending.clear();
                return false;
            }
        }
        true
    }

    /// A choice that the record found so far does not satisfy.
    fn unsatisfied_choice(&mut self) -> Option<usize> {
        (0..self.choices.len()).find(|index| {
            let choice = &self.choices[*index];
            let (formula, wanted) = choice.goal;
            choice.is_open && self.value(formula) != wanted
        })
    }

    /// The value of a formula for the record found so far.
    fn value(&mut self, formula: FormulaId) -> bool {
        // When nothing is left, the caller notices; the answer no longer matters.
        if !self.budget.spend(1) {
            return true;
        }
        match &self.formulas[formula] {
            Formula::Const(value) => *value,
            Formula::Claim { node, claim } => self.fields.holds(*node, *claim),
            Formula::All(parts) => parts.iter().all(|part| self.value(*part)),
            Formula::Any(parts) => parts.iter().any(|part| self.value(*part)),
        }
    }

    fn decide(&mut self, choice: usize) {
        self.choices[choice].is_open = false;
        self.decisions.push(Decision {
            choice,
            next: 0,
            claims: self.claims.len(),
            choices: self.choices.len(),
        });
        self.try_next();
    }

    /// Tries the next way of the last decision. `false` if there is none.
    fn try_next(&mut self) -> bool {
        let Some(decision) = self.decisions.last_mut() else {
            return false;
        };
        let (formula, wanted) = self.choices[decision.choice].goal;
        let (Formula::All(parts) | Formula::Any(parts)) = &self.formulas[formula] else {
            return false;
        };
        let Some(part) = parts.get(decision.next) else {
            return false;
        };
        decision.next += 1;
        self.pending.push((*part, wanted));
        true
    }

    /// Undoes the last decision and tries its next way, or the one before. `false` if no way is
    /// left.
    fn go_back(&mut self) -> bool {
        while let Some(decision) = self.decisions.last() {
            for node in self.claims.drain(decision.claims..).rev() {
                self.fields.retract(node);
            }
            self.choices.truncate(decision.choices);
            if self.try_next() {
                return true;
            }
            if let Some(decision) = self.decisions.pop() {
                self.choices[decision.choice].is_open = true;
            }
        }
        false
    }
}
