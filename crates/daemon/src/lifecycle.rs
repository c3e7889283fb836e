//! How the service is asked to stop, and how it ended.

use tokio_util::sync::CancellationToken;

/// A wish to stop, in two stages.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    soft: CancellationToken,
    hard: CancellationToken,
}

impl Stop {
    /// Nobody wants it to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first time: finish what is begun, and begin nothing more. The second time: drop everything.
    pub fn ask(&self) {
        if self.soft.is_cancelled() {
            self.hard.cancel();
        }
        self.soft.cancel();
    }

    /// Cancelled by the first wish.
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Cancelled by the second wish.
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }
}

/// How the service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything that was begun was finished, or committed as far as it was when the grace was over.
    InOrder,
    /// Something had to be given up that did not end in time, or nobody wanted to wait for it. What was
    /// committed is whole all the same.
    ByForce,
}

/// What the service says about itself to whoever looks after the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It holds the store and takes requests.
    Ready,
    /// It reads its configuration again.
    Reloading,
    /// It is on its way out.
    Stopping,
    /// Its main loop came round: it looks at what is asked of it, and at the time.
    Alive,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_wish_is_a_hard_one() {
        let stop = Stop::new();
        assert!(!stop.soft().is_cancelled() && !stop.hard().is_cancelled());
        stop.ask();
        assert!(stop.soft().is_cancelled() && !stop.hard().is_cancelled());
        stop.ask();
        assert!(stop.hard().is_cancelled());
    }
}
