//! The automata agree with matching, and a common string is found where there is one.

use proptest::prelude::*;

use super::*;
use crate::text::Text;

/// A text with wildcards, whether those inside count, and whether it is to be avoided.
type Part = (Text, bool, bool);

fn part() -> impl Strategy<Value = Part> {
    let text = "\\*?[ab]{0,2}\\*?[ab]{0,2}\\*?".prop_map(|value: String| Text::new(&value));
    (text, any::<bool>(), any::<bool>())
}

fn set((text, inner_wildcards, complement): &Part) -> TextSet<'static> {
    let glob = Glob::new(
        text.core(),
        text.open_start(),
        text.open_end(),
        *inner_wildcards,
    );
    TextSet {
        readings: vec![Reading::Glob(glob)],
        complement: *complement,
    }
}

fn fits((text, inner_wildcards, complement): &Part, subject: &str) -> bool {
    let matches = if *inner_wildcards {
        text.matches_as_glob(subject)
    } else {
        text.matches_literally(subject)
    };
    matches != *complement
}

/// All strings over three letters and a star of up to `length` characters, shortest first.
fn strings(length: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..length {
        let to = all.len();
        for index in from..to {
            for character in ['a', 'b', 'c', '*'] {
                let longer = format!("{}{character}", all[index]);
                all.push(longer);
            }
        }
        from = to;
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn an_automaton_accepts_what_the_text_matches(part in part(), subject in "[abc*]{0,8}") {
        let set = set(&part);
        let reading = &set.readings[0];
        let end = subject.chars().fold(reading.start(), |state, c| reading.step(state, c));
        prop_assert_eq!(reading.accepts(end) != set.complement, fits(&part, &subject));
    }

    #[test]
    fn a_common_string_is_a_shortest_and_none_means_none(
        parts in prop::collection::vec(part(), 1..5)
    ) {
        let sets: Vec<TextSet<'_>> = parts.iter().map(set).collect();
        let is_common = |subject: &String| parts.iter().all(|part| fits(part, subject));
        let shortest = strings(5).into_iter().find(is_common);
        match common_text(&sets, &mut Budget::new(1, 1)) {
            Common::Found(text) => {
                prop_assert!(is_common(&text), "{:?}", text);
                let length = shortest.map_or(text.chars().count(), |s| s.chars().count());
                prop_assert_eq!(text.chars().count(), length);
            }
            Common::Empty => prop_assert_eq!(shortest, None),
            Common::GaveUp => prop_assert!(false, "so few automata are within the budget"),
        }
    }
}

#[test]
fn the_spellings_of_numbers_are_those_of_json() {
    let numbers = TextSet::numbers().unwrap();
    let reading = &numbers.readings[0];
    for (text, expected) in [
        ("0", true),
        ("-1.5e+3", true),
        ("", false),
        ("01", false),
        ("1.", false),
        ("1x", false),
    ] {
        let end = text
            .chars()
            .fold(reading.start(), |state, c| reading.step(state, c));
        assert_eq!(reading.accepts(end), expected, "{text}");
    }
}
