//! A task that runs by itself: an idempotent function without input, activated by a timer or a bell.
//!
//! It reads everything anew each time, and leaves what it could not do to its next activation. What it
//! comes to is told in the service's status; even a panic is no more than an error of its own.

use std::{error::Error, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::Instrument as _;

use crate::{TaskName, metrics, status_board::StatusBoard};

/// Why a task came to nothing this time.
pub(crate) type TaskError = Box<dyn Error + Send + Sync>;

/// What a task does once. It is to end soon when the token is cancelled.
pub(crate) type TaskRun =
    Box<dyn Fn(CancellationToken) -> BoxFuture<'static, Result<(), TaskError>> + Send + Sync>;

/// A task, and when it runs.
pub(crate) struct Task {
    /// Its name.
    pub(crate) name: TaskName,
    /// How long it rests at the most.
    pub(crate) every: Duration,
    /// Whether a bell that rings while it runs ends that run, so that it begins anew with what is new:
    /// for a task that waits for something most of the time.
    pub(crate) begins_anew: bool,
    /// What it does.
    pub(crate) run: TaskRun,
}

/// Runs a task at once, and then whenever its time has come or its bell rings, until it is stopped.
pub(crate) async fn drive(
    task: Task,
    bell: Arc<Notify>,
    board: StatusBoard,
    stop: CancellationToken,
) {
    loop {
        let run = stop.child_token();
        board.task_begins(task.name);
        let span = tracing::info_span!("task", task = task.name.as_str());
        let mut running =
            AbortOnDropHandle::new(tokio::spawn((task.run)(run.clone()).instrument(span)));
        let mut rang = false;
        let outcome = loop {
            tokio::select! {
                outcome = &mut running => break outcome,
                () = bell.notified(), if !rang => {
                    rang = true;
                    if task.begins_anew {
                        run.cancel();
                    }
                }
            }
        };
        let error = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(in_words(error.as_ref())),
            Err(failure) => Some(panicked(failure)),
        };
        if let Some(error) = &error {
            tracing::error!(
                task = task.name.as_str(),
                error,
                "a task failed, and is tried again later"
            );
        }
        metrics::task_ran(task.name, error.is_none(), board.now());
        board.task_ended(task.name, error);
        if stop.is_cancelled() {
            return;
        }
        if !rang {
            tokio::select! {
                () = stop.cancelled() => return,
                () = bell.notified() => {}
                () = tokio::time::sleep(task.every) => {}
            }
        }
    }
}

/// An error with everything beneath it.
pub(crate) fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors repeat their source.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// What is to be said of a task that did not come to its end.
pub(crate) fn panicked(failure: tokio::task::JoinError) -> String {
    let Ok(panic) = failure.try_into_panic() else {
        return "it was ended before it was done".to_owned();
    };
    let said = (panic.downcast_ref::<&str>().copied())
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("something that is no text");
    format!("a mistake in the scanner ended it (panic): {said}")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use model::FixedClock;

    use super::*;
    use crate::service_handle;

    /// A task that panics, then fails, then does well, and a service that outlives all of it.
    #[tokio::test]
    async fn a_task_that_fails_or_panics_is_tried_again_and_says_so() {
        let clock = Arc::new(FixedClock::new(jiff::Timestamp::UNIX_EPOCH));
        let (handle, end) = service_handle(jiff::Timestamp::UNIX_EPOCH);
        let board = StatusBoard::new(end.status, end.events, clock);
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        let task = Task {
            name: TaskName::PruneHistory,
            every: Duration::from_hours(1),
            begins_anew: false,
            run: Box::new(move |_| {
                let run = counted.fetch_add(1, SeqCst);
                Box::pin(async move {
                    match run {
                        0 => panic!("no such luck"),
                        1 => Err("not now".into()),
                        _ => Ok(()),
                    }
                })
            }),
        };
        let (bell, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let driven = tokio::spawn(drive(task, Arc::clone(&bell), board, stop.clone()));
        let ended = async |runs: u64| {
            loop {
                let status = handle.status();
                match status.tasks.get(&TaskName::PruneHistory) {
                    Some(task) if task.runs == runs && !task.is_running => {
                        return task.error.clone();
                    }
                    _ => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        };
        assert!(ended(1).await.unwrap().contains("no such luck"));
        bell.notify_one();
        assert_eq!(ended(2).await.as_deref(), Some("not now"));
        bell.notify_one();
        assert_eq!(ended(3).await, None);
        stop.cancel();
        driven.await.unwrap();
        assert_eq!(runs.load(SeqCst), 3);
    }

    #[tokio::test]
    async fn a_bell_during_a_run_is_not_missed_and_may_end_it() {
        let clock = Arc::new(FixedClock::new(jiff::Timestamp::UNIX_EPOCH));
        let (_handle, end) = service_handle(jiff::Timestamp::UNIX_EPOCH);
        let board = StatusBoard::new(end.status, end.events, clock);
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        let task = Task {
            name: TaskName::AttributeDrifts,
            every: Duration::from_hours(1),
            begins_anew: true,
            run: Box::new(move |stop| {
                counted.fetch_add(1, SeqCst);
                Box::pin(async move {
                    stop.cancelled().await;
                    Ok(())
                })
            }),
        };
        let (bell, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let driven = tokio::spawn(drive(task, Arc::clone(&bell), board, stop.clone()));
        for expected in 1..4 {
            while runs.load(SeqCst) < expected {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            bell.notify_one();
        }
        stop.cancel();
        driven.await.unwrap();
    }
}
