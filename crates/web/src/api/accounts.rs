//! The accounts, with what their findings come to.

use axum::{http::HeaderMap, response::Response};
use model::{AccountId, Verdict};
use report::{
    PastAccount,
    json::{one as one_item, page},
};
use serde::Deserialize;
use store::AccountQuery;
use utoipa::IntoParams;

use crate::{
    State,
    answer::{Tag, tagged, unchanged},
    api::{
        then::{Then, ThenAsked},
        unknown_account::unknown_account,
    },
    asked::{AsOfText, Asked, ControlName, Limit, Named, OuId, Question, Written},
    cursor::Cursor,
    problem::Problem,
    shapes,
};

/// Which accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AccountsAsked {
    /// Accounts that hung in this OU or root, directly or further down.
    #[param(value_type = Option<String>, pattern = "^(ou|r)-[a-z0-9-]{4,68}$", example = "ou-ab12-34cdefgh")]
    ou: Option<Written<OuId>>,
    /// Count findings of this control alone, and list the accounts that have one.
    #[param(value_type = Option<String>, example = "organizations-changes")]
    control: Option<Written<ControlName>>,
    /// Accounts with a finding of this verdict.
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

/// The accounts by id.
#[utoipa::path(
    get, path = "/api/v1/accounts", tag = "history", params(AccountsAsked),
    responses((status = 200, description = "A part of the accounts.", body = shapes::AccountsAnswer))
)]
pub(crate) async fn list(
    axum::extract::State(state): axum::extract::State<State>,
    question: Question,
    headers: HeaderMap,
    Asked(asked): Asked<AccountsAsked>,
) -> Result<Response, Problem> {
    let control = (asked.control.as_ref())
        .map(|control| control.0.id(&state))
        .transpose()
        .map_err(|error| Problem::bad_request("no-such-control", error))?;
    let filters = format!(
        "accounts {:?} {control:?} {:?} {:?}",
        asked.ou, asked.verdict, asked.as_of
    );
    let cursor = (asked.cursor.as_deref())
        .map(|text| Cursor::read(text, &filters))
        .transpose()?;
    let newest = state.store().newest().await?;
    let then = Then::of(&state, asked.as_of.as_ref(), cursor.as_ref(), &newest).await?;
    let tag = Tag::of(&question, &then.sweep());
    if tag.is_had_by(&headers) {
        return Ok(unchanged(&tag));
    }
    let Some(sweep) = then.sweep() else {
        return Ok(tagged(&tag, page::<PastAccount>(None, &[], None)));
    };
    let limit = asked.limit.unwrap_or_default().0;
    let query = AccountQuery {
        ou: asked.ou.map(|ou| ou.0.0),
        control,
        verdict: asked.verdict,
        sweep: Some(sweep),
        after: cursor.as_ref().map(|cursor| cursor.after(0)).transpose()?,
        // One more tells whether there are more.
        limit: Some(limit + 1),
        ..AccountQuery::default()
    };
    let mut rows = state.store().accounts(&query).await?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| has_more).map(|last| {
        let cursor = Cursor {
            sweep: Some(sweep),
            after: vec![last.account.id.to_string()],
        };
        cursor.write(&filters)
    });
    let accounts: Vec<PastAccount> = rows.into_iter().map(answers::account).collect();
    Ok(tagged(
        &tag,
        page(then.line().as_ref(), &accounts, next.as_deref()),
    ))
}

/// One account.
#[utoipa::path(
    get, path = "/api/v1/accounts/{account}", tag = "history",
    params(("account" = String, Path, description = "The account.", pattern = r"^\d{12}$"), ThenAsked),
    responses((status = 200, description = "The account.", body = shapes::AccountAnswer))
)]
pub(crate) async fn one(
    axum::extract::State(state): axum::extract::State<State>,
    question: Question,
    headers: HeaderMap,
    Named(account): Named<AccountId>,
    Asked(asked): Asked<ThenAsked>,
) -> Result<Response, Problem> {
    let newest = state.store().newest().await?;
    let then = Then::of(&state, asked.as_of.as_ref(), None, &newest).await?;
    let moment = then.needed()?;
    let query = AccountQuery {
        account: Some(account),
        sweep: Some(moment.sweep),
        limit: Some(1),
        ..AccountQuery::default()
    };
    let Some(row) = state.store().accounts(&query).await?.pop() else {
        let sweep = moment.sweep;
        let otherwise = format!("Nothing is known of account {account} as of sweep {sweep}.");
        return Err(unknown_account(&state, "no-such-account", account, sweep, otherwise).await?);
    };
    let tag = Tag::of(&question, &moment.sweep);
    if tag.is_had_by(&headers) {
        return Ok(unchanged(&tag));
    }
    Ok(tagged(
        &tag,
        one_item(then.line().as_ref(), &answers::account(row)),
    ))
}
