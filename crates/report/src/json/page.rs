//! Parts of lists and single items, as the API answers them: the same shapes, on one line.

use serde::{Serialize, ser::SerializeMap as _};
use serde_json::ser::{CompactFormatter, Serializer};

use super::{AsOfShape, Harmless, ItemShape, Listed, SCHEMA_VERSION, rendered};
use crate::AsOfLine;

/// A part of a list, and where the next one begins.
pub fn page<T: Listed>(as_of: Option<&AsOfLine>, items: &[T], next: Option<&str>) -> Vec<u8> {
    compact(&Page {
        as_of: as_of.map(AsOfShape::of),
        items,
        next,
    })
}

/// One item, as of a moment where it is of one.
pub fn one<T: Listed>(as_of: Option<&AsOfLine>, item: &T) -> Vec<u8> {
    compact(&One {
        as_of: as_of.map(AsOfShape::of),
        item,
    })
}

/// Anything, with characters that would act on a terminal as escapes.
pub fn compact(value: &impl Serialize) -> Vec<u8> {
    let written = rendered(|out| {
        let mut line = Serializer::with_formatter(out, Harmless(CompactFormatter));
        Ok(value.serialize(&mut line)?)
    });
    written.into_bytes()
}

struct Page<'a, T> {
    as_of: Option<AsOfShape>,
    items: &'a [T],
    next: Option<&'a str>,
}

impl<T: Listed> Serialize for Page<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_map(Some(4))?;
        document.serialize_entry("schema_version", &SCHEMA_VERSION)?;
        document.serialize_entry("as_of", &self.as_of)?;
        let items: Vec<ItemShape<&T>> = self.items.iter().map(ItemShape).collect();
        document.serialize_entry(T::LIST, &items)?;
        document.serialize_entry("next_cursor", &self.next)?;
        document.end()
    }
}

struct One<'a, T> {
    as_of: Option<AsOfShape>,
    item: &'a T,
}

impl<T: Listed> Serialize for One<'_, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_map(None)?;
        document.serialize_entry("schema_version", &SCHEMA_VERSION)?;
        if let Some(as_of) = &self.as_of {
            document.serialize_entry("as_of", as_of)?;
        }
        document.serialize_entry(T::ITEM, &ItemShape(self.item))?;
        document.end()
    }
}
