//! The connections: who serves them, and how a request becomes an answer on the wire.

use std::convert::Infallible;
use std::io;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::answer::{Action, Shared};

/// No operation here has a request near this size.
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// What is under this path is about the simulator; no API of AWS has such a one.
const CONTROL_PATH: &str = "/_simulator/";

/// Those who serve connections. Dropping this ends every connection.
#[derive(Debug)]
pub(crate) enum Connections {
    /// The runtime that accepts them.
    Here(JoinSet<()>, Arc<Shared>),
    /// Threads, each with a runtime of its own: a connection stays with its thread, so nothing is
    /// handed from core to core while it is answered.
    Threads(Vec<mpsc::UnboundedSender<std::net::TcpStream>>, usize),
}

impl Connections {
    pub(crate) fn new(threads: Option<NonZeroUsize>, shared: Arc<Shared>) -> io::Result<Self> {
        let Some(threads) = threads else {
            return Ok(Self::Here(JoinSet::new(), shared));
        };
        let mut senders = Vec::with_capacity(threads.get());
        for number in 0..threads.get() {
            let (sender, streams) = mpsc::unbounded_channel();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("simulator-{number}"))
                .spawn(move || runtime.block_on(serve_all(streams, shared)))?;
            senders.push(sender);
        }
        Ok(Self::Threads(senders, 0))
    }

    fn take(&mut self, stream: TcpStream) {
        match self {
            Self::Here(connections, shared) => {
                connections.spawn(serve(stream, Arc::clone(shared)));
                while connections.try_join_next().is_some() {}
            }
            Self::Threads(senders, turn) => {
                *turn = (*turn + 1) % senders.len().max(1);
                let given = stream
                    .into_std()
                    .map(|stream| senders[*turn].send(stream).is_ok());
                if !given.unwrap_or(false) {
                    tracing::warn!("the simulator could not hand over a connection");
                }
            }
        }
    }
}

/// Serves what it is handed until the other end is gone.
async fn serve_all(mut streams: mpsc::UnboundedReceiver<std::net::TcpStream>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Some(stream) = streams.recv().await {
        match TcpStream::from_std(stream) {
            Ok(stream) => {
                connections.spawn(serve(stream, Arc::clone(&shared)));
                while connections.try_join_next().is_some() {}
            }
            Err(error) => tracing::warn!(%error, "the simulator lost a connection"),
        }
    }
}

pub(crate) async fn accept(listener: TcpListener, mut connections: Connections) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => connections.take(stream),
            // Out of file descriptors, most likely: a moment later there may be some.
            Err(error) => {
                tracing::warn!(%error, "the simulator could not accept a connection");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let answer = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { answer(request, &shared).await }
    });
    // Without a limit on how long a client may take for its headers: it would cost a timer for
    // each request, and a client that keeps a connection open for later should find it open.
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        // Answers are small: copying a body behind its headers is cheaper than two pieces.
        .writev(false)
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection to the simulator ended early");
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Response<Outgoing>, Infallible> {
    let (parts, body) = request.into_parts();
    if let Some(what) = parts.uri.path().strip_prefix(CONTROL_PATH) {
        return Ok(control(&parts.method, what, parts.uri.query(), shared));
    }
    let Ok(body) = Limited::new(body, MAX_REQUEST_BYTES).collect().await else {
        let mut refusal = Response::new(whole(Vec::new()));
        *refusal.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(refusal);
    };
    let reply = shared.answer(&parts, &body.to_bytes());
    // They are pieces of the connection's read buffer, which could not be used again while the
    // answer waits for its time.
    drop(parts);
    if let Some(delay) = reply.delay {
        tokio::time::sleep(delay).await;
    }
    match reply.action {
        Action::Send(response) => Ok(response.map(whole)),
        Action::BreakOff(response) => Ok(response.map(broken)),
        Action::NeverAnswer => std::future::pending().await,
    }
}

/// Tells of the calls, or forgets them, for scripts that measure a client; lets the world go on.
/// These requests are no calls, and need no signature.
fn control(
    method: &Method,
    what: &str,
    query: Option<&str>,
    shared: &Shared,
) -> Response<Outgoing> {
    let (status, body) = match (what, method) {
        ("advance", &Method::POST) => advance(query, shared),
        ("report", &Method::GET) => {
            let report = serde_json::to_vec(&shared.load_report()).unwrap_or_default();
            (StatusCode::OK, report)
        }
        ("reset", &Method::POST) => {
            shared.reset();
            (StatusCode::NO_CONTENT, Vec::new())
        }
        ("advance" | "report" | "reset", _) => (StatusCode::METHOD_NOT_ALLOWED, Vec::new()),
        _ => (StatusCode::NOT_FOUND, Vec::new()),
    };
    let mut response = Response::new(whole(body));
    *response.status_mut() = status;
    if status == StatusCode::OK {
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
    }
    response
}

/// Goes on to the next change of the timeline, or by the time in `by=10m`.
fn advance(query: Option<&str>, shared: &Shared) -> (StatusCode, Vec<u8>) {
    let asked = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "by")
        .map(|(_, time)| time.parse::<jiff::SignedDuration>());
    let made = match asked {
        None => shared.advance().map(|made| made.into_iter().collect()),
        Some(Ok(time)) => shared.advance_by(time),
        Some(Err(error)) => return (StatusCode::BAD_REQUEST, error.to_string().into_bytes()),
    };
    match made {
        Ok(changes) => {
            let made: Vec<_> = changes
                .iter()
                .map(|change| {
                    serde_json::json!({
                        "operation": change.operation.name(),
                        "account": change.account,
                        "region": change.region,
                    })
                })
                .collect();
            let body = serde_json::json!({ "changes": made });
            (StatusCode::OK, body.to_string().into_bytes())
        }
        Err(error) => (StatusCode::CONFLICT, error.to_string().into_bytes()),
    }
}

/// A body that may stop in the middle.
#[derive(Debug)]
enum Outgoing {
    Whole(Full<Bytes>),
    /// The part that is sent, and how long the whole was said to be.
    Broken {
        part: Option<Bytes>,
        promised: u64,
    },
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Whole(body) => Pin::new(body)
                .poll_frame(context)
                .map_err(|never| match never {}),
            Self::Broken { part, .. } => Poll::Ready(Some(
                part.take()
                    .map(Frame::data)
                    .ok_or_else(|| io::ErrorKind::BrokenPipe.into()),
            )),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Broken { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Broken { promised, .. } => SizeHint::with_exact(*promised),
        }
    }
}

fn whole(body: Vec<u8>) -> Outgoing {
    Outgoing::Whole(Full::new(Bytes::from(body)))
}

fn broken(mut body: Vec<u8>) -> Outgoing {
    let promised = u64::try_from(body.len())
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    body.truncate(body.len() / 2);
    Outgoing::Broken {
        part: Some(Bytes::from(body)),
        promised,
    }
}
