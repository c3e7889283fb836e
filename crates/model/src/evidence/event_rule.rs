//! EventBridge rules: another way to tell somebody, which the benchmark's procedure does not know.

use serde::{Deserialize, Serialize};

use crate::evidence::{Place, Read};

/// The rules on the default event bus of one account and region that may concern CloudTrail events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventRules {
    /// Where.
    pub place: Place,
    /// What was found, sorted by name.
    pub rules: Read<Vec<EventRule>>,
}

/// An enabled rule with an event pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventRule {
    /// Its name.
    pub name: String,
    /// Its event pattern, as AWS returns it.
    pub pattern: String,
    /// The services of its targets, such as `sns`, sorted; empty if it has none.
    pub targets: Vec<String>,
}
