//! Rows of the store as the report wants them.

use std::sync::Arc;

use model::{Author, Exception};
use report::{Acknowledged, Entry, PastAccount, PastFinding, PastSweep, SweepLine, Who};
use serde::Deserialize;
use store::{AccountRow, FindingRow, JournalRecord, SweepEntry, SweepRow};

pub(crate) fn sweep_line(row: SweepRow) -> SweepLine {
    SweepLine {
        id: Some(row.id),
        state: row.state,
        started_at: row.started_at,
        finished_at: row.finished_at,
        scope: row.scope,
        discovery: row.discovery,
        api_calls: row.api_calls,
        scanner_version: row.scanner_version,
    }
}

pub(crate) fn sweep(entry: SweepEntry) -> PastSweep {
    PastSweep {
        verdicts: entry.sweep.verdicts.clone(),
        accounts_seen: entry.sweep.accounts_seen,
        drifts: entry.drifts,
        seal: entry.seal.map(|seal| seal.to_string()),
        sweep: sweep_line(entry.sweep),
    }
}

pub(crate) fn account(row: AccountRow) -> PastAccount {
    PastAccount {
        account: row.account,
        since_sweep: row.since_sweep,
        since: row.since,
        verdicts: row.verdicts,
        confirmed_sweep: row.confirmed_sweep,
        confirmed: row.confirmed,
    }
}

pub(crate) fn entry(row: FindingRow) -> Entry {
    Entry {
        finding: row.finding,
        account: row.account,
        exception: None,
    }
}

/// Lays exceptions over findings: the one that lasts longest counts.
pub(crate) fn accept(entries: &mut [Entry], exceptions: &[Arc<Exception>]) {
    for entry in entries {
        let covering = (exceptions.iter())
            .filter(|exception| exception.covers(&entry.finding, &entry.account));
        entry.exception = covering.max_by_key(|it| it.expires_at).cloned();
    }
}

pub(crate) fn finding(row: FindingRow) -> PastFinding {
    PastFinding {
        since_sweep: row.since_sweep,
        since: row.since,
        until_sweep: row.until_sweep,
        entry: entry(row),
    }
}

/// What the journal says of the author of a drift.
#[derive(Deserialize)]
struct AuthorBody {
    outcome: String,
    author: Option<Box<Author>>,
}

/// `None` for what a later version may have written.
pub(crate) fn who(record: &JournalRecord) -> Option<Who> {
    let body = AuthorBody::deserialize(&record.body).ok()?;
    match (body.outcome.as_str(), body.author) {
        ("found", Some(author)) => Some(Who::Found(author)),
        ("not_found", _) => Some(Who::NotFound),
        ("denied", _) => Some(Who::Denied),
        ("pending", _) => Some(Who::Pending),
        _ => None,
    }
}

pub(crate) fn acknowledged(record: &JournalRecord) -> Acknowledged {
    let text = |field: &str| record.body[field].as_str().map(ToOwned::to_owned);
    Acknowledged {
        at: record.recorded_at,
        by: text("by").unwrap_or_default(),
        note: text("note"),
    }
}
