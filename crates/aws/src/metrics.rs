//! How many calls were sent, how they ended, and how long they waited for their turn.

use std::{
    array,
    collections::BTreeMap,
    fmt,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use ::metrics::{counter, gauge, histogram};
use model::{AccountId, GapClass, MetricFamily, Region};

use crate::Api;

/// The families of metrics that are kept here. Queues are told by family alone: an account is no label.
pub const METRICS: &[MetricFamily] = &[
    MetricFamily::counter(
        "scanner_api_calls_total",
        &["service", "operation", "outcome"],
        "Attempts at calls to AWS; the outcome is `answered` or the class of the error.",
    ),
    MetricFamily::counter(
        "scanner_api_retries_total",
        &["service", "operation"],
        "Attempts that were not the first of their call.",
    ),
    MetricFamily::counter(
        "scanner_api_throttles_total",
        &["service", "operation"],
        "Attempts that AWS throttled.",
    ),
    MetricFamily::counter(
        "scanner_api_given_up_total",
        &["service", "operation"],
        "Calls that were given up because their account had no retry left.",
    ),
    MetricFamily::histogram(
        "scanner_rate_limit_wait_seconds",
        &["service"],
        "How long an attempt waited for its turn under the quotas.",
    ),
    MetricFamily::gauge(
        "scanner_pace_share",
        &["queue"],
        "The part of the wanted rate at which the slowest queue of a kind goes since AWS throttled it; 1 is all of it.",
    ),
];

/// Shows every call at zero, so that one that was never made is told from one that is not known.
pub fn register_metrics() {
    for api in Api::ALL {
        let (service, operation) = (api.service().iam_prefix(), api.operation());
        let of = [("service", service), ("operation", operation)];
        counter!("scanner_api_calls_total", "service" => service, "operation" => operation, "outcome" => ANSWERED)
            .increment(0);
        counter!("scanner_api_retries_total", &of).increment(0);
        counter!("scanner_api_throttles_total", &of).increment(0);
        counter!("scanner_api_given_up_total", &of).increment(0);
        let _ = histogram!("scanner_rate_limit_wait_seconds", "service" => service);
        gauge!("scanner_pace_share", "queue" => api.quota().family).set(1.0);
    }
}

/// Shows how much AWS has slowed each kind of queue.
pub(crate) fn show_pace(slowed: &[SlowedQueue]) {
    let mut slowest: BTreeMap<&'static str, f64> = BTreeMap::new();
    for api in Api::ALL {
        slowest.insert(api.quota().family, 1.0);
    }
    for queue in slowed {
        let share = slowest.entry(queue.family).or_insert(1.0);
        *share = share.min(queue.rate_factor);
    }
    for (family, share) in slowest {
        gauge!("scanner_pace_share", "queue" => family).set(share);
    }
}

const ANSWERED: &str = "answered";

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

/// What calls cost since the connection was made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallStatistics {
    /// Attempts by operation and outcome; throttles are `Failed(GapClass::Throttled)`.
    pub attempts: CallCounts,
    /// Attempts that were not the first of their call.
    pub retries: BTreeMap<Api, u64>,
    /// How long attempts waited for their turn under the quotas, summed over all of them.
    pub waited: BTreeMap<Api, Duration>,
    /// Calls that were given up because their account had no retry left.
    pub without_budget: u64,
    /// The most attempts that were under way at the same moment.
    pub most_in_flight: usize,
    /// Queues that a throttle slowed and that are not back at their rate.
    pub slowed: Vec<SlowedQueue>,
}

/// A queue that is slower than its share of the quota, because AWS throttled it.
#[derive(Debug, Clone, PartialEq)]
pub struct SlowedQueue {
    /// The calls that share the quota.
    pub family: &'static str,
    /// The account that is charged, unless the quota is the organization's.
    pub account: Option<AccountId>,
    /// The region, if the quota is per region.
    pub region: Option<Region>,
    /// The part of the wanted rate that is in force, in (0, 1).
    pub rate_factor: f64,
}

impl CallStatistics {
    /// How many attempts AWS throttled.
    pub fn throttled(&self) -> u64 {
        self.attempts
            .iter()
            .filter(|((_, outcome), _)| *outcome == CallOutcome::Failed(GapClass::Throttled))
            .map(|(_, count)| count)
            .sum()
    }
}

/// One line for a log.
impl fmt::Display for CallStatistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} calls, {} retries, {} throttled, {:.1} s waited under quotas, at most {} in flight, {} queues slowed",
            self.attempts.values().sum::<u64>(),
            self.retries.values().sum::<u64>(),
            self.throttled(),
            self.waited.values().sum::<Duration>().as_secs_f64(),
            self.most_in_flight,
            self.slowed.len(),
        )
    }
}

/// Outcomes of one attempt: an answer, or one of the classes.
const OUTCOMES: usize = 1 + GapClass::ALL.len();

#[derive(Default)]
struct OfApi {
    outcomes: [AtomicU64; OUTCOMES],
    retries: AtomicU64,
    waited_nanoseconds: AtomicU64,
}

/// Counters without a lock: one attempt touches four of them.
pub(crate) struct CallMetrics {
    apis: [OfApi; Api::ALL.len()],
    without_budget: AtomicU64,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    in_shared_queues: AtomicUsize,
}

impl Default for CallMetrics {
    fn default() -> Self {
        Self {
            apis: array::from_fn(|_| OfApi::default()),
            without_budget: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            in_shared_queues: AtomicUsize::new(0),
        }
    }
}

