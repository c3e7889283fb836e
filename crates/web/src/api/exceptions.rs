//! The exceptions: what somebody accepts, and until when.

use axum::{
    Extension,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use model::{AccountId, Exception, ExceptionId, ExceptionScope, ExceptionSource, Reason};
use report::{
    ExceptionState, PastException,
    json::{one, page},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    State,
    access::Caller,
    answer::{self, tagged_by_body},
    asked::{Asked, ControlName, Named, OuId, Told, Written, said},
    problem::Problem,
    shapes,
};

/// Which exceptions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExceptionsAsked {
    /// Also those that were removed or have expired.
    all: Option<bool>,
}

/// The exceptions that are in force, or all that ever were, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/exceptions", tag = "exceptions", params(ExceptionsAsked),
    responses((status = 200, description = "The exceptions.", body = shapes::ExceptionsAnswer))
)]
pub(crate) async fn list(
    axum::extract::State(state): axum::extract::State<State>,
    headers: HeaderMap,
    Asked(asked): Asked<ExceptionsAsked>,
) -> Result<Response, Problem> {
    let mut exceptions = every(&state).await?;
    if !asked.all.unwrap_or_default() {
        exceptions.retain(|past| past.state == ExceptionState::InForce);
    }
    Ok(tagged_by_body(&headers, page(None, &exceptions, None)))
}

/// An exception to be: at least one of account, OU, control and reason code says which findings it accepts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddException {
    /// Findings of this account.
    #[schema(value_type = Option<String>, pattern = r"^\d{12}$")]
    account_id: Option<AccountId>,
    /// Findings of accounts in this OU or root and below.
    #[schema(value_type = Option<String>, pattern = "^(ou|r)-[a-z0-9-]{4,68}$")]
    ou_id: Option<Written<OuId>>,
    /// Findings of this control.
    #[schema(value_type = Option<String>, example = "organizations-changes")]
    control_id: Option<Written<ControlName>>,
    /// Findings with this reason.
    #[schema(value_type = Option<String>, example = "alarm-absent")]
    reason_code: Option<Reason>,
    /// Who answers for it.
    #[schema(min_length = 1, max_length = 500)]
    owner: String,
    /// Why the findings are accepted.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Where that was decided.
    #[schema(min_length = 1, max_length = 500)]
    ticket: Option<String>,
    /// Until when.
    #[schema(value_type = String, format = "date-time")]
    expires_at: Timestamp,
}

/// Accepts findings until a time. No verdict changes; the next sweep tells them as accepted.
#[utoipa::path(
    post, path = "/api/v1/exceptions", tag = "exceptions", request_body = AddException,
    responses(
        (status = 201, description = "It is in force.", body = shapes::ExceptionAnswer,
            headers(("location" = String, description = "Its address."))),
        (status = 200, description = "The very same was in force already.", body = shapes::ExceptionAnswer),
    )
)]
pub(crate) async fn add(
    axum::extract::State(state): axum::extract::State<State>,
    Extension(caller): Extension<Caller>,
    Told(told): Told<AddException>,
) -> Result<Response, Problem> {
    let now = state.now();
    let control = (told.control_id)
        .map(|control| control.0.id(&state))
        .transpose()
        .map_err(|error| Problem::unprocessable("no-such-control", error))?;
    let exception = Exception {
        scope: ExceptionScope {
            account: told.account_id,
            ou: told.ou_id.map(|ou| ou.0.0),
            control,
            reason_code: told.reason_code,
        },
        owner: said("owner", &told.owner)?,
        reason: said("reason", &told.reason)?,
        ticket: told
            .ticket
            .map(|ticket| said("ticket", &ticket))
            .transpose()?,
        expires_at: told.expires_at,
        source: ExceptionSource::Api,
    };
    if exception.scope == ExceptionScope::default() {
        return Err(Problem::unprocessable(
            "accepts-everything",
            "This would accept every finding: say which with account_id, ou_id, control_id or reason_code.",
        ));
    }
    if !exception.is_in_force(now) {
        return Err(Problem::unprocessable(
            "expired-already",
            format!(
                "It would have expired already, at {:.0}.",
                exception.expires_at
            ),
        ));
    }
    let id = exception.id();
    let is_new = state
        .journal()
        .add_exception(now, &exception)
        .await?
        .is_some();
    if is_new {
        tracing::info!(by = caller.by(), exception.id = %id, "an exception was added");
    }
    let added = (every(&state).await?.into_iter())
        .rfind(|past| past.id == id)
        .ok_or_else(Problem::panicked)?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let mut response = answer::json(status, one(None, &added));
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/exceptions/{id}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

/// Ends an exception before it expires.
#[utoipa::path(
    delete, path = "/api/v1/exceptions/{exception}", tag = "exceptions",
    params(("exception" = String, Path, description = "The exception.", pattern = "^[0-9a-f]{10}$")),
    responses((status = 204, description = "It no longer is in force."))
)]
pub(crate) async fn remove(
    axum::extract::State(state): axum::extract::State<State>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<ExceptionId>,
) -> Result<Response, Problem> {
    let now = state.now();
    let known = every(&state).await?;
    let in_force =
        (known.iter()).find(|past| past.id == id && past.state == ExceptionState::InForce);
    if in_force.is_some_and(|past| past.exception.source == ExceptionSource::Configuration) {
        return Err(Problem::conflict(
            "in-configuration",
            "This exception stands in the configuration: take it out there.",
        ));
    }
    let is_removed = (in_force.is_some())
        && (state
            .journal()
            .remove_exception(now, id, Some(caller.by()))
            .await?);
    if !is_removed {
        return Err(Problem::not_found(
            "no-such-exception",
            format!("No exception {id} is in force."),
        ));
    }
    tracing::info!(by = caller.by(), exception.id = %id, "an exception was removed");
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn every(state: &State) -> Result<Vec<PastException>, Problem> {
    let now = state.now();
    let rows = state.store().exceptions().await?;
    Ok(rows
        .into_iter()
        .map(|row| answers::exception(row, now))
        .collect())
}
