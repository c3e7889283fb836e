//! What the handlers share.

use std::{fmt, sync::Arc};

use controls::Catalog;
use daemon::ServiceHandle;
use jiff::Timestamp;
use model::Clock;
use store::{Journal, Store};
use tokio::sync::{Mutex, Semaphore};

use crate::{
    AccessSettings, Error,
    access::{LastUses, Throttle},
    api::{counted::CountedSweeps, excepted::Excepted},
    events::STREAMS,
};

/// What the API needs to be served.
pub struct StateParts {
    /// Where it reads.
    pub store: Store,
    /// Where it writes what does not belong to a sweep.
    pub journal: Journal,
    /// What it asks of the service.
    pub service: ServiceHandle,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Who may ask.
    pub access: AccessSettings,
    /// The metrics of the whole process, in the form that Prometheus reads.
    pub render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Shared>);

struct Shared {
    store: Store,
    journal: Arc<Journal>,
    service: ServiceHandle,
    clock: Arc<dyn Clock>,
    /// When it was made.
    started: Timestamp,
    access: AccessSettings,
    render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    catalog: Catalog,
    throttle: Throttle,
    last_uses: LastUses,
    counted: Mutex<CountedSweeps>,
    excepted: Mutex<Excepted>,
    streams: Arc<Semaphore>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("store", &self.0.store.path())
            .finish_non_exhaustive()
    }
}

impl State {
    /// What the handlers share, of these parts.
    pub fn new(parts: StateParts) -> Result<Self, Error> {
        Ok(Self(Arc::new(Shared {
            store: parts.store,
            journal: Arc::new(parts.journal),
            service: parts.service,
            started: parts.clock.now(),
            clock: parts.clock,
            access: parts.access,
            render_metrics: parts.render_metrics,
            catalog: Catalog::embedded()?,
            throttle: Throttle::new(),
            last_uses: LastUses::default(),
            counted: Mutex::default(),
            excepted: Mutex::default(),
            streams: Arc::new(Semaphore::new(STREAMS)),
        })))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn journal(&self) -> &Arc<Journal> {
        &self.0.journal
    }

    pub(crate) fn service(&self) -> &ServiceHandle {
        &self.0.service
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// When it was made: what tells this process's requests from those of another.
    pub(crate) fn started(&self) -> Timestamp {
        self.0.started
    }

    pub(crate) fn access(&self) -> &AccessSettings {
        &self.0.access
    }

    pub(crate) fn metrics(&self) -> String {
        (self.0.render_metrics)()
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    pub(crate) fn last_uses(&self) -> &LastUses {
        &self.0.last_uses
    }

    pub(crate) fn counted(&self) -> &Mutex<CountedSweeps> {
        &self.0.counted
    }

    pub(crate) fn excepted(&self) -> &Mutex<Excepted> {
        &self.0.excepted
    }

    pub(crate) fn streams(&self) -> &Arc<Semaphore> {
        &self.0.streams
    }
}
