//! Which address is answered by what.
//!
//! Two of them are open, so that whoever keeps the service running can ask whether it lives; everything else,
//! also what is not there, is behind the gate. A dashboard finds its place beside `api`, with a way of its own to
//! come in.

use axum::{Extension, Router, extract::DefaultBodyLimit, middleware};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    State,
    access::gate,
    api::{
        accounts, alerts, config, controls, drifts, exceptions, explain, findings, organization,
        status, sweeps,
    },
    asked::LARGEST_BODY,
    events, exchange, health,
    openapi::{self, Description},
    problem::Problem,
};

/// What anybody may ask.
fn open() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
}

/// What takes a token, or this machine as long as there is none.
fn gated() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(health::metrics))
        .routes(routes!(organization::organization))
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::one))
        .routes(routes!(findings::list))
        .routes(routes!(explain::explain))
        .routes(routes!(sweeps::list, sweeps::start))
        .routes(routes!(sweeps::one))
        .routes(routes!(status::status))
        .routes(routes!(events::events))
        .routes(routes!(drifts::list))
        .routes(routes!(drifts::one))
        .routes(routes!(drifts::acknowledge))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::one))
        .routes(routes!(alerts::retry))
        .routes(routes!(alerts::deliveries))
        .routes(routes!(exceptions::list, exceptions::add))
        .routes(routes!(exceptions::remove))
        .routes(routes!(controls::list))
        .routes(routes!(controls::one))
        .routes(routes!(config::reload))
        .routes(routes!(openapi::json))
        .routes(routes!(openapi::html))
}

/// What is documented, without anything that answers.
pub(crate) fn described() -> utoipa::openapi::OpenApi {
    let (_, mut described) = OpenApiRouter::with_openapi(openapi::outline())
        .merge(open())
        .merge(gated())
        .split_for_parts();
    openapi::complete(&mut described);
    described
}

/// The router with everything around it.
pub(crate) fn router(state: &State) -> Router {
    let (open, _) = open().split_for_parts();
    let (gated, _) = gated().split_for_parts();
    let description = Description::of(&described());
    let gated = gated
        .fallback(async || Problem::no_route())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(Extension(description))
        .layer(middleware::from_fn_with_state(state.clone(), gate));
    let open = open.method_not_allowed_fallback(async || Problem::method_not_allowed());
    Router::new()
        .merge(gated)
        .merge(open)
        .layer(CatchPanicLayer::custom(exchange::panicked))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            exchange::accompany,
        ))
        .layer(CompressionLayer::new())
        .with_state(state.clone())
}
