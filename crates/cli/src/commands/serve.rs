//! `scanner serve`: the long-lived service.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use clap::Args;
use daemon::{Ended, Reload, ServiceHandle, ServiceParts, Stop, service_handle};
use model::{Clock, SystemClock};
use store::Store;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    commands::sweep_and_report::check_place,
    exit::Exit,
    settings::serve::{ServiceOptions, ServiceSettings, resolve},
    systemd::ServiceManager,
    telemetry,
};

/// How long the service rests at the most before it looks at the clock again; less, if the service manager
/// wants to hear of it more often.
const BEAT: Duration = Duration::from_secs(1);

/// The flags of `scanner serve`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    service: ServiceOptions,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    // Everything is checked before anything is opened.
    let ServiceSettings {
        store,
        configuration,
    } = resolve(&options.service)?;
    check_place(&store).await?;
    let metrics = telemetry::record_metrics()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let sweeper = Arc::new(Store::open_sweeper(&store).await?);
    tracing::info!(
        store = %store.display(),
        interval = %configuration.schedule.interval,
        version = env!("CARGO_PKG_VERSION"),
        "serving",
    );
    let (handle, end) = service_handle(clock.now());
    let stop = Stop::new();
    listen_for_signals(&stop, &handle)?;

    // `web::serve(listener, state, stop)` is started here, with a reader of the store, a journal, the
    // handle, the clock, and `metrics.render()`; it stops by `stop.soft()`.

    let manager = ServiceManager::new();
    let beat = manager.every().map_or(BEAT, |every| BEAT.min(every / 2));
    let service = daemon::serve(ServiceParts {
        reload: reload(options.service, store),
        configuration,
        sweeper: Arc::clone(&sweeper),
        clock,
        // Jitter needs to differ between processes, not to be secret.
        seed: u64::from(std::process::id()),
        handle,
        end,
        stop,
        sign: Box::new(move |sign| {
            manager.tell(sign);
            metrics.keep_small();
        }),
        beat,
    });
    let ended = tokio::spawn(service).await;
    let ended = ended.map_err(|failure| anyhow!("the service ended by a mistake: {failure}"))?;
    if ended == Ended::InOrder
        && let Some(sweeper) = Arc::into_inner(sweeper)
    {
        sweeper.close().await?;
    }
    tracing::info!(in_order = ended == Ended::InOrder, "stopped");
    Ok(match ended {
        Ended::InOrder => Exit::Success,
        Ended::ByForce => Exit::Failure,
    })
}

/// Reads everything again as it was read first. What is held open cannot become something else.
fn reload(options: ServiceOptions, store: PathBuf) -> Reload {
    Box::new(move || {
        let read = resolve(&options).map_err(|error| format!("{error:#}"))?;
        unchanged("[store] path", &store, &read.store)?;
        Ok(read.configuration)
    })
}

fn unchanged(key: &str, is: &Path, would_be: &Path) -> Result<(), String> {
    if is == would_be {
        return Ok(());
    }
    Err(format!(
        "{key} cannot change while the service runs: it is {} and would be {}; restart the service to change it",
        is.display(),
        would_be.display()
    ))
}

/// SIGTERM and SIGINT ask to stop, for the second time at once; SIGHUP asks to read the configuration again.
fn listen_for_signals(stop: &Stop, handle: &ServiceHandle) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut hang_up = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    let (stop, handle) = (stop.clone(), handle.clone());
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => stop.ask(),
                _ = interrupt.recv() => stop.ask(),
                _ = hang_up.recv() => {
                    let handle = handle.clone();
                    // The service logs what came of it.
                    tokio::spawn(async move { handle.reload().await });
                }
            }
        }
    });
    Ok(())
}
