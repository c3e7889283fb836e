//! What differs between two JSON values, field by field.

use serde_json::Value;

/// What to make of a field that only one of the two values has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OneSided {
    /// It came or went.
    Differs,
    /// Only one version of the scanner reads it: nothing is known of the other side.
    Unknown,
}

/// A field that differs: its JSON pointer, and its two values.
pub(crate) struct Difference<'v> {
    pub(crate) path: String,
    pub(crate) before: &'v Value,
    pub(crate) after: &'v Value,
}

/// Every field that differs, in the order of the fields.
///
/// Lists are compared as a whole, unless both hold as many objects: what moved within a sorted list of
/// texts says nothing by its position.
pub(crate) fn differences<'v>(
    before: &'v Value,
    after: &'v Value,
    one_sided: OneSided,
) -> Vec<Difference<'v>> {
    let mut found = Vec::new();
    walk(before, after, one_sided, String::new(), &mut found);
    found
}

fn walk<'v>(
    before: &'v Value,
    after: &'v Value,
    one_sided: OneSided,
    path: String,
    found: &mut Vec<Difference<'v>>,
) {
    let inner = |key: &str| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                match new.get(key) {
                    Some(other) => walk(value, other, one_sided, inner(key), found),
                    None if one_sided == OneSided::Differs => found.push(Difference {
                        path: inner(key),
                        before: value,
                        after: &Value::Null,
                    }),
                    None => {}
                }
            }
            let added = new.iter().filter(|(key, _)| !old.contains_key(*key));
            for (key, value) in added.filter(|_| one_sided == OneSided::Differs) {
                found.push(Difference {
                    path: inner(key),
                    before: &Value::Null,
                    after: value,
                });
            }
        }
        (Value::Array(old), Value::Array(new))
            if old.len() == new.len() && old.iter().chain(new).all(Value::is_object) =>
        {
            for (index, (value, other)) in old.iter().zip(new).enumerate() {
                walk(value, other, one_sided, inner(&index.to_string()), found);
            }
        }
        _ if is_same(before, after) => {}
        _ => found.push(Difference {
            path,
            before,
            after,
        }),
    }
}

/// A number that was read back from its JSON text is the same number, whether it was written as 1 or 1.0:
/// serde_json reads decimal fractions to within the last digit only.
fn is_same(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Number(old), Value::Number(new)) if old.is_f64() || new.is_f64() => {
            let (old, new) = (old.as_f64(), new.as_f64());
            old.zip(new).is_some_and(|(old, new)| {
                (old - new).abs() <= 4.0 * f64::EPSILON * old.abs().max(new.abs())
            })
        }
        _ => before == after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(before: &Value, after: &Value, expected: &[&str]) {
        let paths = |one_sided| -> Vec<String> {
            differences(before, after, one_sided)
                .into_iter()
                .map(|difference| difference.path)
                .collect()
        };
        assert_eq!(paths(OneSided::Differs), expected);
        assert!(differences(before, before, OneSided::Differs).is_empty());
    }

    #[test]
    fn each_field_that_differs_is_named() {
        check(&json!({"a": 1, "b": 2}), &json!({"a": 1, "b": 3}), &["/b"]);
        check(&json!({"a": {"b": 1}}), &json!({"a": {"b": 2}}), &["/a/b"]);
        check(&json!({"a": 1}), &json!({"b": 1}), &["/a", "/b"]);
        check(&json!({"a": 1}), &json!({"a": 1.0}), &[]);
        check(
            &json!(1.452_163_878_063_151_7e-155),
            &json!(1.452_163_878_063_151_5e-155),
            &[],
        );
        check(&json!(0.1), &json!(0.100_000_1), &[""]);
        check(&json!({"a": null}), &json!({"a": []}), &["/a"]);
        check(&json!({"a/b~c": 1}), &json!({"a/b~c": 2}), &["/a~1b~0c"]);
        check(&json!(["a", "b"]), &json!(["b", "c"]), &[""]);
        check(
            &json!([{"v": 1}, {"v": 2}]),
            &json!([{"v": 1}, {"v": 3}]),
            &["/1/v"],
        );
        check(&json!([{"v": 1}]), &json!([{"v": 1}, {"v": 2}]), &[""]);
        check(
            &json!({"x": "missing"}),
            &json!({"x": {"present": 1}}),
            &["/x"],
        );
    }

    #[test]
    fn what_only_one_version_reads_is_no_difference() {
        let (old, new) = (
            json!({"a": 1, "b": {}}),
            json!({"a": 2, "b": {"c": 1}, "d": 3}),
        );
        let found = differences(&old, &new, OneSided::Unknown);
        let paths: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, ["/a"]);
    }
}
