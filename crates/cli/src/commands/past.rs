//! Rows of the store as the report wants them.

use std::sync::Arc;

use model::Exception;
use report::{Entry, PastFinding, PastSweep, SweepLine};
use store::{FindingRow, SweepRow};

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

pub(crate) fn sweep(row: SweepRow) -> PastSweep {
    PastSweep {
        verdicts: row.verdicts.clone(),
        accounts_seen: row.accounts_seen,
        sweep: sweep_line(row),
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
