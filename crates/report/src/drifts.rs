//! What is not as it was: the drifts of one sweep, and who caused them, beside its report.

use std::cmp::Reverse;

use jiff::Timestamp;
use model::{Author, AuthorOutcome, Drift, DriftId, Severity, Verdict};

use crate::{
    Options, palette,
    text::{moment, push_line, push_wrapped, safe, sentence},
};

#[cfg(test)]
mod tests;

/// How many are listed before the rest is counted: the gravest, about half a screen.
const LISTED: usize = 20;

/// The widest that somebody's own words get.
const WORDS: usize = 200;

/// A drift, or several of one cause and one author that are told as one.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftEntry {
    /// The drift as it is told.
    pub drift: Drift,
    /// The drifts that it stands for, as the store names them.
    pub ids: Vec<DriftId>,
    /// Who caused it; `None` where nobody can have, or nobody looked yet.
    pub author: Option<AuthorOutcome>,
}

/// Renders the drifts of a sweep as a section of their own, the gravest first; nothing where there are
/// none.
pub fn render(entries: &[DriftEntry], options: &Options) -> String {
    let mut out = String::new();
    if entries.is_empty() {
        return out;
    }
    let entries = gravest_first(entries);
    let shown = if options.all {
        entries.len()
    } else {
        entries.len().min(LISTED)
    };
    let (shown, unshown) = entries.split_at(shown);
    out.push('\n');
    push_line(
        &mut out,
        &palette::strong("Changes since the last sweep", options),
    );
    for entry in shown {
        push_entry(&mut out, entry, options);
    }
    if !unshown.is_empty() {
        push_line(&mut out, &format!("            and {} more", unshown.len()));
    }
    out
}

pub(crate) fn gravest_first(entries: &[DriftEntry]) -> Vec<&DriftEntry> {
    let mut entries: Vec<&DriftEntry> = entries.iter().collect();
    entries.sort_by_key(|entry| (Reverse(entry.drift.severity), entry.drift.id));
    entries
}

fn push_entry(out: &mut String, entry: &DriftEntry, options: &Options) {
    let drift = &entry.drift;
    let severity = format!("{:<8}", drift.severity);
    let lead = match loudness(drift) {
        Some(verdict) => palette::verdict(&severity, verdict, options),
        None => severity,
    };
    let again = if drift.is_flapping() {
        " (it goes to and fro)"
    } else {
        ""
    };
    let what = format!("{}{again}", sentence(&drift.message));
    push_wrapped(out, &format!("  {lead}  "), &what, options.width);
    if let Some(who) = entry.author.as_ref().map(who) {
        push_wrapped(out, "            ", &who, options.width);
    }
}

/// The colour of what has this severity.
fn loudness(drift: &Drift) -> Option<Verdict> {
    match drift.severity {
        _ if drift.is_recovery() => Some(Verdict::Pass),
        Severity::Critical | Severity::High => Some(Verdict::Fail),
        Severity::Medium => Some(Verdict::Unknown),
        Severity::Low | Severity::Info => None,
    }
}

/// Who did it, in one sentence.
pub fn who(outcome: &AuthorOutcome) -> String {
    match outcome {
        AuthorOutcome::Found { author } => by(author),
        AuthorOutcome::NotFound {
            looked_until,
            is_whole,
            ..
        } => not_found(*looked_until, *is_whole),
        AuthorOutcome::Denied { gap } => {
            format!("who did it is not known: {}", sentence(&gap.to_string()))
        }
    }
}

fn by(author: &Author) -> String {
    let words = |text: &Option<String>| text.as_deref().map(|text| safe(text, WORDS));
    let actor = match (words(&author.actor), words(&author.session_issuer)) {
        (Some(actor), _) => actor,
        (None, Some(issuer)) => format!("a session of {issuer}"),
        (None, None) => "a service of AWS".to_owned(),
    };
    let from = words(&author.source_ip).map_or_else(String::new, |from| format!(", from {from}"));
    let (call, at) = (safe(&author.event_name, WORDS), moment(author.time));
    format!("by {actor}, {call} at {at}{from}")
}

fn not_found(looked_until: Timestamp, is_whole: bool) -> String {
    let at = moment(looked_until);
    if is_whole {
        format!(
            "who did it: CloudTrail showed no such call until {at}; events may take a quarter of an hour"
        )
    } else {
        format!(
            "who did it: not found until {at} in the part of CloudTrail's history that was read"
        )
    }
}
