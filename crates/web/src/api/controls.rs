//! The catalogue: what is judged by.

use axum::{http::HeaderMap, response::Response};
use serde_json::{Value, json};

use crate::{
    State,
    answer::tagged_by_body,
    asked::{ControlName, Named},
    problem::Problem,
    shapes,
};

/// Every control in short.
#[utoipa::path(
    get, path = "/api/v1/controls", tag = "catalogue",
    responses((status = 200, description = "The controls.", body = shapes::ControlsAnswer))
)]
pub(crate) async fn list(
    axum::extract::State(state): axum::extract::State<State>,
    headers: HeaderMap,
) -> Response {
    let mut body = json!({ "schema_version": 1 });
    if let (Value::Object(body), Value::Object(list)) =
        (&mut body, answers::controls_json::list(state.catalog()))
    {
        body.extend(list);
    }
    tagged_by_body(&headers, report::json::compact(&body))
}

/// Everything about one control.
#[utoipa::path(
    get, path = "/api/v1/controls/{control}", tag = "catalogue",
    params(("control" = String, Path, description = "The control: a slug, 4.15, 5.15@v6.0, lacework-global-66.")),
    responses((status = 200, description = "The control.", body = shapes::ControlAnswer))
)]
pub(crate) async fn one(
    axum::extract::State(state): axum::extract::State<State>,
    headers: HeaderMap,
    Named(name): Named<ControlName>,
) -> Result<Response, Problem> {
    let control = (state.catalog().find(&name.0))
        .map_err(|error| Problem::not_found("no-such-control", error.to_string()))?;
    let body = json!({ "schema_version": 1, "control": answers::controls_json::show(control) });
    Ok(tagged_by_body(&headers, report::json::compact(&body)))
}
