#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod ast;
mod coverage;
mod error;
mod evaluate;
mod explain;
mod lexer;
mod outcome;
mod parser;
mod printer;
mod record;
mod regex;
mod requirement;
mod text;
mod witness;

use std::fmt;
use std::str::FromStr;

pub use coverage::noise::{Noise, noise};
pub use coverage::{Advice, Coverage, MissedEvent, MissedKind, coverage, may_match};
pub use error::{Certainty, ErrorKind, ParseError, render_span};
pub use explain::{Explanation, ExplanationLine};
pub use outcome::{Doubt, Match};
pub use requirement::{FieldConstraint, RequiredEvent};

use ast::{Expr, Operator, Pattern, Test};

/// Which of the three languages a pattern is written in, told by its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `{ $.field = value }`
    Json,
    /// `[ip, ..., status = 4*]`
    SpaceDelimited,
    /// `ERROR -timeout`
    Terms,
}

/// A CloudWatch Logs filter pattern.
///
/// Equal patterns say the same in the same order, however they are spelled: quotes, blanks and
/// redundant parentheses do not count. [`Display`](fmt::Display) gives the canonical spelling, and
/// parsing that gives an equal pattern.
#[derive(Debug, Clone)]
pub struct FilterPattern {
    text: Box<str>,
    pattern: Pattern,
}

impl FilterPattern {
    /// Parses `text` as AWS does when a metric filter is put.
    ///
    /// What AWS was observed to refuse, or documents that it does, is an error of certainty
    /// [`Certainty::Refused`]; notation that is neither documented nor observed is one of
    /// certainty [`Certainty::Unproven`].
    pub fn parse(text: &str) -> Result<FilterPattern, ParseError> {
        parser::parse(text).map(|pattern| FilterPattern {
            text: text.into(),
            pattern,
        })
    }

    /// The pattern as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which of the three languages it is written in.
    pub fn dialect(&self) -> Dialect {
        match self.pattern {
            Pattern::Json(_) => Dialect::Json,
            Pattern::Space(_) => Dialect::SpaceDelimited,
            Pattern::Terms(_) => Dialect::Terms,
        }
    }

    /// Whether the pattern compares a field, given as a dotted path such as `userIdentity.type`.
    ///
    /// This tells what a pattern is about, not what it matches. A pattern that is not of the JSON
    /// dialect names no fields and may be about any.
    ///
    /// ```
    /// let pattern: filter_pattern::FilterPattern = "{ $.errorCode NOT EXISTS }".parse()?;
    /// assert!(pattern.compares("errorCode") && !pattern.compares("eventName"));
    /// # Ok::<(), filter_pattern::ParseError>(())
    /// ```
    pub fn compares(&self, path: &str) -> bool {
        self.any_comparison(path, |_| true)
    }

    /// Whether a comparison asks that a field hold something, rather than that it hold something else
    /// or nothing.
    pub fn asks_for(&self, path: &str) -> bool {
        self.any_comparison(path, |test| match test {
            Test::NotExists | Test::Compare(Operator::NotEqual, _) => false,
            Test::IsNull | Test::IsTrue | Test::IsFalse | Test::Compare(..) => true,
        })
    }

    fn any_comparison(&self, path: &str, is_wanted: impl Fn(&Test) -> bool) -> bool {
        let Pattern::Json(expr) = &self.pattern else {
            return true;
        };
        let mut waiting = vec![expr];
        while let Some(expr) = waiting.pop() {
            match expr {
                Expr::And(parts, _) | Expr::Or(parts, _) => waiting.extend(parts),
                Expr::Test(comparison) => {
                    if comparison.selector.may_be(path) && is_wanted(&comparison.test) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Whether the pattern matches a log message, given as its raw text.
    pub fn matches(&self, message: &str) -> Match {
        evaluate::evaluate(&self.pattern, message).into()
    }
}

impl PartialEq for FilterPattern {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern
    }
}

impl fmt::Display for FilterPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printer::print(&self.pattern))
    }
}

impl FromStr for FilterPattern {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}
