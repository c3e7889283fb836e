//! What every request and its answer have: an id, a limit in time, headers that keep browsers careful, a line
//! for the metrics, and a problem written out.

use std::{
    any::Any,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tracing::Instrument as _;

use crate::problem::Problem;

/// How long an answer may take. The slowest questions take a tenth of a second; beyond this, whoever asked has
/// gone.
const LONGEST: Duration = Duration::from_secs(10);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Nothing of what is answered is a page that may load anything.
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The name of a request, in the log and in what is answered.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The one that the request came with, if it can be shown, or else a new one.
    fn of(headers: &HeaderMap, started: i64) -> Self {
        static REQUESTS: AtomicU64 = AtomicU64::new(0);
        let given = headers.get(REQUEST_ID).filter(|value| {
            let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            (1..=64).contains(&value.len()) && value.as_bytes().iter().all(fits)
        });
        let id = given.cloned().or_else(|| {
            let number = REQUESTS.fetch_add(1, Ordering::Relaxed);
            HeaderValue::from_str(&format!("{started:x}-{number:x}")).ok()
        });
        Self(id.unwrap_or(HeaderValue::from_static("unnamed")))
    }

    /// As text.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Accompanies a request from its arrival to its answer.
pub(crate) async fn accompany(
    axum::extract::State(state): axum::extract::State<crate::State>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId::of(request.headers(), state.started().as_microsecond());
    request.extensions_mut().insert(id.clone());
    let route = (request.extensions().get::<MatchedPath>())
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let method = method_label(request.method());
    let span = tracing::info_span!(
        "http.request",
        request.id = id.as_str(),
        http.method = method,
        http.route = route,
    );
    let begun = tokio::time::Instant::now();
    let answered = tokio::time::timeout(LONGEST, next.run(request));
    let mut response = (answered.instrument(span.clone()).await)
        .unwrap_or_else(|_| Problem::timed_out().into_response());
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let _entered = span.entered();
        if problem.status().is_server_error() {
            let causes = problem.causes();
            tracing::error!(
                code = problem.code(),
                error = causes.as_deref(),
                "a request failed"
            );
        }
        // What the router says beside it, such as which methods there are.
        let said = std::mem::take(response.headers_mut());
        response = problem.render(id.as_str());
        for name in [header::ALLOW] {
            if let Some(value) = said.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
    }
    let status = response.status();
    let headers = response.headers_mut();
    secure(headers, status);
    headers.insert(REQUEST_ID, id.0);
    let seconds = begun.elapsed().as_secs_f64();
    crate::metrics::answered(method, route, status, seconds);
    response
}

/// A panic of a handler is one failed request and nothing else.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::panicked().into_response()
}

fn secure(headers: &mut HeaderMap, status: StatusCode) {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What says more of itself, such as the page about the API, knows better.
    let defaults = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in defaults {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if status.is_client_error() || status.is_server_error() {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Whatever somebody calls a method, the metrics stay few.
fn method_label(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
