//! What one sweep took.

use std::thread::available_parallelism;

use anyhow::Context as _;
use serde_json::Value;

use super::Settings;

/// One sweep, and what it is to be compared with.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) accounts: f64,
    pub(super) regions: String,
    pub(super) controls: usize,
    pub(super) sweep: String,
    pub(super) calls: f64,
    pub(super) throttled: f64,
    pub(super) wall: f64,
    /// The simulator's: from quotas, and from what follows from what.
    pub(super) lower_bound: f64,
    /// What these calls take at the configured concurrency, or both processes on these cores.
    pub(super) machine_bound: f64,
    pub(super) cpu: f64,
    pub(super) simulator_cpu: f64,
    pub(super) peak_mib: f64,
    pub(super) commits: f64,
    pub(super) findings: f64,
    /// When the first half, three quarters and nearly all were judged.
    pub(super) judged_at: [f64; 3],
}

impl Measured {
    pub(super) fn read(line: &str, settings: &Settings) -> anyhow::Result<Self> {
        let line: Value = serde_json::from_str(line).context("not a line of JSON")?;
        let number = |pointer: &str| {
            let value = line.pointer(pointer).and_then(Value::as_f64);
            value.with_context(|| format!("no {pointer} in {line}"))
        };
        let (calls, cpu) = (number("/calls")?, number("/cpu")?);
        let simulator_cpu = number("/report/process_cpu_seconds")?;
        let cores = available_parallelism().map_or(1.0, |cores| as_f64(cores.get()));
        let in_flight = calls * latency(&settings.latency) / as_f64(settings.concurrency.max(1));
        let regions = match settings.regions.as_str() {
            words @ ("probe" | "all") => words.to_owned(),
            names => names.split(',').count().to_string(),
        };
        Ok(Self {
            accounts: number("/accounts")?,
            regions,
            controls: settings.controls,
            sweep: line["sweep"].as_str().unwrap_or_default().to_owned(),
            calls,
            throttled: number("/throttled")?,
            wall: number("/wall")?,
            lower_bound: number("/report/lower_bound/seconds")?,
            machine_bound: in_flight.max((cpu + simulator_cpu) / cores),
            cpu,
            simulator_cpu,
            peak_mib: number("/peak_kib")? / 1024.0,
            commits: number("/commits")?,
            findings: number("/findings")?,
            judged_at: [
                number("/judged_at/50")?,
                number("/judged_at/75")?,
                number("/judged_at/95")?,
            ],
        })
    }

    /// A cold sweep is held against AWS; a later one against whatever takes longer.
    pub(super) fn reference(&self) -> f64 {
        if self.sweep == "cold" {
            self.lower_bound
        } else {
            self.lower_bound.max(self.machine_bound)
        }
    }

    pub(super) fn cpu_per_account_ms(&self) -> f64 {
        self.cpu * 1e3 / self.accounts.max(1.0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub(super) fn as_f64(count: usize) -> f64 {
    count as f64
}

/// The median of a latency as `scanner simulate` takes it.
fn latency(text: &str) -> f64 {
    let median = text.split("..").next().unwrap_or_default();
    let (number, unit) = match median.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (median.trim_end_matches('s'), 1.0),
    };
    number.parse::<f64>().map_or(0.0, |number| number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_what_it_is_compared_with() {
        let line = r#"{"sweep":"warm","accounts":1000,"findings":15000,"wall":4.0,"cpu":0.5,"peak_kib":2048,
            "calls":1280,"throttled":0,"commits":10,"judged_at":{"50":1,"75":2,"95":3,"100":4},
            "report":{"process_cpu_seconds":0.1,"lower_bound":{"seconds":0.2}}}"#;
        let settings = Settings::default();
        let read = Measured::read(line, &settings).unwrap();
        let cores = available_parallelism().map_or(1.0, |cores| as_f64(cores.get()));
        assert!((read.reference() - (0.6 / cores).max(1280.0 * 0.05 / 256.0)).abs() < 1e-9);
        assert!((read.cpu_per_account_ms() - 0.5).abs() < 1e-9);
        assert!(Measured::read("{}", &settings).is_err());
    }

    #[test]
    fn the_median_of_a_latency_is_found() {
        for (text, seconds) in [
            ("50ms", 0.05),
            ("2s", 2.0),
            ("50ms..p99=150ms", 0.05),
            ("off", 0.0),
        ] {
            assert!((latency(text) - seconds).abs() < 1e-9, "{text}");
        }
    }
}
