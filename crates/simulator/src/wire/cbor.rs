//! Smithy RPC v2 CBOR bodies.
//!
//! Written by hand, because AWS sends every double in eight bytes, and a general encoder shortens
//! those that fit into fewer: clients need not understand these.

use super::json::epoch_seconds;
use crate::value::{Fields, Value};

/// The major types of RFC 8949, 3.1, where a length or number follows.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const DOUBLE: u8 = 0xfb;
/// The tag of an epoch time (RFC 8949, 3.4.2).
const EPOCH_TIME: u64 = 1;

pub(crate) fn encode(fields: &Fields) -> Vec<u8> {
    let mut body = Vec::with_capacity(1024);
    write_fields(&mut body, fields);
    body
}

pub(crate) fn decode(body: &[u8]) -> Option<serde_json::Value> {
    if body.is_empty() {
        return Some(serde_json::Value::Object(serde_json::Map::new()));
    }
    ciborium::from_reader::<serde_json::Value, _>(body)
        .ok()
        .filter(serde_json::Value::is_object)
}

fn write_fields(body: &mut Vec<u8>, fields: &Fields) {
    let members = fields.iter();
    write_head(body, MAP, count(members.len()));
    for (name, member) in members {
        write_text(body, name);
        write_value(body, member);
    }
}

fn write_value(body: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Bool(flag) => body.push(if *flag { TRUE } else { FALSE }),
        // A negative number n is written as -1 - n, whose bits are those of n turned over.
        Value::Integer(number) => match u64::try_from(*number) {
            Ok(number) => write_head(body, UNSIGNED, number),
            Err(_) => write_head(body, NEGATIVE, number.unsigned_abs() - 1),
        },
        Value::Double(number) => write_double(body, *number),
        Value::Text(text) => write_text(body, text),
        Value::Time(time) => {
            write_head(body, TAG, EPOCH_TIME);
            write_double(body, epoch_seconds(*time));
        }
        Value::List(members) => {
            write_head(body, ARRAY, count(members.len()));
            for member in members {
                write_value(body, member);
            }
        }
        Value::Fields(fields) => write_fields(body, fields),
        Value::Entries(entries) => {
            write_head(body, MAP, count(entries.len()));
            for (key, entry) in entries {
                write_text(body, key);
                write_text(body, entry);
            }
        }
    }
}

fn write_text(body: &mut Vec<u8>, text: &str) {
    write_head(body, TEXT, count(text.len()));
    body.extend_from_slice(text.as_bytes());
}

fn write_double(body: &mut Vec<u8>, number: f64) {
    body.push(DOUBLE);
    body.extend_from_slice(&number.to_be_bytes());
}

/// The major type with its number, in as few bytes as the number takes.
fn write_head(body: &mut Vec<u8>, major: u8, number: u64) {
    let bytes = number.to_be_bytes();
    let (info, length) = match number {
        0..=23 => {
            body.push(major << 5 | bytes[7]);
            return;
        }
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    body.push(major << 5 | info);
    body.extend_from_slice(&bytes[8 - length..]);
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: impl Into<Value>) -> ciborium::Value {
        let body = encode(&Fields::new().with("v", value));
        let read: ciborium::Value = ciborium::from_reader(body.as_slice()).unwrap();
        read.into_map().unwrap().remove(0).1
    }

    #[test]
    fn numbers_of_every_width_are_read_back() {
        for number in [
            0,
            23,
            24,
            255,
            256,
            65_535,
            65_536,
            i64::MAX,
            -1,
            -24,
            -25,
            -256,
            -257,
            i64::MIN,
        ] {
            assert_eq!(read(number), ciborium::Value::from(number));
        }
        for length in [0, 23, 24, 255, 256, 70_000] {
            let text = "x".repeat(length);
            assert_eq!(read(text.clone()), ciborium::Value::from(text));
        }
    }

    #[test]
    fn doubles_take_eight_bytes_however_short_they_could_be() {
        let body = encode(&Fields::new().with("v", 1.0));
        assert_eq!(body, [0xa1, 0x61, b'v', 0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]);
    }
}
