//! Says in words what a pattern matches.

use std::fmt;

use crate::ast::{
    Comparison, Expr, FieldExpr, Operand, Operator, Pattern, Selector, SpacePattern, Term,
    TermPattern, TermRole, Test,
};
use crate::text::Text;
use crate::{Dialect, FilterPattern};

/// What a pattern matches, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The language of the pattern.
    pub dialect: Dialect,
    /// Its canonical spelling.
    pub canonical: String,
    /// An outline. [`Display`](fmt::Display) gives it as indented lines.
    pub lines: Vec<ExplanationLine>,
}

/// A line of an outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplanationLine {
    /// How far it is indented.
    pub depth: usize,
    /// What it says.
    pub text: String,
}

impl FilterPattern {
    /// Says in words what the pattern matches.
    ///
    /// ```
    /// let pattern = filter_pattern::FilterPattern::parse(
    ///     "{ $.eventName = Delete* && ($.errorCode NOT EXISTS || $.userIdentity.type = Root) }",
    /// )?;
    /// assert_eq!(
    ///     pattern.explain().to_string(),
    ///     r#"a JSON record in which all of these hold:
    ///   eventName starts with "Delete"
    ///   any of these holds:
    ///     errorCode is missing
    ///     userIdentity.type is "Root"
    /// "#
    /// );
    /// # Ok::<(), filter_pattern::ParseError>(())
    /// ```
    pub fn explain(&self) -> Explanation {
        let mut outline = Outline { lines: Vec::new() };
        match &self.pattern {
            Pattern::Json(expr) => outline.expr(0, "a JSON record in which ", expr),
            Pattern::Space(fields) => outline.space(fields),
            Pattern::Terms(terms) => outline.terms(terms),
        }
        Explanation {
            dialect: self.dialect(),
            canonical: self.to_string(),
            lines: outline.lines,
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| {
            writeln!(f, "{:indent$}{}", "", line.text, indent = line.depth * 2)
        })
    }
}

struct Outline {
    lines: Vec<ExplanationLine>,
}

impl Outline {
    fn push(&mut self, depth: usize, text: String) {
        self.lines.push(ExplanationLine { depth, text });
    }

    fn expr(&mut self, depth: usize, lead: &str, expr: &Expr) {
        match expr {
            Expr::Test(comparison) => self.push(depth, format!("{lead}{}", words(comparison))),
            Expr::And(parts, _) => {
                self.push(depth, format!("{lead}all of these hold:"));
                for part in parts {
                    self.expr(depth + 1, "", part);
                }
            }
            Expr::Or(parts, _) => {
                if let Some(choice) = one_of(parts) {
                    return self.push(depth, format!("{lead}{choice}"));
                }
                self.push(depth, format!("{lead}any of these holds:"));
                for part in parts {
                    self.expr(depth + 1, "", part);
                }
            }
        }
    }

    fn terms(&mut self, pattern: &TermPattern) {
        let terms = match pattern {
            TermPattern::Regex(regex) => {
                return self.push(0, format!("a message with a match of %{}%", regex.source()));
            }
            TermPattern::Terms(terms) if terms.is_empty() => {
                return self.push(0, "every message".to_owned());
            }
            TermPattern::Terms(terms) => terms,
        };
        let of = |role| terms.iter().filter(move |term: &&Term| term.role == role);
        if terms.iter().all(|term| term.role == TermRole::Optional) {
            self.push(0, "a message with any of these texts in it:".to_owned());
            for term in terms {
                self.push(1, format!("{:?}", term.text));
            }
            return;
        }
        self.push(0, "a message for which all of these hold:".to_owned());
        for term in of(TermRole::Required) {
            self.push(1, format!("it has {:?} in it", term.text));
        }
        for term in of(TermRole::Excluded) {
            self.push(1, format!("it does not have {:?} in it", term.text));
        }
        for term in of(TermRole::Optional) {
            let text = format!("({:?} has no effect beside other terms)", term.text);
            self.push(1, text);
        }
    }

