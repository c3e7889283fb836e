//! Takes connections and answers requests until it is told to stop.
//!
//! The accept loop is our own because of what must be bounded: how many connections there are, how long one
//! may take to send the head of a request or to take an answer, and how large that head may be.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_service::Service as _;

use crate::{Error, State, access::Connection, check_binding, router::router};

/// Each costs a task and some buffers. Whoever comes beyond them waits in the kernel's queue.
const CONNECTIONS: usize = 512;
/// Until the head of a request is there, and how long a connection may be idle between two.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// Until a client takes some more of an answer.
const TAKEN_WITHIN: Duration = Duration::from_secs(20);
/// No honest head has more.
const HEADERS: usize = 64;
const HEAD_BYTES: usize = 32 * 1024;
/// How long requests at hand may go on after the stop.
const GRACE: Duration = Duration::from_secs(5);
/// After a failure to accept, which mostly means that there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves the API on this listener until `stop`, and then for as long as requests at hand take, but not long.
///
/// Refuses a listener that others reach where no token is taken; [`check_binding`] says so before it is bound.
pub async fn serve(
    listener: TcpListener,
    state: State,
    stop: CancellationToken,
) -> Result<(), Error> {
    let address = listener.local_addr().map_err(Error::Listen)?;
    check_binding(address, state.store(), state.now()).await?;
    let is_on_loopback = address.ip().to_canonical().is_loopback();
    tracing::info!(listen = %address, "the API is served");
    let router = router(&state);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let (connections, end) = (TaskTracker::new(), CancellationToken::new());
    while let Some((stream, peer, place)) = accept(&listener, &places, &stop).await {
        let connection = Connection {
            peer,
            is_on_loopback,
            stop: stop.clone(),
        };
        let (router, end) = (router.clone(), end.clone());
        connections.spawn(async move {
            let _place: OwnedSemaphorePermit = place;
            end.run_until_cancelled(converse(stream, router, connection))
                .await;
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(connections = connections.len(), "connections are cut off");
        end.cancel();
        connections.wait().await;
    }
    Ok(())
}

/// The next connection; `None` when it is time to stop.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let mut place = None;
    loop {
        if place.is_none() {
            let free = Arc::clone(places).acquire_owned();
            place = stop.run_until_cancelled(free).await?.ok();
        }
        match stop.run_until_cancelled(listener.accept()).await? {
            Ok((stream, peer)) => return Some((stream, peer.ip(), place.take()?)),
            Err(error) => {
                tracing::warn!(error = %error, "a connection was not accepted");
                stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await?;
            }
        }
    }
}

async fn converse(stream: TcpStream, router: Router, connection: Connection) {
    // Answers are written whole: waiting for more to send would only make them late.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(TAKEN_WITHIN));
    let stop = connection.stop.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(connection.clone());
        router.clone().call(request)
    });
    let conversation = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::pin!(conversation);
    let ended = tokio::select! {
        ended = conversation.as_mut() => ended,
        () = stop.cancelled() => {
            conversation.as_mut().graceful_shutdown();
            conversation.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection ended");
    }
}
