//! Random patterns, and small worlds of records to try them on.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A condition as it is generated: a tree whose spelling is still open.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Atom(Atom),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Atom {
    pub(crate) path: &'static str,
    pub(crate) test: Test,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// `=` or `!=`, and a text with wildcards.
    Text(&'static str, String),
    Number(&'static str, &'static str),
    Regex(&'static str, &'static str),
    Keyword(&'static str),
}

impl Condition {
    /// Spelled with quotes, single blanks and all parentheses.
    pub(crate) fn spelled(&self) -> String {
        match self {
            Condition::All(parts) => join(parts, " && "),
            Condition::Any(parts) => join(parts, " || "),
            Condition::Atom(atom) => atom.spelled(),
        }
    }

    pub(crate) fn pattern(&self) -> String {
        format!("{{ {} }}", self.spelled())
    }

    pub(crate) fn atoms(&self) -> Vec<&Atom> {
        match self {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().flat_map(Condition::atoms).collect()
            }
            Condition::Atom(atom) => vec![atom],
        }
    }
}

fn join(parts: &[Condition], connective: &str) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|part| format!("({})", part.spelled()))
        .collect();
    parts.join(connective)
}

impl Atom {
    pub(crate) fn spelled(&self) -> String {
        let path = self.path;
        match &self.test {
            Test::Text(operator, value) => format!("$.{path} {operator} \"{value}\""),
            Test::Number(operator, value) => format!("$.{path} {operator} {value}"),
            Test::Regex(operator, source) => format!("$.{path} {operator} %{source}%"),
            Test::Keyword(keyword) => format!("$.{path} {keyword}"),
        }
    }

    /// Strings that tell this atom from others.
    fn strings(&self) -> Vec<String> {
        match &self.test {
            Test::Text(_, value) => {
                let core = value.trim_matches('*');
                vec![
                    core.to_owned(),
                    format!("x{core}"),
                    format!("{core}y"),
                    format!("x{core}y"),
                ]
            }
            Test::Number(_, value) => vec![(*value).to_owned(), format!("{value}0")],
            Test::Regex(..) => ["x", "xy", "yyx", "xx"].map(str::to_owned).to_vec(),
            Test::Keyword(_) => Vec::new(),
        }
    }
}

/// The fields that generated patterns compare. `kind` and `flag` are what the requirement fixes.
pub(crate) const FREE: [&str; 4] = ["a", "b", "n.c", "n"];

fn core() -> impl Strategy<Value = String> {
    "[xy]{0,2}"
}

fn test() -> impl Strategy<Value = Test> {
    let equality = prop_oneof![Just("="), Just("!=")];
    prop_oneof![
        6 => (equality.clone(), core(), any::<bool>(), any::<bool>()).prop_map(
            |(operator, core, start, end)| {
                let star = |open| if open { "*" } else { "" };
                Test::Text(operator, format!("{}{core}{}", star(start), star(end)))
            }
        ),
        1 => (prop_oneof![Just("="), Just("!="), Just("<"), Just(">=")],
              prop_oneof![Just("1"), Just("2.5"), Just("-3")])
            .prop_map(|(operator, number)| Test::Number(operator, number)),
        3 => Just(Test::Keyword("NOT EXISTS")),
        1 => prop_oneof![Just("IS NULL"), Just("IS TRUE"), Just("IS FALSE")]
            .prop_map(Test::Keyword),
    ]
}

fn regex_test() -> impl Strategy<Value = Test> {
    // None of these looks at line breaks or beyond ASCII, so none is doubtful.
    let sources = prop_oneof![Just("xx*y"), Just("x|yy"), Just("[xy]{2}"), Just("yx?x")];
    (prop_oneof![Just("="), Just("!=")], sources)
        .prop_map(|(operator, source)| Test::Regex(operator, source))
}

fn atom() -> impl Strategy<Value = Condition> {
    let fixed = prop_oneof![
        Just(Test::Text("=", "on".to_owned())),
        Just(Test::Text("!=", "on".to_owned())),
        Just(Test::Text("=", "o*".to_owned())),
        Just(Test::Text("=", "off".to_owned())),
    ];
    prop_oneof![
        5 => (prop::sample::select(&FREE[..]), test()),
        1 => (Just("kind"), fixed),
        1 => (Just("flag"), prop_oneof![Just("IS FALSE"), Just("IS TRUE")].prop_map(Test::Keyword)),
    ]
    .prop_map(|(path, test)| Condition::Atom(Atom { path, test }))
}

/// A condition without doubtful parts.
pub(crate) fn condition() -> impl Strategy<Value = Condition> {
    atom().prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::All),
            prop::collection::vec(inner, 2..4).prop_map(Condition::Any),
        ]
    })
}

/// A condition on one field only, where the theory of strings has to work hardest.
pub(crate) fn condition_on_one_field() -> impl Strategy<Value = Condition> {
    let atom = prop_oneof![4 => test(), 1 => regex_test()]
        .prop_map(|test| Condition::Atom(Atom { path: "a", test }));
    let limit = |condition: &Condition| {
        let is_regex = |atom: &&Atom| matches!(atom.test, Test::Regex(..));
        condition.atoms().into_iter().filter(is_regex).count() <= 2
    };
    atom.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::All),
            prop::collection::vec(inner, 2..4).prop_map(Condition::Any),
        ]
    })
    .prop_filter("AWS allows two regular expressions", limit)
}

/// What a field of a small world holds.
type Choice = Option<Value>;

/// All records with `kind` and `flag` as required, and the other fields absent or a string from
/// the atoms of `conditions`; at most about `limit`.
pub(crate) fn world(conditions: &[&Condition], limit: usize) -> Vec<Value> {
    let atoms: Vec<&Atom> = conditions
        .iter()
        .flat_map(|condition| condition.atoms())
        .collect();
    let used: BTreeSet<&str> = atoms.iter().map(|atom| atom.path).collect();
    let choices = |path: &str| -> Vec<Choice> {
        if !used.contains(path) {
            return vec![None];
        }
        let mut strings: BTreeSet<String> = atoms
            .iter()
            .filter(|atom| atom.path == path)
            .flat_map(|atom| atom.strings())
            .collect();
        strings.extend(["", "z", "yx"].map(str::to_owned));
        let strings = strings
            .into_iter()
            .map(|string| Some(Value::String(string)));
        std::iter::once(None).chain(strings).collect()
    };
    let mut nested: Vec<Choice> = choices("n");
    nested.extend(
        choices("n.c")
            .into_iter()
            .flatten()
            .map(|c| Some(json!({ "c": c }))),
    );
    if used.contains("n.c") {
        nested.push(Some(json!({})));
    }
    let mut records = Vec::new();
    for a in &choices("a") {
        for b in &choices("b") {
            for n in &nested {
                let mut record = Map::new();
                record.insert("kind".to_owned(), json!("on"));
                record.insert("flag".to_owned(), json!(false));
                for (name, choice) in [("a", a), ("b", b), ("n", n)] {
                    if let Some(value) = choice {
                        record.insert(name.to_owned(), value.clone());
                    }
                }
                records.push(Value::Object(record));
            }
        }
    }
    let step = records.len().div_ceil(limit).max(1);
    records.into_iter().step_by(step).collect()
}
