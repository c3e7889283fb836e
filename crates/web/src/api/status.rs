//! How the service is.

use axum::{http::StatusCode, response::Response};
use daemon::ServiceStatus;
use serde::Serialize;

use crate::{State, answer::json, shapes};

#[derive(Serialize)]
struct Shape<'a> {
    schema_version: u32,
    scanner_version: &'static str,
    service: &'a ServiceStatus,
}

/// What the service does, and when it will do what.
#[utoipa::path(
    get, path = "/api/v1/status", tag = "sweeps",
    responses((status = 200, description = "How it is.", body = shapes::StatusAnswer))
)]
pub(crate) async fn status(axum::extract::State(state): axum::extract::State<State>) -> Response {
    let service = state.service().status();
    let shape = Shape {
        schema_version: 1,
        scanner_version: env!("CARGO_PKG_VERSION"),
        service: &service,
    };
    json(StatusCode::OK, report::json::compact(&shape))
}
