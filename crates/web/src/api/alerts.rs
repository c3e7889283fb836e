//! The alerts: what people were told, whether it still lasts, and what did not reach them.

use axum::{
    Extension,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use daemon::TaskName;
use model::{AlertId, DeliveryState};
use report::{
    alerts::{PastAlert, PastDelivery, one_in_json},
    json::{compact, page},
};
use serde::Deserialize;
use serde_json::json;
use store::{AlertQuery, AlertRow, DeliveryQuery, DriftQuery, Resend};
use utoipa::IntoParams;

use crate::{
    State,
    access::Caller,
    answer::{self, tagged_by_body},
    asked::{Asked, Limit, Named},
    cursor::Cursor,
    problem::Problem,
    shapes,
};

/// How many drifts, and how many deliveries, come with one alert. The lists have the rest.
const WITH_ALERT: u32 = 100;

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertsAsked {
    /// Only those of which something is still to be mended, or only those of which nothing is.
    lasts: Option<bool>,
    /// How many at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<Limit>,
    /// Where the answer before ended.
    #[param(value_type = Option<String>)]
    cursor: Option<String>,
}

/// What people were told, the latest first. Alerts are told as they are now.
#[utoipa::path(
    get, path = "/api/v1/alerts", tag = "alerts", params(AlertsAsked),
    responses((status = 200, description = "A part of the alerts.", body = shapes::AlertsAnswer))
)]
pub(crate) async fn list(
    axum::extract::State(state): axum::extract::State<State>,
    headers: HeaderMap,
    Asked(asked): Asked<AlertsAsked>,
) -> Result<Response, Problem> {
    let filters = format!("alerts {:?}", asked.lasts);
    let limit = asked.limit.unwrap_or_default().0;
    let query = AlertQuery {
        lasts: asked.lasts,
        before: before(asked.cursor.as_deref(), &filters)?,
        // One more tells whether there are more.
        limit: Some(limit + 1),
        ..AlertQuery::default()
    };
    let mut rows = state.store().alerts(&query).await?;
    let next = next(&mut rows, limit, |row| row.number, &filters);
    let alerts: Vec<PastAlert> = rows.into_iter().map(answers::alert).collect();
    Ok(tagged_by_body(
        &headers,
        page(None, &alerts, next.as_deref()),
    ))
}

/// One alert, with the latest hundred of its drifts and of its deliveries; the lists of both have all.
#[utoipa::path(
    get, path = "/api/v1/alerts/{alert}", tag = "alerts",
    params(("alert" = String, Path, description = "The alert.", pattern = "^[0-9a-f]{16}$")),
    responses((status = 200, description = "The alert.", body = shapes::AlertAnswer))
)]
pub(crate) async fn one(
    axum::extract::State(state): axum::extract::State<State>,
    headers: HeaderMap,
    Named(id): Named<AlertId>,
) -> Result<Response, Problem> {
    let alert = answers::alert(find(&state, id).await?);
    let drifts = DriftQuery {
        alert: Some(id),
        limit: Some(WITH_ALERT),
        ..DriftQuery::default()
    };
    let drifts = state.store().drifts(&drifts).await?;
    let drifts = answers::with_journal(state.store(), drifts).await?;
    let deliveries = DeliveryQuery {
        alert: Some(id),
        limit: Some(WITH_ALERT),
        ..DeliveryQuery::default()
    };
    let deliveries: Vec<PastDelivery> = (state.store().deliveries(&deliveries).await?)
        .into_iter()
        .map(answers::delivery)
        .collect();
    let body = one_in_json(&alert, &drifts, &deliveries);
    Ok(tagged_by_body(&headers, body))
}

/// Sends what was told of an alert and was given up once more, under the same keys.
#[utoipa::path(
    post, path = "/api/v1/alerts/{alert}/retry", tag = "alerts",
    params(("alert" = String, Path, description = "The alert.", pattern = "^[0-9a-f]{16}$")),
    responses((status = 200, description = "They are on their way.", body = shapes::RetryAnswer))
)]
pub(crate) async fn retry(
    axum::extract::State(state): axum::extract::State<State>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<AlertId>,
) -> Result<Response, Problem> {
    find(&state, id).await?;
    let retried = (state.journal())
        .resend(state.now(), &Resend::Alert(id))
        .await?;
    if retried > 0 {
        tracing::info!(
            by = caller.by(),
            alert.id = %id,
            retried,
            "deliveries that were given up are tried again"
        );
        // One that stops leaves them to the next.
        let _ = state.service().wake(TaskName::DeliverAlerts).await;
    }
    let body = json!({ "schema_version": 1, "retried": retried });
    Ok(answer::json(StatusCode::OK, compact(&body)))
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveriesAsked {
    /// Of this alert.
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{16}$")]
    alert: Option<AlertId>,
    /// To this channel, as the configuration calls it.
    channel: Option<String>,
    /// As far as this: `dead` is what did not arrive, `pending` what has not arrived yet.
    #[param(value_type = Option<shapes::DeliveryWord>)]
    state: Option<DeliveryState>,
    /// How many at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<Limit>,
    /// Where the answer before ended.
    #[param(value_type = Option<String>)]
    cursor: Option<String>,
}

/// How far each notice to each channel is, the latest first.
#[utoipa::path(
    get, path = "/api/v1/deliveries", tag = "alerts", params(DeliveriesAsked),
    responses((status = 200, description = "A part of the deliveries.", body = shapes::DeliveriesAnswer))
)]
pub(crate) async fn deliveries(
    axum::extract::State(state): axum::extract::State<State>,
    headers: HeaderMap,
    Asked(asked): Asked<DeliveriesAsked>,
) -> Result<Response, Problem> {
    let filters = format!(
        "deliveries {:?} {:?} {:?}",
        asked.alert, asked.channel, asked.state
    );
    let limit = asked.limit.unwrap_or_default().0;
    let query = DeliveryQuery {
        alert: asked.alert,
        channel: asked.channel,
        state: asked.state,
        before: before(asked.cursor.as_deref(), &filters)?,
        limit: Some(limit + 1),
    };
    let mut rows = state.store().deliveries(&query).await?;
    let next = next(&mut rows, limit, |row| row.number, &filters);
    let deliveries: Vec<PastDelivery> = rows.into_iter().map(answers::delivery).collect();
    Ok(tagged_by_body(
        &headers,
        page(None, &deliveries, next.as_deref()),
    ))
}

/// The row that the part before ended with. What is new comes before it and moves nothing.
fn before(cursor: Option<&str>, filters: &str) -> Result<Option<i64>, Problem> {
    cursor
        .map(|text| Cursor::read(text, filters)?.after(0))
        .transpose()
}

/// Cuts off what is too much, and says where the list goes on.
fn next<T>(
    rows: &mut Vec<T>,
    limit: u32,
    number: impl Fn(&T) -> i64,
    filters: &str,
) -> Option<String> {
    let limit = limit as usize;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| has_more)?;
    let cursor = Cursor {
        sweep: None,
        after: vec![number(last).to_string()],
    };
    Some(cursor.write(filters))
}

async fn find(state: &State, id: AlertId) -> Result<AlertRow, Problem> {
    let query = AlertQuery {
        id: Some(id),
        ..AlertQuery::default()
    };
    (state.store().alerts(&query).await?)
        .pop()
        .ok_or_else(|| Problem::not_found("no-such-alert", format!("There is no alert {id}.")))
}
