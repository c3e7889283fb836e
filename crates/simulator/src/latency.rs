//! How long answers take: a fixed time, or a median with a tail.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::chance::Draw;

/// The time that an answer takes beyond what the simulator needs for it, drawn from a log-normal
/// distribution: `50ms`, or `50ms..p99=150ms`.
///
/// Waiting costs no CPU time. Timers are exact to a millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Latency {
    /// Half of the answers take longer.
    pub median: Duration,
    /// One answer in a hundred takes longer; all take the same time if this is the median.
    pub p99: Duration,
}

/// A text that says no latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 50ms or 2s, or a median and a tail such as 50ms..p99=150ms")]
pub struct LatencyError;

/// How many standard deviations the 99th percentile of a normal distribution is off its median.
const P99: f64 = 2.326_347_874;

/// No answer is later than this; a client has given up by then.
const LONGEST: Duration = Duration::from_mins(10);

impl Latency {
    /// Each answer takes exactly this long.
    pub fn fixed(time: Duration) -> Self {
        Self {
            median: time,
            p99: time,
        }
    }

    /// The time for one answer.
    pub(crate) fn draw(self, draw: &mut Draw) -> Duration {
        if self.p99 <= self.median {
            return self.median.min(LONGEST);
        }
        // Box and Muller's way from two even draws to a normal one.
        let (radius, angle) = (1.0 - draw.fraction(), draw.fraction());
        let normal = (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos();
        let median = self.median.as_secs_f64();
        let spread = (self.p99.as_secs_f64() / median).ln() / P99;
        Duration::try_from_secs_f64(median * (spread * normal).exp())
            .map_or(LONGEST, |time| time.min(LONGEST))
    }
}

impl FromStr for Latency {
    type Err = LatencyError;

    fn from_str(text: &str) -> Result<Self, LatencyError> {
        let (median, p99) = match text.split_once("..") {
            Some((median, tail)) => (median, tail.strip_prefix("p99=").ok_or(LatencyError)?),
            None => (text, text),
        };
        let latency = Self {
            median: time(median)?,
            p99: time(p99)?,
        };
        // There is no distribution of which less than half is below the median.
        if latency.p99 < latency.median || (latency.median.is_zero() && !latency.p99.is_zero()) {
            return Err(LatencyError);
        }
        Ok(latency)
    }
}

impl TryFrom<String> for Latency {
    type Error = LatencyError;

    fn try_from(text: String) -> Result<Self, LatencyError> {
        text.parse()
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.median)?;
        if self.p99 > self.median {
            write!(f, "..p99={:?}", self.p99)?;
        }
        Ok(())
    }
}

fn time(text: &str) -> Result<Duration, LatencyError> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s').ok_or(LatencyError)?, 1.0),
    };
    let number: f64 = number.parse().map_err(|_| LatencyError)?;
    Duration::try_from_secs_f64(number * unit)
        .ok()
        .filter(|time| *time <= LONGEST)
        .ok_or(LatencyError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_written_as_it_is_read() {
        for text in ["50ms", "2s", "50ms..p99=150ms", "1.5s..p99=4s", "0ns"] {
            let read = text.parse::<Latency>();
            match text {
                "0ns" => assert!(read.is_err()),
                _ => assert_eq!(read.unwrap().to_string(), text),
            }
        }
        for text in [
            "",
            "50",
            "ms",
            "-1ms",
            "NaNs",
            "50ms..150ms",
            "50ms..p99=10ms",
            "0s..p99=1s",
        ] {
            assert_eq!(text.parse::<Latency>(), Err(LatencyError), "{text}");
        }
    }

    #[test]
    fn half_of_the_answers_are_below_the_median_and_one_in_a_hundred_above_the_tail() {
        let latency: Latency = "50ms..p99=150ms".parse().unwrap();
        let mut draw = Draw::new(1, &["latency"]);
        let times: Vec<Duration> = (0..20_000).map(|_| latency.draw(&mut draw)).collect();
        let above = |limit| times.iter().filter(|time| **time > limit).count();
        assert!((9_500..10_500).contains(&above(latency.median)));
        assert!((140..270).contains(&above(latency.p99)));
    }

    #[test]
    fn without_a_tail_every_answer_takes_the_same_time() {
        let latency = Latency::fixed(Duration::from_millis(20));
        let mut draw = Draw::new(1, &["latency"]);
        assert!((0..100).all(|_| latency.draw(&mut draw) == latency.median));
    }
}
