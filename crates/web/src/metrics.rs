//! What the API tells of itself in metrics.

use ::metrics::{counter, histogram};
use axum::http::StatusCode;
use model::MetricFamily;

/// The families of metrics that are kept here.
pub const METRICS: &[MetricFamily] = &[
    MetricFamily::counter(
        "scanner_http_requests_total",
        &["method", "route", "status"],
        "Requests that were answered, by the route of the API's description; `unmatched` is what is not there.",
    ),
    MetricFamily::histogram(
        "scanner_http_request_duration_seconds",
        &["route"],
        "How long it took until an answer began.",
    ),
];

/// Begins both, so that they are there before anybody has asked for anything but them.
pub fn register_metrics() {
    let route = "/metrics";
    counter!(
        "scanner_http_requests_total",
        "method" => "GET", "route" => route, "status" => "200"
    )
    .increment(0);
    let _ = histogram!("scanner_http_request_duration_seconds", "route" => route);
}

pub(crate) fn answered(method: &'static str, route: String, status: StatusCode, seconds: f64) {
    counter!(
        "scanner_http_requests_total",
        "method" => method, "route" => route.clone(), "status" => status.as_str().to_owned()
    )
    .increment(1);
    histogram!("scanner_http_request_duration_seconds", "route" => route).record(seconds);
}
