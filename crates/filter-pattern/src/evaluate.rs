//! Whether a pattern matches a message, with AWS's observed semantics.
//!
//! A field that is missing, null, boolean, an array or an object matches neither `=` nor `!=`.
//! Numbers compare with numbers by value and with strings by spelling. What was not observed and
//! is not documented is a third answer.

mod scalar;
mod space;
mod terms;
#[cfg(test)]
mod tests;

pub(crate) use scalar::{EXACT, Held, test_holds};
pub(crate) use terms::{is_blank_term, term_occurs};

use crate::ast::{Comparison, Expr, Operator, Pattern, Segment, Test};
use crate::outcome::{Doubt, Outcome};
use crate::record::{NoRecord, Value};

/// Whether `pattern` matches the raw text of `message`.
pub(crate) fn evaluate(pattern: &Pattern, message: &str) -> Outcome {
    match pattern {
        Pattern::Terms(terms) => terms::evaluate(terms, message),
        Pattern::Space(fields) => space::evaluate(fields, message),
        Pattern::Json(expr) => match Value::read(message) {
            Ok(record @ Value::Object(_)) => evaluate_expr(expr, &record),
            Ok(_) | Err(NoRecord::NotJson) => Outcome::No,
            Err(NoRecord::TooDeep) => Outcome::Unsure(Doubt::RecordDepth),
            Err(NoRecord::LoneSurrogate) => Outcome::Unsure(Doubt::LoneSurrogate),
        },
    }
}

/// Whether `expr` holds for a record.
pub(crate) fn evaluate_expr(expr: &Expr, record: &Value<'_>) -> Outcome {
    match expr {
        Expr::And(parts, _) => least(parts.iter().map(|part| evaluate_expr(part, record))),
        Expr::Or(parts, _) => greatest(parts.iter().map(|part| evaluate_expr(part, record))),
        Expr::Test(comparison) => evaluate_comparison(comparison, record),
    }
}

/// Kleene's `&&`, stopping at the first `No`.
pub(crate) fn least(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let mut result = Outcome::Yes;
    for outcome in outcomes {
        result = result.min(outcome);
        if result == Outcome::No {
            break;
        }
    }
    result
}

/// Kleene's `||`, stopping at the first `Yes`.
pub(crate) fn greatest(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let mut result = Outcome::No;
    for outcome in outcomes {
        result = result.max(outcome);
        if result == Outcome::Yes {
            break;
        }
    }
    result
}

fn evaluate_comparison(comparison: &Comparison, record: &Value<'_>) -> Outcome {
    let segments = &comparison.selector.segments;
    let wildcard = segments
        .iter()
        .position(|segment| matches!(segment, Segment::AnyElement | Segment::AnyMember));
    let Some(wildcard) = wildcard else {
        return test_holds(&comparison.test, held(walk(record, segments)));
    };
    let (before, after) = segments.split_at(wildcard);
    let container = walk(record, before);
    let is_any_member = after.first() == Some(&Segment::AnyMember);
    let rest = after.get(1..).unwrap_or_default();
    let reached: Vec<Held<'_>> = match container {
        Some(Value::Array(elements)) => elements
            .iter()
            .map(|element| held(walk(element, rest)))
            .collect(),
        Some(Value::Object(members)) => members
            .iter()
            .map(|(_, member)| held(walk(member, rest)))
            .collect(),
        _ => Vec::new(),
    };
    let outcome = over_elements(&comparison.test, &reached);
    if is_any_member && matches!(container, Some(Value::Array(_))) {
        // `[*]` was seen to walk objects; whether `.*` walks arrays was not tried.
        let unwalked = over_elements(&comparison.test, &[]);
        return outcome.agree(unwalked, Doubt::MemberWildcardOverArray);
    }
    outcome
}

/// `test` through a wildcard. `=` was observed to ask for some element; for `!=` and `NOT EXISTS`
/// the readings "some element" and "every element" are told apart.
fn over_elements(test: &Test, reached: &[Held<'_>]) -> Outcome {
    let some = greatest(reached.iter().map(|held| test_holds(test, *held)));
    match test {
        Test::Compare(Operator::NotEqual, operand) => {
            let equal = Test::Compare(Operator::Equal, operand.clone());
            let has_scalar = reached.iter().any(Held::is_comparable);
            let none_equal =
                greatest(reached.iter().map(|held| test_holds(&equal, *held))).negate();
            let every = if has_scalar { none_equal } else { Outcome::No };
            some.agree(every, Doubt::NegationOverWildcard)
        }
        Test::NotExists => {
            let every = Outcome::from(reached.iter().all(|held| matches!(held, Held::Nothing)));
            some.agree(every, Doubt::NegationOverWildcard)
        }
        _ => some,
    }
}

/// What a selector arrived at, given the value found there.
pub(crate) fn held<'v>(value: Option<&'v Value<'v>>) -> Held<'v> {
    match value {
        None => Held::Nothing,
        Some(Value::Null) => Held::Null,
        Some(Value::Bool(value)) => Held::Bool(*value),
        Some(Value::Number(text)) => Held::Number(text),
        Some(Value::Text(text)) => Held::Text(text),
        Some(container) => Held::Container(Some(container)),
    }
}

/// The value at a selector without wildcards.
fn walk<'v, 'a>(record: &'v Value<'a>, segments: &[Segment]) -> Option<&'v Value<'a>> {
    segments
        .iter()
        .try_fold(record, |value, segment| match (segment, value) {
            (Segment::Member(name), value) => value.member(name),
            (Segment::Index(index), Value::Array(elements)) => elements.get(*index),
            _ => None,
        })
}
