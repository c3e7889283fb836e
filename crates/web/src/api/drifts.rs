//! The drifts: what was not as it was, who did it, and who has seen it.

use axum::{Extension, http::HeaderMap, response::Response};
use model::{AccountId, AlertId, DriftId, DriftKind, Severity};
use report::{
    PastDrift,
    json::{one as one_item, page},
};
use serde::Deserialize;
use serde_json::json;
use store::{DriftQuery, JournalKind};
use utoipa::{IntoParams, ToSchema};

use crate::{
    State,
    access::Caller,
    answer::{self, Tag, tagged, tagged_by_body, unchanged},
    api::then::Then,
    asked::{AsOfText, Asked, ControlName, Limit, Named, OuId, Question, ToldMaybe, Written},
    cursor::Cursor,
    problem::Problem,
    shapes,
};

/// Which drifts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DriftsAsked {
    /// Of this account.
    #[param(value_type = Option<String>, pattern = r"^\d{12}$", example = "111122223333")]
    account: Option<AccountId>,
    /// Of accounts that hung in this OU or root, before or after.
    #[param(value_type = Option<String>, pattern = "^(ou|r)-[a-z0-9-]{4,68}$", example = "ou-ab12-34cdefgh")]
    ou: Option<Written<OuId>>,
    /// Of this control.
    #[param(value_type = Option<String>, example = "organizations-changes")]
    control: Option<Written<ControlName>>,
    /// Of this kind.
    #[param(value_type = Option<String>, example = "verdict-changed")]
    kind: Option<DriftKind>,
    /// At least this severe.
    #[param(value_type = Option<shapes::SeverityWord>)]
    severity: Option<Severity>,
    /// Told by this alert.
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{16}$")]
    alert: Option<AlertId>,
    /// Seen until then. Who did them and who has seen them is told as it is known now.
    #[param(value_type = Option<String>, example = "7d")]
    as_of: Option<AsOfText>,
    /// How many at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<Limit>,
    /// Where the answer before ended.
    #[param(value_type = Option<String>)]
    cursor: Option<String>,
}

/// The drifts, the latest first; also those that a sweep under way has found.
#[utoipa::path(
    get, path = "/api/v1/drifts", tag = "drifts", params(DriftsAsked),
    responses((status = 200, description = "A part of the drifts.", body = shapes::DriftsAnswer))
)]
pub(crate) async fn list(
    axum::extract::State(state): axum::extract::State<State>,
    question: Question,
    headers: HeaderMap,
    Asked(asked): Asked<DriftsAsked>,
) -> Result<Response, Problem> {
    let control = (asked.control.as_ref())
        .map(|control| control.0.id(&state))
        .transpose()
        .map_err(|error| Problem::bad_request("no-such-control", error))?;
    let filters = format!(
        "drifts {:?} {:?} {control:?} {:?} {:?} {:?} {:?}",
        asked.account, asked.ou, asked.kind, asked.severity, asked.alert, asked.as_of
    );
    let cursor = (asked.cursor.as_deref())
        .map(|text| Cursor::read(text, &filters))
        .transpose()?;
    let newest = state.store().newest().await?;
    // Drifts only come before those that were read: what is older stays what it is without a moment.
    let moment = match &asked.as_of {
        Some(_) => {
            Then::of(&state, asked.as_of.as_ref(), cursor.as_ref(), &newest)
                .await?
                .moment
        }
        None => None,
    };
    let sweep = moment.map(|moment| moment.sweep);
    let tag = Tag::of(&question, &(sweep, newest.drift, newest.journal));
    if tag.is_had_by(&headers) {
        return Ok(unchanged(&tag));
    }
    let limit = asked.limit.unwrap_or_default().0;
    let query = DriftQuery {
        account: asked.account,
        ou: asked.ou.map(|ou| ou.0.0),
        control,
        kind: asked.kind,
        severity: asked.severity,
        alert: asked.alert,
        to_sweep: sweep,
        after: cursor.as_ref().map(|cursor| cursor.after(0)).transpose()?,
        // One more tells whether there are more.
        limit: Some(limit + 1),
        ..DriftQuery::default()
    };
    let mut rows = state.store().drifts(&query).await?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| has_more).map(|last| {
        let cursor = Cursor {
            sweep,
            after: vec![last.drift.id.to_string()],
        };
        cursor.write(&filters)
    });
    let drifts = answers::with_journal(state.store(), rows).await?;
    let as_of = moment.as_ref().map(answers::line);
    Ok(tagged(&tag, page(as_of.as_ref(), &drifts, next.as_deref())))
}

/// One drift in full.
#[utoipa::path(
    get, path = "/api/v1/drifts/{drift}", tag = "drifts",
    params(("drift" = String, Path, description = "The drift.", pattern = "^[0-9a-f]{16}$")),
    responses((status = 200, description = "The drift.", body = shapes::DriftAnswer))
)]
pub(crate) async fn one(
    axum::extract::State(state): axum::extract::State<State>,
    headers: HeaderMap,
    Named(id): Named<DriftId>,
) -> Result<Response, Problem> {
    let drift = find(&state, id).await?;
    Ok(tagged_by_body(&headers, one_item(None, &drift)))
}

/// What is to be remembered with it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acknowledge {
    /// What else there is to say.
    #[schema(min_length = 1, max_length = 500)]
    note: Option<String>,
}

/// Notes that somebody has seen a drift: the name of the token says who.
#[utoipa::path(
    post, path = "/api/v1/drifts/{drift}/ack", tag = "drifts",
    params(("drift" = String, Path, description = "The drift.", pattern = "^[0-9a-f]{16}$")),
    request_body(content = Option<Acknowledge>, description = "A note; may be left out."),
    responses((status = 200, description = "The drift as it is now.", body = shapes::DriftAnswer))
)]
pub(crate) async fn acknowledge(
    axum::extract::State(state): axum::extract::State<State>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<DriftId>,
    ToldMaybe(told): ToldMaybe<Acknowledge>,
) -> Result<Response, Problem> {
    let note = told
        .note
        .map(|note| crate::asked::said("note", &note))
        .transpose()?;
    find(&state, id).await?;
    let body = json!({ "by": caller.by(), "note": note });
    (state.journal())
        .record(
            state.now(),
            JournalKind::Acknowledgement,
            &id.to_string(),
            &body,
        )
        .await?;
    tracing::info!(by = caller.by(), drift.id = %id, "a drift was acknowledged");
    let drift = find(&state, id).await?;
    Ok(answer::json(
        axum::http::StatusCode::OK,
        one_item(None, &drift),
    ))
}

async fn find(state: &State, id: DriftId) -> Result<PastDrift, Problem> {
    let query = DriftQuery {
        id: Some(id),
        limit: Some(1),
        ..DriftQuery::default()
    };
    let rows = state.store().drifts(&query).await?;
    (answers::with_journal(state.store(), rows).await?)
        .pop()
        .ok_or_else(|| Problem::not_found("no-such-drift", format!("There is no drift {id}.")))
}
