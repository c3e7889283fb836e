//! What happens in the service, as it happens: server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    http::{HeaderValue, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use daemon::{ServiceEvent, ServiceStatus};
use futures::{Stream, stream};
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, broadcast},
    time::{Interval, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use crate::{
    State,
    access::{Caller, Connection, is_still_taken},
    problem::Problem,
};

/// How many may listen at a time: each is a connection that stays.
pub(crate) const STREAMS: usize = 64;

/// How often a stream says that it lives, and whether its token still is taken.
const BEAT: Duration = Duration::from_secs(15);

/// What happens from now on.
///
/// First `status`, how the service is; then `progress`, `sweep_ended` and `sweep_failed` as they happen, each
/// with an object in JSON. `missed` says that whoever reads is too slow: ask for the status again.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "sweeps",
    responses((status = 200, description = "Events, until either side ends it.", body = String,
        content_type = "text/event-stream"))
)]
pub(crate) async fn events(
    axum::extract::State(state): axum::extract::State<State>,
    Extension(caller): Extension<Caller>,
    Extension(connection): Extension<Connection>,
) -> Response {
    let Ok(place) = Arc::clone(state.streams()).try_acquire_owned() else {
        return Problem::unavailable("too-many-streams", "Too many listen already.")
            .into_response();
    };
    // Before the status is read, so that nothing is lost in between.
    let happening = state.service().events();
    let status = state.service().status();
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + BEAT, BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let listener = Listener {
        first: Some(status),
        happening,
        beat,
        stop: connection.stop,
        state,
        caller,
        _place: place,
    };
    let mut response = Sse::new(listener.stream())
        .keep_alive(KeepAlive::new().interval(BEAT))
        .into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

struct Listener {
    first: Option<Arc<ServiceStatus>>,
    happening: broadcast::Receiver<ServiceEvent>,
    beat: Interval,
    stop: CancellationToken,
    state: State,
    caller: Caller,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        stream::unfold(self, |mut listener| async move {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        })
    }

    /// The next event; `None` when the stream is over.
    async fn next(&mut self) -> Option<Event> {
        if let Some(status) = self.first.take() {
            return Some(event("status", &*status));
        }
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                _ = self.beat.tick() => {
                    // Its token may have been revoked meanwhile.
                    if !is_still_taken(&self.state, &self.caller).await {
                        return None;
                    }
                }
                happened = self.happening.recv() => return match happened {
                    Ok(happened) => Some(event(name(&happened), &happened)),
                    Err(broadcast::error::RecvError::Lagged(missed)) => {
                        Some(event("missed", &serde_json::json!({ "events": missed })))
                    }
                    Err(broadcast::error::RecvError::Closed) => None,
                },
            }
        }
    }
}

fn name(event: &ServiceEvent) -> &'static str {
    match event {
        ServiceEvent::Progress(_) => "progress",
        ServiceEvent::SweepEnded(_) => "sweep_ended",
        ServiceEvent::SweepFailed { .. } => "sweep_failed",
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    let json = report::json::compact(data);
    Event::default()
        .event(name)
        .data(String::from_utf8_lossy(&json))
}
