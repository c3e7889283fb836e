//! Runs a long piece of work on a thread of its own.
//!
//! A sweep judges between two calls, and is one future that borrows from itself: it neither holds up the loop
//! that looks after it, nor has to be movable between threads.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    runtime::Handle,
    task::{JoinError, JoinHandle, spawn_blocking},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Work that runs, and is given up when this is dropped.
pub(crate) struct OwnThread<T> {
    running: JoinHandle<Option<T>>,
    _give_up: DropGuard,
}

/// Begins the work that `make` makes, on a thread of its own.
pub(crate) fn on_own_thread<T, Work>(make: impl FnOnce() -> Work + Send + 'static) -> OwnThread<T>
where
    T: Send + 'static,
    Work: Future<Output = T>,
{
    let give_up = CancellationToken::new();
    let nobody_waits = give_up.clone();
    let span = tracing::Span::current();
    let running = spawn_blocking(move || {
        let _entered = span.enter();
        Handle::current().block_on(nobody_waits.run_until_cancelled(make()))
    });
    OwnThread {
        running,
        _give_up: give_up.drop_guard(),
    }
}

/// What came of it; `None` is never seen, since whoever gave it up no longer asks.
impl<T> Future for OwnThread<T> {
    type Output = Result<Option<T>, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.running).poll(context)
    }
}
