//! Spellings that mean the same are judged the same.
//!
//! De Morgan's laws are no such rewrites: the language has no negation, and `!=` is false where the
//! field is missing.

use filter_pattern::{
    Coverage, FieldConstraint, FilterPattern, MissedKind, RequiredEvent, coverage,
};
use proptest::prelude::*;

use crate::generate::{Condition, Test, condition, world};

/// A way to write the same condition differently.
#[derive(Debug, Clone, Copy)]
enum Rewrite {
    Commute,
    Distribute,
    Absorb,
    Duplicate,
    Rebracket,
}

fn rewritten(condition: &Condition, rewrite: Rewrite, other: &Condition) -> Condition {
    let deeper = |parts: &[Condition]| -> Vec<Condition> {
        parts
            .iter()
            .map(|part| rewritten(part, rewrite, other))
            .collect()
    };
    match (rewrite, condition) {
        (Rewrite::Commute, Condition::All(parts)) => {
            Condition::All(deeper(parts).into_iter().rev().collect())
        }
        (Rewrite::Commute, Condition::Any(parts)) => {
            Condition::Any(deeper(parts).into_iter().rev().collect())
        }
        (Rewrite::Distribute, Condition::All(parts)) => distribute(deeper(parts)),
        (Rewrite::Rebracket, Condition::All(parts)) => pair_up(deeper(parts), Condition::All),
        (Rewrite::Rebracket, Condition::Any(parts)) => pair_up(deeper(parts), Condition::Any),
        (Rewrite::Absorb, Condition::Atom(_)) => Condition::Any(vec![
            condition.clone(),
            Condition::All(vec![condition.clone(), other.clone()]),
        ]),
        (Rewrite::Duplicate, Condition::Atom(_)) => {
            Condition::All(vec![condition.clone(), condition.clone()])
        }
        (_, Condition::All(parts)) => Condition::All(deeper(parts)),
        (_, Condition::Any(parts)) => Condition::Any(deeper(parts)),
        (_, Condition::Atom(_)) => condition.clone(),
    }
}

/// `A && (B || C)` as `(A && B) || (A && C)`, for the first such `||`.
fn distribute(mut parts: Vec<Condition>) -> Condition {
    let Some(at) = parts
        .iter()
        .position(|part| matches!(part, Condition::Any(_)))
    else {
        return Condition::All(parts);
    };
    let Condition::Any(ways) = parts.remove(at) else {
        unreachable!("found by position")
    };
    let with = |way| {
        let mut parts = parts.clone();
        parts.push(way);
        Condition::All(parts)
    };
    Condition::Any(ways.into_iter().map(with).collect())
}

/// `A && B && C` as `A && (B && C)`.
fn pair_up(mut parts: Vec<Condition>, connect: fn(Vec<Condition>) -> Condition) -> Condition {
    let Some(mut last) = parts.pop() else {
        return connect(parts);
    };
    while let Some(part) = parts.pop() {
        last = connect(vec![part, last]);
    }
    last
}

/// The condition without quotes, blanks or needless parentheses where that is possible.
fn respelled(condition: &Condition) -> String {
    let join = |parts: &[Condition], connective: &str| {
        parts
            .iter()
            .map(|part| match part {
                Condition::Atom(_) => respelled(part),
                _ => format!("(\n{}\t)", respelled(part)),
            })
            .collect::<Vec<_>>()
            .join(connective)
    };
    match condition {
        Condition::All(parts) => join(parts, "&&"),
        Condition::Any(parts) => join(parts, "||"),
        Condition::Atom(atom) => match &atom.test {
            Test::Text(operator, value) if !value.is_empty() => {
                format!("$.{}{operator}{value}", atom.path)
            }
            Test::Keyword(keyword) => {
                format!("$.['{}']  {}", atom.path, keyword.replace(' ', "\r\n "))
                    .replace("['n.c']", "n.['c']")
            }
            _ => atom.spelled(),
        },
    }
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Covered,
    Never,
    Narrowed,
}

fn verdict(pattern: &str) -> Verdict {
    let event = RequiredEvent::new("event")
        .field("kind", FieldConstraint::equals("on"))
        .field("flag", FieldConstraint::IsFalse);
    let pattern = FilterPattern::parse(pattern).unwrap();
    match coverage(&[event], &[&pattern]) {
        Coverage::Covered { .. } => Verdict::Covered,
        Coverage::NotCovered { missed } if missed[0].kind == MissedKind::NeverMatched => {
            Verdict::Never
        }
        Coverage::NotCovered { .. } => Verdict::Narrowed,
        Coverage::Undecided { reason, .. } => panic!("{pattern}: {reason}"),
    }
}

fn check(condition: &Condition, other: &str) -> Result<(), TestCaseError> {
    let original = condition.pattern();
    // Distribution can outgrow the limit.
    if other.chars().count() > 1024 {
        return Ok(());
    }
    prop_assert_eq!(
        verdict(&original),
        verdict(other),
        "{} and {}",
        &original,
        other
    );
    let left = FilterPattern::parse(&original).unwrap();
    let right = FilterPattern::parse(other).unwrap();
    for record in world(&[condition], 20) {
        let message = record.to_string();
        prop_assert_eq!(
            left.matches(&message),
            right.matches(&message),
            "{} on {}",
            other,
            message
        );
    }
    Ok(())
}

fn names_member(condition: &Condition) -> bool {
    condition.atoms().iter().any(|atom| atom.path == "n.c")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn rewriting_changes_no_answer(condition in condition(), other in condition()) {
        for rewrite in [
            Rewrite::Commute,
            Rewrite::Distribute,
            Rewrite::Absorb,
            Rewrite::Duplicate,
            Rewrite::Rebracket,
        ] {
            // What names a member of a field says that the field may be an object.
            if matches!(rewrite, Rewrite::Absorb) && names_member(&other) && !names_member(&condition) {
                continue;
            }
            check(&condition, &rewritten(&condition, rewrite, &other).pattern())?;
        }
    }

    #[test]
    fn respelling_changes_no_answer(condition in condition()) {
        let text = format!("{{{}}}", respelled(&condition));
        let pattern = FilterPattern::parse(&condition.pattern()).unwrap();
        prop_assert_eq!(&FilterPattern::parse(&text).unwrap(), &pattern);
        check(&condition, &text)?;
    }
}
