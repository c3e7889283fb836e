//! What is printed parses to what was printed, and no text makes the parser panic.

use filter_pattern::{Dialect, FilterPattern};
use proptest::prelude::*;

use crate::generate::{condition, condition_on_one_field};

fn round_trip(text: &str) -> Result<(), TestCaseError> {
    let pattern = FilterPattern::parse(text).unwrap();
    let printed = pattern.to_string();
    let again = FilterPattern::parse(&printed);
    prop_assert_eq!(again.as_ref(), Ok(&pattern), "{} became {}", text, &printed);
    prop_assert_eq!(
        again.unwrap().to_string(),
        printed,
        "the canonical form is its own"
    );
    Ok(())
}

fn word() -> impl Strategy<Value = String> {
    "[A-Za-z_][A-Za-z0-9_]{0,8}"
}

fn space_field() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        word(),
        "[0-9]{1,3}",
        "[0-9]\\*",
        "\"[ -!#-\\[\\]-~]{0,6}\"",
        "%[a-z]{1,4}%"
    ];
    let comparison = (prop_oneof![Just("="), Just("!=")], value);
    (
        word(),
        prop::collection::vec((comparison, prop_oneof![Just("&&"), Just("||")]), 0..3),
    )
        .prop_map(|(name, comparisons)| {
            let parts: Vec<String> = comparisons
                .iter()
                .enumerate()
                .map(|(index, ((operator, value), connective))| {
                    let connective = if index == 0 { "" } else { connective };
                    format!(" {connective} {name} {operator} {value}")
                })
                .collect();
            if parts.is_empty() {
                name
            } else {
                parts.concat()
            }
        })
}

fn term() -> impl Strategy<Value = String> {
    let text = prop_oneof![word(), "\"([ -!#-\\[\\]-~é☃]|\\\\\"|\\\\\\\\){0,8}\""];
    (prop_oneof![Just(""), Just("?"), Just("-")], text)
        .prop_map(|(sign, text)| format!("{sign}{text}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn conditions_survive_printing(condition in condition()) {
        round_trip(&condition.pattern())?;
    }

    #[test]
    fn conditions_with_expressions_survive_printing(condition in condition_on_one_field()) {
        round_trip(&condition.pattern())?;
    }

    #[test]
    fn terms_survive_printing(terms in prop::collection::vec(term(), 0..5)) {
        round_trip(&terms.join(" "))?;
    }

    #[test]
    fn fields_survive_printing(fields in prop::collection::vec(space_field(), 1..5)) {
        let text = format!("[{}]", fields.join(", "));
        // Names may repeat and expressions may be too many: those are errors, not failures.
        if FilterPattern::parse(&text).is_ok() {
            round_trip(&text)?;
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        if let Err(error) = FilterPattern::parse(&text) {
            prop_assert!(text.get(error.span()).is_some());
            prop_assert!(!error.render().is_empty());
        }
    }

    #[test]
    fn no_near_miss_makes_the_parser_panic(
        text in "[{\\[]?([$.\\[\\]()*%\"\\\\&|=!<> ,?-]|IS|NOT|EXISTS|TRUE|a|1|é){0,30}[}\\]]?"
    ) {
        match FilterPattern::parse(&text) {
            Ok(pattern) => {
                round_trip(&text)?;
                let _ = pattern.matches(&text);
            }
            Err(error) => prop_assert!(!error.render().is_empty()),
        }
    }
}

#[test]
fn a_pattern_that_would_grow_beyond_the_limit_is_printed_tightly() {
    let names: Vec<String> = (0..48)
        .map(|index| format!("$.name={}{index:03}", "abcd"))
        .collect();
    let text = format!("{{{}}}", names.join("||"));
    let pattern = FilterPattern::parse(&text).unwrap();
    let printed = pattern.to_string();
    assert!(printed.chars().count() <= 1024);
    assert_eq!(FilterPattern::parse(&printed).as_ref(), Ok(&pattern));
    assert_eq!(pattern.dialect(), Dialect::Json);
}
