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

use ast::Pattern;

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
