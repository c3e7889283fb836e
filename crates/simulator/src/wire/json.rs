//! awsJson and restJson bodies.

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::value::{Fields, Value};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Double(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Time(value) => serializer.serialize_f64(epoch_seconds(*value)),
            Self::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(value)?;
                }
                list.end()
            }
            Self::Fields(fields) => fields.serialize(serializer),
            Self::Entries(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.iter();
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        for (name, value) in fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Seconds since 1970 with milliseconds, as the JSON and CBOR protocols write a time.
pub(crate) fn epoch_seconds(time: Timestamp) -> f64 {
    // Milliseconds stay below 2^53 for the next 285,000 years, so nothing is lost.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit the mantissa")]
    let milliseconds = time.as_millisecond() as f64;
    milliseconds / 1000.0
}

pub(crate) fn encode(fields: &Fields) -> Vec<u8> {
    // Most answers fit, and do not have to grow by and by.
    let mut body = Vec::with_capacity(1024);
    match serde_json::to_writer(&mut body, fields) {
        Ok(()) => body,
        Err(_) => Vec::new(),
    }
}

/// An empty body counts as an empty structure: restJson clients send none when no member is set.
pub(crate) fn decode(body: &[u8]) -> Option<serde_json::Value> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Some(serde_json::Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(body)
        .ok()
        .filter(serde_json::Value::is_object)
}
