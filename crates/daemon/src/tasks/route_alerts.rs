//! Decides who is told of what: soon after a sweep, and whenever an alert has waited long enough.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::TaskGround;
use crate::{
    RouteAlerts, TaskName, metrics,
    task::{Task, TaskError},
};

/// What waits is a few rows; nobody minds some seconds more.
const EVERY: Duration = Duration::from_secs(5);

pub(super) fn task(ground: TaskGround) -> Task {
    Task {
        name: TaskName::RouteAlerts,
        every: EVERY,
        begins_anew: false,
        run: Box::new(move |stop| Box::pin(route(ground.clone(), stop))),
    }
}

async fn route(ground: TaskGround, _stop: CancellationToken) -> Result<(), TaskError> {
    let settings = Arc::new(ground.configuration.borrow().alerts.clone());
    let route = RouteAlerts {
        settings,
        clock: Arc::clone(&ground.clock),
    };
    let routed = route.run(&ground.sweeper).await?;
    if routed.alerts + routed.recovered + routed.reminders > 0 {
        // On its way out, the next process sends.
        let _ = ground.handle.wake(TaskName::DeliverAlerts).await;
    }
    let queue = ground.sweeper.store().alert_queue().await?;
    metrics::alerts_queued(&queue, ground.clock.now());
    Ok(())
}
