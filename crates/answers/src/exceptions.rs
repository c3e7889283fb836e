//! Exceptions: whether each holds, and which finding it accepts.

use std::sync::Arc;

use jiff::Timestamp;
use model::Exception;
use report::{Entry, ExceptionState, PastException};
use store::ExceptionRow;

/// An exception, and whether it holds now.
pub fn exception(row: ExceptionRow, now: Timestamp) -> PastException {
    let state = match row.removed_at {
        Some(_) => ExceptionState::Removed,
        None if row.exception.is_in_force(now) => ExceptionState::InForce,
        None => ExceptionState::Expired,
    };
    PastException {
        id: row.id,
        exception: row.exception,
        added_at: row.added_at,
        removed_at: row.removed_at,
        state,
    }
}

/// Lays exceptions over findings: the one that lasts longest counts.
pub fn accept(entries: &mut [Entry], exceptions: &[Arc<Exception>]) {
    for entry in entries {
        let covering = (exceptions.iter())
            .filter(|exception| exception.covers(&entry.finding, &entry.account));
        entry.exception = covering.max_by_key(|it| it.expires_at).cloned();
    }
}
