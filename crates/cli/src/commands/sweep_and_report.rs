//! What `once` and `demo` share: connect, sweep, read back, report.

use std::{
    io::{IsTerminal as _, stderr},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use aws::Aws;
use daemon::{Progress, Sweep, SweepOutcome};
use indicatif::{ProgressBar, ProgressStyle};
use model::{Clock, ControlId, Exception, SystemClock};
use report::{Entry, OrganizationLine, Report, drifts::DriftEntry};
use store::{FindingPages, FindingQuery, OvertakenSweep, Store, SweepRow};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    commands::changes::{drifts_of, find_authors},
    exit::{self, BadInput, Exit},
    output::{Destination, Format, folder_of, say},
    settings::{DEFAULT_STORE, ReportSettings, Settings},
};

pub(crate) async fn sweep_and_report(settings: Settings) -> anyhow::Result<Exit> {
    check_place(&settings.store).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (stop, stopped_by) = stop_on_signal()?;
    let connected = stop
        .run_until_cancelled(Aws::connect(settings.aws, Arc::clone(&clock)))
        .await;
    let Some(connected) = connected else {
        return Ok(stopped_by.exit());
    };
    let aws = connected?;
    let bar = progress_bar();
    let progress = |progress: Progress| match progress {
        Progress::Begun { .. } => {}
        Progress::Discovered { accounts } => bar.set_length(accounts as u64),
        Progress::Judged => bar.inc(1),
        Progress::Resumed { sweep, accounts } => {
            bar.inc(accounts as u64);
            bar.suspend(|| {
                say(&format!(
                    "sweep {sweep} goes on: {accounts} accounts are done"
                ));
            });
        }
        Progress::NothingToResume { overtaken } => {
            bar.suspend(|| say(&nothing_to_resume(overtaken)));
        }
    };
    let sweep = Sweep {
        aws: &aws,
        clock: Arc::clone(&clock),
        stop: stop.clone(),
        // Whoever waits at a terminal for the end need not wait for slow accounts.
        cut: stop.clone(),
        progress: &progress,
    };
    // Nothing is written before it is known what there is to write about.
    let Some(discovered) = stop
        .run_until_cancelled(sweep.discover(&settings.plan))
        .await
    else {
        return Ok(stopped_by.exit());
    };
    let discovered = discovered?;
    let sweeper = Store::open_sweeper(&settings.store).await?;
    let outcome = sweep.run(&sweeper, &settings.plan, discovered).await;
    bar.finish_and_clear();
    tracing::debug!("calls to AWS: {}", aws.call_statistics());
    let outcome = outcome?;

    let exit = if stop.is_cancelled() {
        stopped_by.exit()
    } else {
        exit::of_sweep(&outcome.summary, &outcome.accepted, settings.report.fail_on)
    };
    // Whoever reads along need not wait for CloudTrail; a file or a document is whole or not there.
    let reads_along = settings.report.format == Format::Table
        && matches!(settings.report.destination, Destination::Stdout);
    if reads_along {
        report_back(sweeper.store(), &outcome, &settings.report, None).await?;
    }
    let wait = settings.author_wait;
    let looked = find_authors(&aws, clock, &stop, &sweeper, &outcome, wait).await;
    if let Err(error) = looked {
        // The sweep is remembered and reported all the same.
        tracing::warn!(%error, "who caused the drifts was not recorded");
    }
    let drifts = drifts_of(sweeper.store(), &outcome).await?;
    if reads_along {
        let look = settings.report.destination.look(settings.report.all);
        let text = report::drifts::render(&drifts, &look);
        settings.report.destination.write(&text)?;
    } else {
        report_back(sweeper.store(), &outcome, &settings.report, Some(drifts)).await?;
    }
    sweeper.close().await?;
    if settings.report.format == Format::Table {
        say(&format!(
            "remembered as sweep {} in {}",
            outcome.id,
            settings.store.display()
        ));
    }
    Ok(exit)
}

/// Why a new sweep begins although one was to go on.
fn nothing_to_resume(overtaken: Option<OvertakenSweep>) -> String {
    match overtaken {
        Some(OvertakenSweep { id, by }) => format!(
            "nothing to resume: sweep {id} was stopped, and cannot be gone on with because sweep {by} began after it; \
             a new one begins"
        ),
        None => "nothing to resume: no sweep of this scope, these controls and this version was stopped lately; a \
                 new one begins"
            .to_owned(),
    }
}

