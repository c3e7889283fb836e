//! Parses operators and the values beside them, alike in the JSON and the space-delimited dialect.

use std::ops::Range;

use crate::ast::{Operand, Operator};
use crate::error::{ErrorKind, ParseError};
use crate::lexer::{Lexer, is_blank, number};
use crate::text::Text;

/// Steps over an operator, if one comes next.
pub(super) fn operator(lexer: &mut Lexer<'_>) -> Option<Operator> {
    let known = [
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("=", Operator::Equal),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    known
        .into_iter()
        .find(|(symbol, _)| lexer.eat(symbol))
        .map(|(_, operator)| operator)
}

/// Where a bare value of the JSON dialect ends.
pub(super) fn json_bare_end(character: char) -> bool {
    is_blank(character) || ")&|}".contains(character)
}

/// Reads the right side of a comparison.
pub(super) fn operand(
    lexer: &mut Lexer<'_>,
    ends: fn(char) -> bool,
) -> Result<Operand, ParseError> {
    match lexer.peek() {
        Some('"') => {
            let value = lexer.quoted()?;
            if lexer.peek().is_some_and(|character| !ends(character)) {
                let expected = "a blank after the closing quote";
                return Err(ParseError::unproven(
                    ErrorKind::Value,
                    lexer.here(),
                    expected,
                ));
            }
            Ok(Operand::Text(Text::new(&value)))
        }
        Some('%') => lexer.regex().map(Operand::Regex),
        _ => bare(lexer, ends),
    }
}

/// Whether `value` means the same text without quotes.
pub(crate) fn is_bare_text(value: &str) -> bool {
    let mut lexer = Lexer::new(value, 0..value.len());
    let operand = bare(&mut lexer, json_bare_end);
    lexer.is_at_end() && matches!(operand, Ok(Operand::Text(text)) if text.value() == value)
}

/// Reads a value without quotes. Letters, digits, `_`, `.` and `*` are in use.
fn bare(lexer: &mut Lexer<'_>, ends: fn(char) -> bool) -> Result<Operand, ParseError> {
    let start = lexer.position();
    let word = lexer.take_while(|character| !ends(character));
    let span = start..lexer.position();
    if word.is_empty() {
        return Err(ParseError::refused(
            ErrorKind::Value,
            lexer.here(),
            "a value",
        ));
    }
    if let Some(number) = number(word) {
        return Ok(Operand::Number(number));
    }
    match word {
        "true" | "false" => return Ok(Operand::Boolean(word == "true")),
        "null" | "NULL" | "TRUE" | "FALSE" => {
            let expected = "`IS NULL`, `IS TRUE` or `IS FALSE`, or the word in quotes";
            return Err(ParseError::unproven(ErrorKind::Value, span, expected));
        }
        _ => {}
    }
    let is_usual = |character: char| character.is_ascii_alphanumeric() || "_.*".contains(character);
    match word
        .char_indices()
        .find(|(_, character)| !is_usual(*character))
    {
        None if word.starts_with('.')
            || (word.ends_with('.') && number(&word[..word.len() - 1]).is_some()) =>
        {
            Err(ParseError::unproven(
                ErrorKind::Value,
                span,
                "digits on both sides of the point",
            ))
        }
        None => Ok(Operand::Text(Text::new(word))),
        Some((at, character)) => {
            let at = start + at;
            let span = at..at + character.len_utf8();
            let expected = "double quotes around a value with this character";
            // Colons, quotes and parentheses were observed to be refused; hyphens, slashes and the
            // like were not tried.
            Err(if "\"'(:\\=<>!~%$,;[]{".contains(character) {
                ParseError::refused(ErrorKind::Value, span, expected)
            } else {
                ParseError::unproven(ErrorKind::Value, span, expected)
            })
        }
    }
}

pub(super) fn check_ordering(
    operator: Operator,
    operand: &Operand,
    span: Range<usize>,
) -> Result<(), ParseError> {
    let orders = !matches!(operator, Operator::Equal | Operator::NotEqual);
    if orders && !matches!(operand, Operand::Number(_)) {
        let expected = "a number: strings are compared with `=` and `!=` only";
        return Err(ParseError::refused(
            ErrorKind::OrderingNeedsNumber,
            span,
            expected,
        ));
    }
    Ok(())
}

pub(super) fn too_many_regexes(span: Range<usize>) -> ParseError {
    ParseError::refused(
        ErrorKind::RegexCount,
        span,
        "at most two regular expressions in a pattern",
    )
}
