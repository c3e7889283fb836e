//! Statements about the value of one field, and which strings make them true.

use super::text_set::{Glob, Reading, TextSet};
use crate::ast::{Operand, Operator, Test};
use crate::evaluate::{Held, test_holds};
use crate::outcome::Outcome;
use crate::requirement::FieldConstraint;
use crate::text::Text;

/// Which of the readings of a doubtful comparison counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A comparison holds only if it does in every reading.
    Sure,
    /// A comparison holds if it does in some reading.
    Possible,
}

/// A statement about the value of one node.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Claim<'a> {
    Test {
        test: &'a Test,
        through_wildcard: bool,
    },
    Constraint(&'a FieldConstraint),
    /// The text occurs in the message: on the node that stands for the rest of the record.
    Occurs(&'a Text),
    /// It does not.
    OccursNot(&'a Text),
}

/// The value of a node in a record under construction.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum FieldValue {
    #[default]
    Nothing,
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Container,
}

// === impl Claim ===

impl<'a> Claim<'a> {
    pub(super) fn is_constraint(self) -> bool {
        matches!(self, Claim::Constraint(_))
    }

    pub(super) fn holds(self, value: &FieldValue, mode: Mode) -> bool {
        self.holds_for(
            match value {
                FieldValue::Nothing => Held::Nothing,
                FieldValue::Null => Held::Null,
                FieldValue::Bool(value) => Held::Bool(*value),
                FieldValue::Number(spelled) => Held::Number(spelled),
                FieldValue::Text(text) => Held::Text(text),
                FieldValue::Container => Held::Container(None),
            },
            mode,
        )
    }

    pub(super) fn holds_for(self, held: Held<'_>, mode: Mode) -> bool {
        let outcome = match self {
            Claim::Test {
                test,
                through_wildcard,
            } => {
                let is_keyword = matches!(test, Test::IsNull | Test::IsTrue | Test::IsFalse);
                let is_negative =
                    matches!(test, Test::NotExists | Test::Compare(Operator::NotEqual, _));
                match test_holds(test, held) {
                    // Of every element or of some: sure of neither.
                    Outcome::Yes if through_wildcard && is_negative => {
                        return mode == Mode::Possible;
                    }
                    // What a container holds besides the fields that were asked for is open.
                    Outcome::No if is_keyword && matches!(held, Held::Container(_)) => {
                        return mode == Mode::Possible;
                    }
                    outcome => outcome,
                }
            }
            Claim::Constraint(constraint) => Outcome::from(constraint.admits(held)),
            Claim::Occurs(text) => occurs(text, held),
            Claim::OccursNot(text) => occurs(text, held).negate(),
        };
        match outcome {
            Outcome::Yes => true,
            Outcome::No => false,
            Outcome::Unsure(_) => mode == Mode::Possible,
        }
    }

    /// The only strings for which the claim is as wanted, if they are few.
    pub(super) fn only(self, wanted: bool) -> Option<Vec<&'a str>> {
        if !wanted {
            return match self {
                Claim::Constraint(FieldConstraint::NotEquals(value)) => Some(vec![value]),
                Claim::Constraint(FieldConstraint::NotOneOf(values)) => {
                    Some(values.iter().map(String::as_str).collect())
                }
                // Through a wildcard `!=` may fail for other reasons.
                Claim::Test {
                    test: Test::Compare(Operator::NotEqual, operand),
                    through_wildcard: false,
                } => only_operand(operand),
                _ => None,
            };
        }
        match self {
            Claim::Test {
                test: Test::Compare(Operator::Equal, operand),
                ..
            } => only_operand(operand),
            Claim::Test {
                test: Test::Compare(Operator::NotEqual, _),
                ..
            }
            | Claim::Occurs(_)
            | Claim::OccursNot(_) => None,
            Claim::Test { .. } => Some(Vec::new()),
            Claim::Constraint(constraint) => only_constraint(constraint),
        }
    }

    /// A string that is likely to fit.
    pub(super) fn guess(self) -> Option<&'a str> {
        match self {
            Claim::Test {
                test: Test::Compare(_, Operand::Text(text)),
                ..
            }
            | Claim::Occurs(text)
            | Claim::OccursNot(text) => Some(text.core()),
            Claim::Test {
                test: Test::Compare(_, Operand::Number(number)),
                ..
            } => Some(&number.text),
            Claim::Constraint(
                FieldConstraint::StartsWith(part)
                | FieldConstraint::EndsWith(part)
                | FieldConstraint::Contains(part),
            ) => Some(part),
            _ => None,
        }
    }

    /// The strings for which the claim is as wanted; `None` where there is no automaton for them.
    pub(super) fn texts(self, wanted: bool, mode: Mode) -> Option<TextSet<'a>> {
        let everything = |yes: bool| TextSet {
            readings: Vec::new(),
            complement: yes,
        };
        let mut set = match self {
            Claim::Test {
                test: Test::Compare(operator, operand),
                through_wildcard,
            } => {
                let is_equal = match operator {
                    Operator::Equal => true,
                    Operator::NotEqual => false,
                    _ => return Some(everything(!wanted)),
                };
                if !is_equal && through_wildcard && mode == Mode::Sure {
                    return Some(everything(!wanted));
                }
                // `!=` is sure of what `=` cannot possibly match.
                let (wide, is_decided) = match (mode, is_equal) {
                    (Mode::Sure, true) | (Mode::Possible, false) => (false, is_equal),
                    (Mode::Possible, true) | (Mode::Sure, false) => (true, is_equal),
                };
                let mut set = operand_texts(operand, wide, is_equal)?;
                set.complement = !is_decided;
                set
            }
            Claim::Test { .. } => everything(false),
            Claim::Constraint(constraint) => constraint_texts(constraint),
            Claim::Occurs(text) => glob_set(text, false),
            Claim::OccursNot(text) => TextSet {
                complement: true,
                ..glob_set(text, false)
            },
        };
        if !wanted {
            set.complement = !set.complement;
        }
        Some(set)
    }
}

