//! How a world goes on: by itself as time passes, or because somebody does not want to wait.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLockWriteGuard};

use jiff::{SignedDuration, Timestamp};

use crate::answer::Shared;
use crate::world::{Actor, Change, ChangeError, Moment, World};

/// No change will happen by itself.
const NEVER: i64 = i64::MAX;

/// How far the waiting is. The clock itself is never moved: the client reads the same one, and
/// would look for what happened before its own present.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Milliseconds that nobody had to wait.
    skipped: AtomicI64,
    /// When the next change is due, in milliseconds since 1970: asked before each request, which
    /// should not need the world for it.
    due: AtomicI64,
}

impl Waiting {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            skipped: AtomicI64::new(0),
            due: AtomicI64::new(due(world)),
        }
    }

    /// `now` as it would be if nothing had been skipped.
    pub(crate) fn waited_until(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.skipped()).unwrap_or(now)
    }

    /// The world's timeline may be another one.
    pub(crate) fn look_again(&self, world: &World) {
        self.due.store(due(world), Ordering::Release);
    }

    fn skipped(&self) -> SignedDuration {
        SignedDuration::from_millis(self.skipped.load(Ordering::Acquire))
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.due.load(Ordering::Acquire) <= self.waited_until(now).as_millisecond()
    }
}

fn due(world: &World) -> i64 {
    world
        .next_change_due()
        .map_or(NEVER, Timestamp::as_millisecond)
}

impl Shared {
    fn moment(&self) -> Moment {
        Moment {
            seed: self.seed,
            now: self.clock.now(),
            skipped: self.waiting.skipped(),
        }
    }

    fn world_to_change(&self) -> RwLockWriteGuard<'_, World> {
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the changes whose time has come.
    pub(crate) fn let_time_pass(&self) {
        while self.waiting.is_due(self.clock.now()) {
            if let Err(error) = self.advance_if_due() {
                tracing::warn!(%error, "a change of the timeline could not be made");
            }
        }
    }

    fn advance_if_due(&self) -> Result<Option<Change>, ChangeError> {
        let mut world = self.world_to_change();
        // Another request may have been faster.
        if !self.waiting.is_due(self.clock.now()) {
            return Ok(None);
        }
        let outcome = world.next_change(self.moment());
        self.waiting.look_again(&world);
        outcome
    }

    /// Makes the next change of the timeline, due or not.
    pub(crate) fn advance(&self) -> Result<Option<Change>, ChangeError> {
        let mut world = self.world_to_change();
        let outcome = world.next_change(self.moment());
        self.waiting.look_again(&world);
        outcome
    }

    /// Skips the waiting for so long.
    pub(crate) fn advance_by(&self, time: SignedDuration) -> Result<Vec<Change>, ChangeError> {
        let milliseconds = i64::try_from(time.as_millis()).unwrap_or(i64::MAX).max(0);
        let skipped = &self.waiting.skipped;
        let _ = skipped.fetch_update(Ordering::AcqRel, Ordering::Acquire, |so_far| {
            Some(so_far.saturating_add(milliseconds))
        });
        let mut made = Vec::new();
        while self.waiting.is_due(self.clock.now()) {
            made.extend(self.advance_if_due()?);
        }
        Ok(made)
    }

    /// Makes a change that is not on the timeline.
    pub(crate) fn change(&self, change: &Change, by: &Actor) -> Result<(), ChangeError> {
        self.world_to_change().change(change, by, self.moment())
    }
}
