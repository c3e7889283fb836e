//! How many calls were sent, and how they ended.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use dashmap::DashMap;
use model::GapClass;

use crate::Api;

/// How one attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallOutcome {
    /// AWS answered.
    Answered,
    /// It did not, or with an error of this class.
    Failed(GapClass),
}

/// Attempts by operation and outcome.
pub type CallCounts = BTreeMap<(Api, CallOutcome), u64>;

#[derive(Default)]
pub(crate) struct CallMetrics {
    attempts: DashMap<(Api, CallOutcome), u64>,
    total: AtomicU64,
}

impl CallMetrics {
    pub(crate) fn record(&self, api: Api, outcome: CallOutcome) {
        *self.attempts.entry((api, outcome)).or_default() += 1;
        self.total.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub(crate) fn counts(&self) -> CallCounts {
        self.attempts
            .iter()
            .map(|entry| (*entry.key(), *entry.value()))
            .collect()
    }
}
