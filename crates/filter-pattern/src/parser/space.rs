//! Parses the space-delimited dialect: `[ip, ..., status = 4*, bytes]`.

use super::value::{check_ordering, operand, operator, too_many_regexes};
use super::{MAX_REGEXES, is_name};
use crate::ast::{Field, FieldExpr, Operand, SpacePattern};
use crate::error::{ErrorKind, ParseError};
use crate::lexer::{Lexer, is_blank};

/// Parses `[ … ]`.
pub(super) fn parse(lexer: Lexer<'_>) -> Result<SpacePattern, ParseError> {
    SpaceParser { lexer, regexes: 0 }.pattern()
}

struct SpaceParser<'a> {
    lexer: Lexer<'a>,
    regexes: usize,
}

impl SpaceParser<'_> {
    fn pattern(mut self) -> Result<SpacePattern, ParseError> {
        let open = self.lexer.here();
        self.lexer.eat("[");
        let mut pattern = SpacePattern {
            before: Vec::new(),
            after: None,
        };
        loop {
            self.lexer.skip_blanks();
            let start = self.lexer.position();
            if self.lexer.eat("...") {
                let span = start..self.lexer.position();
                if pattern.after.is_some() {
                    let expected = "`...` at most once";
                    return Err(ParseError::refused(
                        ErrorKind::DuplicateField,
                        span,
                        expected,
                    ));
                }
                pattern.after = Some(Vec::new());
            } else {
                let field = self.field()?;
                let is_taken = pattern.fields().any(|other| other.name == field.name);
                if is_taken {
                    let span = start..start + field.name.len();
                    let expected = "a name that no other field has";
                    return Err(ParseError::refused(
                        ErrorKind::DuplicateField,
                        span,
                        expected,
                    ));
                }
                pattern
                    .after
                    .as_mut()
                    .unwrap_or(&mut pattern.before)
                    .push(field);
            }
            self.lexer.skip_blanks();
            if self.lexer.eat("]") {
                break;
            }
            if self.lexer.is_at_end() {
                return Err(ParseError::refused(
                    ErrorKind::Unclosed,
                    open,
                    "a closing `]`",
                ));
            }
            if !self.lexer.eat(",") {
                let span = self.lexer.next_word();
                return Err(ParseError::refused(ErrorKind::Field, span, "`,` or `]`"));
            }
        }
        self.lexer.skip_blanks();
        if !self.lexer.is_at_end() {
            let start = self.lexer.position();
            let span = start..start + self.lexer.rest().len();
            let expected = "nothing after the closing `]`";
            return Err(ParseError::refused(ErrorKind::TrailingText, span, expected));
        }
        Ok(pattern)
    }

    fn field(&mut self) -> Result<Field, ParseError> {
        let name = self.lexer.take_while(is_name).to_owned();
        if name.is_empty() {
            let here = self.lexer.here();
            return Err(ParseError::unproven(
                ErrorKind::Field,
                here,
                "the name of a field or `...`",
            ));
        }
        self.lexer.skip_blanks();
        if matches!(self.lexer.peek(), None | Some(',' | ']')) {
            return Ok(Field {
                name,
                condition: None,
            });
        }
        let first = self.comparison(&name)?;
        let condition = self.any(&name, first)?;
        Ok(Field {
            name,
            condition: Some(condition),
        })
    }

    /// `all ( '||' all )*`; every comparison names the same field.
    fn any(&mut self, name: &str, first: FieldExpr) -> Result<FieldExpr, ParseError> {
        let mut parts = vec![self.all(name, first)?];
        loop {
            self.lexer.skip_blanks();
            if !self.lexer.eat("||") {
                break;
            }
            let first = self.named_comparison(name)?;
            parts.push(self.all(name, first)?);
        }
        Ok(if parts.len() == 1 {
            parts.swap_remove(0)
        } else {
            FieldExpr::Or(parts)
        })
    }

    fn all(&mut self, name: &str, first: FieldExpr) -> Result<FieldExpr, ParseError> {
        let mut parts = vec![first];
        loop {
            self.lexer.skip_blanks();
            if !self.lexer.eat("&&") {
                break;
            }
            parts.push(self.named_comparison(name)?);
        }
        Ok(if parts.len() == 1 {
            parts.swap_remove(0)
        } else {
            FieldExpr::And(parts)
        })
    }

    fn named_comparison(&mut self, name: &str) -> Result<FieldExpr, ParseError> {
        self.lexer.skip_blanks();
        let start = self.lexer.position();
        let found = self.lexer.take_while(is_name);
        if found != name {
            let span = start..self.lexer.position();
            let expected = format!("the same field, `{name}`");
            return Err(ParseError::unproven(ErrorKind::Field, span, expected));
        }
        self.comparison(name)
    }

    fn comparison(&mut self, name: &str) -> Result<FieldExpr, ParseError> {
        self.lexer.skip_blanks();
        let symbol = self.lexer.position();
        let Some(operator) = operator(&mut self.lexer) else {
            let span = self.lexer.next_word();
            let expected = format!("an operator, `,` or `]` after `{name}`");
            return Err(ParseError::refused(ErrorKind::Operator, span, expected));
        };
        if matches!(self.lexer.peek(), Some('=' | '!' | '<' | '>' | '~')) {
            let span = symbol..self.lexer.here().end;
            let expected = "`=`, `!=`, `<`, `<=`, `>` or `>=`";
            return Err(ParseError::refused(ErrorKind::Operator, span, expected));
        }
        self.lexer.skip_blanks();
        let start = self.lexer.position();
        let operand = operand(&mut self.lexer, bare_end)?;
        check_ordering(operator, &operand, start..self.lexer.position())?;
        if let Operand::Regex(_) = operand {
            self.regexes += 1;
            if self.regexes > MAX_REGEXES {
                return Err(too_many_regexes(start..self.lexer.position()));
            }
        }
        Ok(FieldExpr::Compare(operator, operand))
    }
}

fn bare_end(character: char) -> bool {
    is_blank(character) || ",]&|".contains(character)
}

// === impl SpacePattern ===

impl SpacePattern {
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.before.iter().chain(self.after.iter().flatten())
    }
}
