//! `scanner pattern`: filter patterns on their own, without AWS.

mod check;
mod lines;
mod test;

use std::io::Read as _;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use filter_pattern::{FilterPattern, ParseError};
use serde_json::{Value, json};

use crate::{
    exit::{BadInput, Exit},
    output::Destination,
};

/// The flags of `scanner pattern`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Decide whether a pattern matches every event that a control requires.
    ///
    /// Exit codes: 0 covered, 3 not covered, 4 undecided, 2 not a pattern.
    Check(check::Options),
    /// Tell which events a pattern matches.
    Test(test::Options),
    /// Say in words what a pattern matches, and its canonical form.
    Explain {
        /// The pattern; `-` reads it from standard input.
        #[arg(value_name = "PATTERN", allow_hyphen_values = true)]
        pattern: String,
    },
}

pub(crate) fn run(options: Options) -> anyhow::Result<Exit> {
    match options.what {
        What::Check(options) => check::run(options),
        What::Test(options) => test::run(options),
        What::Explain { pattern } => explain(&pattern),
    }
}

fn explain(pattern: &str) -> anyhow::Result<Exit> {
    let text = pattern_text(pattern)?;
    let pattern = FilterPattern::parse(&text).map_err(|error| not_a_pattern(&error))?;
    let explanation = pattern.explain();
    Destination::Stdout.write(&format!(
        "{explanation}canonical: {}\n",
        explanation.canonical
    ))?;
    Ok(Exit::Success)
}

/// The pattern itself, or standard input for `-`: a pattern that is one hyphen means nothing.
fn pattern_text(argument: &str) -> anyhow::Result<String> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("cannot read the pattern from standard input")?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// What is wrong with a pattern, for people: the caller says that it is an error.
fn not_a_pattern(error: &ParseError) -> anyhow::Error {
    BadInput::of(untitled(&error.render()))
}

/// A rendered part of a pattern without the word that opens it.
fn untitled(rendered: &str) -> &str {
    rendered.strip_prefix("error: ").unwrap_or(rendered)
}

/// What is wrong with a pattern, for programs.
fn error_json(error: &ParseError) -> Value {
    let span = error.span();
    json!({ "message": error.to_string(), "expected": error.expected(), "span": [span.start, span.end] })
}
