//! What is asked of the service: sweeps, that a task is done now, another configuration.

use std::sync::Arc;

use super::{Service, part_of_scope::part_of};
use crate::{
    Configuration, Refusal, ServiceRequest, Sign, SweepRequest, SweepRequested, TaskName, metrics,
};

/// How many requests for sweeps may wait.
const MOST_WAITING: usize = 16;

impl Service {
    pub(super) async fn take(&mut self, request: ServiceRequest) {
        match request {
            ServiceRequest::Sweep(request, answer) => {
                // Whoever asked may be gone.
                let _ = answer.send(self.enqueue(request));
            }
            ServiceRequest::Reload(answer) => {
                let _ = answer.send(self.read_configuration().await);
            }
            ServiceRequest::Wake(TaskName::Sweep) => {
                if let Err(refusal) = self.enqueue(SweepRequest::default()) {
                    tracing::warn!(%refusal, "a sweep that was asked for is not made");
                }
            }
            ServiceRequest::Wake(task) => {
                if let Some(bell) = self.bells.get(&task) {
                    bell.notify_one();
                } else {
                    tracing::warn!(task = task.as_str(), "there is no such task");
                }
            }
        }
    }

    fn enqueue(&mut self, request: SweepRequest) -> Result<SweepRequested, Refusal> {
        let request = request.in_order();
        part_of(&self.configuration.borrow().plan, &request)?;
        if self.queue.contains(&request) {
            return Ok(SweepRequested::AlreadyQueued);
        }
        if self.queue.len() >= MOST_WAITING {
            return Err(Refusal::TooMany {
                waiting: self.queue.len(),
            });
        }
        self.queue.push_back(request);
        Ok(SweepRequested::Queued)
    }

    async fn read_configuration(&mut self) -> Result<(), Refusal> {
        (self.sign)(Sign::Reloading);
        let read = (self.reload)();
        let outcome = match read {
            Ok(configuration) => {
                self.configure(configuration).await;
                tracing::info!("the configuration was read again and is in force");
                Ok(())
            }
            Err(error) => {
                tracing::error!(
                    error,
                    "the configuration cannot be used; the one before stays in force"
                );
                Err(Refusal::Configuration(error))
            }
        };
        metrics::reloaded(outcome.is_ok());
        (self.sign)(Sign::Ready);
        outcome
    }

    /// Takes another configuration. A sweep that runs ends as it began.
    async fn configure(&mut self, configuration: Configuration) {
        let now = self.clock.now();
        let is_other_connection = self.configuration.borrow().aws != configuration.aws;
        self.configuration.send_replace(Arc::new(configuration));
        if is_other_connection {
            self.aws.send_replace(None);
            self.connecting = None;
            self.connect_failed = None;
            self.connect_at = now;
            metrics::connected(false);
        }
        metrics::configured(now);
        self.board.update(|status| {
            status.configured_at = now;
            status.is_ready &= !is_other_connection;
        });
        self.failed = None;
        self.recheck_failed = None;
        self.reconsider().await;
        self.plan();
        self.ring_all();
    }
}
