//! When tokens were used last, written at most once a minute each.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use store::Journal;

/// How exactly one wants to know it: each note is a write into the store.
const EVERY: SignedDuration = SignedDuration::from_mins(1);

/// More tokens than anybody has. Beyond it, notes are made more often and memory stays what it is.
const MOST: usize = 4096;

/// What was noted by this process.
#[derive(Debug, Default)]
pub(crate) struct LastUses(Mutex<HashMap<i64, Timestamp>>);

impl LastUses {
    /// Notes the use of a token, in its own time: nobody waits for it.
    pub(super) fn note(&self, journal: &Arc<Journal>, token: i64, now: Timestamp) {
        if !self.is_due(token, now) {
            return;
        }
        let journal = Arc::clone(journal);
        tokio::spawn(async move {
            if let Err(error) = journal.note_token_use(token, now).await {
                tracing::warn!(error = %error, "the use of a token was not noted");
            }
        });
    }

    fn is_due(&self, token: i64, now: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() >= MOST {
            noted.clear();
        }
        let last = noted.get(&token).copied();
        let is_due = last.is_none_or(|last| now.duration_since(last) >= EVERY);
        if is_due {
            noted.insert(token, now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_noted_once_a_minute_for_each_token() {
        let uses = LastUses::default();
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        let rows = [
            (1, 0, true),
            (1, 59, false),
            (2, 59, true),
            (1, 60, true),
            (1, 119, false),
        ];
        for (token, second, expected) in rows {
            assert_eq!(
                uses.is_due(token, at(second)),
                expected,
                "{token} at {second}"
            );
        }
    }
}
