//! What the service tells of sweeps and tasks in metrics.

use ::metrics::{counter, gauge, histogram};
use jiff::{SignedDuration, Timestamp};
use model::{Drift, DriftKind, GapClass, MetricFamily, Severity, SweepState, Verdict};
use store::VerdictCounts;

use crate::{AuthorsFound, SweepOutcome, TaskName};

/// The families of metrics that are kept here.
pub const METRICS: &[MetricFamily] = &[
    MetricFamily::counter(
        "scanner_sweeps_total",
        &["scope", "outcome"],
        "Sweeps that ended, of the whole scope or of a part of it: finished, interrupted, or failed.",
    ),
    MetricFamily::histogram(
        "scanner_sweep_duration_seconds",
        &["scope"],
        "How long finished sweeps took.",
    ),
    MetricFamily::gauge("scanner_sweep_running", &[], "Whether a sweep runs."),
    MetricFamily::gauge(
        "scanner_sweep_last_finished_timestamp_seconds",
        &[],
        "When the last sweep of the whole scope ended that came to its end; 0 if there is none.",
    ),
    MetricFamily::gauge(
        "scanner_sweep_next_timestamp_seconds",
        &[],
        "When the next sweep of the whole scope begins.",
    ),
    MetricFamily::gauge(
        "scanner_sweep_interval_seconds",
        &[],
        "The configured time from the beginning of a sweep to that of the next.",
    ),
    MetricFamily::gauge(
        "scanner_sweep_failures_in_a_row",
        &[],
        "How many attempts at a sweep of the whole scope came to nothing since the last one that did not.",
    ),
    MetricFamily::gauge(
        "scanner_accounts",
        &["verdict"],
        "Accounts by the worst verdict that any finding of theirs has.",
    ),
    MetricFamily::gauge("scanner_findings", &["verdict"], "Findings by verdict."),
    MetricFamily::gauge(
        "scanner_gaps",
        &["class"],
        "What could not be read in the last sweep of the whole scope, by the class of the error.",
    ),
    MetricFamily::counter(
        "scanner_drifts_total",
        &["kind", "severity"],
        "Drifts that were found.",
    ),
    MetricFamily::counter(
        "scanner_rechecks_total",
        &["reason"],
        "Sweeps of a part of the scope that were begun, by who wanted them: the service itself, or a request.",
    ),
    MetricFamily::counter(
        "scanner_author_searches_total",
        &["outcome"],
        "Drifts whose author was looked for, by what came of it.",
    ),
    MetricFamily::counter(
        "scanner_task_runs_total",
        &["task", "outcome"],
        "Runs of the tasks of the service.",
    ),
    MetricFamily::gauge(
        "scanner_task_last_success_timestamp_seconds",
        &["task"],
        "When a task last did all that it wanted to; 0 if it never did.",
    ),
    MetricFamily::gauge(
        "scanner_connected",
        &[],
        "Whether there is a connection to AWS.",
    ),
    MetricFamily::counter(
        "scanner_config_reloads_total",
        &["outcome"],
        "How often the configuration was read again, and used or refused.",
    ),
    MetricFamily::gauge(
        "scanner_config_last_loaded_timestamp_seconds",
        &[],
        "When the configuration was read that is in force.",
    ),
];

const WHOLE: &str = "whole";
const PART: &str = "part";

fn scope(is_whole: bool) -> &'static str {
    if is_whole { WHOLE } else { PART }
}

/// Shows every metric at zero, so that what never happened is told from what is not known.
pub fn register_metrics() {
    for scope in [WHOLE, PART] {
        for outcome in ["finished", "interrupted", "failed"] {
            counter!("scanner_sweeps_total", "scope" => scope, "outcome" => outcome).increment(0);
        }
        let _ = histogram!("scanner_sweep_duration_seconds", "scope" => scope);
    }
    for name in [
        "scanner_sweep_running",
        "scanner_sweep_last_finished_timestamp_seconds",
        "scanner_sweep_next_timestamp_seconds",
        "scanner_sweep_interval_seconds",
        "scanner_sweep_failures_in_a_row",
        "scanner_connected",
        "scanner_config_last_loaded_timestamp_seconds",
    ] {
        gauge!(name).set(0.0);
    }
    standing(&VerdictCounts::default());
    for class in GapClass::ALL {
        gauge!("scanner_gaps", "class" => class.as_str()).set(0.0);
    }
    for kind in DriftKind::ALL {
        for severity in Severity::ALL {
            let (kind, severity) = (kind.code(), severity.as_str());
            counter!("scanner_drifts_total", "kind" => kind, "severity" => severity).increment(0);
        }
    }
    for reason in ["service", "request"] {
        counter!("scanner_rechecks_total", "reason" => reason).increment(0);
    }
    authors_searched(AuthorsFound::default());
    for task in TaskName::ALL {
        let task = task.as_str();
        for outcome in ["ok", "error"] {
            counter!("scanner_task_runs_total", "task" => task, "outcome" => outcome).increment(0);
        }
        gauge!("scanner_task_last_success_timestamp_seconds", "task" => task).set(0.0);
    }
    for outcome in ["used", "refused"] {
        counter!("scanner_config_reloads_total", "outcome" => outcome).increment(0);
    }
}

