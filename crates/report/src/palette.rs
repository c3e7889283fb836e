//! Which verdict has which colour, in text and in tables.

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, Color};
use model::{NodeState, Verdict};

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
    let colour = match colour_of(verdict) {
        AnsiColor::Green => Color::Green,
        AnsiColor::Red => Color::Red,
        AnsiColor::Yellow => Color::Yellow,
        _ => Color::DarkGrey,
    };
    Cell::new(verdict).fg(colour).add_attribute(Attribute::Bold)
}
