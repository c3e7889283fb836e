//! `scanner pattern check`: does a pattern match every event that a control requires?

use std::fmt::Write as _;

use clap::Args;
use controls::Control;
use filter_pattern::{
    Advice, Certainty, Coverage, FilterPattern, MissedEvent, MissedKind, Noise, ParseError,
    coverage, noise, render_span,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error_json, lines, pattern_text, untitled};
use crate::{
    exit::{BadInput, Exit},
    output::{Destination, Format},
    settings::controls,
};

/// The flags of `scanner pattern check`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The control: a slug, 4.15, 5.15@v6.0, lacework-global-66.
    #[arg(long, value_name = "ID", default_value = "organizations-changes")]
    control: String,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Read lines `{"id", "pattern"}` from standard input and answer each with one line.
    #[arg(long, conflicts_with_all = ["pattern", "format"])]
    jsonl: bool,
    /// The pattern; `-` reads it from standard input.
    #[arg(
        value_name = "PATTERN",
        required_unless_present = "jsonl",
        allow_hyphen_values = true
    )]
    pattern: Option<String>,
}

/// A question of `--jsonl`.
#[derive(Deserialize)]
struct Question {
    id: Value,
    pattern: String,
}

/// What a pattern comes to.
enum Answer {
    Decided {
        pattern: FilterPattern,
        coverage: Coverage,
        /// The optional fields that a proof of coverage rests on.
        relies_on: Vec<String>,
        noise: Option<Noise>,
    },
    NotAPattern(ParseError),
}

pub(super) fn run(options: Options) -> anyhow::Result<Exit> {
    let control = controls(&[options.control])?.pop();
    let control = control.ok_or_else(|| BadInput("no control was given".to_owned()))?;
    if options.jsonl {
        return lines::answer(|question: Question| {
            let mut answer = Answer::of(&control, &question.pattern).json();
            answer["id"] = question.id;
            answer
        });
    }
    let text = pattern_text(&options.pattern.unwrap_or_default())?;
    let answer = Answer::of(&control, &text);
    let said = match options.format {
        Format::Table => answer.words(&control),
        Format::Json => format!("{:#}\n", answer.json()),
    };
    Destination::Stdout.write(&said)?;
    Ok(answer.exit())
}

impl Answer {
    fn of(control: &Control, text: &str) -> Self {
        let required = control.required_events();
        match FilterPattern::parse(text) {
            Ok(pattern) => {
                let coverage = coverage(required, &[&pattern]);
                Self::Decided {
                    relies_on: relies_on(control, &coverage),
                    coverage,
                    noise: noise(control.asked_for_events(), &pattern),
                    pattern,
                }
            }
            Err(error) => Self::NotAPattern(error),
        }
    }

    fn exit(&self) -> Exit {
        match self.verdict() {
            "covered" => Exit::Success,
            "not_covered" => Exit::Fail,
            "undecided" => Exit::Unknown,
            _ => Exit::Usage,
        }
    }

