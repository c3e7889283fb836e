//! Notices exceptions that have expired since the last sweep, without waiting for the next one.
//!
//! What a sweep says of exceptions is about the moment at which it began, and it says it of every finding
//! that is remembered (`accepted.rs`). So what expired in between is told by looking again at accounts that
//! it had accepted something of: a short sweep, with its own number and seal, like any other.

use std::{collections::BTreeSet, time::Duration};

use model::{AccountId, Verdict};
use store::{ExceptionRow, FindingQuery, Store};
use tokio_util::sync::CancellationToken;

use super::TaskGround;
use crate::{
    Refusal, SweepRequest, TaskName,
    task::{Task, TaskError},
};

/// An exception ends at a date; nobody waits for the second. Looking costs a few rows.
const EVERY: Duration = Duration::from_secs(15);

/// How many accounts are looked at for it. All findings are told, whichever these are.
const ACCOUNTS: usize = 10;

pub(super) fn task(ground: TaskGround) -> Task {
    Task {
        name: TaskName::ExpireExceptions,
        every: EVERY,
        begins_anew: false,
        run: Box::new(move |stop| Box::pin(expire(ground.clone(), stop))),
    }
}

async fn expire(ground: TaskGround, _stop: CancellationToken) -> Result<(), TaskError> {
    let status = ground.board.status();
    // A sweep that runs was begun before or after it; which, is known when it has ended.
    if status.running.is_some() || !status.is_ready {
        return Ok(());
    }
    let accounts = no_longer_accepted(ground.sweeper.store(), ground.clock.now()).await?;
    if accounts.is_empty() {
        return Ok(());
    }
    let request = SweepRequest {
        accounts: accounts.into_iter().collect(),
        ous: Vec::new(),
    };
    match ground.handle.sweep(request).await {
        // There is another time; what is out of scope is told by the next sweep.
        Ok(_) | Err(Refusal::Stopping | Refusal::TooMany { .. } | Refusal::OutOfScope(_)) => Ok(()),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Accounts with a finding that the last sweep saw accepted, and that no exception accepts now.
async fn no_longer_accepted(
    store: &Store,
    now: jiff::Timestamp,
) -> Result<BTreeSet<AccountId>, store::Error> {
    let rows = store.exceptions().await?;
    let Some(last) = (if rows.is_empty() {
        None
    } else {
        store.latest_sweep().await?
    }) else {
        return Ok(BTreeSet::new());
    };
    // One that was cut off is gone on with, and tells it then.
    if last.finished_at.is_none() {
        return Ok(BTreeSet::new());
    }
    let expired = |row: &ExceptionRow| {
        row.removed_at.is_none() && row.was_in_force(last.started_at) && !row.was_in_force(now)
    };
    let mut accounts = BTreeSet::new();
    if !rows.iter().any(expired) {
        return Ok(accounts);
    }
    for verdict in [Verdict::Fail, Verdict::Unknown] {
        let query = FindingQuery {
            verdict: Some(verdict),
            without_chains: true,
            ..FindingQuery::default()
        };
        let mut pages = store.finding_pages(&query).await?;
        while let Some(page) = pages.next().await? {
            for row in page {
                let covers = |by: &&ExceptionRow| by.exception.covers(&row.finding, &row.account);
                let was = rows
                    .iter()
                    .filter(|row| expired(row))
                    .any(|row| covers(&row));
                let is = rows
                    .iter()
                    .filter(|row| row.was_in_force(now))
                    .any(|row| covers(&row));
                if was && !is {
                    accounts.insert(row.finding.account);
                }
                if accounts.len() == ACCOUNTS {
                    return Ok(accounts);
                }
            }
        }
    }
    Ok(accounts)
}
