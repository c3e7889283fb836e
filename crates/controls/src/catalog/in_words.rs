//! What is required, in words. Names and values stand in backticks.

use std::{collections::BTreeMap, fmt};

use filter_pattern::FieldConstraint;

use super::{AlarmSettings, EventGroup};

impl EventGroup {
    /// What tells these events and what a filter may demand of them, each in a sentence.
    pub fn in_words(&self) -> Vec<String> {
        let told = match (self.are_event_names, self.fields.is_empty()) {
            (true, true) => "Told by `eventName`.".to_owned(),
            (true, false) => format!("Told by `eventName`, where {}.", all(&self.fields)),
            (false, _) => format!("Told by: {}.", all(&self.fields)),
        };
        let more = [
            (
                "Every record holds it, so a filter may demand",
                &self.always,
            ),
            (
                "A record need not hold it, so a filter that demands it gives advice",
                &self.optional,
            ),
            (
                "The benchmark lets a filter keep to records where",
                &self.may_demand,
            ),
        ];
        let more = more
            .into_iter()
            .filter(|(_, conditions)| !conditions.is_empty());
        [told]
            .into_iter()
            .chain(more.map(|(says, conditions)| format!("{says}: {}.", all(conditions))))
            .collect()
    }
}

impl fmt::Display for AlarmSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} over {} seconds, {} {}, in {} of {} periods, missing data {}",
            self.statistic,
            self.period_seconds,
            self.comparison_operator,
            self.threshold,
            self.datapoints_to_alarm,
            self.evaluation_periods,
            self.treat_missing_data
        )
    }
}

fn all(conditions: &BTreeMap<String, FieldConstraint>) -> String {
    let conditions: Vec<String> = conditions
        .iter()
        .map(|(path, constraint)| condition(path, constraint))
        .collect();
    conditions.join(", ")
}

fn condition(path: &str, constraint: &FieldConstraint) -> String {
    format!("`{path}` {}", held(constraint))
}

fn held(constraint: &FieldConstraint) -> String {
    match constraint {
        FieldConstraint::Equals(value) => format!("is `{value}`"),
        FieldConstraint::OneOf(values) => format!("is {}", listed(values, "or")),
        FieldConstraint::NotEquals(value) => format!("is there and is not `{value}`"),
        FieldConstraint::NotOneOf(values) => {
            format!("is there and is neither {}", listed(values, "nor"))
        }
        FieldConstraint::StartsWith(value) => format!("starts with `{value}`"),
        FieldConstraint::EndsWith(value) => format!("ends with `{value}`"),
        FieldConstraint::Contains(value) => format!("contains `{value}`"),
        FieldConstraint::IsTrue => "is true".to_owned(),
        FieldConstraint::IsFalse => "is false".to_owned(),
        FieldConstraint::Present => "is there".to_owned(),
        FieldConstraint::Container => "is an object or array".to_owned(),
        FieldConstraint::Absent => "is not there".to_owned(),
        FieldConstraint::AbsentOr(inner) => format!("is not there, or {}", held(inner)),
        // The type is open to further kinds of constraints, none of which a file can have.
        _ => "is as its file says".to_owned(),
    }
}

fn listed(values: &[String], before_last: &str) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    match values.split_last() {
        Some((last, first)) if !first.is_empty() => {
            format!("{} {before_last} {last}", first.join(", "))
        }
        _ => values.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_reads_as_a_sentence() {
        let two = vec!["a".to_owned(), "b".to_owned()];
        let rows = [
            (FieldConstraint::equals("x"), "`f` is `x`"),
            (FieldConstraint::OneOf(two.clone()), "`f` is `a` or `b`"),
            (
                FieldConstraint::NotOneOf(two),
                "`f` is there and is neither `a` nor `b`",
            ),
            (
                FieldConstraint::AbsentOr(Box::new(FieldConstraint::IsFalse)),
                "`f` is not there, or is false",
            ),
        ];
        for (constraint, words) in rows {
            assert_eq!(condition("f", &constraint), words);
        }
    }
}
