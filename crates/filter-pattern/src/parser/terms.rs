//! Parses the dialect of plain terms: `A B`, `?A ?B`, `A -B`, `"a phrase"`, `%regex%`.

use crate::ast::{Span, Term, TermPattern, TermRole};
use crate::error::{ErrorKind, ParseError};
use crate::lexer::{Lexer, is_blank};

/// Parses what is neither `{ … }` nor `[ … ]`.
pub(super) fn parse(mut lexer: Lexer<'_>) -> Result<TermPattern, ParseError> {
    if lexer.peek() == Some('%') {
        let regex = lexer.regex()?;
        if !lexer.is_at_end() {
            let start = lexer.position();
            return Err(ParseError::unproven(
                ErrorKind::Term,
                start..start + lexer.rest().len(),
                "nothing beside a regular expression",
            ));
        }
        return Ok(TermPattern::Regex(regex));
    }
    let mut terms = Vec::new();
    loop {
        lexer.skip_blanks();
        if lexer.is_at_end() {
            return Ok(TermPattern::Terms(terms));
        }
        terms.push(term(&mut lexer)?);
    }
}

fn term(lexer: &mut Lexer<'_>) -> Result<Term, ParseError> {
    let start = lexer.position();
    let role = if lexer.eat("?") {
        TermRole::Optional
    } else if lexer.eat("-") {
        TermRole::Excluded
    } else {
        TermRole::Required
    };
    let is_quoted = lexer.peek() == Some('"');
    let text = if is_quoted {
        lexer.quoted()?
    } else if lexer.peek() == Some('%') {
        let span = lexer.next_word();
        let expected = "a regular expression only on its own";
        return Err(ParseError::unproven(ErrorKind::Term, span, expected));
    } else {
        lexer
            .take_while(|character| character.is_ascii_alphanumeric() || character == '_')
            .to_owned()
    };
    if let Some(next) = lexer.peek()
        && !is_blank(next)
    {
        let here = lexer.here();
        return Err(if is_quoted {
            ParseError::unproven(ErrorKind::Term, here, "a blank between terms")
        } else {
            let expected = "double quotes around a term with other than letters, digits and `_`";
            ParseError::refused(ErrorKind::Term, here, expected)
        });
    }
    if text.is_empty() && !is_quoted {
        let span = start..lexer.position();
        return Err(ParseError::unproven(
            ErrorKind::Term,
            span,
            "a term after the sign",
        ));
    }
    Ok(Term {
        role,
        text,
        span: Span::new(start, lexer.position()),
    })
}
