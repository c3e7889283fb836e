//! The socket, and the handle that tests and `scanner demo` hold.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError, RwLockReadGuard};

use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::answer::{Shared, lock, read};
use crate::calls::Calls;
use crate::connections::{Connections, accept};
use crate::faults::FaultRule;
use crate::load_report::LoadReport;
use crate::sessions::SessionRecord;
use crate::world::{Actor, Change, ChangeError, World};

/// How a simulator is set up.
#[derive(Debug, Clone)]
pub struct SimulatorOptions {
    /// Where request ids, list orders and ticking values come from.
    pub seed: u64,
    /// The default takes a free port on the loopback interface.
    pub bind: SocketAddr,
    /// Clients compare the expiry of credentials with their own clock, so it should be the same.
    pub clock: Arc<dyn model::Clock>,
    /// So many threads of its own answer, each with a part of the connections: for a process that
    /// is nothing but a simulator. `None` answers on the runtime that starts it.
    pub threads: Option<NonZeroUsize>,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock: Arc::new(model::SystemClock),
            threads: None,
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
        let connections = Connections::new(options.threads, Arc::clone(&shared))?;
        let server = tokio::spawn(accept(listener, connections));
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
        let now = self.shared.clock.now();
        world.start_timeline(self.shared.waiting.waited_until(now));
        self.shared.waiting.look_again(&world);
        result
    }

    /// Makes the next change of the timeline now, due or not, and says which it was; `None` where
    /// nothing is left to come.
    pub fn advance(&self) -> Result<Option<Change>, ChangeError> {
        self.shared.advance()
    }

    /// As if so much time had passed: what comes due on the timeline happens, and CloudTrail shows
    /// what it held back. Clocks stay as they are, so that clients need not know.
    ///
    /// A change that cannot be made is left out and ends this; those after it wait for the next
    /// request.
    pub fn advance_by(&self, time: SignedDuration) -> Result<Vec<Change>, ChangeError> {
        self.shared.advance_by(time)
    }

    /// Makes a change that is not on the timeline, and lets CloudTrail record it.
    pub fn change(&self, change: &Change, by: &Actor) -> Result<(), ChangeError> {
        self.shared.change(change, by)
    }

    /// The calls since the start or the last reset.
    pub fn calls(&self) -> Calls {
        lock(&self.shared.calls).read()
    }

    /// Forgets the calls, and fills the token buckets of the quotas.
    pub fn reset_calls(&self) {
        self.shared.reset();
    }

    /// What was asked since the start or the last reset, and the shortest time in which that could
    /// have been.
    pub fn load_report(&self) -> LoadReport {
        self.shared.load_report()
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
