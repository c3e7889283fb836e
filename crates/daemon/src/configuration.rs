//! What the service is told: what to sweep, how often, and how patiently.

use std::time::Duration;

use aws::AwsSettings;
use jiff::SignedDuration;

use crate::{RecheckRule, Schedule, SweepPlan};

/// Everything that decides what the service does. Read, checked and replaced as a whole.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The whole scope, and by what to judge.
    pub plan: SweepPlan,
    /// How AWS is talked to.
    pub aws: AwsSettings,
    /// How often the whole scope is swept.
    pub schedule: Schedule,
    /// What is looked at again soon.
    pub recheck: RecheckRule,
    /// How long CloudTrail is asked who did something; zero for not at all.
    pub author_patience: Duration,
    /// What ended longer ago than this is dropped; `None`: nothing ever is.
    pub keep_history: Option<SignedDuration>,
    /// How long accounts that are being looked at may still take when the service is asked to stop.
    pub shutdown_grace: Duration,
}

/// Reads the configuration again and checks all of it; in words why it cannot be used.
pub type Reload = Box<dyn Fn() -> Result<Configuration, String> + Send + Sync>;
