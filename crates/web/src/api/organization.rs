//! The organization as a whole.

use axum::{http::HeaderMap, response::Response};
use report::{OrganizationLine, PastOrganization, json::one};
use store::FindingQuery;

use crate::{
    State,
    answer::{Tag, tagged, unchanged},
    api::{
        counted::counts,
        then::{Then, ThenAsked},
    },
    asked::{Asked, Question},
    problem::Problem,
    shapes,
};

/// The organization: its verdict, and how many findings have which.
#[utoipa::path(
    get, path = "/api/v1/organization", tag = "history", params(ThenAsked),
    responses((status = 200, description = "The organization.", body = shapes::OrganizationAnswer))
)]
pub(crate) async fn organization(
    axum::extract::State(state): axum::extract::State<State>,
    question: Question,
    headers: HeaderMap,
    Asked(asked): Asked<ThenAsked>,
) -> Result<Response, Problem> {
    let newest = state.store().newest().await?;
    let then = Then::of(&state, asked.as_of.as_ref(), None, &newest).await?;
    let moment = then.needed()?;
    let tag = Tag::of(&question, &moment.sweep);
    if tag.is_had_by(&headers) {
        return Ok(unchanged(&tag));
    }
    let counts = counts(&state, moment.sweep).await?;
    let sweep = state.store().sweep(moment.sweep).await?;
    let (described, discovery) =
        sweep.map_or((None, None), |row| (row.organization, row.discovery));
    let described = match described {
        Some(described) => Some(described),
        None => state.store().organization().await?,
    };
    let organization = match described {
        Some(described) => {
            let query = FindingQuery {
                account: Some(described.management_account),
                sweep: Some(moment.sweep),
                without_chains: true,
                ..FindingQuery::default()
            };
            let own = state.store().findings(&query).await?;
            Some(OrganizationLine {
                id: described.id,
                management_account_id: described.management_account,
                verdict: answers::organization_verdict(own.iter().map(|row| &row.finding)),
            })
        }
        None => None,
    };
    let organization = PastOrganization {
        organization,
        accounts: counts.accounts,
        verdicts: counts.verdicts(),
        controls: counts.controls.clone(),
        discovery,
    };
    Ok(tagged(&tag, one(then.line().as_ref(), &organization)))
}
