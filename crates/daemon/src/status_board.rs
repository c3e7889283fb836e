//! Where the service and its tasks say how they are.

use std::sync::Arc;

use jiff::Timestamp;
use model::Clock;
use tokio::sync::{broadcast, watch};

use crate::{ServiceEvent, ServiceStatus, TaskName};

/// One status, written by several.
#[derive(Debug, Clone)]
pub(crate) struct StatusBoard {
    status: Arc<watch::Sender<Arc<ServiceStatus>>>,
    events: broadcast::Sender<ServiceEvent>,
    clock: Arc<dyn Clock>,
}

impl StatusBoard {
    pub(crate) fn new(
        status: watch::Sender<Arc<ServiceStatus>>,
        events: broadcast::Sender<ServiceEvent>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            status: Arc::new(status),
            events,
            clock,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn status(&self) -> Arc<ServiceStatus> {
        Arc::clone(&self.status.borrow())
    }

    /// Hears of every change.
    pub(crate) fn changes(&self) -> watch::Receiver<Arc<ServiceStatus>> {
        self.status.subscribe()
    }

    /// Changes the status.
    pub(crate) fn update(&self, change: impl FnOnce(&mut ServiceStatus)) {
        self.status
            .send_modify(|status| change(Arc::make_mut(status)));
    }

    /// Tells whoever listens; nobody may.
    pub(crate) fn tell(&self, event: ServiceEvent) {
        let _ = self.events.send(event);
    }

    pub(crate) fn task_begins(&self, task: TaskName) {
        self.update(|status| status.tasks.entry(task).or_default().is_running = true);
    }

    pub(crate) fn task_ended(&self, task: TaskName, error: Option<String>) {
        let now = self.now();
        self.update(|status| {
            let task = status.tasks.entry(task).or_default();
            task.is_running = false;
            task.runs += 1;
            task.ended_at = Some(now);
            task.error = error;
        });
    }
}
