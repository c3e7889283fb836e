//! Decisions end, and what they call missed is missed.
//!
//! The input is either the text of some patterns, a line each, or the choices by which patterns are
//! written that parse.
#![no_main]

use arbitrary::{Result, Unstructured};
use filter_pattern::{
    Coverage, FieldConstraint, FilterPattern, Match, RequiredEvent, coverage, may_match, noise,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let texts = match data.split_first() {
        Some((0, rest)) => match std::str::from_utf8(rest) {
            Ok(text) => text.lines().map(str::to_owned).take(3).collect(),
            Err(_) => return,
        },
        Some((_, rest)) => written(rest),
        None => return,
    };
    let patterns: Vec<FilterPattern> =
        texts.iter().filter_map(|text| FilterPattern::parse(text).ok()).collect();
    decide(&patterns.iter().collect::<Vec<_>>());
});

fn decide(candidates: &[&FilterPattern]) {
    let base = r#""eventName":"MoveAccount","eventSource":"organizations.amazonaws.com""#;
    let required = [
        RequiredEvent::new("MoveAccount")
            .field("eventSource", FieldConstraint::equals("organizations.amazonaws.com"))
            .field("eventName", FieldConstraint::equals("MoveAccount"))
            .holding("readOnly", FieldConstraint::IsFalse),
        RequiredEvent::new("denied")
            .field("a.b", FieldConstraint::StartsWith("x".to_owned()))
            .field("c", FieldConstraint::Absent),
    ];
    let samples = [
        vec![
            format!("{{{base},\"readOnly\":false}}"),
            format!("{{{base},\"readOnly\":false,\"a\":\"x\"}}"),
            format!("{{{base},\"readOnly\":false,\"a\":\"xy\",\"b\":\"\"}}"),
        ],
        vec![r#"{"a":{"b":"x"}}"#.to_owned(), r#"{"a":{"b":"xy"},"b":"x"}"#.to_owned()],
    ];
    let answer = coverage(&required, candidates);
    let (missed, undecided) = match &answer {
        Coverage::Covered { .. } => (&[][..], &[][..]),
        Coverage::NotCovered { missed } => (&missed[..], &[][..]),
        Coverage::Undecided { events, missed, .. } => (&missed[..], &events[..]),
    };
    for missed in missed {
        let witness = missed.witness.to_string();
        for candidate in candidates {
            assert_eq!(candidate.matches(&witness), Match::No, "{candidate} on {witness}");
        }
    }
    for (event, samples) in required.iter().zip(&samples) {
        let is_covered = missed.iter().all(|missed| missed.event != event.name)
            && !undecided.contains(&event.name);
        for sample in samples {
            let of = |candidate: &&FilterPattern| candidate.matches(sample);
            if is_covered {
                assert!(candidates.iter().any(|c| of(c) != Match::No), "{sample}");
            }
            for candidate in candidates {
                if !may_match(event, candidate) {
                    assert_ne!(of(&candidate), Match::Yes, "{candidate} on {sample}");
                }
            }
        }
    }
    for candidate in candidates {
        if let Some(noise) = noise(&required, candidate) {
            assert_eq!(candidate.matches(&noise.example.to_string()), Match::Yes, "{candidate}");
        }
    }
}

fn written(data: &[u8]) -> Vec<String> {
    let mut choices = Unstructured::new(data);
    (0..2).map_while(|_| condition(&mut choices, 4).ok()).map(|text| format!("{{{text}}}")).collect()
}

fn condition(choices: &mut Unstructured<'_>, depth: usize) -> Result<String> {
    if depth == 0 || choices.ratio(1, 3)? {
        return comparison(choices);
    }
    let connective = choices.choose(&["&&", "||"])?;
    let count = choices.int_in_range(2..=4)?;
    let parts: Result<Vec<String>> =
        (0..count).map(|_| Ok(format!("({})", condition(choices, depth - 1)?))).collect();
    Ok(parts?.join(connective))
}

fn comparison(choices: &mut Unstructured<'_>) -> Result<String> {
    let path = choices.choose(&[
        "a", "b", "a.b", "a[0]", "a[*]", "b.*", "*", "c", "eventName", "readOnly", "eventSource",
    ])?;
    let test = choices.choose(&[
        "NOT EXISTS", "IS NULL", "IS FALSE", "IS TRUE", "= x", "!= x", "= \"x*\"", "!= \"*y\"",
        "= \"*x*\"", "!= \"*xy*\"", "= \"x*y\"", "!= \"x*y*x\"", "= \"\"", "!= \"*\"", "= %x+y%",
        "!= %^x.*y$%", "= %[^x]%", "= 1", "!= 1.0", "> 1", "<= 2.5", "= 4*", "= true", "!= false",
        "= MoveAccount", "!= \"*Account\"", "= \"organizations.amazonaws.com\"", "= org*",
    ])?;
    Ok(format!("$.{path} {test}"))
}
