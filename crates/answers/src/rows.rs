//! Rows of the store as the report wants them.

use report::{Entry, PastAccount, PastFinding, PastSweep, SweepLine};
use store::{AccountRow, FindingRow, SweepEntry, SweepRow};

/// A sweep in one line.
pub fn sweep_line(row: SweepRow) -> SweepLine {
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

/// A sweep with what came of it.
pub fn sweep(entry: SweepEntry) -> PastSweep {
    PastSweep {
        verdicts: entry.sweep.verdicts.clone(),
        accounts_seen: entry.sweep.accounts_seen,
        drifts: entry.drifts,
        seal: entry.seal.map(|seal| seal.to_string()),
        sweep: sweep_line(entry.sweep),
    }
}

/// An account with what its findings come to.
pub fn account(row: AccountRow) -> PastAccount {
    PastAccount {
        account: row.account,
        since_sweep: row.since_sweep,
        since: row.since,
        verdicts: row.verdicts,
        confirmed_sweep: row.confirmed_sweep,
        confirmed: row.confirmed,
    }
}

/// A finding and its account; exceptions are laid over it by [`crate::accept`].
pub fn entry(row: FindingRow) -> Entry {
    Entry {
        finding: row.finding,
        account: row.account,
        exception: None,
    }
}

/// A finding with the time for which it was so.
pub fn finding(row: FindingRow) -> PastFinding {
    PastFinding {
        since_sweep: row.since_sweep,
        since: row.since,
        until_sweep: row.until_sweep,
        entry: entry(row),
    }
}
