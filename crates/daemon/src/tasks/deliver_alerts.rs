//! Sends what lies in the outbox: as soon as something was put there, and whenever a delivery is due again.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use alerts::{Channels, HttpClient};
use rand::{SeedableRng as _, rngs::StdRng};
use tokio_util::sync::CancellationToken;

use super::TaskGround;
use crate::{
    DeliverAlerts, TaskName, metrics,
    task::{Task, TaskError},
};

/// What is due is a few rows; the shortest wait after a failure is as long.
const EVERY: Duration = Duration::from_secs(5);

pub(super) fn task(ground: TaskGround) -> Task {
    let chance = Arc::new(Mutex::new(StdRng::seed_from_u64(ground.seed)));
    let http = Arc::new(OnceLock::new());
    Task {
        name: TaskName::DeliverAlerts,
        every: EVERY,
        begins_anew: false,
        run: Box::new(move |stop| {
            let (chance, http) = (Arc::clone(&chance), Arc::clone(&http));
            Box::pin(deliver(ground.clone(), chance, http, stop))
        }),
    }
}

async fn deliver(
    ground: TaskGround,
    chance: Arc<Mutex<StdRng>>,
    http: Arc<OnceLock<HttpClient>>,
    stop: CancellationToken,
) -> Result<(), TaskError> {
    // Its connections and certificates are kept from run to run.
    let http = if let Some(http) = http.get() {
        http.clone()
    } else {
        let made = HttpClient::new()?;
        http.get_or_init(|| made).clone()
    };
    let configuration = Arc::clone(&ground.configuration.borrow());
    let aws = ground.aws.borrow().clone();
    let deliver = DeliverAlerts {
        channels: Channels::new(configuration.channels.iter().cloned(), http, aws),
        settings: Arc::new(configuration.alerts.clone()),
        clock: Arc::clone(&ground.clock),
        chance,
        stop,
    };
    deliver.run(&ground.sweeper).await?;
    let queue = ground.sweeper.store().alert_queue().await?;
    metrics::alerts_queued(&queue, ground.clock.now());
    Ok(())
}
