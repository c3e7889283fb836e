//! What is known of one account and control, and how changes of that compose.
//!
//! Two things are kept apart: whether it can be seen now, and what was last known. UNKNOWN changes the
//! first and never the second, so what happens to the second in a blind sweep is seen after it.

use model::{Finding, Link, Reason, RememberedFinding, Verdict};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// The answer as far as it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Why the verdict is what it is.
    pub reason: Reason,
    /// The link that is broken.
    pub link: Option<Link>,
}

/// What is known of one account and control after some sweep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownState {
    /// Whether the last sweep could tell.
    pub is_visible: bool,
    /// The last answer that was not UNKNOWN.
    pub last_known: Option<Known>,
}

impl KnownState {
    /// The state that is remembered.
    pub fn of(remembered: &RememberedFinding) -> Self {
        let before = remembered.before_unknown.as_ref();
        let state = before.map_or_else(Self::default, |seen| Self::default().after(&seen.finding));
        state.after(&remembered.latest.finding)
    }

    /// The state once a sweep gave this finding.
    #[must_use]
    pub fn after(self, finding: &Finding) -> Self {
        if finding.verdict() == Verdict::Unknown {
            return Self {
                is_visible: false,
                ..self
            };
        }
        Self {
            is_visible: true,
            last_known: Some(Known {
                reason: finding.reason,
                link: finding.link,
            }),
        }
    }
}

/// From one value to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step<T> {
    /// The value before.
    pub from: T,
    /// The value after.
    pub to: T,
}

impl<T: Copy + PartialEq> Step<T> {
    fn between(from: T, to: T) -> Option<Self> {
        (from != to).then_some(Self { from, to })
    }

    fn joins(first: Option<Self>, second: Option<Self>) -> bool {
        (first.zip(second)).is_none_or(|(first, second)| first.to == second.from)
    }

    fn compose(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(first), Some(second)) => Self::between(first.from, second.to),
            (one, other) => one.or(other),
        }
    }
}

/// What is another between two states. What came and went again is nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whether it can be seen.
    pub visibility: Option<Step<bool>>,
    /// What was last known.
    pub last_known: Option<Step<Option<Known>>>,
}

impl Change {
    /// The change from one state to another.
    pub fn between(from: KnownState, to: KnownState) -> Self {
        Self {
            visibility: Step::between(from.is_visible, to.is_visible),
            last_known: Step::between(from.last_known, to.last_known),
        }
    }

    /// This change and then the other; `None` where the other does not begin where this one ends.
    pub fn then(self, next: Self) -> Option<Self> {
        let joins = Step::joins(self.visibility, next.visibility)
            && Step::joins(self.last_known, next.last_known);
        joins.then(|| Self {
            visibility: Step::compose(self.visibility, next.visibility),
            last_known: Step::compose(self.last_known, next.last_known),
        })
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
