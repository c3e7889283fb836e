//! Reads the pieces that a pattern is made of: blanks, symbols, words, quoted strings, expressions.
//!
//! There is no token stream, because what a character means depends on where it stands: `-` is part
//! of a name, a sign, or an exclusion.

use std::ops::Range;

use crate::ast::Number;
use crate::error::{ErrorKind, ParseError};
use crate::regex::Regex;

/// A position in the pattern.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

impl<'a> Lexer<'a> {
    /// Reads `range` of `text`; positions are positions in `text`.
    pub(crate) fn new(text: &'a str, range: Range<usize>) -> Self {
        Self {
            text,
            at: range.start,
            end: range.end,
        }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..self.end]
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.end
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_blank).len();
    }

    /// Steps over `symbol` if it comes next.
    pub(crate) fn eat(&mut self, symbol: &str) -> bool {
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    /// Steps over characters while `belongs`, and gives what was stepped over.
    pub(crate) fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest
            .find(|character| !belongs(character))
            .unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// The span of the next character, empty at the end.
    pub(crate) fn here(&self) -> Range<usize> {
        self.at..self.at + self.peek().map_or(0, char::len_utf8)
    }

    /// The span of the next word or symbol, for messages.
    pub(crate) fn next_word(&self) -> Range<usize> {
        let rest = self.rest();
        let length = rest
            .find(|character: char| is_blank(character) || "()&|}],".contains(character))
            .unwrap_or(rest.len());
        if length == 0 {
            self.here()
        } else {
            self.at..self.at + length
        }
    }

    /// Reads a string in double quotes, resolving `\"` and `\\`. Stands on the opening quote.
    pub(crate) fn quoted(&mut self) -> Result<String, ParseError> {
        let start = self.at;
        self.at += 1;
        let mut value = String::new();
        loop {
            let piece = self.take_while(|character| character != '"' && character != '\\');
            value.push_str(piece);
            let at = self.at;
            if self.eat("\"") {
                return Ok(value);
            }
            if self.eat("\\\"") {
                value.push('"');
            } else if self.eat("\\\\") {
                value.push('\\');
            } else if self.is_at_end() {
                return Err(ParseError::refused(
                    ErrorKind::Quote,
                    start..self.end,
                    "a closing double quote",
                ));
            } else {
                return Err(ParseError::unproven(
                    ErrorKind::Value,
                    at..at + 1,
                    "`\\\"` or `\\\\`: no other escape is known",
                ));
            }
        }
    }

    /// Reads an expression between percent signs. Stands on the first.
    pub(crate) fn regex(&mut self) -> Result<Regex, ParseError> {
        let start = self.at;
        self.at += 1;
        let source = self.take_while(|character| character != '%');
        if !self.eat("%") {
            return Err(ParseError::refused(
                ErrorKind::Regex,
                start..self.end,
                "a closing percent sign",
            ));
        }
        Regex::new(source).map_err(|error| {
            let at = start + 1 + error.at;
            let span = at..at + error.length;
            if error.is_proven {
                ParseError::refused(ErrorKind::Regex, span, error.expected)
            } else {
                ParseError::unproven(ErrorKind::Regex, span, error.expected)
            }
        })
    }
}

/// Blanks, tabs and line breaks are alike: patterns with line breaks are in use.
pub(crate) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// `word` as a number, if it is one: an optional sign, digits, a fraction, an exponent.
pub(crate) fn number(word: &str) -> Option<Number> {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let well_formed =
        is_digits(whole) && fraction.is_none_or(is_digits) && exponent.is_none_or(is_digits);
    let value = well_formed.then(|| word.parse().ok()).flatten()?;
    Some(Number {
        text: word.to_owned(),
        value,
    })
}