    fn verdict(&self) -> &'static str {
        match self {
            Self::Decided {
                coverage: Coverage::Covered { .. },
                ..
            } => "covered",
            Self::Decided {
                coverage: Coverage::NotCovered { .. },
                ..
            } => "not_covered",
            // What is missed for certain is missed, whatever the rest comes to.
            Self::Decided {
                coverage: Coverage::Undecided { missed, .. },
                ..
            } if !missed.is_empty() => "not_covered",
            Self::Decided {
                coverage: Coverage::Undecided { .. },
                ..
            } => "undecided",
            // AWS may accept notation that nobody has seen it refuse.
            Self::NotAPattern(error) if error.certainty() == Certainty::Unproven => "undecided",
            Self::NotAPattern(_) => "invalid",
        }
    }

    fn missed(&self) -> &[MissedEvent] {
        match self {
            Self::Decided {
                coverage: Coverage::NotCovered { missed } | Coverage::Undecided { missed, .. },
                ..
            } => missed,
            _ => &[],
        }
    }

    fn undecided(&self) -> Option<(&str, &[String])> {
        match self {
            Self::Decided {
                coverage: Coverage::Undecided { reason, events, .. },
                ..
            } => Some((reason, events)),
            _ => None,
        }
    }

    /// The optional fields that a proof of coverage rests on.
    fn relies_on(&self) -> &[String] {
        match self {
            Self::Decided { relies_on, .. } => relies_on,
            Self::NotAPattern(_) => &[],
        }
    }

    fn json(&self) -> Value {
        let missed: Vec<Value> = self
            .missed()
            .iter()
            .map(|missed| {
                let (kind, condition) = match &missed.kind {
                    MissedKind::NeverMatched => ("never_matched", None),
                    MissedKind::Narrowed { condition } => ("narrowed", Some(condition)),
                };
                json!({
                    "event": missed.event,
                    "kind": kind,
                    "condition": condition,
                    "witness": missed.witness,
                    "span": missed.rejected_by.as_ref().map(|(_, span)| [span.start, span.end]),
                })
            })
            .collect();
        let (noise, error) = match self {
            Self::Decided { noise, .. } => (noise.as_ref().map(|noise| &noise.example), None),
            Self::NotAPattern(error) => (None, Some(error_json(error))),
        };
        json!({
            "verdict": self.verdict(),
            "missed": missed,
            "undecided": self.undecided().map(|(reason, events)| json!({ "reason": reason, "events": events })),
            "relies_on": self.relies_on(),
            "noise": noise,
            "error": error,
        })
    }

    fn words(&self, control: &Control) -> String {
        match self {
            Self::NotAPattern(error) => format!(
                "{}: not a filter pattern\n{}\n",
                self.verdict(),
                untitled(&error.render())
            ),
            Self::Decided { pattern, noise, .. } => {
                self.decided_in_words(control, pattern, noise.as_ref())
            }
        }
    }

    fn decided_in_words(
        &self,
        control: &Control,
        pattern: &FilterPattern,
        noise: Option<&Noise>,
    ) -> String {
        let all = control.required_events().len();
        let missed = self.missed();
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = match self.verdict() {
            "covered" => writeln!(
                text,
                "covered: every record of the {all} events of {} is matched",
                control.id
            ),
            "not_covered" => {
                writeln!(
                    text,
                    "not covered: {} of the {all} events of {} are missed",
                    missed.len(),
                    control.id
                )
            }
            _ => writeln!(text, "undecided"),
        };
        let mut shown = None;
        for event in missed {
            let how = match &event.kind {
                MissedKind::NeverMatched => "never matched".to_owned(),
                MissedKind::Narrowed { condition } => {
                    format!("matched only under a condition: {condition}")
                }
            };
            let _ = writeln!(text, "\n{}: {how}", event.event);
            let _ = writeln!(text, "  this record is not matched: {}", event.witness);
            // The same part rejects many events: it is shown once.
            if let Some((_, span)) = event
                .rejected_by
                .as_ref()
                .filter(|(_, span)| shown.as_ref() != Some(span))
            {
                let shown_under =
                    render_span(pattern.text(), "it is rejected here", span.clone(), &how);
                let _ = writeln!(text, "{}", untitled(&shown_under));
                shown = Some(span.clone());
            }
        }
        if let Some((reason, events)) = self.undecided() {
            let _ = writeln!(text, "\nnot decided for {}: {reason}", events.join(", "));
        }
        for path in self.relies_on() {
            let _ = writeln!(
                text,
                "\nadvice: the proof relies on {path}, which CloudTrail calls optional"
            );
        }
        if let Some(noise) = noise {
            let _ = writeln!(
                text,
                "\nadvice: it also matches events that nobody asked for, such as {}",
                noise.example
            );
        }
        text
    }
}

fn relies_on(control: &Control, coverage: &Coverage) -> Vec<String> {
    let Coverage::Covered { advice } = coverage else {
        return Vec::new();
    };
    let optional = control.optional_fields();
    let paths = advice.iter().filter_map(|advice| match advice {
        Advice::ReliesOn { path } => Some(path),
        _ => None,
    });
    paths
        .filter(|path| optional.contains(path.as_str()))
        .cloned()
        .collect()
}
