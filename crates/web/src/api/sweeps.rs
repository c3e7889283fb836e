//! The sweeps: those that were, and the next one.

use std::collections::BTreeSet;

use axum::{
    Extension,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use daemon::{SweepRequest, SweepRequested};
use model::{AccountId, SweepId};
use report::{
    PastSweep,
    json::{one as one_item, page},
};
use serde::Deserialize;
use serde_json::json;
use store::{AccountQuery, SweepQuery};
use utoipa::{IntoParams, ToSchema};

use crate::{
    State,
    access::Caller,
    answer::{self, tagged_by_body},
    asked::{Asked, Limit, Named, OuId, SweepNumber, ToldMaybe, Written},
    cursor::Cursor,
    problem::Problem,
    shapes,
};

/// What may be named at once: what names more wants all of it.
const MOST_NAMED: usize = 1000;

/// Which sweeps.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SweepsAsked {
    /// How many at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<Limit>,
    /// Where the answer before ended.
    #[param(value_type = Option<String>)]
    cursor: Option<String>,
}

/// The sweeps, the latest first.
#[utoipa::path(
    get, path = "/api/v1/sweeps", tag = "sweeps", params(SweepsAsked),
    responses((status = 200, description = "A part of the sweeps.", body = shapes::SweepsAnswer))
)]
pub(crate) async fn list(
    axum::extract::State(state): axum::extract::State<State>,
    headers: HeaderMap,
    Asked(asked): Asked<SweepsAsked>,
) -> Result<Response, Problem> {
    const QUESTION: &str = "sweeps";
    let cursor = (asked.cursor.as_deref())
        .map(|text| Cursor::read(text, QUESTION))
        .transpose()?;
    let last = cursor.map(|cursor| cursor.after::<i64>(0)).transpose()?;
    let limit = asked.limit.unwrap_or_default().0;
    let query = SweepQuery {
        to_sweep: last.map(|last| SweepId(last.saturating_sub(1))),
        limit: Some(limit + 1),
        ..SweepQuery::default()
    };
    let mut entries = state.store().sweep_list(&query).await?;
    let has_more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| has_more).map(|last| {
        let cursor = Cursor {
            sweep: None,
            after: vec![last.sweep.id.0.to_string()],
        };
        cursor.write(QUESTION)
    });
    let sweeps: Vec<PastSweep> = entries.into_iter().map(answers::sweep).collect();
    Ok(tagged_by_body(
        &headers,
        page(None, &sweeps, next.as_deref()),
    ))
}

/// One sweep.
#[utoipa::path(
    get, path = "/api/v1/sweeps/{sweep}", tag = "sweeps",
    params(("sweep" = i64, Path, description = "The number of the sweep.", minimum = 1)),
    responses((status = 200, description = "The sweep.", body = shapes::SweepAnswer))
)]
pub(crate) async fn one(
    axum::extract::State(state): axum::extract::State<State>,
    headers: HeaderMap,
    Named(SweepNumber(sweep)): Named<SweepNumber>,
) -> Result<Response, Problem> {
    let query = SweepQuery {
        to_sweep: Some(sweep),
        limit: Some(1),
        ..SweepQuery::default()
    };
    let found = state.store().sweep_list(&query).await?.pop();
    let entry = found
        .filter(|entry| entry.sweep.id == sweep)
        .ok_or_else(|| {
            Problem::not_found("no-such-sweep", format!("There is no sweep {sweep}."))
        })?;
    Ok(tagged_by_body(
        &headers,
        one_item(None, &answers::sweep(entry)),
    ))
}

/// What to look at; all of it where nothing is named.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartSweep {
    /// Only these accounts.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 1000)]
    accounts: Vec<AccountId>,
    /// Only accounts in these OUs or roots, directly or further down.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 1000)]
    ous: Vec<Written<OuId>>,
}

/// Asks for a sweep, of all that is configured or of a part of it. It begins when no other runs;
/// `/api/v1/status` and `/api/v1/events` tell how far it is.
#[utoipa::path(
    post, path = "/api/v1/sweeps", tag = "sweeps",
    request_body(content = Option<StartSweep>, description = "What to look at; may be left out."),
    responses(
        (status = 202, description = "It begins as soon as it can.", body = shapes::SweepStarted,
            headers(("location" = String, description = "Where its progress is."))),
        (status = 422, description = "Nothing is known of an account or an OU that was named, although the whole \
            account list was read (`no-such-account`, `no-such-ou`); or what was asked is in no form to be read.",
            body = shapes::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn start(
    axum::extract::State(state): axum::extract::State<State>,
    Extension(caller): Extension<Caller>,
    ToldMaybe(told): ToldMaybe<StartSweep>,
) -> Result<Response, Problem> {
    if told.accounts.len().max(told.ous.len()) > MOST_NAMED {
        return Err(Problem::unprocessable(
            "too-many-named",
            format!(
                "At most {MOST_NAMED} accounts or OUs may be named; name OUs, or nothing for all."
            ),
        ));
    }
    let request = SweepRequest {
        accounts: told.accounts,
        ous: told.ous.into_iter().map(|ou| ou.0.0).collect(),
    };
    check_known(&state, &request).await?;
    let (accounts, ous) = (request.accounts.len(), request.ous.len());
    let requested = state.service().sweep(request).await?;
    tracing::info!(by = caller.by(), accounts, ous, "a sweep was asked for");
    let sweep = match requested {
        SweepRequested::Queued => "queued",
        SweepRequested::AlreadyQueued => "already_queued",
    };
    let body = json!({ "schema_version": 1, "sweep": sweep });
    let mut response = answer::json(StatusCode::ACCEPTED, report::json::compact(&body));
    let place = HeaderValue::from_static("/api/v1/status");
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}

/// Refuses what the sweep could not find: nobody who asked would hear of it. Before the whole account list was
/// read, nobody knows.
async fn check_known(state: &State, request: &SweepRequest) -> Result<(), Problem> {
    let names_nothing = request.accounts.is_empty() && request.ous.is_empty();
    let store = state.store();
    if names_nothing || !store.knows_every_account().await? {
        return Ok(());
    }
    let known = store.remembered_accounts().await?;
    let members: BTreeSet<AccountId> = known.iter().map(|account| account.id).collect();
    for account in (request.accounts.iter()).filter(|account| !members.contains(*account)) {
        // One that was named by hand is remembered, and no member.
        let query = AccountQuery {
            account: Some(*account),
            ..AccountQuery::default()
        };
        if store.accounts(&query).await?.is_empty() {
            return Err(Problem::unprocessable(
                "no-such-account",
                format!(
                    "The last account list has no account {account}. Where it is new, ask for a sweep without naming \
                     anything: that reads the list anew."
                ),
            ));
        }
    }
    let hangs_in = |ou: &String| {
        (known.iter().filter_map(|account| account.ou_path.as_ref()))
            .any(|path| path.0.contains(ou))
    };
    match request.ous.iter().find(|ou| !hangs_in(ou)) {
        None => Ok(()),
        Some(ou) => Err(Problem::unprocessable(
            "no-such-ou",
            format!(
                "The last account list has no account in {ou}. Where it is new, ask for a sweep without naming \
                 anything: that reads the list anew."
            ),
        )),
    }
}
