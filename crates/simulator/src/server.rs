//! The socket, and the handle that tests and `scanner demo` hold.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLockReadGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::answer::{Action, Shared, lock, read};
use crate::calls::Calls;
use crate::faults::FaultRule;
use crate::sessions::SessionRecord;
use crate::world::World;

/// No operation here has a request near this size.
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// How a simulator is set up.
#[derive(Debug, Clone)]
pub struct SimulatorOptions {
    /// Where request ids, list orders and ticking values come from.
    pub seed: u64,
    /// The default takes a free port on the loopback interface.
    pub bind: SocketAddr,
    /// Clients compare the expiry of credentials with their own clock, so it should be the same.
    pub clock: Arc<dyn model::Clock>,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock: Arc::new(model::SystemClock),
        }
    }
}

/// The key that a scanner starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerCredentials {
    pub access_key_id: String,
    pub secret_access_key: String,
}

/// A running fake AWS. Dropping it ends it.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Simulator {
    /// Binds the socket and starts to answer on the current tokio runtime.
    pub async fn start(world: World, options: SimulatorOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.bind).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options.seed, options.clock, world));
        let server = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            server,
        })
    }

    /// What goes into `AWS_ENDPOINT_URL`, for all services.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn caller_credentials(&self) -> CallerCredentials {
        let world = self.world();
        CallerCredentials {
            access_key_id: world.caller.access_key_id.clone(),
            secret_access_key: world.caller.secret_access_key.clone(),
        }
    }

    /// The world as it is now. Drop the guard before [`Simulator::update`], which waits for it.
    pub fn world(&self) -> RwLockReadGuard<'_, World> {
        read(&self.shared.world)
    }

    /// Changes the world between two requests.
    pub fn update<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self
            .shared
            .world
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut world);
        for rule in world.faults.drain(..) {
            self.fault(rule);
        }
        result
    }

    /// The calls since the start or the last reset.
    pub fn calls(&self) -> Calls {
        lock(&self.shared.calls).read()
    }

    pub fn reset_calls(&self) {
        lock(&self.shared.calls).reset();
    }

    /// Every session that AssumeRole opened and that has not long expired.
    pub fn sessions(&self) -> Vec<SessionRecord> {
        lock(&self.shared.sessions).records()
    }

    /// From now on, the calls that `rule` matches go wrong.
    pub fn fault(&self, rule: FaultRule) {
        lock(&self.shared.faults).add(rule);
    }

    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Takes `action` away from every assumed session, as if its session policy lacked it:
    /// the way to prove that a policy is minimal.
    pub fn withhold_action(&self, action: impl Into<String>) {
        let mut withheld = self
            .shared
            .withheld
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        withheld.push(action.into());
    }

    /// Gives back all that was withheld.
    pub fn restore_actions(&self) {
        self.shared
            .withheld
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Closes the socket and every connection, answered or not.
    pub async fn shutdown(mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Connections end with this task, because dropping the set aborts them.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, Arc::clone(&shared)));
                while connections.try_join_next().is_some() {}
            }
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
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
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
    let Ok(body) = Limited::new(body, MAX_REQUEST_BYTES).collect().await else {
        let mut refusal = Response::new(whole(Vec::new()));
        *refusal.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(refusal);
    };
    let reply = shared.answer(&parts, &body.to_bytes());
    if let Some(delay) = reply.delay {
        tokio::time::sleep(delay).await;
    }
    match reply.action {
        Action::Send(response) => Ok(response.map(whole)),
        Action::BreakOff(response) => Ok(response.map(broken)),
        Action::NeverAnswer => std::future::pending().await,
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
