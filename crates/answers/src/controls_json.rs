//! Controls for programs.

use std::collections::BTreeMap;

use controls::{Catalog, Control};
use filter_pattern::FieldConstraint;
use serde_json::{Map, Value, json};

/// Every control in short.
pub fn list(catalog: &Catalog) -> Value {
    let controls: Vec<Value> = catalog
        .controls()
        .map(|control| {
            json!({
                "number": control.number(),
                "id": control.id,
                "severity": control.severity,
                "level": control.level,
                "title": control.title,
                "required_events": control.required_events().len(),
            })
        })
        .collect();
    json!({ "controls": controls })
}

/// Everything about one control.
pub fn show(control: &Control) -> Value {
    let required: Vec<Value> = control
        .event_groups()
        .iter()
        .map(|group| {
            json!({
                "names": group.names,
                "are_event_names": group.are_event_names,
                "fields": conditions(&group.fields),
                "always": conditions(&group.always),
                "optional": conditions(&group.optional),
                "may_demand": conditions(&group.may_demand),
            })
        })
        .collect();
    json!({
        "number": control.number(),
        "id": control.id,
        "severity": control.severity,
        "level": control.level,
        "title": control.title,
        "rationale": control.rationale,
        "notes": control.notes,
        "benchmarks": control.benchmarks,
        "aliases": control.aliases,
        "required": required,
        "prescription": control.prescription,
    })
}

fn conditions(of_paths: &BTreeMap<String, FieldConstraint>) -> Value {
    let pairs = of_paths.iter();
    let conditions: Map<String, Value> = pairs
        .map(|(path, constraint)| (path.clone(), condition(constraint)))
        .collect();
    Value::Object(conditions)
}

/// A condition as the files of the catalogue write it.
fn condition(constraint: &FieldConstraint) -> Value {
    match constraint {
        FieldConstraint::Equals(value) => json!({ "equals": value }),
        FieldConstraint::OneOf(values) => json!({ "one_of": values }),
        FieldConstraint::NotEquals(value) => json!({ "not_equals": value }),
        FieldConstraint::NotOneOf(values) => json!({ "not_one_of": values }),
        FieldConstraint::StartsWith(value) => json!({ "starts_with": value }),
        FieldConstraint::EndsWith(value) => json!({ "ends_with": value }),
        FieldConstraint::Contains(value) => json!({ "contains": value }),
        FieldConstraint::IsTrue => json!("is_true"),
        FieldConstraint::IsFalse => json!("is_false"),
        FieldConstraint::Present => json!("present"),
        FieldConstraint::Absent => json!("absent"),
        FieldConstraint::AbsentOr(inner) => json!({ "absent_or": condition(inner) }),
        // No file can say anything else.
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_written_as_in_the_files() {
        let catalog = Catalog::embedded().unwrap();
        let shown = show(catalog.find("4.1").unwrap());
        assert_eq!(
            shown["required"][1]["fields"],
            json!({ "errorCode": { "starts_with": "AccessDenied" } })
        );
        assert_eq!(
            shown["prescription"]["alarm"]["treat_missing_data"],
            "notBreaching"
        );
        assert_eq!(
            list(&catalog)["controls"][14]["id"],
            "organizations-changes"
        );
    }
}
