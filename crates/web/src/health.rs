//! Whether the service lives, whether it can be used, and what it measures.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use crate::{
    State,
    answer::json,
    shapes::{Alive, Ready},
};

/// A store that does not say how far it is by then is none that can be asked.
const STORE_ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// Whether the process lives.
#[utoipa::path(
    get, path = "/healthz", tag = "operation", security(()),
    responses((status = 200, description = "It lives.", body = Alive))
)]
pub(crate) async fn healthz() -> Response {
    json(
        StatusCode::OK,
        report::json::compact(&Alive {
            status: "alive".to_owned(),
        }),
    )
}

/// Whether the service can be used: it has connected to AWS, holds the store, and is not on its way out.
#[utoipa::path(
    get, path = "/readyz", tag = "operation", security(()),
    responses(
        (status = 200, description = "It can be used.", body = Ready),
        (status = 503, description = "It cannot be used yet, or no longer.", body = Ready),
    )
)]
pub(crate) async fn readyz(axum::extract::State(state): axum::extract::State<State>) -> Response {
    let service = state.service().status();
    let newest = tokio::time::timeout(STORE_ANSWERS_WITHIN, state.store().newest()).await;
    let why = if service.is_stopping {
        Some("stopping")
    } else if !service.is_ready {
        Some("starting")
    } else if !matches!(newest, Ok(Ok(_))) {
        Some("store")
    } else {
        None
    };
    let status = match why {
        None => StatusCode::OK,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let body = Ready {
        is_ready: why.is_none(),
        waits_for: why.map(ToOwned::to_owned),
    };
    json(status, report::json::compact(&body))
}

/// What the service measures, as Prometheus reads it.
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "The metrics.", body = String, content_type = "text/plain"))
)]
pub(crate) async fn metrics(axum::extract::State(state): axum::extract::State<State>) -> Response {
    let mut response = Response::new(Body::from(state.metrics()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    response
}
