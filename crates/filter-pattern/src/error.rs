//! Why a text is not a filter pattern: where, what was expected, and how sure we are.

use std::borrow::Cow;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// More than 1024 characters.
    #[error("the pattern is too long")]
    TooLong,
    /// A bracket, brace or parenthesis that is never closed.
    #[error("something is opened and never closed")]
    Unclosed,
    /// Text after the end of the pattern.
    #[error("text after the end of the pattern")]
    TrailingText,
    /// A selector that is missing or malformed.
    #[error("not a selector")]
    Selector,
    /// More than one wildcard in a selector.
    #[error("too many wildcards in a selector")]
    SelectorWildcards,
    /// More than three wildcard selectors in a pattern.
    #[error("too many wildcard selectors")]
    WildcardSelectors,
    /// An operator that is missing or unknown.
    #[error("not an operator")]
    Operator,
    /// `IS` or `NOT` without its second word, or a keyword that is not in upper case.
    #[error("not a keyword")]
    Keyword,
    /// A value that is missing or malformed.
    #[error("not a value")]
    Value,
    /// `<`, `<=`, `>` or `>=` against something other than a number.
    #[error("ordering needs a number")]
    OrderingNeedsNumber,
    /// A quote that is never closed.
    #[error("a quote that is never closed")]
    Quote,
    /// A regular expression outside the restricted syntax.
    #[error("not a supported regular expression")]
    Regex,
    /// More than two regular expressions in a pattern.
    #[error("too many regular expressions")]
    RegexCount,
    /// Parentheses nested deeper than this crate follows.
    #[error("too many nested parentheses")]
    TooDeep,
    /// A character that a term may not hold unless the term is quoted.
    #[error("invalid character in a term")]
    Term,
    /// A field of a space-delimited pattern that is malformed.
    #[error("not a field")]
    Field,
    /// Two fields of the same name, or two ellipses.
    #[error("duplicate field")]
    DuplicateField,
}

/// A text that is not a filter pattern.
///
/// [`Display`](std::fmt::Display) gives one line; [`ParseError::render`] shows the pattern with a
/// caret under the offending part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {}: expected {expected}", span.start)]
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
            Certainty::Refused => self.kind.to_string(),
            Certainty::Unproven => format!("{} (AWS may accept it)", self.kind),
        };
        render_span(
            &self.pattern,
            &title,
            self.span(),
            &format!("expected {}", self.expected),
        )
    }
}

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
