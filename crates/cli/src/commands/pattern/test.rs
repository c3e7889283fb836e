//! `scanner pattern test`: which events does a pattern match?

use std::{fmt::Write as _, io::BufRead as _, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use filter_pattern::{FilterPattern, Match};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error_json, lines, not_a_pattern, pattern_text};
use crate::{
    exit::{BadInput, Exit},
    output::{Destination, Format},
};

/// The flags of `scanner pattern test`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Read lines `{"id", "pattern", "messages"}` from standard input and answer each with one line.
    #[arg(long, conflicts_with_all = ["pattern", "events", "format"])]
    jsonl: bool,
    /// The pattern.
    #[arg(
        value_name = "PATTERN",
        required_unless_present = "jsonl",
        allow_hyphen_values = true
    )]
    pattern: Option<String>,
    /// Files with one event each; `-` reads events from standard input, one a line.
    #[arg(value_name = "EVENT", required_unless_present = "jsonl")]
    events: Vec<PathBuf>,
}

/// A question of `--jsonl`.
#[derive(Deserialize)]
struct Question {
    id: Value,
    pattern: String,
    messages: Vec<String>,
}

pub(super) fn run(options: Options) -> anyhow::Result<Exit> {
    if options.jsonl {
        return lines::answer(|question: Question| {
            let mut answer = match FilterPattern::parse(&question.pattern) {
                Ok(pattern) => json_of(&answers(&pattern, &question.messages)),
                Err(error) => {
                    json!({ "valid": false, "matched": [], "undecided": [], "error": error_json(&error) })
                }
            };
            answer["id"] = question.id;
            answer
        });
    }
    let text = pattern_text(&options.pattern.unwrap_or_default())?;
    let pattern = FilterPattern::parse(&text).map_err(|error| not_a_pattern(&error))?;
    let (names, messages) = read(&options.events)?;
    let answers = answers(&pattern, &messages);
    let said = match options.format {
        Format::Json => format!("{:#}\n", json_of(&answers)),
        Format::Table => {
            let mut text = String::new();
            for (name, answer) in names.iter().zip(&answers) {
                // Writing into a string cannot fail.
                let _ = match answer {
                    Match::Yes => writeln!(text, "{name}: matches"),
                    Match::No => writeln!(text, "{name}: does not match"),
                    Match::Undecided(doubt) => writeln!(text, "{name}: undecided: {doubt}"),
                };
            }
            text
        }
    };
    Destination::Stdout.write(&said)?;
    Ok(Exit::Success)
}

fn answers(pattern: &FilterPattern, messages: &[String]) -> Vec<Match> {
    messages
        .iter()
        .map(|message| pattern.matches(message))
        .collect()
}

fn json_of(answers: &[Match]) -> Value {
    let indices = |wanted: fn(&Match) -> bool| -> Vec<usize> {
        answers
            .iter()
            .enumerate()
            .filter(|(_, answer)| wanted(answer))
            .map(|(index, _)| index)
            .collect()
    };
    json!({
        "valid": true,
        "matched": indices(|answer| *answer == Match::Yes),
        "undecided": indices(|answer| matches!(answer, Match::Undecided(_))),
        "error": null,
    })
}

/// Names and texts of the events.
fn read(events: &[PathBuf]) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let (mut names, mut messages) = (Vec::new(), Vec::new());
    for path in events {
        if path.as_os_str() == "-" {
            for (index, line) in std::io::stdin().lock().lines().enumerate() {
                names.push(format!("line {}", index + 1));
                messages.push(line.context("cannot read events from standard input")?);
            }
        } else {
            let text = std::fs::read_to_string(path).map_err(|error| {
                BadInput::of(format!("cannot read the event {}: {error}", path.display()))
            })?;
            names.push(report::text::safe(&path.display().to_string(), 200));
            messages.push(text);
        }
    }
    Ok((names, messages))
}
