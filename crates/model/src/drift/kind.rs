//! The kinds of drift, and how much each matters.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

macro_rules! drift_kinds {
    ($($variant:ident, $code:literal, $meaning:literal;)*) => {
        /// What kind of drift it is: a closed list, stable across versions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum DriftKind {
            $(
                #[doc = $meaning]
                #[serde(rename = $code)]
                $variant,
            )*
        }

        impl DriftKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as it is written in reports.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// What it means, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),* }
            }
        }
    };
}

drift_kinds! {
    VerdictChanged, "verdict-changed", "The verdict is another than the one that was last known.";
    ReasonChanged, "reason-changed", "The verdict is the same, but another link is broken or for another reason.";
    EvidenceChanged, "evidence-changed", "The verdict and its reason are the same, but what they rest on is not.";
    BecameUnknown, "became-unknown", "What was known can no longer be seen.";
    VisibleAgain, "visible-again", "What could not be seen can be seen again.";
    AccountJoined, "account-joined", "An account was not in the organization before.";
    AccountLeft, "account-left", "An account is no longer in the organization.";
    AccountMoved, "account-moved", "An account hangs in another place of the organization.";
    AccountStateChanged, "account-state-changed", "An account was suspended, closed, activated or opened again.";
    AccountRenamed, "account-renamed", "An account has another name.";
    ControlAdded, "control-added", "A control is judged that was not judged before.";
    Rejudged, "rejudged", "The same evidence is judged otherwise: the scanner changed, not the organization.";
    ExceptionExpired, "exception-expired", "A finding is no longer accepted: its exception expired or was removed.";
}

impl fmt::Display for DriftKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl FromStr for DriftKind {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.code() == text)
            .ok_or_else(|| {
                InvalidValue::new(
                    "drift kind",
                    text,
                    "a kind of drift, such as verdict-changed",
                )
            })
    }
}

/// How much a drift matters to the people on call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a line in a log; good news among them.
    Info,
    /// Worth reading some day.
    Low,
    /// Worth looking at this week.
    Medium,
    /// Somebody would no longer be told: worth looking at now.
    High,
    /// The same for the whole organization.
    Critical,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The severity as it is written in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or_else(|| {
                InvalidValue::new("severity", text, "info, low, medium, high or critical")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn kinds_and_severities_are_unique_and_read_back() {
        let codes: BTreeSet<_> = DriftKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), DriftKind::ALL.len());
        for kind in DriftKind::ALL {
            assert_eq!(kind.code().parse::<DriftKind>().unwrap(), *kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.code());
        }
        for severity in Severity::ALL {
            assert_eq!(severity.as_str().parse::<Severity>().unwrap(), severity);
            assert_eq!(serde_json::to_value(severity).unwrap(), severity.as_str());
        }
        assert!(Severity::ALL.is_sorted());
    }
}
