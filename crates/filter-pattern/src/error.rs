//! Why a text is not a filter pattern: where, what was expected, and how sure we are.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// Whether AWS is known to refuse a text that does not parse here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// AWS was observed to refuse this, or documents that it does.
    Refused,
    /// The notation is not documented and was never observed, so AWS may accept it. A filter that
    /// exists in an account with such a pattern is one whose meaning is unknown, not an invalid
    /// one.
    Unproven,
}

/// What is wrong with a pattern, as a closed set to match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// More than 1024 characters.
    TooLong,
    /// A bracket, brace or parenthesis that is never closed.
    Unclosed,
    /// Text after the end of the pattern.
    TrailingText,
    /// A selector that is missing or malformed.
    Selector,
    /// More than one wildcard in a selector.
    SelectorWildcards,
    /// More than three wildcard selectors in a pattern.
    WildcardSelectors,
    /// An operator that is missing or unknown.
    Operator,
    /// `IS` or `NOT` without its second word, or a keyword that is not in upper case.
    Keyword,
    /// A value that is missing or malformed.
    Value,
    /// `<`, `<=`, `>` or `>=` against something other than a number.
    OrderingNeedsNumber,
    /// A quote that is never closed.
    Quote,
    /// A regular expression outside the restricted syntax.
    Regex,
    /// More than two regular expressions in a pattern.
    RegexCount,
    /// Parentheses nested deeper than this crate follows.
    TooDeep,
    /// A character that a term may not hold unless the term is quoted.
    Term,
    /// A field of a space-delimited pattern that is malformed.
    Field,
    /// Two fields of the same name, or two ellipses.
    DuplicateField,
}

impl ErrorKind {
    fn describe(self) -> &'static str {
        match self {
            Self::TooLong => "the pattern is too long",
            Self::Unclosed => "something is opened and never closed",
            Self::TrailingText => "text after the end of the pattern",
            Self::Selector => "not a selector",
            Self::SelectorWildcards => "too many wildcards in a selector",
            Self::WildcardSelectors => "too many wildcard selectors",
            Self::Operator => "not an operator",
            Self::Keyword => "not a keyword",
            Self::Value => "not a value",
            Self::OrderingNeedsNumber => "ordering needs a number",
            Self::Quote => "a quote that is never closed",
            Self::Regex => "not a supported regular expression",
            Self::RegexCount => "too many regular expressions",
            Self::TooDeep => "too many nested parentheses",
            Self::Term => "invalid character in a term",
            Self::Field => "not a field",
            Self::DuplicateField => "duplicate field",
        }
    }
}

/// A text that is not a filter pattern.
///
/// [`Display`](fmt::Display) gives one line; [`ParseError::render`] shows the pattern with a caret
/// under the offending part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    kind: ErrorKind,
    certainty: Certainty,
    span: Range<usize>,
    expected: Cow<'static, str>,
    pattern: Box<str>,
}

impl ParseError {
    pub(crate) fn refused(
        kind: ErrorKind,
        span: Range<usize>,
        expected: impl Into<Cow<'static, str>>,
    ) -> Self {
        let expected = expected.into();
        Self {
            kind,
            certainty: Certainty::Refused,
            span,
            expected,
            pattern: Box::default(),
        }
    }

    pub(crate) fn unproven(
        kind: ErrorKind,
        span: Range<usize>,
        expected: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            certainty: Certainty::Unproven,
            ..Self::refused(kind, span, expected)
        }
    }

    pub(crate) fn in_pattern(mut self, pattern: &str) -> Self {
        self.pattern = pattern.into();
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether AWS is known to refuse the pattern.
    pub fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// The bytes of the pattern that are wrong; empty where something is missing.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What should stand there instead.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// The text that was parsed.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The error under the pattern it is about, with a caret, as plain text.
    pub fn render(&self) -> String {
        let title = match self.certainty {
            Certainty::Refused => self.kind.describe().to_owned(),
            Certainty::Unproven => format!("{} (AWS may accept it)", self.kind.describe()),
        };
        render_span(
            &self.pattern,
            &title,
            self.span(),
            &format!("expected {}", self.expected),
        )
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at byte {}: expected {}",
            self.kind.describe(),
            self.span.start,
            self.expected
        )
    }
}

impl std::error::Error for ParseError {}

/// `label` under `span` of `pattern`, as plain text: how every message about a part of a pattern
/// is shown, be it an error or the part that rejects an event.
pub fn render_span(pattern: &str, title: &str, span: Range<usize>, label: &str) -> String {
    let span = clamp(pattern, span);
    let snippet = Snippet::source(pattern)
        .fold(false)
        .annotation(AnnotationKind::Primary.span(span).label(label));
    Renderer::plain().render(&[Level::ERROR.primary_title(title).element(snippet)])
}

/// A span cannot make rendering fail: out of range it points at the end, and inside a character it
/// widens to the whole of it.
fn clamp(pattern: &str, span: Range<usize>) -> Range<usize> {
    let start = pattern.floor_char_boundary(span.start.min(pattern.len()));
    let end = pattern.ceil_char_boundary(span.end.clamp(start, pattern.len()));
    start..end
}
