//! What will happen to a world, and in which order.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::change::Moment;
use super::{Actor, Change, ChangeError, World};

/// The changes that are still to come, the next one first.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    pub entries: VecDeque<TimelineEntry>,
    /// When the entry before the next one happened, or the simulator started.
    since: Option<Timestamp>,
}

/// A change, who makes it and when.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEntry {
    /// So long after the entry before it, by itself; `None` waits until it is asked for.
    pub after: Option<SignedDuration>,
    pub change: Change,
    pub by: Actor,
}

impl Timeline {
    /// A timeline whose first entry's time has not begun to run.
    pub fn of(entries: impl IntoIterator<Item = TimelineEntry>) -> Self {
        Self {
            entries: entries.into_iter().collect(),
            since: None,
        }
    }
}

impl World {
    /// From now on the first entry's time runs, unless it does already.
    pub(crate) fn start_timeline(&mut self, at: Timestamp) {
        self.timeline.since.get_or_insert(at);
    }

    /// When the next entry happens by itself.
    pub(crate) fn next_change_due(&self) -> Option<Timestamp> {
        let after = self.timeline.entries.front()?.after?;
        self.timeline.since?.checked_add(after).ok()
    }

    /// Makes the next change of the timeline, due or not. One that cannot be made is gone as well.
    pub(crate) fn next_change(&mut self, moment: Moment) -> Result<Option<Change>, ChangeError> {
        let Some(entry) = self.timeline.entries.pop_front() else {
            return Ok(None);
        };
        let waited_until = moment.now.checked_add(moment.skipped);
        self.timeline.since = Some(waited_until.unwrap_or(moment.now));
        self.change(&entry.change, &entry.by, moment)?;
        Ok(Some(entry.change))
    }
}