/// Whether a store is there or can be made. What cannot be used is said before AWS is asked anything.
pub(crate) async fn check_place(store: &Path) -> anyhow::Result<()> {
    let folder = folder_of(store);
    if !folder.is_dir() {
        return Err(BadInput::of(format!(
            "cannot make the store {}: the folder {} does not exist",
            store.display(),
            folder.display()
        )));
    }
    // An empty file becomes a store like one that is not there.
    if store
        .metadata()
        .is_ok_and(|file| file.len() > 0 || file.is_dir())
    {
        match Store::open_reader(store).await {
            Ok(store) => store.close().await,
            // Whoever sweeps brings it up to date.
            Err(store::Error::OlderSchema { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The report is made from what the store remembers of this sweep, but for drifts that are told later.
async fn report_back(
    store: &Store,
    outcome: &SweepOutcome,
    settings: &ReportSettings,
    drifts: Option<Vec<DriftEntry>>,
) -> anyhow::Result<()> {
    let row = store
        .sweep(outcome.id)
        .await?
        .context("the sweep is not in the store that it was written to")?;
    let findings = FindingQuery {
        sweep: Some(outcome.id),
        ..FindingQuery::default()
    };
    let organization = match &outcome.organization {
        Some(organization) => {
            let account = organization.management_account;
            let of_management = FindingQuery {
                account: Some(account),
                without_chains: true,
                ..findings.clone()
            };
            let mut pages = Pages::open(store, &of_management, outcome, &row).await?;
            let own = pages.next().await?.unwrap_or_default();
            Some(OrganizationLine {
                id: organization.id.clone(),
                management_account_id: account,
                verdict: answers::organization_verdict(own.iter().map(|entry| &entry.finding)),
            })
        }
        None => None,
    };
    let report = Report {
        verdicts: outcome.summary.verdicts.clone(),
        organization,
        notices: outcome.notices.clone(),
        store: (store.path() != Path::new(DEFAULT_STORE))
            .then(|| store.path().display().to_string()),
        sweep: answers::sweep_line(row.clone()),
        drifts: drifts.unwrap_or_default(),
    };
    match settings.format {
        Format::Table => {
            let findings = FindingQuery {
                without_chains: true,
                ..findings
            };
            let mut pages = Pages::open(store, &findings, outcome, &row).await?;
            let mut entries = Vec::new();
            while let Some(page) = pages.next().await? {
                entries.extend(page);
            }
            let look = settings.destination.look(settings.all);
            let mut text = report::table::render(&report, &entries, &look);
            text.push_str(&report::drifts::render(&report.drifts, &look));
            settings.destination.write(&text)
        }
        Format::Json => {
            let pages = Pages::open(store, &findings, outcome, &row).await?;
            write_json(report, pages, settings.destination.clone()).await
        }
    }
}

/// The findings of a sweep, a page at a time.
struct Pages<'a> {
    findings: FindingPages,
    outcome: &'a SweepOutcome,
    controls: &'a [ControlId],
    /// Those that were in force when the sweep began.
    exceptions: Vec<Arc<Exception>>,
}

impl<'a> Pages<'a> {
    async fn open(
        store: &Store,
        query: &FindingQuery,
        outcome: &'a SweepOutcome,
        row: &'a SweepRow,
    ) -> Result<Self, store::Error> {
        Ok(Self {
            findings: store.finding_pages(query).await?,
            outcome,
            controls: &row.scope.controls,
            exceptions: answers::in_force(&store.exceptions().await?, row.started_at),
        })
    }

    /// What earlier sweeps knew of accounts and controls outside of this one's scope is not asked
    /// for.
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, store::Error> {
        let Some(page) = self.findings.next().await? else {
            return Ok(None);
        };
        let entries = page.into_iter().map(answers::entry).filter(|entry| {
            let finding = &entry.finding;
            self.outcome.judged.contains(&finding.account)
                && self.controls.contains(&finding.control)
        });
        let mut entries: Vec<Entry> = entries.collect();
        answers::accept(&mut entries, &self.exceptions);
        Ok(Some(entries))
    }
}

/// Writes while it reads, so that no more than some pages are in memory.
async fn write_json(
    report: Report,
    mut pages: Pages<'_>,
    destination: Destination,
) -> anyhow::Result<()> {
    let (read, mut arriving) = tokio::sync::mpsc::channel::<Vec<Entry>>(2);
    let written = tokio::task::spawn_blocking(move || {
        let entries = std::iter::from_fn(|| arriving.blocking_recv()).flatten();
        destination.write_with(|out| report::json::write(&report, entries, out))
    });
    while let Some(page) = pages.next().await? {
        // Whoever reads has seen enough, or the writer says below why it stopped.
        if read.send(page).await.is_err() {
            break;
        }
    }
    drop(read);
    written.await.context("the report was not written")?
}

fn progress_bar() -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} accounts, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::no_length().with_style(style)
}

/// Which signal asked the process to stop.
#[derive(Clone, Default)]
struct StoppedBy(Arc<std::sync::atomic::AtomicBool>);

impl StoppedBy {
    fn exit(&self) -> Exit {
        if self.0.load(std::sync::atomic::Ordering::Relaxed) {
            Exit::Terminated
        } else {
            Exit::Interrupted
        }
    }
}

/// The first signal ends the sweep between accounts and keeps what was seen; a second one is left
/// to the system and ends the process.
fn stop_on_signal() -> anyhow::Result<(CancellationToken, StoppedBy)> {
    let stop = CancellationToken::new();
    let stopped_by = StoppedBy::default();
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let (token, by) = (stop.clone(), stopped_by.clone());
    tokio::spawn(async move {
        let terminated = tokio::select! {
            _ = interrupt.recv() => false,
            _ = terminate.recv() => true,
        };
        by.0.store(terminated, std::sync::atomic::Ordering::Relaxed);
        token.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(by.exit() as i32);
    });
    Ok((stop, stopped_by))
}