fn occurs(text: &Text, held: Held<'_>) -> Outcome {
    match held {
        Held::Text(subject) => Outcome::from(text.matches_literally(subject)),
        _ => Outcome::No,
    }
}

fn only_operand(operand: &Operand) -> Option<Vec<&str>> {
    match operand {
        Operand::Text(text) => text.exact().map(|exact| vec![exact]),
        Operand::Number(number) => Some(vec![&number.text]),
        Operand::Boolean(_) | Operand::Regex(_) => None,
    }
}

fn only_constraint(constraint: &FieldConstraint) -> Option<Vec<&str>> {
    match constraint {
        FieldConstraint::Equals(value) => Some(vec![value]),
        FieldConstraint::OneOf(values) => Some(values.iter().map(String::as_str).collect()),
        FieldConstraint::IsTrue
        | FieldConstraint::IsFalse
        | FieldConstraint::Absent
        | FieldConstraint::Container => Some(Vec::new()),
        FieldConstraint::AbsentOr(inner) => only_constraint(inner),
        _ => None,
    }
}

/// The strings that an operand equals: in some reading if `wide`, in every one if not.
fn operand_texts(operand: &Operand, wide: bool, is_equal: bool) -> Option<TextSet<'_>> {
    let of = |readings| TextSet {
        readings,
        complement: false,
    };
    Some(match operand {
        Operand::Text(text) => glob_set(text, wide),
        Operand::Number(number) if wide || number.is_plain() => {
            of(vec![Reading::Glob(Glob::exact(&number.text))])
        }
        Operand::Number(_) => of(Vec::new()),
        Operand::Boolean(value) => match (wide, is_equal) {
            (true, true) => of(vec![Reading::Glob(Glob::exact(if *value {
                "true"
            } else {
                "false"
            }))]),
            // Of `!=` nothing is sure, and everything is possible.
            (true, false) => of(vec![Reading::Glob(Glob::new("", true, true, false))]),
            (false, _) => of(Vec::new()),
        },
        Operand::Regex(regex) if wide => {
            of(regex.wide_dfas()?.iter().map(Reading::Regex).collect())
        }
        Operand::Regex(regex) => of(vec![Reading::Regex(regex.narrow_dfa()?)]),
    })
}

fn glob_set(text: &Text, inner_wildcards: bool) -> TextSet<'static> {
    let glob = Glob::new(
        text.core(),
        text.open_start(),
        text.open_end(),
        inner_wildcards,
    );
    TextSet {
        readings: vec![Reading::Glob(glob)],
        complement: false,
    }
}

fn constraint_texts(constraint: &FieldConstraint) -> TextSet<'static> {
    let globs = |globs: Vec<Glob>, complement| TextSet {
        readings: globs.into_iter().map(Reading::Glob).collect(),
        complement,
    };
    let one = |core: &str, open_start, open_end| {
        globs(vec![Glob::new(core, open_start, open_end, false)], false)
    };
    let each = |values: &[String]| values.iter().map(|value| Glob::exact(value)).collect();
    match constraint {
        FieldConstraint::Equals(value) => one(value, false, false),
        FieldConstraint::NotEquals(value) => globs(vec![Glob::exact(value)], true),
        FieldConstraint::OneOf(values) => globs(each(values), false),
        FieldConstraint::NotOneOf(values) => globs(each(values), true),
        FieldConstraint::StartsWith(value) => one(value, false, true),
        FieldConstraint::EndsWith(value) => one(value, true, false),
        FieldConstraint::Contains(value) => one(value, true, true),
        FieldConstraint::Present => globs(Vec::new(), true),
        FieldConstraint::IsTrue
        | FieldConstraint::IsFalse
        | FieldConstraint::Absent
        | FieldConstraint::Container => globs(Vec::new(), false),
        FieldConstraint::AbsentOr(inner) => constraint_texts(inner),
    }
}
