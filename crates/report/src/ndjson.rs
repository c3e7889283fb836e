//! Lists as JSON lines: one item a line, as soon as it is there.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Serializer};

use crate::json::{Harmless, Listed};

/// Writes each item on a line of its own, in the shape it has in the JSON document.
pub fn write<T: Listed>(items: impl Iterator<Item = T>, mut out: impl Write) -> io::Result<()> {
    for item in items {
        let mut line = Serializer::with_formatter(&mut out, Harmless(CompactFormatter));
        item.shape().serialize(&mut line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
