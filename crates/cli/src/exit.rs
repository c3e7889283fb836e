//! What the process says with its exit code.

use std::{collections::BTreeMap, process::ExitCode};

use clap::ValueEnum;
use model::{DiscoveryState, SweepState, SweepSummary, Verdict};

/// The exit codes, stable across versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything passes, or nothing was asked for that could fail.
    Success = 0,
    /// Something went wrong that is neither usage nor verdict.
    Failure = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// At least one FAIL.
    Fail = 3,
    /// No FAIL, but something is not known.
    Unknown = 4,
    /// Interrupted from the terminal.
    Interrupted = 130,
    /// Asked to terminate.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The user gave something that cannot be used: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadInput(pub(crate) String);

impl BadInput {
    /// Wraps an error that the user can mend.
    pub(crate) fn of(error: impl std::fmt::Display) -> anyhow::Error {
        anyhow::Error::new(Self(error.to_string()))
    }
}

/// Which verdicts make the process fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FailOn {
    /// FAIL, UNKNOWN, an incomplete account list, or nothing judged.
    #[value(name = "fail,unknown", alias = "unknown,fail")]
    #[serde(rename = "fail,unknown")]
    FailAndUnknown,
    /// FAIL alone.
    Fail,
    /// Nothing.
    Never,
}

/// The exit code of a finished sweep. What is accepted neither fails nor is unknown.
pub(crate) fn of_sweep(
    summary: &SweepSummary,
    accepted: &BTreeMap<Verdict, u64>,
    fail_on: FailOn,
) -> Exit {
    let count = |counts: &BTreeMap<Verdict, u64>, verdict| counts.get(&verdict).copied();
    let any = |verdict| {
        let all = count(&summary.verdicts, verdict).unwrap_or_default();
        all > count(accepted, verdict).unwrap_or_default()
    };
    let judged = [Verdict::Pass, Verdict::Fail]
        .into_iter()
        .any(|verdict| count(&summary.verdicts, verdict).is_some_and(|all| all > 0));
    let incomplete = matches!(
        summary.discovery,
        None | Some(DiscoveryState::Incomplete { .. })
    );
    let unknown =
        any(Verdict::Unknown) || incomplete || !judged || summary.state != SweepState::Finished;
    match fail_on {
        FailOn::Fail | FailOn::FailAndUnknown if any(Verdict::Fail) => Exit::Fail,
        FailOn::FailAndUnknown if unknown => Exit::Unknown,
        FailOn::Fail | FailOn::FailAndUnknown | FailOn::Never => Exit::Success,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Gap, GapClass, GapSample};

    fn exit(verdicts: &[Verdict], discovery: DiscoveryState, fail_on: FailOn) -> Exit {
        let summary = SweepSummary {
            finished_at: jiff::Timestamp::UNIX_EPOCH,
            state: SweepState::Finished,
            discovery: Some(discovery),
            gaps: std::collections::BTreeMap::new(),
            verdicts: verdicts.iter().map(|verdict| (*verdict, 1)).collect(),
            api_calls: 0,
        };
        of_sweep(&summary, &BTreeMap::new(), fail_on)
    }

    fn incomplete() -> DiscoveryState {
        let gap = Gap {
            class: GapClass::Throttled,
            api: "organizations:ListAccounts".to_owned(),
            resource: None,
            account: None,
            region: None,
            sample: GapSample::default(),
        };
        DiscoveryState::Incomplete { gap }
    }

    #[test]
    fn the_worst_that_counts_decides() {
        use DiscoveryState::Complete;
        use Verdict::{Fail, NotApplicable, Pass, Unknown};
        let both = FailOn::FailAndUnknown;
        assert_eq!(exit(&[Pass, NotApplicable], Complete, both), Exit::Success);
        assert_eq!(exit(&[Pass, Fail, Unknown], Complete, both), Exit::Fail);
        assert_eq!(exit(&[Pass, Unknown], Complete, both), Exit::Unknown);
        assert_eq!(exit(&[Pass], incomplete(), both), Exit::Unknown);
        assert_eq!(exit(&[Fail], incomplete(), both), Exit::Fail);
        assert_eq!(exit(&[NotApplicable], Complete, both), Exit::Unknown);
        assert_eq!(exit(&[], Complete, both), Exit::Unknown);
        assert_eq!(
            exit(&[Pass, Unknown], Complete, FailOn::Fail),
            Exit::Success
        );
        assert_eq!(exit(&[Fail, Unknown], Complete, FailOn::Fail), Exit::Fail);
        assert_eq!(
            exit(&[Fail, Unknown], incomplete(), FailOn::Never),
            Exit::Success
        );
    }
}
