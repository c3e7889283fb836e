//! What the file may say of the service.

use std::{borrow::Cow, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    AuthorPatience, FromText, HistoryAge, RecheckPause, ResumeWithin, ShutdownGrace, SweepInterval,
    SweepJitter, bounded_number,
};
use crate::settings::serve::{
    DEFAULT_AFTER_DRIFT, DEFAULT_AFTER_UNKNOWN, DEFAULT_AUTHOR_PATIENCE, DEFAULT_GRACE,
    DEFAULT_INTERVAL, DEFAULT_JITTER, DEFAULT_RECHECK_ACCOUNTS, DEFAULT_RESUME_WITHIN,
};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServeSection {
    /// From the beginning of a sweep to the beginning of the next, 1s to 7d. A sweep that was missed, because
    /// the service was not running or the one before took longer, is made up for once.
    #[schemars(extend("default" = DEFAULT_INTERVAL))]
    pub(crate) interval: Option<FromText<SweepInterval>>,
    /// By how much later it may begin, so that many scanners do not all ask at the same time.
    #[schemars(extend("default" = DEFAULT_JITTER))]
    pub(crate) jitter: Option<FromText<SweepJitter>>,
    /// A sweep that was stopped is gone on with, if it began no longer ago than this.
    #[schemars(extend("default" = DEFAULT_RESUME_WITHIN))]
    pub(crate) resume_within: Option<FromText<ResumeWithin>>,
    /// How long accounts that are being looked at may still take when the service is asked to stop. What was
    /// seen by then is kept.
    #[schemars(extend("default" = DEFAULT_GRACE))]
    pub(crate) shutdown_grace: Option<FromText<ShutdownGrace>>,
    /// An account in which something changed is looked at again after this time.
    #[schemars(extend("default" = DEFAULT_AFTER_DRIFT))]
    pub(crate) recheck_after_drift: Option<FromText<RecheckPause>>,
    /// An account in which something could not be seen is looked at again after this time.
    #[schemars(extend("default" = DEFAULT_AFTER_UNKNOWN))]
    pub(crate) recheck_after_unknown: Option<FromText<RecheckPause>>,
    /// How many accounts are looked at again, 0 to 1000; 0 for none. Where more are in trouble, one stands for
    /// all that have the same cause.
    #[schemars(extend("default" = DEFAULT_RECHECK_ACCOUNTS))]
    pub(crate) recheck_accounts: Option<RecheckAccounts>,
    /// How long CloudTrail is asked who caused a change, up to 20m; 0 to not ask. Sweeps do not wait for it.
    #[schemars(extend("default" = DEFAULT_AUTHOR_PATIENCE))]
    pub(crate) author_patience: Option<FromText<AuthorPatience>>,
    /// What was no longer so this long ago is dropped, once a day. Without this everything is kept.
    #[schemars(extend("examples" = ["400d"]))]
    pub(crate) keep_history: Option<FromText<HistoryAge>>,
}

bounded_number! {
    /// How many accounts are looked at again soon.
    RecheckAccounts(usize, 0..=1000, "a number of accounts between 0 and 1000");
}
