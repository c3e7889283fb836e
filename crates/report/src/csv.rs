//! Lists as CSV (RFC 4180): a header and one record for each item.
//!
//! Names and messages are written by whoever controls an account, and whoever opens a list opens it in
//! a spreadsheet. See [`defused`].

use std::io::{self, Write};

use ::csv::{Terminator, WriterBuilder};
use model::{ControlId, Verdict, canonical_json};

use crate::{Difference, PastAccount, PastDrift, PastFinding, PastSweep, Who, text};

#[cfg(test)]
mod tests;

/// What a list in CSV can hold.
pub trait Record {
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// A cell for each column; what does not apply is empty.
    fn cells(&self) -> Vec<String>;
}

/// Writes a header and a record for each item.
pub fn write<T: Record>(items: impl Iterator<Item = T>, out: impl Write) -> io::Result<()> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(out);
    writer.write_record(T::COLUMNS)?;
    for item in items {
        writer.write_record(item.cells().iter().map(|cell| defused(cell)))?;
    }
    writer.flush()
}

/// A cell that no spreadsheet takes for a formula, and that does nothing on a terminal.
///
/// An apostrophe before what would begin one, as OWASP advises, with the wide forms that some
/// spreadsheets take for the same: <https://owasp.org/www-community/attacks/CSV_Injection>.
fn defused(cell: &str) -> String {
    let begins_formula =
        cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let shown = text::safe(cell, usize::MAX);
    if begins_formula {
        format!("'{shown}")
    } else {
        shown
    }
}

fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn number(verdicts: &std::collections::BTreeMap<Verdict, u64>, verdict: Verdict) -> String {
    (verdicts.get(&verdict).copied().unwrap_or_default()).to_string()
}

impl Record for PastSweep {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "state",
        "started_at",
        "finished_at",
        "accounts",
        "controls",
        "accounts_seen",
        "fail",
        "unknown",
        "pass",
        "not_applicable",
        "drifts",
        "api_calls",
        "scanner_version",
        "seal",
    ];

    fn cells(&self) -> Vec<String> {
        let sweep = &self.sweep;
        let state = serde_json::to_value(sweep.state).unwrap_or_default();
        let controls: Vec<&str> = sweep.scope.controls.iter().map(ControlId::as_str).collect();
        vec![
            optional(sweep.id),
            state.as_str().unwrap_or_default().to_owned(),
            sweep.started_at.to_string(),
            optional(sweep.finished_at),
            sweep.scope.accounts.join(" "),
            controls.join(" "),
            self.accounts_seen.to_string(),
            number(&self.verdicts, Verdict::Fail),
            number(&self.verdicts, Verdict::Unknown),
            number(&self.verdicts, Verdict::Pass),
            number(&self.verdicts, Verdict::NotApplicable),
            self.drifts.to_string(),
            optional(sweep.api_calls),
            sweep.scanner_version.clone(),
            optional(self.seal.as_ref()),
        ]
    }
}

impl Record for PastAccount {
    const COLUMNS: &'static [&'static str] = &[
        "account_id",
        "account_name",
        "state",
        "ou_path",
        "since_sweep",
        "since",
        "fail",
        "unknown",
        "pass",
        "not_applicable",
        "confirmed_sweep",
        "confirmed",
        "tags",
    ];

    fn cells(&self) -> Vec<String> {
        let account = &self.account;
        vec![
            account.id.to_string(),
            account.name.clone(),
            account.state.to_string(),
            optional(account.ou_path.as_ref()),
            self.since_sweep.to_string(),
            self.since.to_string(),
            number(&self.verdicts, Verdict::Fail),
            number(&self.verdicts, Verdict::Unknown),
            number(&self.verdicts, Verdict::Pass),
            number(&self.verdicts, Verdict::NotApplicable),
            self.confirmed_sweep.to_string(),
            self.confirmed.to_string(),
            optional(account.tags.as_ref().map(canonical_json)),
        ]
    }
}

impl Record for PastFinding {
    const COLUMNS: &'static [&'static str] = &[
        "account_id",
        "account_name",
        "ou_path",
        "control_id",
        "verdict",
        "reason",
        "link",
        "message",
        "next_step",
        "since_sweep",
        "since",
        "until_sweep",
        "exception_id",
        "accepted_until",
        "accepted_by",
    ];

    fn cells(&self) -> Vec<String> {
        let exception = self.entry.exception.as_ref();
        let (finding, account) = (&self.entry.finding, &self.entry.account);
        vec![
            finding.account.to_string(),
            account.name.clone(),
            optional(account.ou_path.as_ref()),
            finding.control.to_string(),
            finding.verdict().to_string(),
            finding.reason.to_string(),
            optional(finding.link),
            finding.message.clone(),
            optional(finding.next_step()),
            self.since_sweep.to_string(),
            self.since.to_string(),
            optional(self.until_sweep),
            optional(exception.map(|exception| exception.id())),
            optional(exception.map(|exception| exception.expires_at)),
            optional(exception.map(|exception| &exception.owner)),
        ]
    }
}

impl Record for PastDrift {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "seen_at",
        "seen_sweep",
        "last_before_at",
        "last_before_sweep",
        "severity",
        "kind",
        "account_id",
        "account_name",
        "control_id",
        "message",
        "cause",
        "author_outcome",
        "author_actor",
        "author_event",
        "author_time",
        "acknowledged_at",
        "acknowledged_by",
        "acknowledged_note",
    ];

    fn cells(&self) -> Vec<String> {
        let drift = &self.drift;
        let author = self.who.as_ref().and_then(Who::author);
        let acknowledged = self.acknowledged.as_ref();
        vec![
            drift.id.to_string(),
            self.seen_at.to_string(),
            drift.between.seen.to_string(),
            optional(self.last_before_at),
            optional(drift.between.last_before),
            drift.severity.to_string(),
            drift.kind.to_string(),
            optional(drift.account),
            self.account_name.clone(),
            optional(drift.control.as_ref()),
            drift.message.clone(),
            drift.cause.clone(),
            optional(self.who.as_ref().map(Who::outcome)),
            optional(author.and_then(|author| author.actor.as_ref())),
            optional(author.map(|author| &author.event_name)),
            optional(author.map(|author| author.time)),
            optional(acknowledged.map(|it| it.at)),
            optional(acknowledged.map(|it| &it.by)),
            optional(acknowledged.and_then(|it| it.note.as_ref())),
        ]
    }
}

impl Record for Difference {
    const COLUMNS: &'static [&'static str] = &[
        "severity",
        "kind",
        "account_id",
        "account_name",
        "control_id",
        "message",
        "cause",
        "changes",
    ];

    fn cells(&self) -> Vec<String> {
        let drift = &self.drift;
        vec![
            drift.severity.to_string(),
            drift.kind.to_string(),
            optional(drift.account),
            self.account_name.clone(),
            optional(drift.control.as_ref()),
            drift.message.clone(),
            drift.cause.clone(),
            canonical_json(&drift.changes),
        ]
    }
}
