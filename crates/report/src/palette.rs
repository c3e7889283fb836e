//! Which verdict has which colour, in text and in tables.

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, Color};
use model::{NodeState, Severity, Verdict};

use crate::Options;

/// The colour of a verdict.
fn colour_of(verdict: Verdict) -> AnsiColor {
    match verdict {
        Verdict::Pass => AnsiColor::Green,
        Verdict::Fail => AnsiColor::Red,
        Verdict::Unknown => AnsiColor::Yellow,
        Verdict::NotApplicable => AnsiColor::BrightBlack,
    }
}

/// Text in the colour of a verdict, if colour is wanted.
pub(crate) fn verdict(text: &str, verdict: Verdict, options: &Options) -> String {
    paint(text, colour_of(verdict).on_default().bold(), options)
}

/// Text in the colour of a node's state, if colour is wanted.
pub(crate) fn state(text: &str, state: NodeState, options: &Options) -> String {
    let verdict = match state {
        NodeState::Holds => Verdict::Pass,
        NodeState::Broken => Verdict::Fail,
        NodeState::Unknown => Verdict::Unknown,
    };
    self::verdict(text, verdict, options)
}

/// Text in the colour of a severity, if colour is wanted.
pub(crate) fn severity(text: &str, severity: Severity, options: &Options) -> String {
    verdict(text, as_verdict(severity), options)
}

/// What is grave is as red as a FAIL.
fn as_verdict(severity: Severity) -> Verdict {
    match severity {
        Severity::Critical | Severity::High => Verdict::Fail,
        Severity::Medium => Verdict::Unknown,
        Severity::Low | Severity::Info => Verdict::NotApplicable,
    }
}

/// Bold text, if colour is wanted.
pub(crate) fn strong(text: &str, options: &Options) -> String {
    paint(text, Style::new().bold(), options)
}

fn paint(text: &str, style: Style, options: &Options) -> String {
    if options.colour {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

/// A verdict as the cell of a table, which does its own colouring.
pub(crate) fn verdict_cell(verdict: Verdict) -> Cell {
    cell(verdict, verdict)
}

/// A severity as the cell of a table.
pub(crate) fn severity_cell(severity: Severity) -> Cell {
    cell(severity, as_verdict(severity))
}

fn cell(text: impl std::fmt::Display, colour_like: Verdict) -> Cell {
    let colour = match colour_of(colour_like) {
        AnsiColor::Green => Color::Green,
        AnsiColor::Red => Color::Red,
        AnsiColor::Yellow => Color::Yellow,
        _ => Color::DarkGrey,
    };
    Cell::new(text).fg(colour).add_attribute(Attribute::Bold)
}
