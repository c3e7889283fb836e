//! What the edge (HTTP, signals) may ask of the running service, and what it may know of it.
//!
//! A handle never does the work: it rings a bell and reads what the service last said of itself.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use model::{AccountId, SweepId, SweepState, Verdict};
use serde::Serialize;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// How many events a slow listener may be behind before it misses some.
const EVENTS: usize = 256;

/// How many requests may wait for the service to look at them.
const REQUESTS: usize = 32;

/// The part of the configured scope that somebody wants to have looked at now; all of it where nothing is
/// named.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SweepRequest {
    /// Only these accounts.
    pub accounts: Vec<AccountId>,
    /// Only accounts in these OUs or roots, directly or further down.
    pub ous: Vec<String>,
}

/// What became of a request for a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepRequested {
    /// It begins as soon as no other sweep runs.
    Queued,
    /// The same was asked for before and has not begun yet.
    AlreadyQueued,
}

/// Why the service does not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is on its way out.
    #[error("the service is stopping")]
    Stopping,
    /// Too many requests wait already.
    #[error("{waiting} requests for sweeps wait already; ask again when one has begun")]
    TooMany {
        /// How many wait.
        waiting: usize,
    },
    /// It names something outside of what is configured.
    #[error("{0}")]
    OutOfScope(String),
    /// The configuration cannot be used. The one before stays in force.
    #[error("the configuration is not used, the one before stays in force: {0}")]
    Configuration(String),
}

/// A task that runs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskName {
    /// Looks at the organization, or at a part of it.
    Sweep,
    /// Asks CloudTrail who caused what changed.
    AttributeDrifts,
    /// Groups drifts into alerts.
    RouteAlerts,
    /// Sends alerts, reminders too.
    DeliverAlerts,
    /// Notices exceptions that have expired.
    ExpireExceptions,
    /// Drops what is older than retention allows.
    PruneHistory,
}

impl TaskName {
    /// Every task.
    pub const ALL: [Self; 6] = [
        Self::Sweep,
        Self::AttributeDrifts,
        Self::RouteAlerts,
        Self::DeliverAlerts,
        Self::ExpireExceptions,
        Self::PruneHistory,
    ];

    /// The task as it is written in logs, metrics and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sweep => "sweep",
            Self::AttributeDrifts => "attribute_drifts",
            Self::RouteAlerts => "route_alerts",
            Self::DeliverAlerts => "deliver_alerts",
            Self::ExpireExceptions => "expire_exceptions",
            Self::PruneHistory => "prune_history",
        }
    }
}

/// How a task is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TaskStatus {
    /// Whether it runs at the moment.
    pub is_running: bool,
    /// How often it has run.
    pub runs: u64,
    /// When it ended last.
    pub ended_at: Option<Timestamp>,
    /// What went wrong in the last run; `None` where nothing did.
    pub error: Option<String>,
}

/// A sweep that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunningSweep {
    /// Its number; `None` as long as the account list is being opened.
    pub id: Option<SweepId>,
    /// When it began.
    pub started_at: Timestamp,
    /// What it looks at.
    pub request: SweepRequest,
    /// How many accounts are in scope so far.
    pub accounts: usize,
    /// How many of them are judged.
    pub judged: usize,
}

/// A sweep that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndedSweep {
    /// Its number.
    pub id: SweepId,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How it ended.
    pub state: SweepState,
    /// What it looked at.
    pub request: SweepRequest,
    /// How many findings it left, by verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// How many drifts it found.
    pub drifts: usize,
}

/// What the service says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceStatus {
    /// When it started.
    pub started_at: Timestamp,
    /// Whether it has connected to AWS and holds the store.
    pub is_ready: bool,
    /// Whether it is on its way out.
    pub is_stopping: bool,
    /// The sweep that runs.
    pub running: Option<RunningSweep>,
    /// The last sweep that ended since the start.
    pub last: Option<EndedSweep>,
    /// When the next scheduled sweep begins.
    pub next_sweep_at: Option<Timestamp>,
    /// Why the last attempt at a sweep came to nothing; `None` where it did not.
    pub sweep_error: Option<String>,
    /// When the configuration was read that is in force.
    pub configured_at: Timestamp,
    /// The tasks that run by themselves.
    pub tasks: BTreeMap<TaskName, TaskStatus>,
}

