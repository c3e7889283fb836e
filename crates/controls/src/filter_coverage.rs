//! Do the filters together match every required event?

use filter_pattern::{Coverage, FilterPattern, MissedEvent, MissedKind, RequiredEvent, coverage};
use model::{Link, Reason};

use crate::obstacle::Obstacle;

/// What a set of patterns comes to.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// How many of the required events are matched for certain.
    pub(crate) covered: usize,
    /// Those that are missed for certain.
    pub(crate) missed: Vec<MissedEvent>,
    /// Why the others are not decided, if there are any.
    pub(crate) undecided: Option<String>,
    /// The fields besides name and source that the proof rests on.
    pub(crate) relies_on: Vec<String>,
}

impl Answer {
    pub(crate) fn of(required: &[RequiredEvent], patterns: &[&FilterPattern]) -> Self {
        let mut answer = Self {
            covered: 0,
            missed: Vec::new(),
            undecided: None,
            relies_on: Vec::new(),
        };
        let mut open = 0;
        match coverage(required, patterns) {
            Coverage::Covered { advice } => {
                answer.relies_on = advice
                    .into_iter()
                    .filter_map(|advice| match advice {
                        filter_pattern::Advice::ReliesOn { path } => Some(path),
                        _ => None,
                    })
                    .collect();
            }
            Coverage::NotCovered { missed } => answer.missed = missed,
            Coverage::Undecided {
                reason,
                events,
                missed,
            } => {
                open = events.len();
                answer.undecided = Some(reason);
                answer.missed = missed;
            }
        }
        answer.covered = required.len().saturating_sub(answer.missed.len() + open);
        answer
    }

    /// Everything required is matched.
    pub(crate) fn is_covered(&self) -> bool {
        self.missed.is_empty() && self.undecided.is_none()
    }

    /// How many of the required events are matched, at least under a condition.
    pub(crate) fn touched(&self, required: usize) -> usize {
        let never = (self.missed.iter())
            .filter(|missed| missed.kind == MissedKind::NeverMatched)
            .count();
        required.saturating_sub(never)
    }

    /// Nothing is missed for certain.
    pub(crate) fn may_be_covered(&self) -> bool {
        self.missed.is_empty()
    }

    /// What the filters lack, as the link that is broken.
    pub(crate) fn obstacle(&self, subject: &str) -> Obstacle {
        // "it misses", but "they miss".
        let s = if subject.ends_with("together") {
            ""
        } else {
            "es"
        };
        let conditions: Vec<&str> = self
            .missed
            .iter()
            .filter_map(|missed| match &missed.kind {
                MissedKind::Narrowed { condition } => Some(condition.as_str()),
                MissedKind::NeverMatched => None,
            })
            .collect();
        let names: Vec<&str> = self
            .missed
            .iter()
            .map(|missed| missed.event.as_str())
            .collect();
        let (reason, message) = match conditions.first() {
            // Mending the condition mends them all.
            Some(condition) if conditions.len() == names.len() => (
                Reason::FilterNarrowed,
                format!(
                    "{subject} match{s} {} only under a condition: {condition}",
                    listed(&names)
                ),
            ),
            _ => (
                Reason::FilterIncomplete,
                format!("{subject} miss{s} {}", listed(&names)),
            ),
        };
        Obstacle::new(Link::MetricFilter, reason, message)
    }
}

/// A few names and how many more.
pub(crate) fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    match names {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        _ if names.len() <= SHOWN => {
            let (last, first) = names
                .split_last()
                .map_or(("", names), |(last, first)| (*last, first));
            format!("{} and {last}", first.join(", "))
        }
        _ => format!(
            "{} and {} more events",
            names[..SHOWN].join(", "),
            names.len() - SHOWN
        ),
    }
}
