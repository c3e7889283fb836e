//! The shortest time in which the calls that were answered could have been made.
//!
//! Three things bound it, and the bound is the largest of what they give:
//!
//! - **Quotas.** A bucket that starts full lets `n` calls through in `(n - burst) / rate` at least,
//!   and the last of them still takes its latency.
//! - **Pages.** A page names the next one, so the pages of a list come one after another. Their
//!   latencies are those that were really drawn.
//! - **What follows from what.** An account is entered after the list has named it, and asked for
//!   its trails after it was entered: behind the last page, and behind the last AssumeRole that its
//!   quota lets through, come one more answer or two. This holds for a client that learns of the
//!   accounts from the list; one that remembers them may save those two answers and the first page.
//!
//! Calls that were throttled are nobody's work and count nowhere. What a client needs for itself,
//! and what it follows further along a chain than DescribeTrails, is not in the bound.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use crate::calls::{CallLog, Total};
use crate::quotas::{QUOTAS, Quota, Scope};
use crate::service::Service;

/// The bound, and what it comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct LowerBound {
    pub seconds: f64,
    /// What takes any time, the longest first.
    pub parts: Vec<BoundPart>,
}

/// One reason why the calls cannot take less time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundPart {
    pub what: String,
    pub seconds: f64,
}

impl LowerBound {
    pub(crate) fn of(log: &CallLog, factor: Option<f64>) -> Self {
        let totals = Totals(
            log.totals()
                .map(|(service, operation, total)| (service, operation, *total))
                .collect(),
        );
        let buckets = factor
            .map(|factor| busiest(log, factor))
            .unwrap_or_default();
        let mut parts: Vec<BoundPart> = buckets
            .iter()
            .map(|bucket| bucket.part(&totals))
            .chain(totals.pages())
            .chain(totals.last_account(&buckets))
            .filter(|part| part.seconds > 0.0)
            .collect();
        parts.sort_by(|a, b| {
            b.seconds
                .total_cmp(&a.seconds)
                .then_with(|| a.what.cmp(&b.what))
        });
        Self {
            seconds: parts.first().map_or(0.0, |part| part.seconds),
            parts,
        }
    }
}

/// The bucket of a quota that was drawn on most.
struct Busiest<'a> {
    place: usize,
    quota: &'static Quota,
    account: &'a str,
    region: &'a str,
    calls: u64,
    factor: f64,
}

fn busiest(log: &CallLog, factor: f64) -> Vec<Busiest<'_>> {
    let mut drawn: HashMap<(usize, &str, &str), u64> = HashMap::new();
    for row in log.rows().filter(|row| !row.account.is_empty()) {
        for (place, quota) in Quota::of(row.service, row.operation) {
            let key = match quota.scope {
                Scope::AccountRegion => (place, row.account, row.region),
                Scope::Account => (place, row.account, ""),
                Scope::Organization => (place, "", ""),
            };
            *drawn.entry(key).or_default() += row.calls.saturating_sub(row.throttled);
        }
    }
    let mut most: HashMap<usize, Busiest<'_>> = HashMap::new();
    for ((place, account, region), calls) in drawn {
        let bucket = Busiest {
            place,
            quota: &QUOTAS[place],
            account,
            region,
            calls,
            factor,
        };
        let kept = most.entry(place).or_insert(bucket);
        // Of equally busy ones the first by name, so that equal sweeps give equal reports.
        if (calls, std::cmp::Reverse((account, region)))
            > (kept.calls, std::cmp::Reverse((kept.account, kept.region)))
        {
            (kept.account, kept.region, kept.calls) = (account, region, calls);
        }
    }
    let mut buckets: Vec<_> = most.into_values().collect();
    buckets.sort_by_key(|bucket| bucket.place);
    buckets
}

