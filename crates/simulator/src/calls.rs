//! What was asked, counted by service, operation, account and region.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

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

/// A number for each text, so that equal texts are kept once.
#[derive(Debug, Default)]
struct Names {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let text = Arc::<str>::from(text);
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    fn text(&self, number: u32) -> &str {
        usize::try_from(number)
            .ok()
            .and_then(|place| self.texts.get(place))
            .map_or("", |text| text)
    }
}

/// One kind of call in a few bytes: an organization in which every account is asked in every
/// region has hundreds of thousands of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CallNumbers {
    pub(crate) service: Service,
    pub(crate) operation: u32,
    pub(crate) account: u32,
    pub(crate) region: u32,
}

/// How one call ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    /// Since any fixed moment.
    pub(crate) asked_at: Duration,
    /// How long the answer was held back.
    pub(crate) delay: Duration,
    pub(crate) is_throttled: bool,
    /// Whether it asks for another page of a list.
    pub(crate) goes_on: bool,
}

/// Counts that never fall, so that request ids stay unique, and those that tests read.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    operations: Names,
    accounts: Names,
    regions: Names,
    counts: HashMap<CallNumbers, Count>,
    totals: HashMap<(Service, u32), Total>,
    /// When the first call came, and when the last answer went.
    span: Option<(Duration, Duration)>,
}

#[derive(Debug, Default)]
struct Count {
    ever: u64,
    since_reset: u64,
    throttled: u64,
}

/// What is known of all calls of an operation since the last reset.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Total {
    /// The calls that were answered with anything but a throttling error.
    pub(crate) answered: u64,
    pub(crate) throttled: u64,
    /// The answered ones that asked for the first page of a list, or for no page.
    pub(crate) begun: u64,
    /// How long the answered ones were held back, together and at least.
    pub(crate) delay: Duration,
    pub(crate) shortest: Option<Duration>,
}

/// The calls of one kind since the last reset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) service: Service,
    pub(crate) operation: &'a str,
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) calls: u64,
    pub(crate) throttled: u64,
}

impl CallLog {
    /// Counts the call and says how many of its kind came before it.
    pub(crate) fn record(
        &mut self,
        service: Service,
        operation: &str,
        account: &str,
        region: &str,
    ) -> (CallNumbers, u64) {
        let numbers = CallNumbers {
            service,
            operation: self.operations.number(operation),
            account: self.accounts.number(account),
            region: self.regions.number(region),
        };
        let count = self.counts.entry(numbers).or_default();
        count.ever += 1;
        count.since_reset += 1;
        (numbers, count.ever - 1)
    }

    /// Notes how the call ended that was recorded as `numbers`.
    pub(crate) fn settle(&mut self, numbers: CallNumbers, ending: Ending) {
        let (asked, answered) = (
            ending.asked_at,
            ending.asked_at.saturating_add(ending.delay),
        );
        let span = self.span.get_or_insert((asked, answered));
        *span = (span.0.min(asked), span.1.max(answered));
        let total = self
            .totals
            .entry((numbers.service, numbers.operation))
            .or_default();
        if ending.is_throttled {
            total.throttled += 1;
            if let Some(count) = self.counts.get_mut(&numbers) {
                // A reset may have come in between.
                count.throttled = (count.throttled + 1).min(count.since_reset);
            }
            return;
        }
        total.answered += 1;
        total.begun += u64::from(!ending.goes_on);
        total.delay = total.delay.saturating_add(ending.delay);
        let shortest = total.shortest.get_or_insert(ending.delay);
        *shortest = ending.delay.min(*shortest);
    }

    pub(crate) fn reset(&mut self) {
        for count in self.counts.values_mut() {
            count.since_reset = 0;
            count.throttled = 0;
        }
        self.totals.clear();
        self.span = None;
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.counts
            .iter()
            .filter(|(_, count)| count.since_reset > 0)
            .map(|(numbers, count)| Row {
                service: numbers.service,
                operation: self.operations.text(numbers.operation),
                account: self.accounts.text(numbers.account),
                region: self.regions.text(numbers.region),
                calls: count.since_reset,
                throttled: count.throttled,
            })
    }

    pub(crate) fn totals(&self) -> impl Iterator<Item = (Service, &str, &Total)> {
        self.totals.iter().map(|((service, operation), total)| {
            (*service, self.operations.text(*operation), total)
        })
    }

    /// From the first call to the last answer.
    pub(crate) fn wall(&self) -> Duration {
        self.span
            .map_or(Duration::ZERO, |(first, last)| last.saturating_sub(first))
    }

    pub(crate) fn read(&self) -> Calls {
        let mut calls: Vec<_> = self
            .rows()
            .map(|row| {
                let key = CallKey {
                    service: row.service,
                    operation: row.operation.to_owned(),
                    account: row.account.to_owned(),
                    region: row.region.to_owned(),
                };
                (key, row.calls)
            })
            .collect();
        calls.sort_unstable();
        Calls(calls)
    }
}