    fn space(&mut self, pattern: &SpacePattern) {
        let count = pattern.fields().count();
        self.push(
            0,
            format!("a message of {count} or more fields, set apart by blanks, in which"),
        );
        for field in &pattern.before {
            self.field(&field.name, field.condition.as_ref());
        }
        if let Some(after) = &pattern.after {
            self.push(1, "any fields follow".to_owned());
            for field in after {
                self.field(&field.name, field.condition.as_ref());
            }
        }
    }

    fn field(&mut self, name: &str, condition: Option<&FieldExpr>) {
        let text = match condition {
            None => format!("{name} may be anything"),
            Some(condition) => field_words(name, condition),
        };
        self.push(1, text);
    }
}

/// `a = x || a = y` as one line, if that is what the parts are.
fn one_of(parts: &[Expr]) -> Option<String> {
    let mut subject: Option<&Selector> = None;
    let mut values = Vec::new();
    for part in parts {
        let Expr::Test(Comparison { selector, test, .. }) = part else {
            return None;
        };
        let Test::Compare(Operator::Equal, Operand::Text(text)) = test else {
            return None;
        };
        if subject.is_some_and(|subject| subject != selector) {
            return None;
        }
        subject = Some(selector);
        values.push(format!("{:?}", text.exact()?));
    }
    let subject = subject?;
    Some(format!("{} is one of {}", name(subject), values.join(", ")))
}

/// A selector without its leading `$.`.
fn name(selector: &Selector) -> String {
    let spelled = selector.to_string();
    spelled.strip_prefix("$.").unwrap_or(&spelled).to_owned()
}

fn words(comparison: &Comparison) -> String {
    let name = name(&comparison.selector);
    match &comparison.test {
        Test::NotExists => format!("{name} is missing"),
        Test::IsNull => format!("{name} is null"),
        Test::IsTrue => format!("{name} is true"),
        Test::IsFalse => format!("{name} is false"),
        Test::Compare(operator, operand) => compare_words(&name, *operator, operand),
    }
}

fn field_words(name: &str, condition: &FieldExpr) -> String {
    let join = |parts: &[FieldExpr], connective: &str| {
        let parts: Vec<String> = parts.iter().map(|part| field_words(name, part)).collect();
        parts.join(connective)
    };
    match condition {
        FieldExpr::And(parts) => join(parts, " and "),
        FieldExpr::Or(parts) => join(parts, " or "),
        FieldExpr::Compare(operator, operand) => compare_words(name, *operator, operand),
    }
}

fn compare_words(name: &str, operator: Operator, operand: &Operand) -> String {
    let order = |words: &str| match operand {
        Operand::Number(number) => format!("{name} is a number {words} {}", number.text),
        _ => format!("{name} {} …", operator.symbol()),
    };
    match operator {
        Operator::Less => order("less than"),
        Operator::LessOrEqual => order("of at most"),
        Operator::Greater => order("greater than"),
        Operator::GreaterOrEqual => order("of at least"),
        Operator::Equal => format!("{name} {}", equal_words(operand)),
        // Not "is not": where the field is missing, `!=` does not match.
        Operator::NotEqual => format!("{name} is there, but not one that {}", equal_words(operand)),
    }
}

fn equal_words(operand: &Operand) -> String {
    match operand {
        Operand::Text(text) => text_words(text),
        Operand::Number(number) => format!("is {}", number.text),
        Operand::Boolean(value) => format!("equals {value}, whatever that means to AWS"),
        Operand::Regex(regex) => format!("has a match of %{}%", regex.source()),
    }
}

fn text_words(text: &Text) -> String {
    if text.is_anything() {
        return "is any string or number".to_owned();
    }
    let core = text.core();
    match (text.open_start(), text.open_end()) {
        (false, false) => format!("is {core:?}"),
        (false, true) => format!("starts with {core:?}"),
        (true, false) => format!("ends with {core:?}"),
        (true, true) => format!("has {core:?} in it"),
    }
}