impl Busiest<'_> {
    /// Until the last of the calls is let through.
    fn seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of calls are small")]
        let calls = self.calls as f64;
        let burst = (self.quota.burst * self.factor).max(1.0).round();
        (calls - burst).max(0.0) / (self.quota.per_second * self.factor)
    }

    fn is_for(&self, service: Service, operation: &str) -> bool {
        self.quota.service == service && self.quota.operations.contains(&operation)
    }

    fn part(&self, totals: &Totals<'_>) -> BoundPart {
        let waited = self.seconds();
        let answers = if self.is_for(Service::Sts, "AssumeRole") {
            let before = if totals.is_listed_once() {
                totals.shortest(Service::Organizations, "ListAccounts")
            } else {
                0.0
            };
            before + totals.entry()
        } else {
            let of_one = |operation: &&str| totals.answered(self.quota.service, operation);
            self.quota
                .operations
                .iter()
                .filter_map(of_one)
                .filter_map(|total| total.shortest)
                .min()
                .unwrap_or_default()
                .as_secs_f64()
        };
        let operations = self.quota.operations.join(", ");
        let whose = match self.quota.scope {
            Scope::AccountRegion => format!("account {} in {}", self.account, self.region),
            Scope::Account => format!("account {}", self.account),
            Scope::Organization => "the organization".to_owned(),
        };
        BoundPart {
            what: format!(
                "{}:{operations} of {whose}, {} calls at {}/s after {}",
                self.quota.service.name(),
                self.calls,
                self.quota.per_second * self.factor,
                (self.quota.burst * self.factor).max(1.0).round(),
            ),
            // A burst that is not used up waits for nothing, and is bounded by the other parts.
            seconds: if waited > 0.0 { waited + answers } else { 0.0 },
        }
    }
}

/// A few dozen operations at most, so a search is as good as a map.
struct Totals<'a>(Vec<(Service, &'a str, Total)>);

impl Totals<'_> {
    fn answered(&self, service: Service, operation: &str) -> Option<&Total> {
        self.0
            .iter()
            .find(|it| it.0 == service && it.1 == operation)
            .map(|(_, _, total)| total)
            .filter(|total| total.answered > 0)
    }

    fn shortest(&self, service: Service, operation: &str) -> f64 {
        self.answered(service, operation)
            .and_then(|total| total.shortest)
            .map_or(0.0, |shortest| shortest.as_secs_f64())
    }

    /// The answers that the last account takes: it is entered, and then asked for its trails.
    fn entry(&self) -> f64 {
        self.shortest(Service::Sts, "AssumeRole")
            + self.shortest(Service::CloudTrail, "DescribeTrails")
    }

    fn is_listed_once(&self) -> bool {
        self.answered(Service::Organizations, "ListAccounts")
            .is_some_and(|total| total.begun == 1)
    }

    /// Of lists that were read several times, the time of the average one: the longest took no
    /// less.
    fn pages(&self) -> impl Iterator<Item = BoundPart> {
        self.0
            .iter()
            .filter(|(_, _, total)| total.answered > total.begun)
            .map(|(service, operation, total)| BoundPart {
                what: format!(
                    "{}:{operation}, {} pages of {} lists, one after another",
                    service.name(),
                    total.answered,
                    total.begun.max(1),
                ),
                seconds: per_list(total).as_secs_f64(),
            })
    }

    /// The account that comes last: named by the last page, entered, and asked for its trails.
    fn last_account(&self, buckets: &[Busiest<'_>]) -> Option<BoundPart> {
        self.answered(Service::Sts, "AssumeRole")?;
        let listed = self
            .answered(Service::Organizations, "ListAccounts")
            .filter(|_| self.is_listed_once());
        let Some(listed) = listed else {
            return Some(BoundPart {
                what: "sts:AssumeRole and then cloudtrail:DescribeTrails for an account".to_owned(),
                seconds: self.entry(),
            });
        };
        let let_through = buckets
            .iter()
            .filter(|bucket| bucket.is_for(Service::Organizations, "ListAccounts"))
            .map(Busiest::seconds)
            .fold(0.0, f64::max);
        let last_page = (let_through + listed.shortest.unwrap_or_default().as_secs_f64())
            .max(per_list(listed).as_secs_f64());
        Some(BoundPart {
            what: format!(
                "organizations:ListAccounts to its last page of {}, then sts:AssumeRole and \
                 cloudtrail:DescribeTrails for an account on it",
                listed.answered
            ),
            seconds: last_page + self.entry(),
        })
    }
}

fn per_list(total: &Total) -> Duration {
    let lists = u32::try_from(total.begun.max(1)).unwrap_or(u32::MAX);
    total.delay / lists
}

#[cfg(test)]
mod tests;