/// An attempt that is under way or waits, until this is dropped.
pub(crate) struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl CallMetrics {
    fn of(&self, api: Api) -> &OfApi {
        &self.apis[api as usize]
    }

    pub(crate) fn begin(&self) -> Counted<'_> {
        let now = self.in_flight.fetch_add(1, Relaxed) + 1;
        self.most_in_flight.fetch_max(now, Relaxed);
        Counted(&self.in_flight)
    }

    /// An attempt waits for a quota that is not that of the account it is for.
    pub(crate) fn queue(&self) -> Counted<'_> {
        self.in_shared_queues.fetch_add(1, Relaxed);
        Counted(&self.in_shared_queues)
    }

    pub(crate) fn in_shared_queues(&self) -> usize {
        self.in_shared_queues.load(Relaxed)
    }

    pub(crate) fn record(&self, api: Api, outcome: CallOutcome) {
        let index = match outcome {
            CallOutcome::Answered => 0,
            CallOutcome::Failed(class) => 1 + class as usize,
        };
        self.of(api).outcomes[index].fetch_add(1, Relaxed);
        let (service, operation) = (api.service().iam_prefix(), api.operation());
        let word = match outcome {
            CallOutcome::Answered => ANSWERED,
            CallOutcome::Failed(class) => class.as_str(),
        };
        counter!("scanner_api_calls_total", "service" => service, "operation" => operation, "outcome" => word)
            .increment(1);
        if outcome == CallOutcome::Failed(GapClass::Throttled) {
            counter!("scanner_api_throttles_total", "service" => service, "operation" => operation)
                .increment(1);
        }
    }

    pub(crate) fn waited(&self, api: Api, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        (self.of(api).waited_nanoseconds).fetch_add(nanoseconds, Relaxed);
        let service = api.service().iam_prefix();
        histogram!("scanner_rate_limit_wait_seconds", "service" => service).record(time);
    }

    pub(crate) fn retried(&self, api: Api) {
        self.of(api).retries.fetch_add(1, Relaxed);
        let (service, operation) = (api.service().iam_prefix(), api.operation());
        counter!("scanner_api_retries_total", "service" => service, "operation" => operation)
            .increment(1);
    }

    pub(crate) fn ran_out_of_budget(&self, api: Api) {
        self.without_budget.fetch_add(1, Relaxed);
        let (service, operation) = (api.service().iam_prefix(), api.operation());
        counter!("scanner_api_given_up_total", "service" => service, "operation" => operation)
            .increment(1);
    }

    pub(crate) fn total(&self) -> u64 {
        let all = self.apis.iter().flat_map(|of| &of.outcomes);
        all.map(|count| count.load(Relaxed)).sum()
    }

    pub(crate) fn counts(&self) -> CallCounts {
        let outcomes = || {
            let failed = GapClass::ALL.map(CallOutcome::Failed);
            [CallOutcome::Answered].into_iter().chain(failed)
        };
        Api::ALL
            .into_iter()
            .flat_map(|api| {
                outcomes()
                    .zip(&self.of(api).outcomes)
                    .map(move |(outcome, count)| ((api, outcome), count.load(Relaxed)))
            })
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    pub(crate) fn statistics(&self, slowed: Vec<SlowedQueue>) -> CallStatistics {
        let by_api = |of: fn(&OfApi) -> &AtomicU64| {
            Api::ALL
                .into_iter()
                .map(move |api| (api, of(self.of(api)).load(Relaxed)))
                .filter(|(_, count)| *count > 0)
        };
        CallStatistics {
            attempts: self.counts(),
            retries: by_api(|of| &of.retries).collect(),
            waited: by_api(|of| &of.waited_nanoseconds)
                .map(|(api, nanoseconds)| (api, Duration::from_nanos(nanoseconds)))
                .collect(),
            without_budget: self.without_budget.load(Relaxed),
            most_in_flight: self.most_in_flight.load(Relaxed),
            slowed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_and_outcome_has_its_own_counter() {
        let metrics = CallMetrics::default();
        let outcomes: Vec<_> = [CallOutcome::Answered]
            .into_iter()
            .chain(GapClass::ALL.map(CallOutcome::Failed))
            .collect();
        let mut expected = CallCounts::new();
        for (number, api) in (1..).zip(Api::ALL) {
            for (other, outcome) in (1..).zip(&outcomes) {
                for _ in 0..number * other {
                    metrics.record(api, *outcome);
                }
                expected.insert((api, *outcome), number * other);
            }
        }
        assert_eq!(metrics.counts(), expected);
        assert_eq!(metrics.total(), expected.values().sum::<u64>());
    }

    #[test]
    fn what_was_under_way_together_is_counted_until_it_ends() {
        let metrics = CallMetrics::default();
        {
            let _both = (metrics.begin(), metrics.begin());
        }
        drop(metrics.begin());
        assert_eq!(metrics.statistics(Vec::new()).most_in_flight, 2);
        assert_eq!(metrics.in_flight.load(Relaxed), 0);
    }

    #[test]
    fn the_statistics_are_one_line() {
        let metrics = CallMetrics::default();
        metrics.record(Api::DescribeTrails, CallOutcome::Answered);
        metrics.record(
            Api::DescribeTrails,
            CallOutcome::Failed(GapClass::Throttled),
        );
        metrics.retried(Api::DescribeTrails);
        metrics.waited(Api::DescribeTrails, Duration::from_millis(1500));
        assert_eq!(
            metrics.statistics(Vec::new()).to_string(),
            "2 calls, 1 retries, 1 throttled, 1.5 s waited under quotas, at most 0 in flight, 0 queues slowed"
        );
    }
}
