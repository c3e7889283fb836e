//! What AWS was observed to match, in cases of our own.

use crate::outcome::Match;
use crate::{Doubt, FilterPattern};

fn matches(pattern: &str, message: &str) -> Match {
    FilterPattern::parse(pattern)
        .unwrap_or_else(|error| panic!("{}", error.render()))
        .matches(message)
}

macro_rules! table {
    ($($name:ident: $pattern:expr, $message:expr => $answer:expr;)*) => {$(
        #[test]
        fn $name() {
            assert_eq!(matches($pattern, $message), $answer);
            let canonical = FilterPattern::parse($pattern).unwrap().to_string();
            assert_eq!(matches(&canonical, $message), $answer, "{canonical}");
        }
    )*};
}

table! {
    missing_field_matches_no_inequality: "{ $.a != x }", "{}" => Match::No;
    bare_boolean_is_undecided: "{ $.a = false }", r#"{"a":false}"# => Match::Undecided(Doubt::BareBoolean);
}
