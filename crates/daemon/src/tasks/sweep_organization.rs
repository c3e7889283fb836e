//! One sweep of the service, from the account list to its summary.

use std::sync::{Arc, Mutex, PoisonError};

use aws::Aws;
use discovery::DiscoverError;
use model::Clock;
use store::Sweeper;
use tokio_util::sync::CancellationToken;

use crate::{Progress, RunningSweep, Sweep, SweepOutcome, SweepPlan};

/// Why a sweep came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SweepFailure {
    /// Nothing was found that could be swept.
    #[error(transparent)]
    Discover(#[from] DiscoverError),
    /// What was found could not be remembered.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The service was asked to stop before there was anything to keep.
    #[error("the service was asked to stop")]
    Stopped,
}

/// How far it is, for whoever asks.
#[derive(Debug, Clone)]
pub(crate) struct SeenProgress(Arc<Mutex<RunningSweep>>);

impl SeenProgress {
    pub(crate) fn new(begins: RunningSweep) -> Self {
        Self(Arc::new(Mutex::new(begins)))
    }

    pub(crate) fn get(&self) -> RunningSweep {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, progress: Progress) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Begun { sweep } => seen.id = Some(sweep),
            Progress::Discovered { accounts } => seen.accounts = accounts,
            Progress::Judged => seen.judged += 1,
            Progress::Resumed { sweep, accounts } => {
                tracing::info!(
                    sweep.id = sweep.0,
                    accounts,
                    "a sweep goes on that was stopped"
                );
                seen.id = Some(sweep);
                seen.judged = accounts;
            }
            Progress::NothingToResume { .. } => {}
        }
    }
}

/// What one sweep works with.
pub(crate) struct SweepOrganization {
    pub(crate) aws: Aws,
    pub(crate) sweeper: Arc<Sweeper>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stop: CancellationToken,
    pub(crate) cut: CancellationToken,
    pub(crate) plan: SweepPlan,
    pub(crate) seen: SeenProgress,
}

impl SweepOrganization {
    pub(crate) async fn run(self) -> Result<SweepOutcome, SweepFailure> {
        let seen = self.seen;
        let progress = move |progress| seen.note(progress);
        let sweep = Sweep {
            aws: &self.aws,
            clock: self.clock,
            stop: self.stop.clone(),
            cut: self.cut,
            progress: &progress,
        };
        let discovered = self.stop.run_until_cancelled(sweep.discover(&self.plan));
        let discovered = discovered.await.ok_or(SweepFailure::Stopped)??;
        Ok(sweep.run(&self.sweeper, &self.plan, discovered).await?)
    }
}
