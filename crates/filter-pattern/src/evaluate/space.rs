//! A space-delimited pattern against the raw text of a message.
//!
//! How AWS cuts a message was observed in outline: runs of blanks and tabs separate, text in
//! double quotes or square brackets is one field, and words beyond the last field do no harm.
//! Whether two blanks enclose an empty field and whether the last field takes the remaining words
//! was not, so a message is cut in each way that agrees with the observations; where the ways
//! differ in their answer, the answer is not known.

use super::scalar::order_holds;
use crate::ast::{Field, FieldExpr, Operand, Operator, SpacePattern};
use crate::evaluate::{greatest, least};
use crate::lexer::number;
use crate::outcome::{Doubt, Outcome};

/// One way of cutting a message.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// A second blank encloses an empty field.
    keeps_empty: bool,
    /// Words beyond the last field belong to it.
    last_takes_rest: bool,
}

/// Collapsing blanks and dropping the remaining words contradicts an observation.
const CUTS: [Cut; 3] = [
    Cut {
        keeps_empty: false,
        last_takes_rest: true,
    },
    Cut {
        keeps_empty: true,
        last_takes_rest: true,
    },
    Cut {
        keeps_empty: true,
        last_takes_rest: false,
    },
];

pub(super) fn evaluate(pattern: &SpacePattern, message: &str) -> Outcome {
    let mut answers = CUTS.iter().map(|cut| {
        let fields = split(message, cut.keeps_empty);
        evaluate_fields(pattern, message, &fields, *cut)
    });
    let first = answers.next().unwrap_or(Outcome::No);
    answers.fold(first, |agreed, answer| {
        agreed.agree(answer, Doubt::FieldSplitting)
    })
}

fn evaluate_fields(pattern: &SpacePattern, message: &str, words: &[&str], cut: Cut) -> Outcome {
    let Some(after) = &pattern.after else {
        let wanted = pattern.before.len();
        if words.len() < wanted {
            return Outcome::No;
        }
        let last = wanted.saturating_sub(1);
        return least(pattern.before.iter().zip(words).enumerate().map(
            |(index, (field, word))| {
                let takes_rest = index == last && words.len() > wanted && cut.last_takes_rest;
                let subject = if takes_rest {
                    rest_from(message, word)
                } else {
                    word
                };
                evaluate_field(field, subject)
            },
        ));
    };
    let wanted = pattern.before.len() + after.len();
    if words.len() < wanted {
        return Outcome::No;
    }
    let tail = &words[words.len() - after.len()..];
    let pairs = pattern
        .before
        .iter()
        .zip(words)
        .chain(after.iter().zip(tail));
    least(pairs.map(|(field, word)| evaluate_field(field, word)))
}

fn evaluate_field(field: &Field, word: &str) -> Outcome {
    field.condition.as_ref().map_or(Outcome::Yes, |condition| {
        evaluate_condition(condition, word)
    })
}

fn evaluate_condition(condition: &FieldExpr, word: &str) -> Outcome {
    match condition {
        FieldExpr::And(parts) => least(parts.iter().map(|part| evaluate_condition(part, word))),
        FieldExpr::Or(parts) => greatest(parts.iter().map(|part| evaluate_condition(part, word))),
        FieldExpr::Compare(operator, operand) => {
            let bare = compare(*operator, operand, word);
            match enclosed(word) {
                // Whether the quotes belong to the value is not known.
                Some(inner) => {
                    bare.agree(compare(*operator, operand, inner), Doubt::FieldSplitting)
                }
                None => bare,
            }
        }
    }
}

fn compare(operator: Operator, operand: &Operand, word: &str) -> Outcome {
    let equal = match operand {
        Operand::Text(text) => text.matches(word),
        Operand::Regex(regex) => regex.matches(word),
        Operand::Boolean(value) => Outcome::from(word == if *value { "true" } else { "false" }),
        Operand::Number(wanted) => {
            let value = number(word).map(|number| number.value);
            if !matches!(operator, Operator::Equal | Operator::NotEqual) {
                let holds = value.is_some_and(|value| order_holds(operator, value, wanted.value));
                return Outcome::from(holds);
            }
            let by_value = Outcome::from(value == Some(wanted.value));
            by_value.agree(Outcome::from(word == wanted.text), Doubt::FieldNumber)
        }
    };
    if operator == Operator::NotEqual {
        equal.negate()
    } else {
        equal
    }
}

/// The text between the quotes or brackets around a word.
fn enclosed(word: &str) -> Option<&str> {
    let opened = [('"', '"'), ('[', ']')]
        .into_iter()
        .find_map(|(open, close)| Some((word.strip_prefix(open)?, close)));
    opened.map(|(inner, close)| inner.strip_suffix(close).unwrap_or(inner))
}

/// The message from where `word`, a part of it, begins.
fn rest_from<'m>(message: &'m str, word: &str) -> &'m str {
    let offset = word.as_ptr() as usize - message.as_ptr() as usize;
    message.get(offset..).unwrap_or_default().trim_end()
}

fn split(message: &str, keeps_empty: bool) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = message;
    loop {
        if !keeps_empty {
            rest = rest.trim_start_matches(is_separator);
        }
        if rest.is_empty() {
            return words;
        }
        let close = match rest.chars().next() {
            Some('"') => Some('"'),
            Some('[') => Some(']'),
            _ => None,
        };
        let enclosed = close
            .and_then(|close| rest[1..].find(close))
            .map(|at| at + 2);
        let length = enclosed.unwrap_or(0)
            + rest[enclosed.unwrap_or(0)..]
                .find(is_separator)
                .unwrap_or(rest.len() - enclosed.unwrap_or(0));
        let (word, tail) = rest.split_at(length);
        words.push(word);
        rest = tail.strip_prefix(is_separator).unwrap_or_default();
    }
}

fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}
