//! The configuration.

use axum::{Extension, http::StatusCode, response::Response};
use serde_json::json;

use crate::{State, access::Caller, answer, problem::Problem, shapes};

/// Reads the configuration again. One that cannot be used changes nothing.
#[utoipa::path(
    post, path = "/api/v1/config/reload", tag = "operation",
    responses(
        (status = 200, description = "It is in force.", body = shapes::ReloadAnswer),
        (status = 422, description = "It cannot be used; the one before stays in force.", body = shapes::Problem,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn reload(
    axum::extract::State(state): axum::extract::State<State>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    state.service().reload().await?;
    tracing::info!(by = caller.by(), "the configuration was reloaded");
    let body = json!({ "schema_version": 1, "configuration": "reloaded" });
    Ok(answer::json(StatusCode::OK, report::json::compact(&body)))
}
