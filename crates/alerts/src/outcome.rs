//! What came of sending a notice.

use std::time::Duration;

use jiff::Timestamp;
use report::text::safe;

/// The longest wait that a receiver may ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// How much of what a receiver says is kept: enough to know what is wrong.
const EXCERPT: usize = 160;

/// What came of sending a notice to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The channel took it.
    Delivered,
    /// It may work later.
    TryAgain {
        /// Why it did not work, without any secret.
        why: String,
        /// How long the receiver asks to wait.
        after: Option<Duration>,
    },
    /// It will not work, whenever it is tried.
    Dead {
        /// Why, without any secret.
        why: String,
    },
}

impl Outcome {
    pub(crate) fn try_again(why: impl Into<String>) -> Self {
        Self::TryAgain {
            why: why.into(),
            after: None,
        }
    }

    pub(crate) fn dead(why: impl Into<String>) -> Self {
        Self::Dead { why: why.into() }
    }
}

/// The beginning of what a receiver said, fit for a line.
pub(crate) fn excerpt(said: &str) -> String {
    safe(said.trim(), EXCERPT)
}

/// The wait that the header `Retry-After` asks for: seconds, or a date (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    let wait = if let Ok(seconds) = header.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let until = jiff::fmt::rfc2822::parse(header).ok()?.timestamp();
        Duration::try_from(until.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_that_is_asked_for_is_understood_and_bounded() {
        let now: Timestamp = "2026-10-21T07:27:00Z".parse().unwrap();
        let rows = [
            ("3", Some(3)),
            (" 0 ", Some(0)),
            ("86400", Some(3600)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2026 07:20:00 GMT", Some(0)),
            ("-3", None),
            ("soon", None),
        ];
        for (header, seconds) in rows {
            let wait = retry_after(header, now);
            assert_eq!(wait.map(|wait| wait.as_secs()), seconds, "{header}");
        }
    }
}
