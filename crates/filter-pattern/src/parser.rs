//! Parses the JSON dialect, `{ … }`, and chooses among the dialects.
//!
//! `&&` binds tighter than `||`. AWS's limits are enforced here: 1024 characters, two regular
//! expressions, one wildcard in a selector, three wildcard selectors.

mod space;
mod terms;
#[cfg(test)]
mod tests;
mod value;

use crate::ast::{Comparison, Expr, Operand, Pattern, Segment, Selector, Span, Test};
use crate::error::{ErrorKind, ParseError};
use crate::lexer::{Lexer, is_blank};
pub(crate) use value::is_bare_text;
use value::{check_ordering, json_bare_end, operand, operator, too_many_regexes};

/// The longest pattern AWS accepts.
pub(crate) const MAX_CHARACTERS: usize = 1024;
/// AWS: "exceeded the maximum of 2 regular expressions per filter pattern".
const MAX_REGEXES: usize = 2;
/// AWS: "exceeded the maximum of 3 JSON wildcard selectors allowed per filter pattern".
const MAX_WILDCARD_SELECTORS: usize = 3;
/// Parentheses followed, a bound on our recursion. What AWS allows is not known; the deepest
/// pattern seen in public code has six.
const MAX_DEPTH: usize = 64;

/// Parses `text` in the dialect that its first character chooses.
pub(crate) fn parse(text: &str) -> Result<Pattern, ParseError> {
    parse_dialect(text).map_err(|error| error.in_pattern(text))
}

fn parse_dialect(text: &str) -> Result<Pattern, ParseError> {
    if text.len() > MAX_CHARACTERS
        && let Some((at, _)) = text.char_indices().nth(MAX_CHARACTERS)
    {
        return Err(ParseError::refused(
            ErrorKind::TooLong,
            at..text.len(),
            "at most 1024 characters",
        ));
    }
    let start = text.len() - text.trim_start_matches(is_blank).len();
    let end = text.trim_end_matches(is_blank).len().max(start);
    let lexer = Lexer::new(text, start..end);
    match lexer.peek() {
        Some('{') => JsonParser {
            lexer,
            depth: 0,
            regexes: 0,
            wildcards: 0,
        }
        .pattern(),
        Some('[') => space::parse(lexer).map(Pattern::Space),
        _ => terms::parse(lexer).map(Pattern::Terms),
    }
}

struct JsonParser<'a> {
    lexer: Lexer<'a>,
    depth: usize,
    regexes: usize,
    wildcards: usize,
}

impl<'a> JsonParser<'a> {
    fn pattern(mut self) -> Result<Pattern, ParseError> {
        let open = self.lexer.here();
        self.lexer.eat("{");
        let expr = self.any()?;
        self.lexer.skip_blanks();
        if self.lexer.is_at_end() {
            return Err(ParseError::refused(
                ErrorKind::Unclosed,
                open,
                "a closing `}`",
            ));
        }
        if !self.lexer.eat("}") {
            return Err(self.expected_connective("`&&`, `||` or `}`"));
        }
        self.lexer.skip_blanks();
        if !self.lexer.is_at_end() {
            let start = self.lexer.position();
            return Err(ParseError::refused(
                ErrorKind::TrailingText,
                start..start + self.lexer.rest().len(),
                "nothing after the closing `}`",
            ));
        }
        Ok(Pattern::Json(expr))
    }

    fn expected_connective(&self, expected: &'static str) -> ParseError {
        let span = self.lexer.next_word();
        ParseError::refused(ErrorKind::Operator, span, expected)
    }

    /// `all ( '||' all )*`
    fn any(&mut self) -> Result<Expr, ParseError> {
        self.joined("||", Self::all, Expr::any)
    }

    /// `primary ( '&&' primary )*`
    fn all(&mut self) -> Result<Expr, ParseError> {
        self.joined("&&", Self::primary, Expr::all)
    }

    fn joined(
        &mut self,
        connective: &str,
        part: fn(&mut Self) -> Result<Expr, ParseError>,
        join: fn(Vec<Expr>, Span) -> Expr,
    ) -> Result<Expr, ParseError> {
        let first = part(self)?;
        self.lexer.skip_blanks();
        if !self.lexer.eat(connective) {
            return Ok(first);
        }
        let span = first.span();
        let mut parts = vec![first, part(self)?];
        self.lexer.skip_blanks();
        while self.lexer.eat(connective) {
            parts.push(part(self)?);
            self.lexer.skip_blanks();
        }
        let end = parts.last().map_or(span.end, |part| part.span().end);
        Ok(join(parts, Span::new(span.start, end)))
    }

