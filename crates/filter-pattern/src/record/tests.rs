//! The reader takes what serde_json takes, and reads the same.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;

fn same(ours: &Value<'_>, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(ours), Json::Bool(theirs)) => ours == theirs,
        (Value::Number(ours), Json::Number(theirs)) => {
            let ours: f64 = ours.parse().unwrap();
            let theirs = theirs.as_f64().unwrap();
            // serde_json reads a double to its last digit but one.
            (ours - theirs).abs() <= ours.abs() * 1e-12
        }
        (Value::Text(ours), Json::String(theirs)) => ours == theirs,
        (Value::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(o, t)| same(o, t))
        }
        (Value::Object(_), Json::Object(theirs)) => theirs
            .iter()
            .all(|(name, value)| ours.member(name).is_some_and(|o| same(o, value))),
        _ => false,
    }
}

fn check(text: &str) -> Result<(), TestCaseError> {
    match (Value::read(text), serde_json::from_str::<Json>(text)) {
        (Ok(ours), Ok(theirs)) => prop_assert!(same(&ours, &theirs), "{text}"),
        (Err(NoRecord::NotJson), Err(_)) => {}
        // A number beyond the range of a double is a number here.
        (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{text}"),
        (ours, theirs) => prop_assert!(
            matches!(ours, Err(NoRecord::LoneSurrogate)) && theirs.is_err(),
            "{text}: {ours:?} but {theirs:?}"
        ),
    }
    Ok(())
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,6}|[\\x00-\\x20\"\\\\/é😀]{0,6}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-c\"\\\\]{0,2}", inner, 0..4)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn what_serde_writes_is_read(value in json()) {
        check(&value.to_string())?;
        check(&serde_json::to_string_pretty(&value).unwrap())?;
    }

    #[test]
    fn near_misses_are_told_apart(
        text in "([{}\\[\\]:, \n\"0-9eE.+-]|true|false|null|\"a\"|\\\\u[0-9a-d]{4}|\\\\[\"nx/]){0,12}"
    ) {
        check(&text)?;
        check(&format!("{{\"a\":{text}}}"))?;
        check(&format!("[\"{text}\"]"))?;
    }
}