impl ServiceStatus {
    /// A service that has just started.
    pub fn starting(at: Timestamp) -> Self {
        Self {
            started_at: at,
            is_ready: false,
            is_stopping: false,
            running: None,
            last: None,
            next_sweep_at: None,
            sweep_error: None,
            configured_at: at,
            tasks: BTreeMap::new(),
        }
    }
}

/// Something that happened, for whoever follows along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ServiceEvent {
    /// A sweep began, or is further than it was.
    Progress(RunningSweep),
    /// A sweep ended.
    SweepEnded(EndedSweep),
    /// A sweep could not begin or go on.
    SweepFailed {
        /// Why.
        error: String,
    },
}

/// What is asked of the service; it answers through the channel.
#[derive(Debug)]
pub enum ServiceRequest {
    /// Look at the organization, or at a part of it.
    Sweep(
        SweepRequest,
        oneshot::Sender<Result<SweepRequested, Refusal>>,
    ),
    /// Read the configuration again.
    Reload(oneshot::Sender<Result<(), Refusal>>),
    /// Run a task now and not when it would.
    Wake(TaskName),
}

/// What the edge holds of the service.
#[derive(Debug, Clone)]
pub struct ServiceHandle {
    requests: mpsc::Sender<ServiceRequest>,
    status: watch::Receiver<Arc<ServiceStatus>>,
    events: broadcast::Sender<ServiceEvent>,
}

/// What the service holds.
#[derive(Debug)]
pub struct ServiceEnd {
    /// What is asked of it.
    pub requests: mpsc::Receiver<ServiceRequest>,
    /// Where it says how it is.
    pub status: watch::Sender<Arc<ServiceStatus>>,
    /// Where it says what happens. Nobody may be listening.
    pub events: broadcast::Sender<ServiceEvent>,
}

/// Both ends of what connects the edge with the service.
pub fn service_handle(started_at: Timestamp) -> (ServiceHandle, ServiceEnd) {
    let (request, requests) = mpsc::channel(REQUESTS);
    let (status, status_seen) = watch::channel(Arc::new(ServiceStatus::starting(started_at)));
    let (events, _) = broadcast::channel(EVENTS);
    let handle = ServiceHandle {
        requests: request,
        status: status_seen,
        events: events.clone(),
    };
    let end = ServiceEnd {
        requests,
        status,
        events,
    };
    (handle, end)
}

impl ServiceHandle {
    /// How the service is.
    pub fn status(&self) -> Arc<ServiceStatus> {
        Arc::clone(&self.status.borrow())
    }

    /// Hears what happens from now on.
    pub fn events(&self) -> broadcast::Receiver<ServiceEvent> {
        self.events.subscribe()
    }

    /// Asks for a sweep, which begins when no other runs.
    pub async fn sweep(&self, request: SweepRequest) -> Result<SweepRequested, Refusal> {
        self.ask(|answer| ServiceRequest::Sweep(request, answer))
            .await
    }

    /// Reads the configuration again, and uses it if all of it can be used.
    pub async fn reload(&self) -> Result<(), Refusal> {
        self.ask(ServiceRequest::Reload).await
    }

    /// Runs a task now and not when it would.
    pub async fn wake(&self, task: TaskName) -> Result<(), Refusal> {
        let sent = self.requests.send(ServiceRequest::Wake(task)).await;
        sent.map_err(|_| Refusal::Stopping)
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, Refusal>>) -> ServiceRequest,
    ) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        let sent = self.requests.send(request(answer)).await;
        sent.map_err(|_| Refusal::Stopping)?;
        answered.await.unwrap_or(Err(Refusal::Stopping))
    }
}
