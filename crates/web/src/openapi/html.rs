//! The description of the API as one page: no script, no image, nothing from anywhere else.
//!
//! It can be read on a machine without internet, and be kept as a file: `curl … > api.html`.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
code, .path { font-family: ui-monospace, monospace; font-size: 0.92em; }
details { border: 1px solid var(--line); border-radius: 6px; margin: 0.5rem 0; }
summary { cursor: pointer; padding: 0.5rem 0.75rem; }
summary:focus-visible { outline: 2px solid; }
details > div { padding: 0 0.75rem 0.75rem; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.5rem; border-bottom: 1px solid var(--line); }
thead { background: var(--soft); }
";

/// What the page may do: wear the style that it brings.
pub(super) fn policy() -> String {
    let hash = base64(&Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Renders the description.
pub(super) fn render(description: &Value) -> String {
    let mut out = String::new();
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let info = &description["info"];
    let title = text(&info["title"]);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}: API</title>\
         <style>{STYLE}</style></head><body><main><h1>{title}: API</h1><p>{}</p>\
         <p>Version {}. The same for programs: <a href=\"/api/v1/openapi.json\">openapi.json</a>.</p>",
        in_words(&info["description"]),
        text(&info["version"]),
    );
    for tag in list(&description["tags"]) {
        let _ = write!(
            out,
            "<section><h2>{}</h2><p>{}</p>",
            text(&tag["name"]),
            in_words(&tag["description"])
        );
        operations(&mut out, description, &tag["name"]);
        out.push_str("</section>");
    }
    out.push_str("<section><h2>Shapes</h2>");
    for (name, schema) in pairs(&description["components"]["schemas"]) {
        shape(&mut out, name, schema);
    }
    out.push_str("</section></main></body></html>\n");
    out
}

fn operations(out: &mut String, description: &Value, tag: &Value) {
    for (path, item) in pairs(&description["paths"]) {
        for (method, operation) in pairs(item) {
            if list(&operation["tags"]).contains(tag) {
                self::operation(out, path, method, operation);
            }
        }
    }
}

fn operation(out: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(
        out,
        "<details><summary><span class=\"method\">{}</span> <span class=\"path\">{}</span></summary><div><p>{} {}</p>",
        escaped(&method.to_uppercase()),
        escaped(path),
        in_words(&operation["summary"]),
        in_words(&operation["description"]),
    );
    let parameters = list(&operation["parameters"]);
    if !parameters.is_empty() {
        out.push_str(
            "<table><thead><tr><th>Parameter</th><th>Where</th><th>What</th><th></th></tr></thead><tbody>",
        );
        for parameter in parameters {
            row(
                out,
                [
                    &code(&parameter["name"]),
                    &in_words(&parameter["in"]),
                    &kind(&parameter["schema"]),
                    &in_words(&parameter["description"]),
                ],
            );
        }
        out.push_str("</tbody></table>");
    }
    for (media, body) in pairs(&operation["requestBody"]["content"]) {
        let _ = write!(
            out,
            "<p>Body, <code>{}</code>: {}. {}</p>",
            escaped(media),
            kind(&body["schema"]),
            in_words(&operation["requestBody"]["description"])
        );
    }
    out.push_str("<table><thead><tr><th>Answer</th><th>What</th><th></th></tr></thead><tbody>");
    for (status, answer) in pairs(&operation["responses"]) {
        let mut kinds = String::new();
        for (media, content) in pairs(&answer["content"]) {
            let _ = write!(
                kinds,
                "{} <code>{}</code> ",
                kind(&content["schema"]),
                escaped(media)
            );
        }
        row(
            out,
            [&escaped(status), &kinds, &in_words(&answer["description"])],
        );
    }
    out.push_str("</tbody></table></div></details>");
}

