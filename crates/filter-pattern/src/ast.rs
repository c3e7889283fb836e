//! What a filter pattern is once parsed.
//!
//! Spelling that carries no meaning is gone: nested `&&` and `||` are flat, redundant parentheses
//! have vanished, `"a"` and `a` are the same text. Equality therefore compares structure and
//! ignores where in the source a part stood.

use std::ops::Range;

use crate::regex::Regex;
use crate::text::Text;

/// Where a part stood in the source. Any two are equal, so that equality of patterns is equality
/// of what they say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pattern {
    Json(Expr),
    Space(SpacePattern),
    Terms(TermPattern),
}

/// A condition on a JSON record. The language has no negation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// At least two parts, none of them an `And`.
    And(Vec<Expr>, Span),
    /// At least two parts, none of them an `Or`.
    Or(Vec<Expr>, Span),
    Test(Comparison),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) selector: Selector,
    pub(crate) test: Test,
    pub(crate) span: Span,
}

/// The path of a field, `$.userIdentity.type`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Selector {
    pub(crate) segments: Vec<Segment>,
}

impl Selector {
    /// Whether it is the dotted path, or could be with a wildcard.
    pub(crate) fn may_be(&self, path: &str) -> bool {
        let mut names = path.split('.');
        self.segments.iter().all(|segment| match segment {
            Segment::Member(own) => names.next() == Some(own),
            Segment::AnyMember => names.next().is_some(),
            Segment::Index(_) | Segment::AnyElement => false,
        }) && names.next().is_none()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Segment {
    /// `.name` or `.['any name']`
    Member(String),
    /// `[0]`
    Index(usize),
    /// `[*]`
    AnyElement,
    /// `.*`
    AnyMember,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    NotExists,
    IsNull,
    IsTrue,
    IsFalse,
    Compare(Operator, Operand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The right side of a comparison. Ordering operators have a number there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Text(Text),
    Number(Number),
    /// A bare `true` or `false`: accepted by AWS, with a meaning that it does not document.
    Boolean(bool),
    Regex(Regex),
}

/// A number as written; the spelling matters when it is compared with a string.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub(crate) text: String,
    pub(crate) value: f64,
}

/// `[ip, ..., status = 4*, bytes]`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SpacePattern {
    pub(crate) before: Vec<Field>,
    /// The fields after `...`, if there is one.
    pub(crate) after: Option<Vec<Field>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) condition: Option<FieldExpr>,
}

/// A condition on one field of a space-delimited pattern.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FieldExpr {
    And(Vec<FieldExpr>),
    Or(Vec<FieldExpr>),
    Compare(Operator, Operand),
}

/// `A -B`, `?A ?B`, `%regex%`, or nothing at all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TermPattern {
    Terms(Vec<Term>),
    Regex(Regex),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) role: TermRole,
    pub(crate) text: String,
    pub(crate) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TermRole {
    Required,
    Optional,
    Excluded,
}

// === impl Span ===

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

// === impl Expr ===

impl Expr {
    /// `parts` joined by `&&`, flat.
    pub(crate) fn all(mut parts: Vec<Expr>, span: Span) -> Expr {
        if parts.len() == 1 {
            return parts.swap_remove(0);
        }
        if parts.iter().any(|part| matches!(part, Expr::And(..))) {
            let flat = parts.into_iter().flat_map(|part| match part {
                Expr::And(inner, _) => inner,
                other => vec![other],
            });
            return Expr::And(flat.collect(), span);
        }
        Expr::And(parts, span)
    }

    /// `parts` joined by `||`, flat.
    pub(crate) fn any(mut parts: Vec<Expr>, span: Span) -> Expr {
        if parts.len() == 1 {
            return parts.swap_remove(0);
        }
        if parts.iter().any(|part| matches!(part, Expr::Or(..))) {
            let flat = parts.into_iter().flat_map(|part| match part {
                Expr::Or(inner, _) => inner,
                other => vec![other],
            });
            return Expr::Or(flat.collect(), span);
        }
        Expr::Or(parts, span)
    }

    pub(crate) fn span(&self) -> Span {
        match self {
            Expr::And(_, span) | Expr::Or(_, span) => *span,
            Expr::Test(comparison) => comparison.span,
        }
    }
}

// === impl Selector ===

impl Selector {
    pub(crate) fn wildcards(&self) -> usize {
        self.segments
            .iter()
            .filter(|segment| matches!(segment, Segment::AnyElement | Segment::AnyMember))
            .count()
    }
}

// === impl Number ===

impl Number {
    /// Whether the number is spelled as AWS would spell it: no sign `+`, no exponent, no idle
    /// zeros.
    pub(crate) fn is_plain(&self) -> bool {
        let digits = self.text.strip_prefix('-').unwrap_or(&self.text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "1"));
        let whole_is_plain = whole == "0" || !whole.starts_with('0');
        whole_is_plain
            && !digits.is_empty()
            && !fraction.ends_with('0')
            && whole
                .bytes()
                .chain(fraction.bytes())
                .all(|byte| byte.is_ascii_digit())
            && self.text != "-0"
    }
}