    fn primary(&mut self) -> Result<Expr, ParseError> {
        self.lexer.skip_blanks();
        let open = self.lexer.here();
        if !self.lexer.eat("(") {
            return self.comparison();
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ParseError::unproven(
                ErrorKind::TooDeep,
                open,
                "at most 64 parentheses inside one another",
            ));
        }
        let inner = self.any()?;
        self.depth -= 1;
        self.lexer.skip_blanks();
        if self.lexer.eat(")") {
            return Ok(inner);
        }
        if self.lexer.is_at_end() || self.lexer.peek() == Some('}') {
            return Err(ParseError::refused(
                ErrorKind::Unclosed,
                open,
                "a closing `)`",
            ));
        }
        Err(self.expected_connective("`&&`, `||` or `)`"))
    }

    fn comparison(&mut self) -> Result<Expr, ParseError> {
        let start = self.lexer.position();
        let selector = self.selector()?;
        self.lexer.skip_blanks();
        let test = self.test()?;
        let span = Span::new(start, self.lexer.position());
        Ok(Expr::Test(Comparison {
            selector,
            test,
            span,
        }))
    }

    fn selector(&mut self) -> Result<Selector, ParseError> {
        let start = self.lexer.position();
        if !self.lexer.eat("$") {
            let span = self.lexer.next_word();
            return Err(ParseError::refused(
                ErrorKind::Selector,
                span,
                "a selector such as `$.field`",
            ));
        }
        if self.lexer.peek() != Some('.') {
            let span = start..self.lexer.here().end;
            return Err(ParseError::unproven(
                ErrorKind::Selector,
                span,
                "`.` and a name after `$`",
            ));
        }
        let mut segments = Vec::with_capacity(1);
        loop {
            if self.lexer.eat(".") {
                segments.push(self.member()?);
            } else if self.lexer.peek() == Some('[') {
                segments.push(self.element()?);
            } else {
                break;
            }
        }
        let selector = Selector { segments };
        let span = start..self.lexer.position();
        match selector.wildcards() {
            0 => {}
            1 => self.wildcards += 1,
            _ => {
                let expected = "at most one wildcard in a selector";
                return Err(ParseError::refused(
                    ErrorKind::SelectorWildcards,
                    span,
                    expected,
                ));
            }
        }
        if self.wildcards > MAX_WILDCARD_SELECTORS {
            let expected = "at most three wildcard selectors in a pattern";
            return Err(ParseError::refused(
                ErrorKind::WildcardSelectors,
                span,
                expected,
            ));
        }
        Ok(selector)
    }

    /// What follows a dot.
    fn member(&mut self) -> Result<Segment, ParseError> {
        if self.lexer.eat("*") {
            return Ok(Segment::AnyMember);
        }
        if self.lexer.peek() == Some('[') {
            return self.quoted_member();
        }
        let name = self.lexer.take_while(is_name);
        if name.is_empty() {
            let here = self.lexer.here();
            let expected = "the name of a field: letters, digits, `-` and `_`";
            let is_known = matches!(
                self.lexer.peek(),
                None | Some('.' | ' ' | '\t' | '\n' | '\r')
            );
            return Err(if is_known {
                ParseError::refused(ErrorKind::Selector, here, expected)
            } else {
                ParseError::unproven(ErrorKind::Selector, here, expected)
            });
        }
        Ok(Segment::Member(name.to_owned()))
    }

    /// `['any name']` or `["any name"]`
    fn quoted_member(&mut self) -> Result<Segment, ParseError> {
        let start = self.lexer.position();
        self.lexer.eat("[");
        let Some(quote @ ('\'' | '"')) = self.lexer.peek() else {
            return Err(self.bad_element(start));
        };
        self.lexer.eat(if quote == '"' { "\"" } else { "'" });
        let name = self
            .lexer
            .take_while(|character| character != quote)
            .to_owned();
        let is_closed = self.lexer.eat(if quote == '"' { "\"]" } else { "']" });
        let span = start..self.lexer.position();
        if !is_closed {
            return Err(ParseError::refused(
                ErrorKind::Selector,
                span,
                "a closing quote and `]`",
            ));
        }
        if name.is_empty() || name.contains('\\') {
            let expected = "a name without backslashes";
            return Err(ParseError::unproven(ErrorKind::Selector, span, expected));
        }
        Ok(Segment::Member(name))
    }

    /// `[0]` or `[*]`
    fn element(&mut self) -> Result<Segment, ParseError> {
        let start = self.lexer.position();
        self.lexer.eat("[");
        if self.lexer.eat("*]") {
            return Ok(Segment::AnyElement);
        }
        let digits = self
            .lexer
            .take_while(|character| character.is_ascii_digit());
        match digits.parse() {
            Ok(index) if self.lexer.eat("]") => Ok(Segment::Index(index)),
            _ => Err(self.bad_element(start)),
        }
    }

    fn bad_element(&self, start: usize) -> ParseError {
        let span = start..self.lexer.here().end;
        let expected = "`[0]`, `[*]` or `.['name']`";
        // Negative indices and slices were observed to be refused; a quoted name that does not
        // follow a dot was not tried.
        if matches!(self.lexer.peek(), Some('\'' | '"')) {
            ParseError::unproven(ErrorKind::Selector, span, expected)
        } else {
            ParseError::refused(ErrorKind::Selector, span, expected)
        }
    }

    fn test(&mut self) -> Result<Test, ParseError> {
        let start = self.lexer.position();
        if self
            .lexer
            .peek()
            .is_some_and(|character| character.is_ascii_alphabetic())
        {
            return self.keyword();
        }
        let Some(operator) = operator(&mut self.lexer) else {
            let span = self.lexer.next_word();
            return Err(ParseError::refused(
                ErrorKind::Operator,
                span,
                "`=`, `!=`, `<`, `<=`, `>`, `>=`, `IS` or `NOT EXISTS`",
            ));
        };
        let symbol = start..self.lexer.position();
        if matches!(self.lexer.peek(), Some('=' | '!' | '<' | '>' | '~')) {
            let span = symbol.start..self.lexer.here().end;
            let expected = "`=`, `!=`, `<`, `<=`, `>` or `>=`";
            return Err(ParseError::refused(ErrorKind::Operator, span, expected));
        }
        self.lexer.skip_blanks();
        let start = self.lexer.position();
        let operand = operand(&mut self.lexer, json_bare_end)?;
        check_ordering(operator, &operand, start..self.lexer.position())?;
        if let Operand::Regex(_) = operand {
            self.regexes += 1;
            if self.regexes > MAX_REGEXES {
                return Err(too_many_regexes(start..self.lexer.position()));
            }
        }
        Ok(Test::Compare(operator, operand))
    }

    fn keyword(&mut self) -> Result<Test, ParseError> {
        let first = self.word();
        let start = self.lexer.position();
        self.lexer.skip_blanks();
        let second_at = self.lexer.next_word();
        let second = self.word();
        match (first.1, second.1) {
            ("IS", "NULL") => return Ok(Test::IsNull),
            ("IS", "TRUE") => return Ok(Test::IsTrue),
            ("IS", "FALSE") => return Ok(Test::IsFalse),
            ("NOT", "EXISTS") => return Ok(Test::NotExists),
            _ => {}
        }
        let (span, expected) = match first.1 {
            "IS" => (second_at, "`NULL`, `TRUE` or `FALSE` after `IS`"),
            "NOT" => (second_at, "`EXISTS` after `NOT`"),
            _ => (first.0..start, "an operator, `IS` or `NOT EXISTS`"),
        };
        let upper = format!("{} {}", first.1, second.1).to_ascii_uppercase();
        let only_case_differs =
            ["IS NULL", "IS TRUE", "IS FALSE", "NOT EXISTS"].contains(&upper.as_str());
        Err(if only_case_differs {
            ParseError::unproven(ErrorKind::Keyword, span, "keywords in upper case")
        } else {
            ParseError::refused(ErrorKind::Keyword, span, expected)
        })
    }

    fn word(&mut self) -> (usize, &'a str) {
        let start = self.lexer.position();
        (
            start,
            self.lexer
                .take_while(|character| character.is_ascii_alphanumeric()),
        )
    }
}

pub(crate) fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '-'
}
