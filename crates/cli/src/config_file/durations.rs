//! Lengths of time, written as `90s`, `5m`, `1h 30m` or `400d`, each within its bounds.

use std::str::FromStr;

use jiff::SignedDuration;

/// Reads a length of time. Days are of 24 hours.
fn read(text: &str) -> Option<SignedDuration> {
    if text == "0" {
        return Some(SignedDuration::ZERO);
    }
    match text.trim().strip_suffix('d') {
        Some(days) => {
            let days: i32 = days.trim().parse().ok()?;
            SignedDuration::from_hours(24).checked_mul(days)
        }
        None => text.parse().ok(),
    }
}

macro_rules! durations {
    ($($(#[$doc:meta])* $name:ident($seconds:expr, $expected:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) SignedDuration);

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                read(text)
                    .filter(|duration| $seconds.contains(&duration.as_secs()) && !duration.is_negative())
                    .map(Self)
                    .ok_or_else(|| format!("`{}` is not {}", text.escape_debug(), $expected))
            }
        }
    )*};
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

durations! {
    /// From the beginning of a sweep to the beginning of the next.
    SweepInterval(1..=7 * DAY, "an interval of 1s to 7d, such as 1h");
    /// By how much later a sweep may begin.
    SweepJitter(0..=DAY, "a duration of up to 1d, such as 5m, or 0");
    /// How long ago a sweep may have begun to be gone on with.
    ResumeWithin(1..=7 * DAY, "a duration of 1s to 7d, such as 6h");
    /// How long after something was found it is looked at again.
    RecheckPause(0..=DAY, "a duration of up to 1d, such as 2m");
    /// How long CloudTrail is asked who did something.
    AuthorPatience(0..=20 * MINUTE, "a duration of up to 20m, such as 20m, or 0");
    /// How long history is kept.
    HistoryAge(DAY..=36_500 * DAY, "an age of 1d to 36500d, such as 400d");
    /// How long what is begun may still take when the service is asked to stop.
    ShutdownGrace(0..=HOUR, "a duration of up to 1h, such as 30s, or 0");
}

impl ResumeWithin {
    /// Reads a length of time, or a number of hours.
    pub(crate) fn or_hours(text: &str) -> Result<Self, String> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return format!("{text}h").parse();
        }
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_read_and_kept_within_its_bounds() {
        let rows = [
            ("1h", Some(3600)),
            ("1h 30m", Some(5400)),
            ("7d", Some(604_800)),
            ("8d", None),
            ("0", None),
            ("0s", None),
            ("-1h", None),
            ("60", None),
            ("", None),
            ("d", None),
            ("99999999999999d", None),
        ];
        for (text, seconds) in rows {
            let read = text.parse().ok().map(|SweepInterval(time)| time.as_secs());
            assert_eq!(read, seconds, "{text}");
        }
        assert!("0".parse::<SweepJitter>().is_ok());
        assert_eq!(ResumeWithin::or_hours("6"), "6h".parse());
        assert!(ResumeWithin::or_hours("200").is_err());
    }
}
