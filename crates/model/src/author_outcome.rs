//! What came of looking for who caused a drift: the body of a journal's record.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AccountId, Author, Gap, Region};

/// What came of looking for an author. The last one that is recorded for a drift counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AuthorOutcome {
    /// Somebody did it.
    Found {
        /// Who, when and from where.
        author: Author,
    },
    /// No call that could have done it could be seen.
    NotFound {
        /// When that was: events show up minutes after the call.
        looked_until: Timestamp,
        /// Whether everything that could be seen by then was read.
        is_whole: bool,
        /// What was asked for.
        asked: Vec<LookedFor>,
    },
    /// The event history could not be read.
    Denied {
        /// The call that failed, and why.
        gap: Gap,
    },
}

impl AuthorOutcome {
    /// Who did it, where that was found.
    pub fn author(&self) -> Option<&Author> {
        match self {
            Self::Found { author } => Some(author),
            Self::NotFound { .. } | Self::Denied { .. } => None,
        }
    }
}

/// An operation that was looked for in an event history.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LookedFor {
    /// The account that was asked.
    pub account: AccountId,
    /// The region that was asked.
    pub region: Region,
    /// The operation, such as `DeleteMetricFilter`.
    pub event_name: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_outcome_is_recorded_in_a_shape_that_stays() {
        let body = json!({
            "outcome": "not_found",
            "looked_until": "2026-01-02T03:04:05Z",
            "is_whole": true,
            "asked": [{"account": "111111111111", "region": "us-east-1", "event_name": "DeleteTopic"}],
        });
        let outcome: AuthorOutcome = serde_json::from_value(body.clone()).unwrap();
        assert_eq!(serde_json::to_value(&outcome).unwrap(), body);
        let body = json!({
            "outcome": "denied",
            "gap": {
                "class": "access-denied",
                "api": "cloudtrail:LookupEvents",
                "resource": "DeleteTopic",
                "account": "111111111111",
                "region": "us-east-1",
            },
        });
        let outcome: AuthorOutcome = serde_json::from_value(body.clone()).unwrap();
        assert_eq!(serde_json::to_value(&outcome).unwrap(), body);
    }
}