pub(crate) fn drifts_found(drifts: &[Drift]) {
    for drift in drifts {
        let (kind, severity) = (drift.kind.code(), drift.severity.as_str());
        counter!("scanner_drifts_total", "kind" => kind, "severity" => severity).increment(1);
    }
}

pub(crate) fn sweep_begins(is_whole: bool, by_itself: bool) {
    gauge!("scanner_sweep_running").set(1.0);
    if !is_whole {
        let reason = if by_itself { "service" } else { "request" };
        counter!("scanner_rechecks_total", "reason" => reason).increment(1);
    }
}

pub(crate) fn sweep_ended(is_whole: bool, outcome: &SweepOutcome, took: SignedDuration) {
    gauge!("scanner_sweep_running").set(0.0);
    let is_finished = outcome.summary.state == SweepState::Finished;
    let word = if is_finished {
        "finished"
    } else {
        "interrupted"
    };
    counter!("scanner_sweeps_total", "scope" => scope(is_whole), "outcome" => word).increment(1);
    if is_finished {
        let took = took.as_secs_f64().max(0.0);
        histogram!("scanner_sweep_duration_seconds", "scope" => scope(is_whole)).record(took);
    }
    if is_finished && is_whole {
        for class in GapClass::ALL {
            let count = outcome.summary.gaps.get(&class).copied();
            gauge!("scanner_gaps", "class" => class.as_str()).set(count_of(count));
        }
    }
}

pub(crate) fn sweep_failed(is_whole: bool) {
    gauge!("scanner_sweep_running").set(0.0);
    counter!("scanner_sweeps_total", "scope" => scope(is_whole), "outcome" => "failed")
        .increment(1);
}

/// When the last sweep of everything ended, and when the next begins.
pub(crate) fn planned(
    finished_at: Option<Timestamp>,
    next_at: Timestamp,
    interval: SignedDuration,
    failures: u32,
) {
    let finished_at = finished_at.map_or(0.0, seconds);
    gauge!("scanner_sweep_last_finished_timestamp_seconds").set(finished_at);
    gauge!("scanner_sweep_next_timestamp_seconds").set(seconds(next_at));
    gauge!("scanner_sweep_interval_seconds").set(interval.as_secs_f64());
    gauge!("scanner_sweep_failures_in_a_row").set(f64::from(failures));
}

/// How everything stands now.
pub(crate) fn standing(counts: &VerdictCounts) {
    for verdict in Verdict::ALL {
        let of = |counts: &std::collections::BTreeMap<Verdict, u64>| {
            count_of(counts.get(&verdict).copied())
        };
        let word = verdict.as_str();
        gauge!("scanner_accounts", "verdict" => word).set(of(&counts.accounts));
        gauge!("scanner_findings", "verdict" => word).set(of(&counts.findings));
    }
}

pub(crate) fn authors_searched(found: AuthorsFound) {
    let outcomes = [
        ("found", found.found),
        ("not_found", found.not_found),
        ("denied", found.denied),
        ("open", found.open),
    ];
    for (outcome, count) in outcomes {
        counter!("scanner_author_searches_total", "outcome" => outcome).increment(count as u64);
    }
}

pub(crate) fn task_ran(task: TaskName, is_ok: bool, at: Timestamp) {
    let (task, outcome) = (task.as_str(), if is_ok { "ok" } else { "error" });
    counter!("scanner_task_runs_total", "task" => task, "outcome" => outcome).increment(1);
    if is_ok {
        gauge!("scanner_task_last_success_timestamp_seconds", "task" => task).set(seconds(at));
    }
}

pub(crate) fn connected(is_connected: bool) {
    gauge!("scanner_connected").set(if is_connected { 1.0 } else { 0.0 });
}

pub(crate) fn reloaded(is_used: bool) {
    let outcome = if is_used { "used" } else { "refused" };
    counter!("scanner_config_reloads_total", "outcome" => outcome).increment(1);
}

pub(crate) fn configured(at: Timestamp) {
    gauge!("scanner_config_last_loaded_timestamp_seconds").set(seconds(at));
}

fn seconds(at: Timestamp) -> f64 {
    at.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "what is shown need not be exact beyond fifteen digits"
)]
fn count_of(count: Option<u64>) -> f64 {
    count.unwrap_or_default() as f64
}
