//! The way out: what is begun is finished, as long as there is time for it.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{Service, ended};
use crate::{Ended, Sign};

/// How long after the grace everything has to be committed: nothing is asked of AWS any more by then.
const LAST_MOMENTS: Duration = Duration::from_secs(10);

impl Service {
    /// Ends everything that runs, and says how it came to that.
    pub(super) async fn shut_down(mut self) -> Ended {
        (self.sign)(Sign::Stopping);
        self.board.update(|status| status.is_stopping = true);
        // Whoever waits for an answer gets it: that the service is stopping.
        self.requests.close();
        while self.requests.try_recv().is_ok() {}
        self.connecting = None;
        self.measuring = None;
        let grace = Arc::clone(&self.configuration.borrow()).shutdown_grace;
        tracing::info!(?grace, "stopping: what is begun is finished");
        let hard = self.stop.hard().clone();
        let mut until = Instant::now() + grace;
        while self.running.is_some() || !self.drivers.is_empty() {
            tokio::select! {
                () = hard.cancelled() => return given_up("it was asked to stop at once"),
                () = sleep_until(until) => {
                    if self.cut.is_cancelled() {
                        return given_up("it did not end in time");
                    }
                    tracing::warn!("the grace is over: accounts that are being looked at are dropped");
                    self.cut.cancel();
                    until = Instant::now() + LAST_MOMENTS;
                }
                outcome = ended(self.running.as_mut().map(|running| &mut running.task)) => {
                    self.sweep_ended(outcome).await;
                }
                Some(_) = self.drivers.join_next() => {}
                () = tokio::time::sleep(self.beat) => {}
            }
            self.come_round();
        }
        // It holds the store.
        if let Some(measuring) = self.measuring.take() {
            measuring.abort();
            let _ = measuring.await;
        }
        Ended::InOrder
    }
}

/// Says why something that runs is not waited for. It goes with whoever looked after it.
fn given_up(why: &str) -> Ended {
    tracing::error!("what runs is given up: {why}");
    Ended::ByForce
}
