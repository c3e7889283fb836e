//! Runs `scanner serve` beside a test, and looks at what it leaves behind.

use std::{path::PathBuf, time::Duration};

use model::SweepState;
use serde_json::Value;
use store::{Store, SweepRow};
use tokio::process::Child;

use crate::scanner::Shell;

/// Nothing that is waited for takes longer than this, on any machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A service that runs.
pub(crate) struct Serving<'a> {
    shell: &'a Shell,
    child: Child,
    log: PathBuf,
}

impl<'a> Serving<'a> {
    /// Starts it without waiting for a share of anybody's quota. Its log goes into a file.
    pub(crate) fn start(shell: &'a Shell, log: &str, more: &[&str]) -> Self {
        let mut arguments = vec![
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--quota-share",
            "1",
            "--jitter",
            "0",
        ];
        arguments.extend(more);
        let log = shell.path(log);
        let file = std::fs::File::create(&log).unwrap();
        let child = shell.command(&arguments).stderr(file).spawn().unwrap();
        Self { shell, child, log }
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) async fn signal(&self, signal: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = tokio::process::Command::new("kill")
            .args(["-s", signal, &pid])
            .status();
        assert!(sent.await.unwrap().success());
    }

    /// Its exit code, when it has ended; `None` if a signal ended it.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("it does not end: {}", self.said()));
        ended.unwrap().code()
    }

    /// Asks it to stop, and waits for that.
    pub(crate) async fn stop(mut self) -> Option<i32> {
        self.signal("TERM").await;
        self.ended().await
    }

    /// Everything that it logged.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The lines of its log with this message.
    pub(crate) fn lines(&self, message: &str) -> Vec<Value> {
        (self.said().lines())
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| {
                let said = line["fields"]["message"].as_str();
                said.is_some_and(|said| said.contains(message))
            })
            .collect()
    }

    /// Waits until something is so, while the service runs.
    pub(crate) async fn until(&mut self, what: &str, is: impl AsyncFn(&Self) -> bool) {
        let begun = tokio::time::Instant::now();
        while !is(self).await {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before {what}: {}", self.said());
            assert!(begun.elapsed() < PATIENCE, "not {what}: {}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until it has logged this.
    pub(crate) async fn says(&mut self, message: &str) {
        self.until(message, async |it| !it.lines(message).is_empty())
            .await;
    }

    /// Waits until there are sweeps in the store of which this holds, and gives them, the first one first.
    pub(crate) async fn sweeps(
        &mut self,
        what: &str,
        is: impl Fn(&[SweepRow]) -> bool,
    ) -> Vec<SweepRow> {
        self.until(what, async |it| is(&sweeps(it.shell).await))
            .await;
        sweeps(self.shell).await
    }
}

/// The sweeps in the store, the first one first.
pub(crate) async fn sweeps(shell: &Shell) -> Vec<SweepRow> {
    let Ok(store) = Store::open_reader(shell.path("scanner.db")).await else {
        return Vec::new();
    };
    let mut sweeps = store.sweeps(None).await.unwrap_or_default();
    store.close().await;
    sweeps.reverse();
    sweeps
}

/// How many of them are finished.
pub(crate) fn finished(sweeps: &[SweepRow]) -> usize {
    let finished = |sweep: &&SweepRow| sweep.state == SweepState::Finished;
    sweeps.iter().filter(finished).count()
}
