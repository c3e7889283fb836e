//! What the service manager is told: that the service is ready, alive, reloading or stopping.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use daemon::Sign;
use sd_notify::NotifyState;

/// systemd, or whoever else set `NOTIFY_SOCKET`; nobody, where nobody did.
pub(crate) struct ServiceManager {
    /// How often it wants to hear that the service is alive: half of the time after which it would end it.
    every: Option<Duration>,
    told: Mutex<Option<Instant>>,
}

impl ServiceManager {
    pub(crate) fn new() -> Self {
        Self {
            every: sd_notify::watchdog_enabled().map(|within| within / 2),
            told: Mutex::new(None),
        }
    }

    /// How often it wants to hear of the service, if it does.
    pub(crate) fn every(&self) -> Option<Duration> {
        self.every
    }

    /// Passes on what the service says of itself.
    pub(crate) fn tell(&self, sign: Sign) {
        match sign {
            Sign::Ready => send(&[NotifyState::Ready]),
            // systemd wants to know when, so that it does not take an earlier READY for the answer.
            Sign::Reloading => match NotifyState::monotonic_usec_now() {
                Ok(now) => send(&[NotifyState::Reloading, now]),
                Err(_) => send(&[NotifyState::Reloading]),
            },
            Sign::Stopping => send(&[NotifyState::Stopping]),
            Sign::Alive => self.alive(),
        }
    }

    fn alive(&self) {
        let Some(every) = self.every else { return };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= every) {
            *told = Some(Instant::now());
            send(&[NotifyState::Watchdog]);
        }
    }
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told: {states:?}");
    }
}
