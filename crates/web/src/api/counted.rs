//! What the findings of past sweeps come to: it never changes, so it is counted once.

use std::{collections::BTreeMap, sync::Arc};

use model::SweepId;
use store::FindingCounts;

use crate::{State, problem::Problem};

/// Sweeps that are kept: those that a dashboard shows.
const KEPT: usize = 32;

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct CountedSweeps(BTreeMap<SweepId, Arc<FindingCounts>>);

/// What the findings come to as of the end of a sweep. One at a time counts; whoever waits has the answer then.
pub(crate) async fn counts(state: &State, sweep: SweepId) -> Result<Arc<FindingCounts>, Problem> {
    let mut kept = state.counted().lock().await;
    if let Some(counts) = kept.0.get(&sweep) {
        return Ok(Arc::clone(counts));
    }
    let counts = Arc::new(state.store().finding_counts(sweep).await?);
    kept.0.insert(sweep, Arc::clone(&counts));
    if kept.0.len() > KEPT {
        kept.0.pop_first();
    }
    Ok(counts)
}
