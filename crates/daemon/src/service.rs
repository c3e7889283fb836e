//! The long-lived service: one loop that looks at the time, at what is asked of it and at what runs, and
//! begins what is due. It never waits for AWS, nor for a task.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use aws::{Aws, ConnectError};
use jiff::Timestamp;
use model::{Clock, DiscoveryState, SweepState};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use store::Sweeper;
use tokio::{
    sync::{Notify, mpsc, watch},
    task::{JoinError, JoinSet},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    Configuration, Ended, EndedSweep, Reload, RunningSweep, ServiceEnd, ServiceEvent,
    ServiceHandle, ServiceRequest, Sign, Stop, SweepOutcome, SweepRequest, TaskName,
    known_sweeps::KnownSweeps,
    metrics,
    own_thread::{OwnThread, on_own_thread},
    recheck::Recheck,
    schedule::{Before, Failed},
    status_board::StatusBoard,
    task::{drive, in_words, panicked},
    tasks::{
        TaskGround,
        sweep_organization::{SeenProgress, SweepFailure, SweepOrganization},
        tasks,
    },
};

mod noticed;
mod part_of_scope;
mod requests;
mod shutdown;
#[cfg(test)]
mod tests;

use noticed::Noticed;
use part_of_scope::part_of;

/// How often it is shown how much AWS has slowed the queues: all of them are looked at for it.
const SHOW_PACE: Duration = Duration::from_secs(10);

/// What the service is made of.
pub struct ServiceParts {
    /// What it is told to do.
    pub configuration: Configuration,
    /// Where it is told anew.
    pub reload: Reload,
    /// The store, which is its own to sweep into.
    pub sweeper: Arc<Sweeper>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the jitter comes from.
    pub seed: u64,
    /// The end that the edge holds; the tasks ask through it as well.
    pub handle: ServiceHandle,
    /// Its own end of it.
    pub end: ServiceEnd,
    /// How it is asked to stop.
    pub stop: Stop,
    /// Whom it tells that it is there.
    pub sign: Box<dyn Fn(Sign) + Send + Sync>,
    /// How long it rests at the most before it looks at the clock again: a machine that slept, or a clock
    /// that was set, is noticed within this time.
    pub beat: Duration,
}

/// A sweep that runs.
struct Running {
    task: OwnThread<Result<SweepOutcome, SweepFailure>>,
    request: SweepRequest,
    /// Whether somebody asked for it.
    is_asked: bool,
    started_at: Timestamp,
    seen: SeenProgress,
}

struct Service {
    configuration: watch::Sender<Arc<Configuration>>,
    reload: Reload,
    sweeper: Arc<Sweeper>,
    clock: Arc<dyn Clock>,
    chance: StdRng,
    stop: Stop,
    /// Cancelled when the grace is over.
    cut: CancellationToken,
    sign: Box<dyn Fn(Sign) + Send + Sync>,
    beat: Duration,
    board: StatusBoard,
    requests: mpsc::Receiver<ServiceRequest>,
    aws: watch::Sender<Option<Aws>>,
    connecting: Option<AbortOnDropHandle<Result<Aws, ConnectError>>>,
    connect_failed: Option<Failed>,
    connect_at: Timestamp,
    running: Option<Running>,
    queue: VecDeque<SweepRequest>,
    /// When what the store refused may be begun again.
    queue_rests_until: Option<Timestamp>,
    known: KnownSweeps,
    noticed: Noticed,
    failed: Option<Failed>,
    next_at: Timestamp,
    recheck: Option<Recheck>,
    /// Second looks that came to nothing, and when the next may be made.
    recheck_failed: Option<(Failed, Timestamp)>,
    bells: BTreeMap<TaskName, Arc<Notify>>,
    drivers: JoinSet<()>,
    measuring: Option<AbortOnDropHandle<()>>,
    pace_shown: Option<Instant>,
}

