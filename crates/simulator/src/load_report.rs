//! What a client asked since the last reset, and the shortest time in which anybody could have.

mod lower_bound;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

pub use lower_bound::{BoundPart, LowerBound};

use crate::calls::CallLog;
use crate::load::Load;

/// The report of a load test. Its JSON form is what `GET /_simulator/report` answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadReport {
    /// In the order of services and operations.
    pub operations: Vec<OperationCalls>,
    pub calls: u64,
    /// How many of them were answered with a throttling error.
    pub throttled: u64,
    /// From the first call to the last answer.
    pub wall_seconds: f64,
    /// The CPU time of the whole process the simulator runs in; nothing where the system does not
    /// tell it.
    pub process_cpu_seconds: Option<f64>,
    /// What AWS's quotas were multiplied by; nothing if they were off.
    pub quotas: Option<f64>,
    /// As `simulate --latency` takes it; nothing if it was off.
    pub latency: Option<String>,
    pub lower_bound: LowerBound,
}

/// The calls of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationCalls {
    /// The prefix of its IAM actions.
    pub service: &'static str,
    pub operation: String,
    pub calls: u64,
    pub throttled: u64,
}

impl LoadReport {
    pub(crate) fn of(log: &CallLog, load: &Load, cpu: Option<Duration>) -> Self {
        let mut operations: Vec<OperationCalls> = log
            .totals()
            .map(|(service, operation, total)| OperationCalls {
                service: service.name(),
                operation: operation.to_owned(),
                calls: total.answered + total.throttled,
                throttled: total.throttled,
            })
            .collect();
        operations
            .sort_unstable_by(|a, b| (a.service, &a.operation).cmp(&(b.service, &b.operation)));
        Self {
            calls: operations.iter().map(|it| it.calls).sum(),
            throttled: operations.iter().map(|it| it.throttled).sum(),
            operations,
            wall_seconds: log.wall().as_secs_f64(),
            process_cpu_seconds: cpu.map(|cpu| cpu.as_secs_f64()),
            quotas: load.quotas,
            latency: load.latency.map(|latency| latency.to_string()),
            lower_bound: LowerBound::of(log, load.quotas),
        }
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14} {:<34} {:>9} {:>9}",
            "SERVICE", "OPERATION", "CALLS", "THROTTLED"
        )?;
        for it in &self.operations {
            // The name is the client's; nothing of it may reach a terminal but letters.
            let operation: String = it
                .operation
                .chars()
                .map(|c| if c.is_ascii_graphic() { c } else { '?' })
                .take(64)
                .collect();
            writeln!(
                f,
                "{:<14} {operation:<34} {:>9} {:>9}",
                it.service, it.calls, it.throttled
            )?;
        }
        writeln!(
            f,
            "{:<14} {:<34} {:>9} {:>9}",
            "all", "", self.calls, self.throttled
        )?;
        writeln!(f)?;
        let quotas = self
            .quotas
            .map_or("off".to_owned(), |factor| format!("AWS's, times {factor}"));
        let latency = self.latency.as_deref().unwrap_or("off");
        writeln!(f, "quotas       {quotas}; latency {latency}")?;
        writeln!(
            f,
            "wall time    {:.3} s from the first call to the last answer",
            self.wall_seconds
        )?;
        if let Some(cpu) = self.process_cpu_seconds {
            writeln!(f, "CPU time     {cpu:.2} s of the simulator's process")?;
        }
        write!(f, "lower bound  {:.3} s", self.lower_bound.seconds)?;
        if let Some(limit) = self.lower_bound.parts.first() {
            write!(f, ": {}", limit.what)?;
        }
        writeln!(f)?;
        for part in self.lower_bound.parts.iter().skip(1).take(5) {
            writeln!(f, "             {:.3} s: {}", part.seconds, part.what)?;
        }
        Ok(())
    }
}
