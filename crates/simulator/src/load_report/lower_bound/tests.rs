//! Bounds of calls that were counted by hand.

use super::*;
use crate::calls::Ending;

const CALLER: &str = "111111111111";
const MEMBER: &str = "222222222222";
const MS_50: Duration = Duration::from_millis(50);

/// Calls that were made at once and answered after 50 ms.
fn make(log: &mut CallLog, calls: u64, service: Service, operation: &str, account: &str) {
    for number in 0..calls {
        let is_page = operation == "ListAccounts" && number > 0;
        end(log, service, operation, account, is_page, false);
    }
}

fn end(
    log: &mut CallLog,
    service: Service,
    operation: &str,
    account: &str,
    goes_on: bool,
    is_throttled: bool,
) {
    let (numbers, _) = log.record(service, operation, account, "us-east-1");
    let ending = Ending {
        asked_at: Duration::ZERO,
        delay: MS_50,
        is_throttled,
        goes_on,
    };
    log.settle(numbers, ending);
}

#[track_caller]
fn assert_bound(log: &CallLog, factor: Option<f64>, seconds: f64, limit: &str) {
    let bound = LowerBound::of(log, factor);
    assert!((bound.seconds - seconds).abs() < 1e-9, "{bound:?}");
    let what = bound.parts.first().map_or("", |part| &part.what);
    assert!(what.contains(limit), "{bound:?}");
}

#[test]
fn nothing_takes_no_time() {
    assert_bound(&CallLog::default(), Some(1.0), 0.0, "");
}

#[test]
fn a_quota_bounds_what_goes_beyond_its_burst() {
    let mut log = CallLog::default();
    make(&mut log, 10_000, Service::Sts, "AssumeRole", CALLER);
    make(&mut log, 1, Service::CloudTrail, "DescribeTrails", MEMBER);
    // (10,000 - 600) / 600, and then two answers of 50 ms.
    assert_bound(&log, Some(1.0), 9_400.0 / 600.0 + 0.1, "sts:AssumeRole");
    assert_bound(&log, Some(2.0), 8_800.0 / 1200.0 + 0.1, "sts:AssumeRole");
    assert_bound(&log, None, 0.1, "and then cloudtrail:DescribeTrails");
}

#[test]
fn the_busiest_bucket_counts_and_not_the_sum_of_all() {
    let mut log = CallLog::default();
    for account in 0..100 {
        let account = format!("{account:012}");
        make(
            &mut log,
            10,
            Service::CloudTrail,
            "DescribeTrails",
            &account,
        );
    }
    assert_bound(&log, Some(1.0), 0.0, "");
    make(&mut log, 30, Service::CloudTrail, "GetTrailStatus", MEMBER);
    assert_bound(&log, Some(1.0), 20.0 / 10.0 + 0.05, MEMBER);
}

#[test]
fn the_accounts_of_the_last_page_come_behind_all_pages() {
    let mut log = CallLog::default();
    make(
        &mut log,
        500,
        Service::Organizations,
        "ListAccounts",
        CALLER,
    );
    make(&mut log, 1, Service::Sts, "AssumeRole", CALLER);
    make(&mut log, 1, Service::CloudTrail, "DescribeTrails", MEMBER);
    // 500 pages at 8/s after 12 take longer than 500 answers of 50 ms; without quotas the
    // answers remain. Each time two more answers follow.
    assert_bound(
        &log,
        Some(1.0),
        488.0 / 8.0 + 0.05 + 0.1,
        "last page of 500",
    );
    assert_bound(&log, None, 25.0 + 0.1, "last page of 500");
}

#[test]
fn lists_that_were_read_side_by_side_are_bounded_by_one_of_them() {
    let mut log = CallLog::default();
    for _ in 0..2 {
        make(&mut log, 10, Service::Organizations, "ListAccounts", CALLER);
    }
    assert_bound(&log, None, 0.5, "20 pages of 2 lists");
}

#[test]
fn calls_that_were_throttled_bound_nothing() {
    let mut log = CallLog::default();
    make(&mut log, 5, Service::Logs, "DescribeMetricFilters", MEMBER);
    for _ in 0..1_000 {
        end(
            &mut log,
            Service::Logs,
            "DescribeMetricFilters",
            MEMBER,
            false,
            true,
        );
    }
    assert_bound(&log, Some(1.0), 0.0, "");
}

#[test]
fn the_bound_is_never_above_what_a_bucket_would_take() {
    use crate::token_buckets::{BucketKey, Draught, TokenBuckets};
    for (place, quota) in QUOTAS.iter().enumerate() {
        let key = BucketKey {
            quota: place,
            account: 0,
            region: 0,
        };
        let draught = Draught::new(key, quota.per_second, quota.burst);
        let (mut log, mut buckets) = (CallLog::default(), TokenBuckets::default());
        let mut now = Duration::ZERO;
        let step = Duration::from_secs_f64(0.02 / quota.per_second);
        for _ in 0..700 {
            while !buckets.take(&[draught], now) {
                now += step;
            }
            let (numbers, _) = log.record(quota.service, quota.operations[0], CALLER, "");
            let ending = Ending {
                asked_at: now,
                delay: Duration::ZERO,
                is_throttled: false,
                goes_on: false,
            };
            log.settle(numbers, ending);
        }
        let bucket = &busiest(&log, 1.0)
            .into_iter()
            .find(|it| it.place == place)
            .unwrap();
        assert!(bucket.seconds() <= now.as_secs_f64(), "{quota:?}");
        assert!(
            bucket.seconds() > 0.99 * now.as_secs_f64() - 0.01,
            "{quota:?}"
        );
    }
}
