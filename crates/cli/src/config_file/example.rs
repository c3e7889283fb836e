//! The example file and the schema of the configuration, both made from the types that read it.

use std::{fmt::Write as _, sync::LazyLock};

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::ConfigFile;

const HEAD: &str = "\
# Configuration of the scanner. A flag beats the environment (SCANNER_*), which beats this file, which
# beats the default. Lines that begin with \"#: \" show a key with its default, or with an example where it
# has none. Made from the code: `scanner config show-default` prints it, `scanner config schema` the JSON
# schema for editors, and `scanner config check` tells whether a file can be used.
";

/// The sections in the order in which one writes them; those that are not here come after them.
const ORDER: [&str; 6] = ["store", "role", "scope", "aws", "serve", "report"];

/// The longest line of a comment.
const WIDTH: usize = 108;

/// The schema of the configuration file, for editors.
pub(crate) fn schema() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let schema = settings
        .into_generator()
        .into_root_schema_for::<ConfigFile>();
    let mut schema = schema.to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".to_owned(), "Configuration of the scanner".into());
    }
    schema
}

/// A file that says every key, each in a comment: with its default, or else with an example.
pub(crate) fn example() -> String {
    let schema = schema();
    let mut text = HEAD.to_owned();
    let sections = properties(&schema);
    let place = |name: &str| ORDER.iter().position(|known| *known == name);
    let mut names: Vec<&String> = sections.keys().collect();
    names.sort_by_key(|name| (place(name).unwrap_or(ORDER.len()), *name));
    for name in names {
        section(&mut text, name, &sections[name]);
    }
    text
}

fn section(text: &mut String, name: &str, section: &Value) {
    text.push('\n');
    comment(text, section, None);
    let items = &section["items"];
    if items.is_object() {
        let _ = writeln!(text, "#: [[{name}]]");
        keys(text, items);
        return;
    }
    let _ = writeln!(text, "[{name}]");
    keys(text, section);
    for (key, table) in properties(section) {
        if table["type"] == "object" {
            text.push('\n');
            comment(text, table, None);
            let _ = writeln!(text, "[{name}.{key}]");
            for (key, value) in table["examples"][0].as_object().into_iter().flatten() {
                let _ = writeln!(text, "#: {key} = {value}");
            }
        }
    }
}

fn keys(text: &mut String, section: &Value) {
    for (key, property) in properties(section) {
        if property["type"] == "object" {
            continue;
        }
        let (value, is_default) = match &property["default"] {
            Value::Null => (&property["examples"][0], false),
            Value::Array(none) if none.is_empty() => (&property["examples"][0], false),
            default => (default, true),
        };
        comment(
            text,
            property,
            (!is_default).then_some("No default; an example:"),
        );
        let _ = writeln!(text, "#: {key} = {}", in_toml(value));
    }
}

/// What is said of it, in lines that are not too long.
fn comment(text: &mut String, of: &Value, more: Option<&str>) {
    let said = of["description"].as_str().unwrap_or_default();
    let mut line = String::from("#");
    for word in said
        .split_whitespace()
        .chain(more.iter().flat_map(|it| it.split(' ')))
    {
        if line.len() + 1 + word.len() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

/// JSON of strings, numbers and lists is TOML but for the space in lists.
fn in_toml(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(in_toml).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

fn properties(of: &Value) -> &Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    of["properties"].as_object().unwrap_or(&NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(file: &str, made: &str) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(file);
        let written = std::fs::read_to_string(path).unwrap_or_default();
        // A checkout may have other line ends.
        let is_fresh = written.replace("\r\n", "\n") == made;
        assert!(
            is_fresh,
            "{file} is stale; renew it with `cargo xtask docs`"
        );
    }

    #[test]
    fn the_example_and_the_schema_are_fresh() {
        fresh("config/scanner.example.toml", &example());
        let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        fresh("config/scanner.schema.json", &schema);
    }

    #[test]
    fn every_key_says_what_it_is_and_what_it_may_be() {
        fn check(path: &str, of: &Value) {
            assert!(of["description"].is_string(), "{path} is not described");
            let inner = if of["items"]["properties"].is_object() {
                &of["items"]
            } else {
                of
            };
            if inner["properties"].is_object() {
                for (key, property) in properties(inner) {
                    check(&format!("{path}.{key}"), property);
                }
            } else {
                let has = |key: &str| !of[key].is_null() && of[key] != serde_json::json!([]);
                assert!(has("default") || has("examples"), "{path} shows no value");
            }
        }
        for (name, section) in properties(&schema()) {
            check(name, section);
        }
    }
}
