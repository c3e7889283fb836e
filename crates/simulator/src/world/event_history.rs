//! What CloudTrail remembers of each account and region, and when it lets it be seen.

use std::collections::HashMap;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// The event history of every account and region, and how it behaves.
#[derive(Debug, Clone, Default)]
pub struct EventHistory {
    pub settings: EventHistorySettings,
    /// In the order in which they were recorded.
    events: HashMap<Place, Vec<RecordedEvent>>,
    recorded: u64,
}

/// An account and a region.
type Place = (String, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventHistorySettings {
    /// How long an event takes until it can be looked up.
    pub delay: EventDelay,
    /// Whether others come with each event that a reader must tell it from: the same call about
    /// another resource, a refused one, and one of the day before.
    pub noise: bool,
}

impl Default for EventHistorySettings {
    fn default() -> Self {
        Self {
            delay: EventDelay::default(),
            noise: true,
        }
    }
}

/// A time, or a shortest and a longest one to draw from: `0s`, `2m..15m`.
///
/// AWS says that events show up within about a quarter of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EventDelay {
    pub shortest: SignedDuration,
    pub longest: SignedDuration,
}

/// A text that says no delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 0s, or a shortest and a longest one such as 2m..15m")]
pub struct EventDelayError;

impl Default for EventDelay {
    fn default() -> Self {
        Self {
            shortest: SignedDuration::from_mins(2),
            longest: SignedDuration::from_mins(15),
        }
    }
}

impl EventDelay {
    /// Every event takes exactly this long.
    pub fn fixed(time: SignedDuration) -> Self {
        Self {
            shortest: time,
            longest: time,
        }
    }

    /// The delay at `fraction`, from 0 to 1, of the way from the shortest to the longest.
    pub(crate) fn at(self, fraction: f64) -> SignedDuration {
        let spread = self.longest.saturating_sub(self.shortest).as_secs_f64();
        let more = SignedDuration::try_from_secs_f64(spread * fraction).unwrap_or_default();
        self.shortest.saturating_add(more)
    }
}

impl FromStr for EventDelay {
    type Err = EventDelayError;

    fn from_str(text: &str) -> Result<Self, EventDelayError> {
        let (shortest, longest) = text.split_once("..").unwrap_or((text, text));
        let time = |text: &str| text.parse::<SignedDuration>().map_err(|_| EventDelayError);
        let (shortest, longest) = (time(shortest)?, time(longest)?);
        if shortest.is_negative() || longest < shortest {
            return Err(EventDelayError);
        }
        Ok(Self { shortest, longest })
    }
}

impl TryFrom<String> for EventDelay {
    type Error = EventDelayError;

    fn try_from(text: String) -> Result<Self, EventDelayError> {
        text.parse()
    }
}

/// One event as LookupEvents tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    pub event_id: String,
    pub event_name: String,
    pub event_source: String,
    /// To the second, as CloudTrail writes it.
    pub time: Timestamp,
    /// From when on it can be looked up.
    pub visible_from: Timestamp,
    pub username: Option<String>,
    pub access_key_id: Option<String>,
    pub is_read_only: bool,
    pub resources: Vec<EventResource>,
    /// The event itself. AWS sends JSON here; a test may put anything.
    pub record: String,
}

/// A resource that an event names, such as an `AWS::SNS::Topic`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventResource {
    pub kind: &'static str,
    pub name: String,
}

impl EventHistory {
    /// Adds an event to the history of an account and region.
    pub fn record(&mut self, account: &str, region: &str, event: RecordedEvent) {
        self.recorded += 1;
        let place = (account.to_owned(), region.to_owned());
        self.events.entry(place).or_default().push(event);
    }

    /// How many were ever recorded, so that no two get the same id.
    pub(crate) fn recorded(&self) -> u64 {
        self.recorded
    }

    /// All events of an account and region, whether they can be looked up yet or not.
    pub fn of(&self, account: &str, region: &str) -> &[RecordedEvent] {
        self.events
            .get(&(account.to_owned(), region.to_owned()))
            .map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_a_time_or_a_range() {
        let delay: EventDelay = "2m..15m".parse().unwrap();
        assert_eq!(delay, EventDelay::default());
        assert_eq!(delay.at(0.0), SignedDuration::from_mins(2));
        assert_eq!(delay.at(1.0), SignedDuration::from_mins(15));
        let none: EventDelay = "0s".parse().unwrap();
        assert_eq!(none.at(0.5), SignedDuration::ZERO);
        for text in ["", "soon", "15m..2m", "-1m", "2m.."] {
            assert_eq!(text.parse::<EventDelay>(), Err(EventDelayError), "{text}");
        }
    }
}
