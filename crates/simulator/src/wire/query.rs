//! AWS query: form-encoded requests and XML answers.

use std::collections::BTreeMap;
use std::fmt::Write;

use quick_xml::escape::escape;
use serde_json::Value as Json;

use crate::value::{Fields, Value};

/// Deeper keys than any operation has; a hostile key must not grow the stack.
const MAX_DEPTH: usize = 16;

/// Reads a form into the same tree that a JSON body would give: `A.member.1.B=x` becomes
/// `{"A": [{"B": "x"}]}`. Scalars stay text.
pub(crate) fn decode(body: &[u8]) -> Option<Json> {
    let mut root = Node::default();
    for (key, value) in form_urlencoded::parse(body) {
        let path: Vec<&str> = key.split('.').collect();
        if path.len() > MAX_DEPTH {
            return None;
        }
        let mut node = &mut root;
        for part in path {
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.text = Some(value.into_owned());
    }
    Some(root.into_json())
}

#[derive(Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn into_json(mut self) -> Json {
        if let Some(members) = self.children.remove("member") {
            let mut numbered: Vec<(u64, Node)> = members
                .children
                .into_iter()
                .filter_map(|(number, node)| Some((number.parse().ok()?, node)))
                .collect();
            numbered.sort_by_key(|(number, _)| *number);
            return Json::Array(
                numbered
                    .into_iter()
                    .map(|(_, node)| node.into_json())
                    .collect(),
            );
        }
        if self.children.is_empty()
            && let Some(text) = self.text
        {
            return Json::String(text);
        }
        Json::Object(
            self.children
                .into_iter()
                .map(|(name, node)| (name, node.into_json()))
                .collect(),
        )
    }
}

pub(crate) fn encode(
    operation: &str,
    namespace: &str,
    fields: &Fields,
    request_id: &str,
) -> Vec<u8> {
    let mut xml = String::with_capacity(1024);
    let _ = write!(
        xml,
        "<{operation}Response xmlns=\"{}\"><{operation}Result>",
        escape(namespace)
    );
    write_fields(&mut xml, fields);
    let _ = write!(
        xml,
        "</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId>\
         </ResponseMetadata></{operation}Response>"
    );
    xml.into_bytes()
}

pub(crate) fn encode_error(
    namespace: &str,
    kind: &str,
    code: &str,
    message: &str,
    request_id: &str,
) -> Vec<u8> {
    let mut xml = String::with_capacity(512);
    let _ = write!(
        xml,
        "<ErrorResponse xmlns=\"{}\"><Error><Type>{kind}</Type><Code>",
        escape(namespace)
    );
    write_text(&mut xml, code);
    xml.push_str("</Code><Message>");
    write_text(&mut xml, message);
    let _ = write!(
        xml,
        "</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    );
    xml.into_bytes()
}

fn write_fields(xml: &mut String, fields: &Fields) {
    for (name, value) in fields.iter() {
        let _ = write!(xml, "<{name}>");
        write_value(xml, value);
        let _ = write!(xml, "</{name}>");
    }
}

fn write_value(xml: &mut String, value: &Value) {
    match value {
        Value::Bool(flag) => xml.push_str(if *flag { "true" } else { "false" }),
        Value::Integer(number) => {
            let _ = write!(xml, "{number}");
        }
        Value::Double(number) => {
            let _ = write!(xml, "{number}");
        }
        Value::Text(text) => write_text(xml, text),
        Value::Time(time) => {
            let _ = write!(xml, "{time:.0}");
        }
        Value::List(members) => {
            for member in members {
                xml.push_str("<member>");
                write_value(xml, member);
                xml.push_str("</member>");
            }
        }
        Value::Fields(fields) => write_fields(xml, fields),
        Value::Entries(entries) => {
            for (key, entry) in entries {
                xml.push_str("<entry><key>");
                write_text(xml, key);
                xml.push_str("</key><value>");
                write_text(xml, entry);
                xml.push_str("</value></entry>");
            }
        }
    }
}

/// Escapes `text`, and drops the characters that XML 1.0 cannot hold at all.
fn write_text(xml: &mut String, text: &str) {
    let storable = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
            || c >= '\u{10000}'
    };
    if text.chars().all(storable) {
        xml.push_str(&escape(text));
    } else {
        let kept: String = text.chars().filter(|c| storable(*c)).collect();
        xml.push_str(&escape(kept.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_structures_are_read_in_their_order() {
        let form = b"Action=X&D.member.2.Name=b&D.member.1.Name=a&D.member.10.Name=c&N.member.1=q";
        let tree = decode(form).unwrap();
        assert_eq!(
            tree,
            serde_json::json!({"Action": "X", "D": [{"Name": "a"}, {"Name": "b"}, {"Name": "c"}],
                "N": ["q"]})
        );
    }

    #[test]
    fn a_key_of_many_dots_is_refused() {
        let form = format!("{}=x", ["a"; 500].join("."));
        assert_eq!(decode(form.as_bytes()), None);
    }

    #[test]
    fn markup_and_control_characters_do_not_break_the_answer() {
        let fields = Fields::new().with("Endpoint", String::from("<b>&\u{1b}[31m\"é"));
        let xml = String::from_utf8(encode("Op", "urn:x", &fields, "id")).unwrap();
        assert!(
            xml.contains("<Endpoint>&lt;b&gt;&amp;[31m&quot;é</Endpoint>"),
            "{xml}"
        );
    }
}
