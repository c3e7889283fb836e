//! Smithy RPC v2 CBOR bodies.

use ciborium::Value as Cbor;

use super::json::epoch_seconds;
use crate::value::{Fields, Value};

/// The tag of an epoch time (RFC 8949, 3.4.2).
const EPOCH_TIME: u64 = 1;

pub(crate) fn encode(fields: &Fields) -> Vec<u8> {
    let mut body = Vec::with_capacity(1024);
    match ciborium::into_writer(&structure(fields), &mut body) {
        Ok(()) => body,
        Err(_) => Vec::new(),
    }
}

pub(crate) fn decode(body: &[u8]) -> Option<serde_json::Value> {
    if body.is_empty() {
        return Some(serde_json::Value::Object(serde_json::Map::new()));
    }
    ciborium::from_reader::<serde_json::Value, _>(body)
        .ok()
        .filter(serde_json::Value::is_object)
}

fn structure(fields: &Fields) -> Cbor {
    Cbor::Map(
        fields
            .iter()
            .map(|(name, member)| (text(name), value(member)))
            .collect(),
    )
}

fn value(member: &Value) -> Cbor {
    match member {
        Value::Bool(flag) => Cbor::Bool(*flag),
        Value::Integer(number) => Cbor::Integer((*number).into()),
        Value::Double(number) => Cbor::Float(*number),
        Value::Text(content) => text(content),
        Value::Time(time) => Cbor::Tag(EPOCH_TIME, Box::new(Cbor::Float(epoch_seconds(*time)))),
        Value::List(members) => Cbor::Array(members.iter().map(value).collect()),
        Value::Fields(fields) => structure(fields),
        Value::Entries(entries) => Cbor::Map(
            entries
                .iter()
                .map(|(key, entry)| (text(key), text(entry)))
                .collect(),
        ),
    }
}

fn text(content: &str) -> Cbor {
    Cbor::Text(content.to_owned())
}
