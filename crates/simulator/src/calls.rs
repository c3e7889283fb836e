//! What was asked, counted by service, operation, account and region.

use std::collections::HashMap;

use crate::service::Service;

/// One kind of call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey {
    pub service: Service,
    /// As the client spelled it, known or not.
    pub operation: String,
    /// The account whose credentials signed; empty where the key was not known.
    pub account: String,
    pub region: String,
}

/// The calls since the start, or since they were last reset.
#[derive(Debug, Clone, Default)]
pub struct Calls(Vec<(CallKey, u64)>);

impl Calls {
    /// Each kind of call with its count, in the order of the keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&CallKey, u64)> {
        self.0.iter().map(|(key, count)| (key, *count))
    }

    pub fn total(&self) -> u64 {
        self.iter().map(|(_, count)| count).sum()
    }

    /// How often `operation` was called: `calls.of("sts", "AssumeRole")`.
    pub fn of(&self, service: &str, operation: &str) -> u64 {
        self.iter()
            .filter(|(key, _)| key.service.name() == service && key.operation == operation)
            .map(|(_, count)| count)
            .sum()
    }

    /// How many calls were signed by credentials of `account`.
    pub fn signed_by(&self, account: &str) -> u64 {
        self.iter()
            .filter(|(key, _)| key.account == account)
            .map(|(_, count)| count)
            .sum()
    }

    /// Only the calls that `wanted` holds for.
    #[must_use]
    pub fn filter(&self, wanted: impl Fn(&CallKey) -> bool) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(key, _)| wanted(key))
                .cloned()
                .collect(),
        )
    }
}

/// Counts that never fall, so that request ids stay unique, and those that tests read.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    counts: HashMap<CallKey, Count>,
}

#[derive(Debug, Default)]
struct Count {
    ever: u64,
    since_reset: u64,
}

impl CallLog {
    /// Counts the call and says how many of its kind came before it.
    pub(crate) fn record(&mut self, key: CallKey) -> u64 {
        let count = self.counts.entry(key).or_default();
        count.ever += 1;
        count.since_reset += 1;
        count.ever - 1
    }

    pub(crate) fn reset(&mut self) {
        for count in self.counts.values_mut() {
            count.since_reset = 0;
        }
    }

    pub(crate) fn read(&self) -> Calls {
        let mut calls: Vec<_> = self
            .counts
            .iter()
            .filter(|(_, count)| count.since_reset > 0)
            .map(|(key, count)| (key.clone(), count.since_reset))
            .collect();
        calls.sort_unstable();
        Calls(calls)
    }
}
