//! Writes patterns in canonical form.
//!
//! One spelling for patterns that say the same in the same order: text quoted, single blanks, no
//! parentheses but the needed ones. Where the quotes would push a pattern beyond AWS's limit, the
//! tight spelling is used, which is never longer than the original.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{
    Comparison, Expr, Field, FieldExpr, Operand, Operator, Pattern, Segment, Selector,
    SpacePattern, TermPattern, TermRole, Test,
};
use crate::parser::{MAX_CHARACTERS, is_bare_text, is_name};
use crate::text::Text;

/// How much room to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Canonical,
    Tight,
}

/// The pattern in canonical form, in the tight one if that does not fit.
pub(crate) fn print(pattern: &Pattern) -> String {
    let canonical = print_in(pattern, Style::Canonical);
    if canonical.chars().count() <= MAX_CHARACTERS {
        canonical
    } else {
        print_in(pattern, Style::Tight)
    }
}

fn print_in(pattern: &Pattern, style: Style) -> String {
    let mut out = Printer {
        out: String::new(),
        style,
    };
    // Writing to a string does not fail.
    let _ = out.pattern(pattern);
    out.out
}

struct Printer {
    out: String,
    style: Style,
}

impl Printer {
    fn blank(&mut self) -> fmt::Result {
        if self.style == Style::Canonical {
            self.out.write_char(' ')
        } else {
            Ok(())
        }
    }

    fn pattern(&mut self, pattern: &Pattern) -> fmt::Result {
        match pattern {
            Pattern::Json(expr) => {
                self.out.write_char('{')?;
                self.blank()?;
                self.expr(expr)?;
                self.blank()?;
                self.out.write_char('}')
            }
            Pattern::Space(fields) => self.space(fields),
            Pattern::Terms(TermPattern::Regex(regex)) => write!(self.out, "%{}%", regex.source()),
            Pattern::Terms(TermPattern::Terms(terms)) => {
                for (index, term) in terms.iter().enumerate() {
                    if index > 0 {
                        self.out.write_char(' ')?;
                    }
                    self.out.write_str(match term.role {
                        TermRole::Required => "",
                        TermRole::Optional => "?",
                        TermRole::Excluded => "-",
                    })?;
                    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    if !term.text.is_empty() && term.text.chars().all(is_word) {
                        self.out.write_str(&term.text)?;
                    } else {
                        self.quoted(&term.text)?;
                    }
                }
                Ok(())
            }
        }
    }

    fn expr(&mut self, expr: &Expr) -> fmt::Result {
        match expr {
            Expr::And(parts, _) => self.joined("&&", parts, |out, part| match part {
                Expr::Or(..) => {
                    out.out.write_char('(')?;
                    out.expr(part)?;
                    out.out.write_char(')')
                }
                _ => out.expr(part),
            }),
            Expr::Or(parts, _) => self.joined("||", parts, Self::expr),
            Expr::Test(comparison) => self.comparison(comparison),
        }
    }

    fn joined<T>(
        &mut self,
        connective: &str,
        parts: &[T],
        mut write: impl FnMut(&mut Self, &T) -> fmt::Result,
    ) -> fmt::Result {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.blank()?;
                self.out.write_str(connective)?;
                self.blank()?;
            }
            write(self, part)?;
        }
        Ok(())
    }

    fn comparison(&mut self, comparison: &Comparison) -> fmt::Result {
        write!(self.out, "{}", comparison.selector)?;
        match &comparison.test {
            Test::NotExists => self.out.write_str(" NOT EXISTS"),
            Test::IsNull => self.out.write_str(" IS NULL"),
            Test::IsTrue => self.out.write_str(" IS TRUE"),
            Test::IsFalse => self.out.write_str(" IS FALSE"),
            Test::Compare(operator, operand) => self.compare(*operator, operand),
        }
    }

    fn compare(&mut self, operator: Operator, operand: &Operand) -> fmt::Result {
        self.blank()?;
        self.out.write_str(operator.symbol())?;
        self.blank()?;
        match operand {
            Operand::Text(text) => self.text(text),
            Operand::Number(number) => self.out.write_str(&number.text),
            Operand::Boolean(value) => write!(self.out, "{value}"),
            Operand::Regex(regex) => write!(self.out, "%{}%", regex.source()),
        }
    }

    fn text(&mut self, text: &Text) -> fmt::Result {
        let value = text.value();
        if self.style == Style::Tight && is_bare_text(&value) {
            self.out.write_str(&value)
        } else {
            self.quoted(&value)
        }
    }

    fn quoted(&mut self, value: &str) -> fmt::Result {
        self.out.write_char('"')?;
        for character in value.chars() {
            if matches!(character, '"' | '\\') {
                self.out.write_char('\\')?;
            }
            self.out.write_char(character)?;
        }
        self.out.write_char('"')
    }

    fn space(&mut self, pattern: &SpacePattern) -> fmt::Result {
        self.out.write_char('[')?;
        let mut is_first = true;
        for field in &pattern.before {
            self.separator(&mut is_first)?;
            self.field(field)?;
        }
        if let Some(after) = &pattern.after {
            self.separator(&mut is_first)?;
            self.out.write_str("...")?;
            for field in after {
                self.separator(&mut is_first)?;
                self.field(field)?;
            }
        }
        self.out.write_char(']')
    }

    fn separator(&mut self, is_first: &mut bool) -> fmt::Result {
        if std::mem::replace(is_first, false) {
            return Ok(());
        }
        self.out.write_char(',')?;
        self.blank()
    }

    fn field(&mut self, field: &Field) -> fmt::Result {
        match &field.condition {
            None => self.out.write_str(&field.name),
            Some(condition) => self.condition(&field.name, condition),
        }
    }

    fn condition(&mut self, name: &str, condition: &FieldExpr) -> fmt::Result {
        match condition {
            FieldExpr::And(parts) => {
                self.joined("&&", parts, |out, part| out.condition(name, part))
            }
            FieldExpr::Or(parts) => self.joined("||", parts, |out, part| out.condition(name, part)),
            FieldExpr::Compare(operator, operand) => {
                self.out.write_str(name)?;
                self.compare(*operator, operand)
            }
        }
    }
}

impl Operator {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        }
    }
}

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('$')?;
        for segment in &self.segments {
            match segment {
                Segment::Member(name) if name.chars().all(is_name) => write!(f, ".{name}")?,
                Segment::Member(name) if name.contains('\'') => write!(f, ".[\"{name}\"]")?,
                Segment::Member(name) => write!(f, ".['{name}']")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::AnyElement => f.write_str("[*]")?,
                Segment::AnyMember => f.write_str(".*")?,
            }
        }
        Ok(())
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut out = Printer {
            out: String::new(),
            style: Style::Canonical,
        };
        out.expr(self)?;
        f.write_str(&out.out)
    }
}
