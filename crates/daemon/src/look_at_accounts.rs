//! The accounts stream in, several are looked at at once, the results stream out.

use std::collections::VecDeque;

use discovery::{Discovery, Listing};
use futures::{StreamExt as _, stream::FuturesUnordered};
use model::{Account, DiscoveryState};
use store::JudgedAccount;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{
    Progress,
    account_sweep::{AccountSweep, Attempt},
    places::Places,
    roster::Roster,
};

/// How many pages of accounts may wait to be taken.
pub(crate) const PAGES: usize = 4;

/// What the list of accounts sends.
pub(crate) enum Listed {
    /// Accounts in scope.
    Page(Vec<Account>),
    /// There are no more.
    End {
        /// Whether the list is the whole one.
        is_whole: bool,
    },
}

/// Reads the account list to its end; `None` if it was stopped before.
pub(crate) async fn list_accounts(
    mut listing: Listing,
    pages: mpsc::Sender<Listed>,
    stop: &CancellationToken,
) -> Option<Discovery> {
    let list = async {
        while let Some(page) = listing.next().await {
            // The receiver only goes away when nobody looks any more.
            pages.send(Listed::Page(page)).await.ok()?;
        }
        let discovery = listing.finish();
        let is_whole = !matches!(discovery.state, DiscoveryState::Incomplete { .. });
        // Where nobody looks any more, the list is whole all the same.
        let _ = pages.send(Listed::End { is_whole }).await;
        Some(discovery)
    };
    stop.run_until_cancelled(list).await.flatten()
}

/// The accounts of a sweep on their way from the list to the store.
pub(crate) struct LookAtAccounts<'a> {
    pub(crate) looker: &'a AccountSweep<'a>,
    pub(crate) roster: Roster<JudgedAccount>,
    pub(crate) accounts_at_once: usize,
    pub(crate) stop: &'a CancellationToken,
    pub(crate) cut: &'a CancellationToken,
    pub(crate) progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl LookAtAccounts<'_> {
    /// Looks at every account, and once more at those whose evidence is missing for a passing
    /// reason or that took too long. Whether it came to its end.
    ///
    /// Pages are taken as they come, so that a slow account never holds up the list: a token that
    /// asks for the next page may not live long. What is bounded is what weighs: accounts that are
    /// being looked at, and results.
    pub(crate) async fn run(
        mut self,
        mut pages: mpsc::Receiver<Listed>,
        judged: mpsc::Sender<JudgedAccount>,
    ) -> bool {
        let mut looks = FuturesUnordered::new();
        let mut places = Places::new(self.accounts_at_once);
        let mut ready: VecDeque<JudgedAccount> = VecDeque::new();
        let mut attempt = Attempt::First;
        let mut is_listed = false;
        while !self.stop.is_cancelled() {
            // What is known already goes before what is only remembered.
            while let Ok(listed) = pages.try_recv() {
                is_listed |= self.take(listed, &mut ready);
            }
            places.advance(Instant::now());
            let queued = self.looker.aws.calls_in_shared_queues();
            while ready.len() < self.accounts_at_once && places.is_free(queued) {
                let Some(account) = self.roster.next() else {
                    break;
                };
                places.take(account.id, Instant::now());
                let looker = self.looker;
                let span = tracing::info_span!("sweep.account", account.id = %account.id);
                let look = async move {
                    let result = looker.look(&account, attempt).await;
                    (account.id, result)
                };
                looks.push(look.instrument(span));
            }
            if looks.is_empty() && ready.is_empty() && is_listed {
                if attempt == Attempt::Last || !self.roster.begin_last_round() {
                    return true;
                }
                attempt = Attempt::Last;
                self.looker.collector.forget_passing_failures();
                continue;
            }
            let next_free = places.next_free();
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = sleep_until(next_free.unwrap_or_else(Instant::now)), if next_free.is_some() => {}
                listed = pages.recv(), if !is_listed => {
                    is_listed = listed.is_none_or(|listed| self.take(listed, &mut ready));
                }
                Some((id, result)) = looks.next() => {
                    places.leave(id);
                    let counts = self.roster.looked(id, result);
                    ready.extend(counts.map(|(now, it)| self.looker.settle(now, it)));
                }
                place = judged.reserve(), if !ready.is_empty() => {
                    // The receiver only goes away when the store failed.
                    let Ok(place) = place else { return false };
                    if let Some(result) = ready.pop_front() {
                        place.send(result);
                        (self.progress)(Progress::Judged);
                    }
                }
            }
        }
        // What is begun is finished, as long as there is time for it.
        while let Some(Some((id, result))) = self.cut.run_until_cancelled(looks.next()).await {
            let counts = self.roster.looked(id, result);
            ready.extend(counts.map(|(now, it)| self.looker.settle(now, it)));
        }
        // What was found by now is kept.
        for result in ready {
            if judged.send(result).await.is_err() {
                break;
            }
        }
        false
    }

    /// Takes what the list says. Whether that was its end.
    fn take(&mut self, listed: Listed, ready: &mut VecDeque<JudgedAccount>) -> bool {
        let (confirmed, is_end): (Vec<_>, _) = match listed {
            Listed::Page(accounts) => {
                let confirmed = accounts.into_iter().filter_map(|it| self.roster.list(it));
                (confirmed.collect(), false)
            }
            Listed::End { is_whole } => (self.roster.end_list(is_whole), true),
        };
        ready.extend((confirmed.into_iter()).map(|(now, it)| self.looker.settle(now, it)));
        let accounts = self.roster.len();
        (self.progress)(Progress::Discovered { accounts });
        is_end
    }
}
