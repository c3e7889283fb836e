//! The tasks that run beside sweeps, one file each, and the one list of them.

mod attribute_drifts;
mod deliver_alerts;
mod expire_exceptions;
mod prune_history;
mod route_alerts;
pub(crate) mod sweep_organization;

use std::sync::Arc;

use aws::Aws;
use model::Clock;
use store::Sweeper;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{Configuration, ServiceHandle, status_board::StatusBoard, task::Task};

/// What every task works with. All of it may be another at the next activation.
#[derive(Clone)]
pub(crate) struct TaskGround {
    pub(crate) sweeper: Arc<Sweeper>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) configuration: watch::Receiver<Arc<Configuration>>,
    /// The connection to AWS; `None` as long as there is none.
    pub(crate) aws: watch::Receiver<Option<Aws>>,
    pub(crate) board: StatusBoard,
    /// Where sweeps are asked for.
    pub(crate) handle: ServiceHandle,
    /// Cancelled when the service is to stop, whereas a bell may only end a run.
    pub(crate) stop: CancellationToken,
    /// Where chance begins.
    pub(crate) seed: u64,
}

/// The tasks of the service: the one place where a task is registered. Each has a bell by its name, which
/// rings when a sweep has ended, when the configuration is another, and when somebody asks for it.
pub(crate) fn tasks(ground: &TaskGround) -> Vec<Task> {
    vec![
        attribute_drifts::task(ground.clone()),
        route_alerts::task(ground.clone()),
        deliver_alerts::task(ground.clone()),
        expire_exceptions::task(ground.clone()),
        prune_history::task(ground.clone()),
    ]
}
