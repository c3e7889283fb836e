#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod account;
mod account_id;
mod alert;
mod arn;
mod author_outcome;
mod canonical;
mod clock;
mod control_id;
mod drift;
pub mod evidence;
mod exception;
mod finding;
mod fingerprint;
mod gap;
mod metric_family;
mod moment;
mod reason;
mod recorded_call;
mod region;
mod remembered;
mod sweep;
mod token_role;

pub use account::{Account, AccountState, Organization, OuPath, Tags};
pub use account_id::AccountId;
pub use alert::{AlertId, DeliveryState, LastsWhile, NoticeForm};
pub use arn::{Arn, LogGroupArn};
pub use author_outcome::{AuthorOutcome, LookedFor};
pub use canonical::{ContentHash, canonical_json};
pub use clock::{Clock, FixedClock, SystemClock};
pub use control_id::ControlId;
pub use drift::{
    AccountSide, ChainResource, ChangeKind, Drift, DriftId, DriftKind, DriftSide, FieldChange,
    FindingSide, Severity, SweepPair,
};
pub use exception::{Exception, ExceptionId, ExceptionScope, ExceptionSource};
pub use finding::{
    Advice, AdviceCode, ChainNode, CoveredBy, Finding, Judgement, NearMiss, NodeState,
};
pub use fingerprint::Fingerprint;
pub use gap::{Gap, GapClass, GapSample};
pub use metric_family::{MetricFamily, MetricKind};
pub use moment::{WrittenMoment, WrittenTime};
pub use reason::{Link, Reason, Verdict};
pub use recorded_call::{Author, RecordedCall};
pub use region::{Partition, Region};
pub use remembered::{RememberedAccount, RememberedFinding, SeenFinding};
pub use sweep::{DiscoveryState, SweepHeader, SweepId, SweepScope, SweepState, SweepSummary};
pub use token_role::TokenRole;

/// A value from outside that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{given}` is not valid: expected {expected}")]
pub struct InvalidValue {
    /// What the value was meant to be, such as `account id`.
    pub what: &'static str,
    /// The value as given, made safe to print.
    pub given: String,
    /// What would have been valid.
    pub expected: &'static str,
}

impl InvalidValue {
    fn new(what: &'static str, given: &str, expected: &'static str) -> Self {
        let given = given
            .chars()
            .take(120)
            .flat_map(char::escape_debug)
            .collect();
        Self {
            what,
            given,
            expected,
        }
    }
}