/// Runs the service until it is asked to stop.
pub async fn serve(parts: ServiceParts) -> Ended {
    let now = parts.clock.now();
    let board = StatusBoard::new(parts.end.status, parts.end.events, Arc::clone(&parts.clock));
    let (configuration, configured) = watch::channel(Arc::new(parts.configuration));
    let (aws, connected) = watch::channel(None);
    let ground = TaskGround {
        sweeper: Arc::clone(&parts.sweeper),
        clock: Arc::clone(&parts.clock),
        configuration: configured,
        aws: connected,
        board: board.clone(),
        handle: parts.handle,
        stop: parts.stop.soft().clone(),
        seed: parts.seed,
    };
    let mut service = Service {
        configuration,
        reload: parts.reload,
        sweeper: parts.sweeper,
        clock: parts.clock,
        chance: StdRng::seed_from_u64(parts.seed),
        stop: parts.stop,
        cut: CancellationToken::new(),
        sign: parts.sign,
        beat: parts.beat,
        board,
        requests: parts.end.requests,
        aws,
        connecting: None,
        connect_failed: None,
        connect_at: now,
        running: None,
        queue: VecDeque::new(),
        queue_rests_until: None,
        known: KnownSweeps::default(),
        noticed: Noticed::default(),
        failed: None,
        next_at: now,
        recheck: None,
        recheck_failed: None,
        bells: BTreeMap::new(),
        drivers: JoinSet::new(),
        measuring: None,
        pace_shown: None,
    };
    service.begin_tasks(&ground);
    // Only tasks ask through it from here on.
    drop(ground);
    service.run().await
}

impl Service {
    fn begin_tasks(&mut self, ground: &TaskGround) {
        for task in tasks(ground) {
            let bell = Arc::new(Notify::new());
            self.bells.insert(task.name, Arc::clone(&bell));
            let stop = self.stop.soft().clone();
            self.drivers
                .spawn(drive(task, bell, self.board.clone(), stop));
        }
    }

    async fn run(mut self) -> Ended {
        let now = self.clock.now();
        metrics::configured(now);
        self.reconsider().await;
        self.failed = self.failed.or(self.known.before.failed);
        self.plan();
        (self.sign)(Sign::Ready);
        let soft = self.stop.soft().clone();
        while !soft.is_cancelled() {
            self.begin_what_is_due();
            let nap = self.nap();
            tokio::select! {
                () = soft.cancelled() => {}
                Some(request) = self.requests.recv() => self.take(request).await,
                outcome = ended(self.running.as_mut().map(|running| &mut running.task)) => {
                    self.sweep_ended(outcome).await;
                }
                outcome = ended(self.connecting.as_mut()) => self.connected(outcome),
                () = tokio::time::sleep(nap) => {}
            }
            self.come_round();
            if let Err(error) = self.sweeper.store().check_in_place() {
                tracing::error!(error = in_words(&error), "the store is lost");
                return self.give_up();
            }
        }
        self.shut_down().await
    }

    /// Ends at once. What runs writes into a file that nobody can open again, and what is read may be of either
    /// file: whom the new one turns away, the old one lets in.
    fn give_up(&mut self) -> Ended {
        (self.sign)(Sign::Stopping);
        self.stop.ask();
        self.stop.ask();
        Ended::ByForce
    }

    /// What is done each time the loop comes round, whatever happens.
    fn come_round(&mut self) {
        (self.sign)(Sign::Alive);
        if let Some(running) = &self.running {
            let seen = running.seen.get();
            if self.board.status().running.as_ref() != Some(&seen) {
                self.board
                    .update(|status| status.running = Some(seen.clone()));
                self.board.tell(ServiceEvent::Progress(seen));
            }
        }
        if self
            .pace_shown
            .is_none_or(|shown| shown.elapsed() >= SHOW_PACE)
        {
            self.pace_shown = Some(Instant::now());
            if let Some(aws) = self.aws.borrow().as_ref() {
                aws.show_pace();
            }
        }
    }

    /// How long there is nothing to do but wait.
    fn nap(&self) -> Duration {
        if self.running.is_some() || self.connecting.is_some() {
            return self.beat.min(Duration::from_millis(250));
        }
        let is_connected = self.aws.borrow().is_some();
        let at = if is_connected {
            let recheck = self.recheck_at().unwrap_or(self.next_at);
            self.next_at.min(recheck)
        } else {
            self.connect_at
        };
        let until = at.duration_since(self.clock.now());
        let until = Duration::try_from(until).unwrap_or(Duration::ZERO);
        until.clamp(Duration::from_millis(1), self.beat)
    }

    /// Begins a connection or a sweep, if one is due and none runs.
    ///
    /// What is due for the whole scope comes first: it looks at what was asked for as well, and a sweep
    /// that was stopped can only be gone on with as long as no other one began.
    fn begin_what_is_due(&mut self) {
        if self.running.is_some() || self.connecting.is_some() {
            return;
        }
        let now = self.clock.now();
        let Some(aws) = self.aws.borrow().clone() else {
            if self.connect_at <= now {
                let settings = self.configuration.borrow().aws.clone();
                let connect = Aws::connect(settings, Arc::clone(&self.clock));
                self.connecting = Some(AbortOnDropHandle::new(tokio::spawn(connect)));
            }
            return;
        };
        if self.next_at <= now {
            self.begin(aws, SweepRequest::default(), true);
        } else if self.queue_rests_until.is_none_or(|until| until <= now)
            && let Some(request) = self.queue.pop_front()
        {
            self.begin(aws, request, false);
        } else if self.recheck_at().is_some_and(|at| at <= now)
            && let Some(recheck) = self.recheck.take()
        {
            let request = SweepRequest {
                accounts: recheck.accounts.into_iter().collect(),
                ous: Vec::new(),
            };
            self.begin(aws, request, true);
        }
    }

