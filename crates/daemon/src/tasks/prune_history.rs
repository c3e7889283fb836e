//! Drops what ended longer ago than history is kept, between sweeps.

use std::time::Duration;

use jiff::Timestamp;
use store::KeepFrom;
use tokio_util::sync::CancellationToken;

use super::TaskGround;
use crate::{
    TaskName,
    task::{Task, TaskError},
};

/// What is dropped a day late costs little; looking for it reads the whole store.
const EVERY: Duration = Duration::from_hours(24);

pub(super) fn task(ground: TaskGround) -> Task {
    Task {
        name: TaskName::PruneHistory,
        every: EVERY,
        begins_anew: false,
        run: Box::new(move |stop| Box::pin(prune(ground.clone(), stop))),
    }
}

async fn prune(ground: TaskGround, stop: CancellationToken) -> Result<(), TaskError> {
    // Commits would wait for it: it begins when no sweep runs.
    let mut changes = ground.board.changes();
    let idle = changes.wait_for(|status| status.is_ready && status.running.is_none());
    if stop.run_until_cancelled(idle).await.is_none() {
        return Ok(());
    }
    let Some(age) = ground.configuration.borrow().keep_history else {
        return Ok(());
    };
    let from = ground
        .clock
        .now()
        .checked_sub(age)
        .unwrap_or(Timestamp::MIN);
    let pruned = ground.sweeper.prune(KeepFrom::Time(from)).await?;
    if pruned.findings + pruned.account_states + pruned.account_leaves + pruned.drifts > 0 {
        tracing::info!(
            findings = pruned.findings,
            account_states = pruned.account_states,
            account_leaves = pruned.account_leaves,
            drifts = pruned.drifts,
            documents = pruned.documents,
            "dropped old history",
        );
    }
    Ok(())
}
