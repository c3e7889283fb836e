//! The one form in which a file of an archive may be written.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::entry::EntryName;
use crate::misfit::Misfit;

/// Reads canonical JSON. Any other form could say one thing to us and another to somebody else: a key
/// twice, for example.
pub(super) fn canonical<T: DeserializeOwned>(name: EntryName, bytes: &[u8]) -> Result<T, Misfit> {
    let misfit = |error: &dyn std::fmt::Display| {
        Misfit::new(
            "text",
            &name,
            &"canonical JSON of this kind of file",
            &error.to_string(),
        )
    };
    let mut value: Value = serde_json::from_slice(bytes).map_err(|error| misfit(&error))?;
    value.sort_all_objects();
    if value.to_string().as_bytes() != bytes {
        return Err(misfit(&"another form of JSON"));
    }
    serde_json::from_value(value).map_err(|error| misfit(&error))
}

/// That a file says what follows from the others; names the first line that does not.
pub(super) fn same_text(name: EntryName, expected: &str, found: &[u8]) -> Result<(), Misfit> {
    if expected.as_bytes() == found {
        return Ok(());
    }
    let found = String::from_utf8_lossy(found);
    let mut lines = found.split('\n');
    for (number, expected) in expected.split('\n').enumerate() {
        let found = lines.next().unwrap_or("the end of the file");
        if expected != found {
            let place = format!("{name}, line {}", number + 1);
            return Err(Misfit::new("text", &place, &expected, &found));
        }
    }
    Err(Misfit::new(
        "text",
        &name,
        &"the end of the file",
        &"more text",
    ))
}