    fn recheck_at(&self) -> Option<Timestamp> {
        let at = self.recheck.as_ref()?.at;
        Some(
            self.recheck_failed
                .map_or(at, |(_, not_before)| at.max(not_before)),
        )
    }

    fn begin(&mut self, aws: Aws, request: SweepRequest, by_itself: bool) {
        let plan = match part_of(&self.configuration.borrow().plan, &request) {
            Ok(plan) => plan,
            // It was asked for before the configuration was another.
            Err(refusal) => {
                tracing::warn!(%refusal, "a sweep that was asked for is not made");
                return;
            }
        };
        let is_whole = request.is_whole();
        if is_whole {
            // It looks at what they name.
            self.queue.clear();
        }
        let started_at = self.clock.now();
        let begins = RunningSweep {
            id: None,
            started_at,
            request: request.clone(),
            accounts: 0,
            judged: 0,
        };
        let seen = SeenProgress::new(begins.clone());
        let sweep = SweepOrganization {
            aws,
            sweeper: Arc::clone(&self.sweeper),
            clock: Arc::clone(&self.clock),
            stop: self.stop.soft().clone(),
            cut: self.cut.clone(),
            plan,
            seen: seen.clone(),
        };
        let span = tracing::info_span!("sweep", sweep.id = tracing::field::Empty, is_whole);
        let task = span.in_scope(|| on_own_thread(|| sweep.run()));
        metrics::sweep_begins(is_whole, by_itself);
        self.board.task_begins(TaskName::Sweep);
        self.board
            .update(|status| status.running = Some(begins.clone()));
        self.board.tell(ServiceEvent::Progress(begins));
        self.running = Some(Running {
            task,
            request,
            is_asked: !by_itself,
            started_at,
            seen,
        });
    }

    async fn sweep_ended(
        &mut self,
        outcome: Result<Option<Result<SweepOutcome, SweepFailure>>, JoinError>,
    ) {
        let Some(running) = self.running.take() else {
            return;
        };
        let is_whole = running.request.is_whole();
        let now = self.clock.now();
        // Whoever asked was told that it would be made, and the store may be free again soon.
        let again = matches!(outcome, Ok(Some(Err(SweepFailure::Store(_)))))
            .then(|| running.request.clone())
            .filter(|request| running.is_asked && !is_whole && !self.queue.contains(request));
        let error = match outcome {
            Ok(Some(Ok(outcome))) => {
                self.swept(running, &outcome, now);
                None
            }
            // Nothing went wrong, and nothing was written.
            Ok(None | Some(Err(SweepFailure::Stopped))) => None,
            Ok(Some(Err(failure))) => Some(in_words(&failure)),
            Err(failure) => Some(panicked(failure)),
        };
        if let Some(error) = &error {
            metrics::sweep_failed(is_whole);
            tracing::error!(is_whole, error, "a sweep came to nothing");
            if is_whole {
                self.failed = Some(Failed::again(self.failed, now));
            } else {
                let failed = Failed::again(self.recheck_failed.map(|(failed, _)| failed), now);
                let interval = self.configuration.borrow().schedule.interval;
                let not_before = failed.retry_at(interval, 1.0);
                self.recheck_failed = Some((failed, not_before));
                if let Some(request) = again {
                    self.queue.push_front(request);
                    self.queue_rests_until = Some(not_before);
                }
            }
            let error = error.clone();
            self.board.tell(ServiceEvent::SweepFailed { error });
        }
        metrics::task_ran(TaskName::Sweep, error.is_none(), now);
        self.board
            .update(|status| status.sweep_error.clone_from(&error));
        self.reconsider().await;
        self.plan();
        // Whoever sees that it has ended sees what is next as well.
        self.board.update(|status| status.running = None);
        self.board.task_ended(TaskName::Sweep, error);
        self.ring_all();
    }

