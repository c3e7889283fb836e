//! The exceptions that hold, kept until the journal has more to say.

use std::sync::Arc;

use jiff::Timestamp;
use model::{Exception, ExceptionId};
use store::{ExceptionRow, Newest};

use crate::{State, problem::Problem};

/// What was read of the journal.
#[derive(Debug, Default)]
pub(crate) struct Excepted {
    /// Up to and with this record.
    until: Option<i64>,
    rows: Arc<[ExceptionRow]>,
}

/// The exceptions that held at this time.
pub(crate) async fn in_force(
    state: &State,
    newest: &Newest,
    at: Timestamp,
) -> Result<Vec<Arc<Exception>>, Problem> {
    let rows = {
        let mut kept = state.excepted().lock().await;
        if kept.until != Some(newest.journal) {
            kept.rows = state.store().exceptions().await?.into();
            kept.until = Some(newest.journal);
        }
        Arc::clone(&kept.rows)
    };
    Ok(answers::in_force(&rows, at))
}

/// What they are called, for a tag.
pub(crate) fn names(exceptions: &[Arc<Exception>]) -> Vec<ExceptionId> {
    exceptions.iter().map(|exception| exception.id()).collect()
}