fn shape(out: &mut String, name: &str, schema: &Value) {
    let name = escaped(name);
    let _ = write!(
        out,
        "<details id=\"{name}\"><summary><code>{name}</code></summary><div><p>{}</p>",
        in_words(&schema["description"])
    );
    let alternatives = list(&schema["oneOf"]);
    let parts: Vec<&Value> = if alternatives.is_empty() {
        list(&schema["allOf"]).iter().chain([schema]).collect()
    } else {
        alternatives.iter().collect()
    };
    for part in parts {
        if part["$ref"].is_string() {
            let _ = write!(out, "<p>All of {}, and:</p>", kind(part));
        }
        if pairs(&part["properties"]).next().is_some() {
            out.push_str(
                "<table><thead><tr><th>Field</th><th>What</th><th></th></tr></thead><tbody>",
            );
            for (field, schema) in pairs(&part["properties"]) {
                row(
                    out,
                    [
                        &format!("<code>{}</code>", escaped(field)),
                        &kind(schema),
                        &in_words(&schema["description"]),
                    ],
                );
            }
            out.push_str("</tbody></table>");
        } else if part["enum"].is_array() {
            let _ = write!(out, "<p>{}</p>", kind(part));
        }
    }
    out.push_str("</div></details>");
}

fn row<const CELLS: usize>(out: &mut String, cells: [&String; CELLS]) {
    out.push_str("<tr>");
    for cell in cells {
        let _ = write!(out, "<td>{cell}</td>");
    }
    out.push_str("</tr>");
}

/// What a value is, in few words.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = escaped(reference.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#{name}\"><code>{name}</code></a>");
    }
    let either: Vec<String> = (list(&schema["oneOf"]).iter())
        .filter(|part| part["type"] != "null")
        .map(kind)
        .collect();
    if !either.is_empty() {
        return either.join(" or ");
    }
    if schema["enum"].is_array() {
        let words: Vec<String> = list(&schema["enum"]).iter().map(code).collect();
        return words.join(", ");
    }
    let names = match &schema["type"] {
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or "),
        name => name.as_str().unwrap_or("anything").to_owned(),
    };
    if schema["items"].is_object() {
        return format!("{} of {}", escaped(&names), kind(&schema["items"]));
    }
    let format = schema["format"]
        .as_str()
        .map_or_else(String::new, |format| format!(" ({format})"));
    escaped(&format!("{names}{format}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn pairs(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn code(value: &Value) -> String {
    format!(
        "<code>{}</code>",
        escaped(value.as_str().unwrap_or_default())
    )
}

/// Text with what stands in backticks as code.
fn in_words(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let mut out = String::new();
    for (place, part) in text.split('`').enumerate() {
        if place % 2 == 1 {
            let _ = write!(out, "<code>{}</code>", escaped(part));
        } else {
            out.push_str(&escaped(part));
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// RFC 4648, for the one hash that a policy writes so.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let number = (group.iter().chain([&0, &0]).take(3))
            .fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        for place in 0..4 {
            if place > group.len() {
                out.push('=');
            } else {
                out.push(char::from(DIGITS[number >> (18 - 6 * place) & 63]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn what_a_description_says_is_shown_and_not_obeyed() {
        let page = render(&json!({
            "info": {"title": "<script>alert(1)</script>", "description": "`<b>` & \"'"},
            "components": {"schemas": {"<i>": {"description": "</p>"}}},
        }));
        for hostile in ["<script", "<b>", "<i>", "</p></p>"] {
            assert!(!page.contains(hostile), "{hostile}: {page}");
        }
        assert!(
            page.contains("<code>&lt;b&gt;</code> &amp; &quot;&#39;"),
            "{page}"
        );
    }

    #[test]
    fn every_operation_and_every_shape_has_its_place() {
        let description = serde_json::to_value(crate::router::described()).unwrap();
        let page = render(&description);
        for (path, _) in pairs(&description["paths"]) {
            assert!(page.contains(&escaped(path)), "{path}");
        }
        for (name, _) in pairs(&description["components"]["schemas"]) {
            assert!(page.contains(&format!("<details id=\"{name}\">")), "{name}");
        }
        // Each link leads somewhere on the page.
        for target in page.split("href=\"#").skip(1) {
            let name = target.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
        }
        for foreign in ["http://", "https://", "<script", "src="] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }
}
