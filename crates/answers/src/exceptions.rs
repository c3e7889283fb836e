//! Exceptions: whether each holds, and which finding it accepts.

use std::sync::Arc;

use jiff::Timestamp;
use model::Exception;
use report::{Entry, ExceptionState, PastException};
use store::{ExceptionRow, Moment};

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

/// When an exception must hold to be laid over what is told: now, or at the moment that is told of, which
/// is when its sweep ended; one whose process died has only its beginning.
pub fn exceptions_at(as_of: Option<&Moment>, now: Timestamp) -> Timestamp {
    as_of.map_or(now, |moment| {
        moment.finished_at.unwrap_or(moment.started_at)
    })
}

/// The exceptions that held at this time.
pub fn in_force(rows: &[ExceptionRow], at: Timestamp) -> Vec<Arc<Exception>> {
    (rows.iter())
        .filter(|row| row.was_in_force(at))
        .map(|row| Arc::new(row.exception.clone()))
        .collect()
}

/// Lays exceptions over findings: the one that lasts longest counts.
pub fn accept(entries: &mut [Entry], exceptions: &[Arc<Exception>]) {
    for entry in entries {
        let covering = (exceptions.iter())
            .filter(|exception| exception.covers(&entry.finding, &entry.account));
        entry.exception = covering.max_by_key(|it| it.expires_at).cloned();
    }
}
