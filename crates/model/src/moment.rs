//! Times as people write them: a moment, a day, an age, or the number of a sweep.

use std::{fmt, str::FromStr};

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};

use crate::{InvalidValue, SweepId};

const EXPECTED: &str = "a time such as 2026-01-02T03:04:05Z, a day such as 2026-01-02 (in UTC), or an age such as 2h or 7d";
const EXPECTED_OR_SWEEP: &str = "the number of a sweep, a time such as 2026-01-02T03:04:05Z, a day such as 2026-01-02 (in UTC), \
     or an age such as 2h or 7d";

/// A time as somebody wrote it.
#[derive(Debug, Clone, Copy)]
pub enum WrittenTime {
    /// A moment.
    At(Timestamp),
    /// A day in UTC: from its beginning, or until its end.
    Day(Date),
    /// So long ago.
    Ago(Span),
}

/// A moment of a history as somebody wrote it.
#[derive(Debug, Clone, Copy)]
pub enum WrittenMoment {
    /// The end of a sweep.
    Sweep(SweepId),
    /// A time.
    Time(WrittenTime),
}

impl WrittenTime {
    /// The moment from which on it is meant; a day from its beginning.
    pub fn beginning(self, now: Timestamp) -> Result<Timestamp, InvalidValue> {
        match self {
            Self::At(time) => Ok(time),
            Self::Day(day) => start(day).ok_or_else(|| self.invalid()),
            Self::Ago(age) => before(now, age).ok_or_else(|| self.invalid()),
        }
    }

    /// The moment until which it is meant; a day until its end.
    pub fn end(self, now: Timestamp) -> Result<Timestamp, InvalidValue> {
        let Self::Day(day) = self else {
            return self.beginning(now);
        };
        let next = day.tomorrow().ok().and_then(start);
        // Times are kept to the microsecond.
        next.and_then(|next| next.checked_sub(Span::new().microseconds(1)).ok())
            .ok_or_else(|| self.invalid())
    }

    fn invalid(self) -> InvalidValue {
        InvalidValue::new(
            "time",
            &self.to_string(),
            "a time between the years 0 and 9999",
        )
    }
}

fn start(day: Date) -> Option<Timestamp> {
    Some(day.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
}

/// Days, weeks, months and years count by the calendar of UTC.
fn before(now: Timestamp, age: Span) -> Option<Timestamp> {
    let then = now.to_zoned_datetime(TimeZone::UTC).checked_sub(age).ok()?;
    Some(then.timestamp())
}

fn parse(text: &str) -> Option<WrittenTime> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(WrittenTime::At(time));
    }
    // What has a time of day but no offset is no moment: it must not be taken for its day.
    if text.len() == "2026-01-02".len()
        && let Ok(day) = text.parse::<Date>()
    {
        return Some(WrittenTime::Day(day));
    }
    let age: Span = text.parse().ok()?;
    (!age.is_negative() || text.ends_with("ago")).then(|| WrittenTime::Ago(age.abs()))
}

impl FromStr for WrittenTime {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| InvalidValue::new("time", text, EXPECTED))
    }
}

impl FromStr for WrittenMoment {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(number) = text.trim().parse::<i64>()
            && number > 0
        {
            return Ok(Self::Sweep(SweepId(number)));
        }
        (parse(text).map(Self::Time))
            .ok_or_else(|| InvalidValue::new("moment", text, EXPECTED_OR_SWEEP))
    }
}

impl fmt::Display for WrittenTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(time) => time.fmt(f),
            Self::Day(day) => day.fmt(f),
            Self::Ago(age) => write!(f, "{age:#}"),
        }
    }
}

impl fmt::Display for WrittenMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sweep(sweep) => write!(f, "sweep {sweep}"),
            Self::Time(time) => time.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-03-31T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_time_is_read_as_it_is_meant() {
        for (text, beginning, end) in [
            (
                "2026-01-02T03:04:05Z",
                "2026-01-02T03:04:05Z",
                "2026-01-02T03:04:05Z",
            ),
            (
                "2026-01-02T03:04:05+02:00",
                "2026-01-02T01:04:05Z",
                "2026-01-02T01:04:05Z",
            ),
            (
                "2026-01-02",
                "2026-01-02T00:00:00Z",
                "2026-01-02T23:59:59.999999Z",
            ),
            ("2h", "2026-03-31T10:00:00Z", "2026-03-31T10:00:00Z"),
            ("90m", "2026-03-31T10:30:00Z", "2026-03-31T10:30:00Z"),
            ("7d", "2026-03-24T12:00:00Z", "2026-03-24T12:00:00Z"),
            ("2w", "2026-03-17T12:00:00Z", "2026-03-17T12:00:00Z"),
            ("1d 12h", "2026-03-30T00:00:00Z", "2026-03-30T00:00:00Z"),
            ("1mo", "2026-02-28T12:00:00Z", "2026-02-28T12:00:00Z"),
            (
                "2 hours ago",
                "2026-03-31T10:00:00Z",
                "2026-03-31T10:00:00Z",
            ),
            ("PT2H", "2026-03-31T10:00:00Z", "2026-03-31T10:00:00Z"),
        ] {
            let time: WrittenTime = text.parse().unwrap();
            assert_eq!(
                time.beginning(noon()).unwrap().to_string(),
                beginning,
                "{text}"
            );
            assert_eq!(time.end(noon()).unwrap().to_string(), end, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_and_says_what_would_be() {
        for text in [
            "",
            "yesterday",
            "12",
            "-2h",
            "2x",
            "2026-02-30",
            "2026-13-01",
            "25:00",
            "2026-01-02T03:04:05",
            "2026-01-02T25:00:00Z",
            "h2",
            "1e9d",
        ] {
            let error = text.parse::<WrittenTime>().unwrap_err().to_string();
            assert!(
                error.contains("2026-01-02T03:04:05Z") && error.contains("7d"),
                "{error}"
            );
        }
        let age: WrittenTime = "15000y".parse().unwrap();
        let error = age.beginning(noon()).unwrap_err().to_string();
        assert!(error.contains("between the years"), "{error}");
    }

    #[test]
    fn a_number_is_a_sweep() {
        let moment = |text: &str| text.parse::<WrittenMoment>();
        assert!(matches!(
            moment("12"),
            Ok(WrittenMoment::Sweep(SweepId(12)))
        ));
        assert!(matches!(
            moment("7d"),
            Ok(WrittenMoment::Time(WrittenTime::Ago(_)))
        ));
        assert!(matches!(
            moment("2026-01-02"),
            Ok(WrittenMoment::Time(WrittenTime::Day(_)))
        ));
        for text in ["0", "-1", "sweep", "99999999999999999999"] {
            let error = moment(text).unwrap_err().to_string();
            assert!(error.contains("the number of a sweep"), "{error}");
        }
    }
}
