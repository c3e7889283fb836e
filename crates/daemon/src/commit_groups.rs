//! Results go into the store in small groups, soon after they arrive.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use model::{AccountId, SweepId, Verdict};
use store::{JudgedAccount, Sweeper};
use tokio::sync::mpsc::Receiver;

/// A group is committed when it has this many accounts,
const GROUP: usize = 100;
/// or when its first account has waited this long: a crash costs no more than this.
const WAIT: Duration = Duration::from_millis(300);

/// What was committed.
#[derive(Default)]
pub(crate) struct Committed {
    pub(crate) judged: BTreeSet<AccountId>,
    pub(crate) verdicts: BTreeMap<Verdict, u64>,
}

/// Commits what arrives until the senders are gone, and counts the verdicts, on top of what was
/// committed before.
pub(crate) async fn commit_groups(
    store: &Sweeper,
    sweep: SweepId,
    mut judged: Receiver<JudgedAccount>,
    mut committed: Committed,
) -> Result<Committed, store::Error> {
    while let Some(first) = judged.recv().await {
        let mut group = vec![first];
        let deadline = tokio::time::Instant::now() + WAIT;
        while group.len() < GROUP {
            match tokio::time::timeout_at(deadline, judged.recv()).await {
                Ok(Some(account)) => group.push(account),
                Ok(None) | Err(_) => break,
            }
        }
        store.commit(sweep, &group).await?;
        committed
            .judged
            .extend(group.iter().map(|account| account.account.id));
        for finding in group.iter().flat_map(|account| &account.findings) {
            *committed.verdicts.entry(finding.verdict()).or_default() += 1;
        }
    }
    Ok(committed)
}