    fn swept(&mut self, running: Running, outcome: &SweepOutcome, now: Timestamp) {
        let is_whole = running.request.is_whole();
        let took = now.duration_since(running.started_at);
        metrics::sweep_ended(is_whole, outcome, took);
        let interval = self.configuration.borrow().schedule.interval;
        if is_whole && took > interval {
            tracing::warn!(%took, %interval, "sweeps take longer than the interval, and follow each other at once");
        }
        for (notice, is_new) in self.noticed.take(&outcome.notices, is_whole) {
            if is_new {
                tracing::info!(sweep.id = outcome.id.0, "{notice}");
            } else {
                tracing::debug!(sweep.id = outcome.id.0, "{notice}");
            }
        }
        if is_whole && outcome.summary.state == SweepState::Finished {
            let is_cut_short = matches!(
                &outcome.summary.discovery,
                Some(DiscoveryState::Incomplete { gap }) if gap.class.is_passing()
            );
            // What was not listed is not looked at: that need not wait for the next one.
            self.failed = is_cut_short.then(|| Failed::again(self.failed, now));
        }
        if !is_whole {
            self.recheck_failed = None;
        }
        let ended = EndedSweep {
            id: outcome.id,
            finished_at: outcome.summary.finished_at,
            state: outcome.summary.state,
            request: running.request,
            verdicts: outcome.summary.verdicts.clone(),
            drifts: outcome.drifts,
        };
        self.board
            .update(|status| status.last = Some(ended.clone()));
        self.board.tell(ServiceEvent::SweepEnded(ended));
    }

    fn connected(&mut self, outcome: Result<Result<Aws, ConnectError>, JoinError>) {
        self.connecting = None;
        let error = match outcome {
            Ok(Ok(aws)) => {
                tracing::info!(account.id = %aws.caller(), "connected to AWS");
                metrics::connected(true);
                self.connect_failed = None;
                self.aws.send_replace(Some(aws));
                self.board.update(|status| {
                    status.is_ready = true;
                    status.sweep_error = None;
                });
                self.ring_all();
                return;
            }
            Ok(Err(error)) => in_words(&error),
            Err(failure) => panicked(failure),
        };
        let failed = Failed::again(self.connect_failed, self.clock.now());
        let interval = self.configuration.borrow().schedule.interval;
        self.connect_at = failed.retry_at(interval, self.chance.random_range(0.0..1.0));
        self.connect_failed = Some(failed);
        tracing::error!(error, again_at = %self.connect_at, "there is no connection to AWS");
        self.board.update(|status| status.sweep_error = Some(error));
    }

    /// Reads what the store remembers of the last sweeps.
    async fn reconsider(&mut self) {
        let configuration = Arc::clone(&self.configuration.borrow());
        let now = self.clock.now();
        match KnownSweeps::of(self.sweeper.store(), &configuration.plan, now).await {
            Ok(known) => self.known = known,
            Err(error) => {
                let error = in_words(&error);
                tracing::error!(error, "the last sweeps cannot be read");
                self.failed = Some(Failed::again(self.failed, now));
                self.board.update(|status| status.sweep_error = Some(error));
            }
        }
        self.measure();
    }

    /// Decides when the next sweep begins, and what is looked at again.
    fn plan(&mut self) {
        let configuration = Arc::clone(&self.configuration.borrow());
        let before = Before {
            failed: self.failed,
            ..self.known.before
        };
        let chance = self.chance.random_range(0.0..1.0);
        self.next_at = (configuration.schedule).next(&before, self.clock.now(), chance);
        self.recheck = (configuration.recheck).next(self.known.management, &self.known.looked);
        let next_at = self.next_at;
        self.board
            .update(|status| status.next_sweep_at = Some(next_at));
        metrics::planned(
            self.known.finished_at,
            next_at,
            configuration.schedule.interval,
            self.failed.map_or(0, |failed| failed.in_a_row),
        );
        tracing::debug!(
            next_sweep_at = %next_at,
            recheck = ?self.recheck,
            "what is due next",
        );
    }

    /// Shows in the metrics how everything stands; nobody waits for it.
    fn measure(&mut self) {
        let sweeper = Arc::clone(&self.sweeper);
        let measure = async move {
            match sweeper.store().verdict_counts().await {
                Ok(counts) => metrics::standing(&counts),
                Err(error) => tracing::warn!(error = in_words(&error), "nothing can be counted"),
            }
            if let Err(error) = sweeper.store().show_size().await {
                tracing::warn!(error = in_words(&error), "the store cannot be measured");
            }
        };
        self.measuring = Some(AbortOnDropHandle::new(tokio::spawn(measure)));
    }

    fn ring_all(&self) {
        for bell in self.bells.values() {
            bell.notify_one();
        }
    }
}

/// Waits for a task, and for ever if there is none.
async fn ended<T: Future + Unpin>(task: Option<&mut T>) -> T::Output {
    match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}
