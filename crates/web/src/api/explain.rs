//! One finding in full: the chain, link by link.

use axum::{http::HeaderMap, response::Response};
use model::AccountId;
use report::json::one;
use store::FindingQuery;

use crate::{
    State,
    answer::{Tag, tagged, unchanged},
    api::{
        excepted::{in_force, names},
        then::{Then, ThenAsked},
        unknown_account::unknown_account,
    },
    asked::{Asked, BothNamed, ControlName, Question},
    problem::Problem,
    shapes,
};

/// Why an account has its verdict by a control: every candidate of the chain and what became of it.
#[utoipa::path(
    get, path = "/api/v1/explain/{account}/{control}", tag = "history",
    params(
        ("account" = String, Path, description = "The account.", pattern = r"^\d{12}$"),
        ("control" = String, Path, description = "The control: a slug, 4.15, 5.15@v6.0."),
        ThenAsked
    ),
    responses((status = 200, description = "The finding with its chain.", body = shapes::FindingAnswer))
)]
pub(crate) async fn explain(
    axum::extract::State(state): axum::extract::State<State>,
    question: Question,
    headers: HeaderMap,
    BothNamed(account, control): BothNamed<AccountId, ControlName>,
    Asked(asked): Asked<ThenAsked>,
) -> Result<Response, Problem> {
    let control =
        (control.id(&state)).map_err(|error| Problem::not_found("no-such-control", error))?;
    let newest = state.store().newest().await?;
    let then = Then::of(&state, asked.as_of.as_ref(), None, &newest).await?;
    let moment = then.needed()?;
    let exceptions = in_force(&state, &newest, then.exceptions_at).await?;
    let query = FindingQuery {
        account: Some(account),
        control: Some(control.clone()),
        sweep: Some(moment.sweep),
        limit: Some(1),
        ..FindingQuery::default()
    };
    let Some(row) = state.store().findings(&query).await?.pop() else {
        let sweep = moment.sweep;
        let otherwise =
            format!("Nothing is known of account {account} by {control} as of sweep {sweep}.");
        return Err(unknown_account(&state, "no-such-finding", account, sweep, otherwise).await?);
    };
    let tag = Tag::of(
        &question,
        &(moment.sweep, then.known_until, names(&exceptions)),
    );
    if tag.is_had_by(&headers) {
        return Ok(unchanged(&tag));
    }
    let mut finding = answers::finding(row);
    finding.until_sweep = then.until(finding.until_sweep);
    answers::accept(std::slice::from_mut(&mut finding.entry), &exceptions);
    Ok(tagged(&tag, one(then.line().as_ref(), &finding)))
}
