//! Sends what lies in the outbox: each channel for itself, each alert in the order in which it was told.
//!
//! Nothing is handed in but what is due by the store, so that it may be stopped at any time and begun
//! anew, by another process too. Whoever is killed between sending and noting it sends once more, under the
//! same key.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use alerts::{Channels, Notice, Outcome};
use futures::{StreamExt as _, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use model::Clock;
use rand::{RngExt as _, rngs::StdRng};
use serde::Deserialize as _;
use store::{Attempt, DueDelivery, Sweeper};
use tokio_util::sync::CancellationToken;

use crate::{AlertSettings, metrics};

#[cfg(test)]
mod tests;

/// How many deliveries are read at a time.
const AT_ONCE: u32 = 200;

/// A channel that fails this often in a row is left alone until the next run.
const FAILURES_IN_A_ROW: u32 = 3;

/// How often it is looked for what became due while a channel takes its time.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The bound of the first wait; it doubles with each attempt,
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// and never exceeds this.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// What is waited for a channel that the configuration does not name: somebody may be at it.
const WITHOUT_CHANNEL: SignedDuration = SignedDuration::from_mins(10);

/// A delivery is tried at least this often before it is given up, however old it is.
const FEWEST_ATTEMPTS: u32 = 3;

/// What sending takes.
pub struct DeliverAlerts {
    /// The channels.
    pub channels: Channels,
    /// For how long a delivery is tried.
    pub settings: Arc<AlertSettings>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the jitter of waits comes from.
    pub chance: Arc<Mutex<StdRng>>,
    /// Cancelled to stop between deliveries.
    pub stop: CancellationToken,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// How many notices arrived.
    pub delivered: usize,
    /// How many will be tried again.
    pub failed: usize,
    /// How many were given up.
    pub dead: usize,
    /// When the next one is due; `None` where nothing is left.
    pub next_at: Option<Timestamp>,
}

impl DeliverAlerts {
    /// Sends what is due, and what becomes due meanwhile.
    pub async fn run(&self, store: &Sweeper) -> Result<Delivered, store::Error> {
        let mut came_to = Delivered::default();
        // Channels that are being sent to, and those that keep failing: what failed is due again later, and
        // they are not asked again in this run.
        let mut not_to = BTreeSet::new();
        let mut sending = FuturesUnordered::new();
        loop {
            while !self.stop.is_cancelled() {
                let now = self.clock.now();
                let due = (store.store().deliveries_due(now, &not_to, AT_ONCE)).await?;
                if due.is_empty() {
                    break;
                }
                let mut by_channel: BTreeMap<String, Vec<DueDelivery>> = BTreeMap::new();
                for delivery in due {
                    (by_channel.entry(delivery.channel.clone()).or_default()).push(delivery);
                }
                for (channel, due) in by_channel {
                    not_to.insert(channel.clone());
                    sending.push(async move {
                        let of_channel = self.to_channel(store, &channel, due).await;
                        (channel, of_channel)
                    });
                }
            }
            let ended = tokio::select! {
                ended = sending.next() => ended,
                // One that does not answer holds up nobody else.
                () = tokio::time::sleep(LOOK_AGAIN), if !sending.is_empty() => continue,
            };
            let Some((channel, of_channel)) = ended else {
                break;
            };
            let (of_channel, keeps_failing) = of_channel?;
            came_to.delivered += of_channel.delivered;
            came_to.failed += of_channel.failed;
            came_to.dead += of_channel.dead;
            if !keeps_failing {
                not_to.remove(&channel);
            }
        }
        came_to.next_at = store.store().alert_queue().await?.next_attempt_at;
        Ok(came_to)
    }

    /// Sends to one channel, one after the other. Whether it keeps failing.
    async fn to_channel(
        &self,
        store: &Sweeper,
        channel: &str,
        due: Vec<DueDelivery>,
    ) -> Result<(Delivered, bool), store::Error> {
        let mut came_to = Delivered::default();
        let mut in_a_row = 0;
        for delivery in due {
            if self.stop.is_cancelled() || in_a_row >= FAILURES_IN_A_ROW {
                break;
            }
            let attempt = self.attempt(channel, &delivery).await;
            if let Some(kind) = self.channels.kind(channel) {
                metrics::alert_attempted(kind, &attempt);
            }
            match &attempt {
                Attempt::Delivered => {
                    in_a_row = 0;
                    came_to.delivered += 1;
                    tracing::info!(
                        channel,
                        key = delivery.idempotency_key,
                        "an alert was delivered"
                    );
                }
                Attempt::Failed { next_at, error } => {
                    in_a_row += 1;
                    came_to.failed += 1;
                    tracing::warn!(
                        channel, key = delivery.idempotency_key, %next_at,
                        "an alert was not delivered, and is tried again: {error}",
                    );
                }
                Attempt::Dead { error } => {
                    came_to.dead += 1;
                    tracing::error!(
                        channel,
                        key = delivery.idempotency_key,
                        "an alert was given up; `scanner alerts retry` sends it again: {error}",
                    );
                }
            }
            let now = self.clock.now();
            store.record_attempt(delivery.number, now, &attempt).await?;
        }
        Ok((came_to, in_a_row >= FAILURES_IN_A_ROW))
    }

    async fn attempt(&self, channel: &str, delivery: &DueDelivery) -> Attempt {
        let Ok(notice) = Notice::deserialize(&delivery.body) else {
            return Attempt::Dead {
                error: "this version of the scanner cannot read the notice".to_owned(),
            };
        };
        let now = self.clock.now();
        let key = &delivery.idempotency_key;
        match self.channels.deliver(channel, &notice, key, now).await {
            Some(Outcome::Delivered) => Attempt::Delivered,
            Some(Outcome::Dead { why }) => Attempt::Dead { error: why },
            Some(Outcome::TryAgain { why, after }) => {
                let wait = self.wait(delivery.attempts).max(after.unwrap_or_default());
                let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
                self.later(delivery, now, wait, why)
            }
            None => {
                let why = "the configuration names no channel of this name".to_owned();
                self.later(delivery, now, WITHOUT_CHANNEL, why)
            }
        }
    }

    /// Tries again, unless that was done for long enough.
    fn later(
        &self,
        delivery: &DueDelivery,
        now: Timestamp,
        wait: SignedDuration,
        why: String,
    ) -> Attempt {
        let attempts = delivery.attempts.saturating_add(1);
        let age = now.duration_since(delivery.queued_at);
        if age >= self.settings.give_up_after && attempts >= FEWEST_ATTEMPTS {
            return Attempt::Dead {
                error: format!("given up after {attempts} attempts: {why}"),
            };
        }
        Attempt::Failed {
            next_at: now.saturating_add(wait).unwrap_or(Timestamp::MAX),
            error: why,
        }
    }

    /// Between half and all of a bound that doubles with each attempt: those that failed together do not
    /// come back together.
    fn wait(&self, attempts: u32) -> Duration {
        let bound = FIRST_WAIT
            .saturating_mul(1 << attempts.min(10))
            .min(LONGEST_WAIT);
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        bound.mul_f64(chance.random_range(0.5..=1.0))
    }
}
