//! One comparison against one value.

use std::cmp::Ordering;

use crate::ast::{Number, Operand, Operator, Test};
use crate::evaluate::greatest;
use crate::outcome::{Doubt, Outcome};
use crate::record::Value;

/// What a selector arrives at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Held<'v> {
    /// The field is missing.
    Nothing,
    Null,
    Bool(bool),
    /// As spelled.
    Number(&'v str),
    Text(&'v str),
    /// An array or object; `None` is one that holds nothing but strings.
    Container(Option<&'v Value<'v>>),
}

impl Held<'_> {
    /// Whether `=` and `!=` can match it.
    pub(crate) fn is_comparable(&self) -> bool {
        matches!(self, Held::Number(_) | Held::Text(_))
    }
}

/// Whether `test` holds for `held`.
pub(crate) fn test_holds(test: &Test, held: Held<'_>) -> Outcome {
    match test {
        Test::NotExists => Outcome::from(matches!(held, Held::Nothing)),
        Test::IsNull => match held {
            Held::Null => Outcome::Yes,
            // Observed: an array that holds a null matches.
            Held::Container(Some(Value::Array(elements))) if elements.contains(&Value::Null) => {
                Outcome::Yes
            }
            Held::Container(container) => inside(container, &Value::Null),
            _ => Outcome::No,
        },
        Test::IsTrue | Test::IsFalse => {
            let wanted = matches!(test, Test::IsTrue);
            match held {
                Held::Bool(value) => Outcome::from(value == wanted),
                Held::Container(container) => inside(container, &Value::Bool(wanted)),
                _ => Outcome::No,
            }
        }
        Test::Compare(operator, operand) => compare(*operator, operand, held),
    }
}

/// Whether `IS` looks into a container was observed for one case only.
fn inside(container: Option<&Value<'_>>, wanted: &Value<'_>) -> Outcome {
    fn holds(value: &Value<'_>, wanted: &Value<'_>) -> bool {
        match value {
            Value::Array(elements) => elements.iter().any(|element| holds(element, wanted)),
            Value::Object(members) => members.iter().any(|(_, member)| holds(member, wanted)),
            other => other == wanted,
        }
    }
    match container {
        Some(container) if holds(container, wanted) => {
            Outcome::Unsure(Doubt::LiteralInsideContainer)
        }
        _ => Outcome::No,
    }
}

fn compare(operator: Operator, operand: &Operand, held: Held<'_>) -> Outcome {
    if let Operand::Boolean(literal) = operand {
        return compare_boolean(operator, *literal, held);
    }
    if !held.is_comparable() {
        return Outcome::No;
    }
    match (operator, operand) {
        (Operator::Equal, operand) => equal(operand, held),
        (Operator::NotEqual, operand) => equal(operand, held).negate(),
        (operator, Operand::Number(number)) => ordered(operator, number, held),
        _ => Outcome::No,
    }
}

/// Whether a scalar equals an operand other than a bare boolean.
fn equal(operand: &Operand, held: Held<'_>) -> Outcome {
    match (operand, held) {
        (Operand::Text(text), Held::Text(subject)) => text.matches(subject),
        (Operand::Regex(regex), Held::Text(subject)) => regex.matches(subject),
        (Operand::Number(number), Held::Text(subject)) => number_equals_text(number, subject),
        (Operand::Number(number), Held::Number(spelled)) => numbers_equal(number, spelled),
        (Operand::Text(text), Held::Number(spelled)) => {
            // `*` was observed to match every number, however it is spelled.
            if text.is_anything() {
                return Outcome::Yes;
            }
            let raw = text.matches(spelled);
            match respelled(spelled) {
                None => raw,
                Some(other) => raw.agree(text.matches(&other), Doubt::NumberSpelling),
            }
        }
        (Operand::Regex(regex), Held::Number(spelled)) => {
            let raw = regex.matches(spelled);
            let other = respelled(spelled).map_or(raw, |other| regex.matches(&other));
            match greatest([raw, other]) {
                Outcome::No => Outcome::No,
                _ => Outcome::Unsure(Doubt::RegexOverNumber),
            }
        }
        _ => Outcome::No,
    }
}

/// Observed: `1` equals `"1"` and not `"1.0"`, and `1e+0` equals neither.
fn number_equals_text(number: &Number, subject: &str) -> Outcome {
    if subject != number.text {
        Outcome::No
    } else if number.is_plain() {
        Outcome::Yes
    } else {
        Outcome::Unsure(Doubt::NumberSpelling)
    }
}

fn numbers_equal(number: &Number, spelled: &str) -> Outcome {
    if number.text == spelled {
        return Outcome::Yes;
    }
    let Ok(value) = spelled.parse::<f64>() else {
        return Outcome::No;
    };
    if same(value, number.value) && value.abs() >= EXACT {
        return Outcome::Unsure(Doubt::NumberPrecision);
    }
    Outcome::from(same(value, number.value))
}

/// Integers below this are exact as doubles: 2^53.
pub(crate) const EXACT: f64 = 9_007_199_254_740_992.0;

/// The order of two numbers; strings were observed to have none, even when they look like numbers.
fn ordered(operator: Operator, number: &Number, held: Held<'_>) -> Outcome {
    let Held::Number(spelled) = held else {
        return Outcome::No;
    };
    let Ok(value) = spelled.parse::<f64>() else {
        return Outcome::No;
    };
    if same(value, number.value) && value.abs() >= EXACT && spelled != number.text {
        return Outcome::Unsure(Doubt::NumberPrecision);
    }
    Outcome::from(order_holds(operator, value, number.value))
}

fn same(left: f64, right: f64) -> bool {
    left.partial_cmp(&right) == Some(Ordering::Equal)
}

pub(super) fn order_holds(operator: Operator, left: f64, right: f64) -> bool {
    match operator {
        Operator::Less => left < right,
        Operator::LessOrEqual => left <= right,
        Operator::Greater => left > right,
        Operator::GreaterOrEqual => left >= right,
        Operator::Equal => same(left, right),
        Operator::NotEqual => !same(left, right),
    }
}

/// Another way in which AWS may spell a number from the record, if there is one: integers are
/// themselves, anything else may become what Java prints for a double.
fn respelled(spelled: &str) -> Option<String> {
    if !spelled.contains(['.', 'e', 'E']) {
        return (spelled == "-0").then(|| "0".to_owned());
    }
    let value: f64 = spelled.parse().ok()?;
    let is_short = same(value, 0.0) || (1e-3..1e7).contains(&value.abs());
    let java = if is_short {
        format!("{value:?}")
    } else {
        let scientific = format!("{value:E}");
        match scientific.split_once('E') {
            Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
            _ => scientific,
        }
    };
    (java != spelled).then_some(java)
}

/// A bare `true` or `false` may mean the JSON boolean or the word.
fn compare_boolean(operator: Operator, literal: bool, held: Held<'_>) -> Outcome {
    let word = if literal { "true" } else { "false" };
    let (as_boolean, as_word) = match held {
        Held::Bool(value) => (Outcome::from(value == literal), Outcome::No),
        Held::Text(subject) => (Outcome::No, Outcome::from(subject == word)),
        Held::Number(_) => (Outcome::No, Outcome::No),
        _ => return Outcome::No,
    };
    match operator {
        Operator::Equal => as_boolean.agree(as_word, Doubt::BareBoolean),
        // Compared as booleans, a string differs or is not comparable at all.
        _ => Outcome::Unsure(Doubt::BareBoolean),
    }
}
