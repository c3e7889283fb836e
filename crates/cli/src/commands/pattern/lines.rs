//! One JSON value a line: for programs that ask about many patterns.

use std::io::{BufRead as _, Write as _};

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    exit::{BadInput, Exit},
    output::say,
};

/// Answers each line of standard input with one line. A line that cannot be understood is said on
/// stderr and makes the exit code 2; the others are answered all the same.
pub(super) fn answer<Q: DeserializeOwned>(
    mut answer: impl FnMut(Q) -> Value,
) -> anyhow::Result<Exit> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut exit = Exit::Success;
    for (index, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.map_err(|error| BadInput::of(format!("line {}: {error}", index + 1)))?;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(&line) {
            Ok(question) => match writeln!(out, "{}", answer(question)) {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(exit),
                written => written.context("cannot write to standard output")?,
            },
            Err(error) => {
                say(&format!("error: line {}: {error}", index + 1));
                exit = Exit::Usage;
            }
        }
    }
    match out.flush() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(exit),
    }
}
