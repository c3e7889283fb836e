//! The findings, in brief.

use axum::{http::HeaderMap, response::Response};
use model::{AccountId, Verdict};
use report::{BriefFinding, json::page};
use serde::Deserialize;
use store::FindingQuery;
use utoipa::IntoParams;

use crate::{
    State,
    answer::{Tag, tagged, unchanged},
    api::{
        excepted::{in_force, names},
        then::Then,
    },
    asked::{AsOfText, Asked, ControlName, Limit, OuId, Question, Written},
    cursor::Cursor,
    problem::Problem,
    shapes,
};

/// Which findings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FindingsAsked {
    /// Of this account.
    #[param(value_type = Option<String>, pattern = r"^\d{12}$", example = "111122223333")]
    account: Option<AccountId>,
    /// Of accounts that hung in this OU or root, directly or further down.
    #[param(value_type = Option<String>, pattern = "^(ou|r)-[a-z0-9-]{4,68}$", example = "ou-ab12-34cdefgh")]
    ou: Option<Written<OuId>>,
    /// Of this control: a slug, 4.15, 5.15@v6.0.
    #[param(value_type = Option<String>, example = "organizations-changes")]
    control: Option<Written<ControlName>>,
    /// With this verdict.
    #[param(value_type = Option<shapes::VerdictWord>)]
    verdict: Option<Verdict>,
    /// As of when; otherwise as of the last sweep that has finished.
    #[param(value_type = Option<String>, example = "7d")]
    as_of: Option<AsOfText>,
    /// How many at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<Limit>,
    /// Where the answer before ended.
    #[param(value_type = Option<String>)]
    cursor: Option<String>,
}

/// The findings by account and control, without their chains, which `explain` has.
#[utoipa::path(
    get, path = "/api/v1/findings", tag = "history", params(FindingsAsked),
    responses((status = 200, description = "A part of the findings.", body = shapes::FindingsAnswer))
)]
pub(crate) async fn list(
    axum::extract::State(state): axum::extract::State<State>,
    question: Question,
    headers: HeaderMap,
    Asked(asked): Asked<FindingsAsked>,
) -> Result<Response, Problem> {
    let control = (asked.control.as_ref())
        .map(|control| control.0.id(&state))
        .transpose()
        .map_err(|error| Problem::bad_request("no-such-control", error))?;
    let filters = format!(
        "findings {:?} {:?} {control:?} {:?} {:?}",
        asked.account, asked.ou, asked.verdict, asked.as_of
    );
    let cursor = (asked.cursor.as_deref())
        .map(|text| Cursor::read(text, &filters))
        .transpose()?;
    let newest = state.store().newest().await?;
    let then = Then::of(&state, asked.as_of.as_ref(), cursor.as_ref(), &newest).await?;
    let exceptions = in_force(&state, &newest, then.exceptions_at).await?;
    let tag = Tag::of(
        &question,
        &(then.sweep(), then.known_until, names(&exceptions)),
    );
    if tag.is_had_by(&headers) {
        return Ok(unchanged(&tag));
    }
    let Some(sweep) = then.sweep() else {
        return Ok(tagged(&tag, page::<BriefFinding>(None, &[], None)));
    };
    let limit = asked.limit.unwrap_or_default().0;
    let after = match &cursor {
        Some(cursor) => Some((cursor.after(0)?, cursor.after(1)?)),
        None => None,
    };
    let query = FindingQuery {
        account: asked.account,
        ou: asked.ou.map(|ou| ou.0.0),
        control,
        verdict: asked.verdict,
        sweep: Some(sweep),
        after,
        // One more tells whether there are more.
        limit: Some(limit + 1),
        without_chains: true,
        ..FindingQuery::default()
    };
    let mut rows = state.store().findings(&query).await?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| has_more).map(|last| {
        let cursor = Cursor {
            sweep: Some(sweep),
            after: vec![
                last.finding.account.to_string(),
                last.finding.control.to_string(),
            ],
        };
        cursor.write(&filters)
    });
    let findings: Vec<BriefFinding> = (rows.into_iter())
        .map(|row| {
            let mut past = answers::finding(row);
            past.until_sweep = then.until(past.until_sweep);
            answers::accept(std::slice::from_mut(&mut past.entry), &exceptions);
            BriefFinding(past)
        })
        .collect();
    Ok(tagged(
        &tag,
        page(then.line().as_ref(), &findings, next.as_deref()),
    ))
}
