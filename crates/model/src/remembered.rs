//! What is remembered of an account from the sweeps before.

use std::collections::BTreeMap;

use crate::{Account, ContentHash, ControlId, Finding, SweepId};

/// One account as it was remembered before a sweep looked at it.
#[derive(Debug, Clone, PartialEq)]
pub struct RememberedAccount {
    /// What AWS Organizations said of it last.
    pub account: Account,
    /// The answers, by control.
    pub findings: BTreeMap<ControlId, RememberedFinding>,
}

/// The answer for one account and control, as it was remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct RememberedFinding {
    /// The last answer, whatever it was.
    pub latest: SeenFinding,
    /// The last answer that was not UNKNOWN, where `latest` is UNKNOWN and there ever was one.
    pub before_unknown: Option<SeenFinding>,
}

/// An answer, and when it was given.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenFinding {
    /// The answer.
    pub finding: Finding,
    /// The hash of everything that was read for the account; `None` where there was nothing to read.
    pub evidence: Option<ContentHash>,
    /// The first sweep that gave this answer.
    pub since: SweepId,
    /// The last sweep that gave it.
    pub confirmed: SweepId,
}

impl RememberedFinding {
    /// The last answer that was not UNKNOWN.
    pub fn last_known(&self) -> Option<&SeenFinding> {
        if self.latest.finding.verdict() == crate::Verdict::Unknown {
            self.before_unknown.as_ref()
        } else {
            Some(&self.latest)
        }
    }
}
