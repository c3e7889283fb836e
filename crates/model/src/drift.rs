//! A drift: what is not as it was.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    AccountId, AccountState, Arn, ContentHash, ControlId, CoveredBy, InvalidValue, Link, OuPath,
    Reason, Region, SweepId, Verdict,
};

mod kind;

pub use kind::{DriftKind, Severity};

/// The name of a drift: the same drift, found again by a sweep that was resumed, has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DriftId([u8; 8]);

impl DriftId {
    /// The id of a drift, by what tells it from every other of its store.
    pub fn of(
        kind: DriftKind,
        account: Option<AccountId>,
        control: Option<&ControlId>,
        seen: SweepId,
        cause: &str,
    ) -> Self {
        let hash = ContentHash::of(&(kind, account, control, seen, cause));
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        Self(id)
    }
}

impl FromStr for DriftId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| InvalidValue::new("drift id", text, "16 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for DriftId {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DriftId> for String {
    fn from(id: DriftId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for DriftId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

/// The two sweeps between which it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SweepPair {
    /// The last sweep that saw it as it was before; `None` where nothing was before.
    pub last_before: Option<SweepId>,
    /// The sweep that saw it as it is after.
    pub seen: SweepId,
}

/// How it was, or how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum DriftSide {
    /// The answer for an account and control.
    Finding(FindingSide),
    /// What AWS Organizations says of an account.
    Account(AccountSide),
}

/// What a finding says, without the chain that it walked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingSide {
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The link that is broken or could not be read.
    pub link: Option<Link>,
    /// The resource that is broken or could not be read; for something that is absent, the one below
    /// which it would be.
    pub resource: Option<String>,
    /// The chain that holds, for a PASS.
    pub covered_by: Option<CoveredBy>,
    /// One sentence that a human would say.
    pub message: String,
}

/// What AWS Organizations says of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountSide {
    /// Its name; empty where it is not known.
    pub name: String,
    /// Whether it is in use.
    pub state: AccountState,
    /// Where it hangs; `None` where that is not known.
    pub ou_path: Option<OuPath>,
}

/// A resource of the chain, named so that it can be found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChainResource {
    /// Which link of the chain it is.
    pub link: Link,
    /// The ARN, or the name where AWS gives it no ARN of its own.
    pub resource: String,
    /// The account in which it lives.
    pub account: Option<AccountId>,
    /// The region in which it lives.
    pub region: Option<Region>,
    /// What led to it: the log group of a filter, the topic of a subscription.
    pub within: Option<String>,
}

impl ChainResource {
    /// One text that names the resource and no other: the cause of every drift that comes from it.
    pub fn cause(&self) -> String {
        if self.resource.parse::<Arn>().is_ok() {
            return format!("{} {}", self.link, self.resource);
        }
        let place = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
        format!(
            "{} {} {} {} in {}",
            self.link,
            place(self.account.map(|account| account.to_string())),
            place(self.region.as_ref().map(ToString::to_string)),
            self.resource,
            self.within.as_deref().unwrap_or("-"),
        )
    }
}

/// What became of a resource of the chain, or of one of its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is no longer there, or no longer part of the chain.
    Removed,
    /// It is there as before, with another value.
    Changed,
    /// It was not there, or not part of the chain.
    Added,
}

/// One change of what a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// What changed.
    #[serde(flatten)]
    pub of: ChainResource,
    /// What became of it.
    pub change: ChangeKind,
    /// The field, as a JSON pointer (RFC 6901) into what was read of the resource; empty for the
    /// resource as a whole.
    pub path: String,
    /// What was read before; null where nothing was there.
    pub before: Value,
    /// What is read now; null where nothing is there.
    pub after: Value,
}

/// A verdict, its evidence or an account that is not as it was last known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Its name.
    pub id: DriftId,
    /// What kind of drift it is.
    pub kind: DriftKind,
    /// How much it matters, damped where it flaps.
    pub severity: Severity,
    /// The account; `None` where it concerns several.
    pub account: Option<AccountId>,
    /// The control; `None` where it concerns the account as a whole, or several controls.
    pub control: Option<ControlId>,
    /// What it comes from, such as the resource that changed: drifts of one cause have the same.
    pub cause: String,
    /// One sentence that a human would say.
    pub message: String,
    /// When it happened.
    pub between: SweepPair,
    /// How it was.
    pub before: Option<DriftSide>,
    /// How it is.
    pub after: Option<DriftSide>,
    /// What changed along the chain, the cause first.
    pub changes: Vec<FieldChange>,
    /// The accounts of a notice on several, sorted; empty otherwise.
    pub accounts: Vec<AccountId>,
    /// The severity that it would have if it did not flap; `None` where it does not.
    pub undamped: Option<Severity>,
}

impl Drift {
    /// Whether it is one of many in a short time, so that it is told in a low voice.
    pub fn is_flapping(&self) -> bool {
        self.undamped.is_some()
    }

    /// Whether something that was broken, or could not be seen, is well again.
    pub fn is_recovery(&self) -> bool {
        let verdict = |side: &Option<DriftSide>| match side {
            Some(DriftSide::Finding(finding)) => Some(finding.verdict),
            _ => None,
        };
        match self.kind {
            DriftKind::VerdictChanged => verdict(&self.after) == Some(Verdict::Pass),
            DriftKind::VisibleAgain => true,
            _ => false,
        }
    }

    /// How many accounts it concerns.
    pub fn account_count(&self) -> usize {
        self.accounts.len().max(usize::from(self.account.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_sixteen_digits_and_tells_drifts_apart() {
        let account: AccountId = "111111111111".parse().unwrap();
        let control: ControlId = "organizations-changes".parse().unwrap();
        let id = |seen, cause| {
            DriftId::of(
                DriftKind::VerdictChanged,
                Some(account),
                Some(&control),
                SweepId(seen),
                cause,
            )
        };
        assert_eq!(id(7, "a"), id(7, "a"));
        assert_eq!(id(7, "a").to_string(), "14f44d9d2eb8617f");
        assert_ne!(id(7, "a"), id(8, "a"));
        assert_ne!(id(7, "a"), id(7, "b"));
        assert_eq!(
            id(7, "a").to_string().parse::<DriftId>().unwrap(),
            id(7, "a")
        );
        assert!("12".parse::<DriftId>().is_err());
    }

    #[test]
    fn a_name_alone_is_no_cause() {
        let filter = |within: &str| ChainResource {
            link: Link::MetricFilter,
            resource: "f".to_owned(),
            account: "111111111111".parse().ok(),
            region: "eu-west-1".parse().ok(),
            within: Some(within.to_owned()),
        };
        assert_ne!(filter("one group").cause(), filter("another").cause());
    }
}
