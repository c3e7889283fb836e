//! An exception: findings that somebody accepts until a date.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Account, AccountId, ContentHash, ControlId, Finding, InvalidValue, OuPath, Reason, Verdict,
};

/// The name of an exception: ten hexadecimal digits that follow from what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ExceptionId([u8; 5]);

/// Which findings are accepted; what is `None` does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExceptionScope {
    /// Of this account.
    #[serde(default)]
    pub account: Option<AccountId>,
    /// Of accounts in this OU or root, directly or further down.
    #[serde(default)]
    pub ou: Option<String>,
    /// Of this control.
    #[serde(default)]
    pub control: Option<ControlId>,
    /// With this reason.
    #[serde(default)]
    pub reason_code: Option<Reason>,
}

/// Where an exception was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionSource {
    /// On the command line; it ends when it is removed there or expires.
    Command,
    /// In the configuration; it ends when it is no longer there, or expires.
    Configuration,
    /// Through the API; it ends when it is removed or expires.
    Api,
}

/// Findings that somebody accepts until a date. It never changes a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Which findings.
    pub scope: ExceptionScope,
    /// Who answers for it.
    pub owner: String,
    /// Why they are accepted.
    pub reason: String,
    /// Where that was decided.
    pub ticket: Option<String>,
    /// Until when, exclusive.
    pub expires_at: Timestamp,
    /// Where it was written down.
    pub source: ExceptionSource,
}

impl Exception {
    /// Its name.
    pub fn id(&self) -> ExceptionId {
        let hash = ContentHash::of(self);
        let mut id = [0; 5];
        for (to, from) in id.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        ExceptionId(id)
    }

    /// Whether this finding is meant: it does not pass, and the scope takes it.
    pub fn covers(&self, finding: &Finding, account: &Account) -> bool {
        matches!(finding.verdict(), Verdict::Fail | Verdict::Unknown)
            && (self.scope).takes(
                finding.account,
                account.ou_path.as_ref(),
                Some(&finding.control),
                Some(finding.reason),
            )
    }

    /// Whether it holds at this time.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

impl ExceptionScope {
    /// Whether a finding of this account, control and reason is meant. What is `None` is not known, or is
    /// several, and no scope that asks for it takes it.
    pub fn takes(
        &self,
        account: AccountId,
        path: Option<&OuPath>,
        control: Option<&ControlId>,
        reason: Option<Reason>,
    ) -> bool {
        let is = |wanted: Option<bool>| wanted.unwrap_or(true);
        is(self.account.map(|id| id == account))
            && is((self.control.as_ref()).map(|wanted| Some(wanted) == control))
            && is(self.reason_code.map(|wanted| Some(wanted) == reason))
            && is((self.ou.as_ref()).map(|ou| path.is_some_and(|path| path.is_within(ou))))
    }
}

impl fmt::Display for ExceptionScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.account.map(|account| format!("account {account}")),
            self.ou.as_ref().map(|ou| format!("OU {ou}")),
            self.control
                .as_ref()
                .map(|control| format!("control {control}")),
            self.reason_code.map(|reason| format!("reason {reason}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.pad(&parts.join(", "))
    }
}

impl fmt::Display for ExceptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

impl FromStr for ExceptionId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 5];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| InvalidValue::new("exception id", text, "10 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for ExceptionId {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ExceptionId> for String {
    fn from(id: ExceptionId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{AccountState, Judgement, OuPath};

    fn finding(reason: Reason) -> Finding {
        Finding {
            account: "111111111111".parse().unwrap(),
            control: "organizations-changes".parse().unwrap(),
            judgement: Arc::new(Judgement::new(reason, "")),
        }
    }

    fn exception(scope: ExceptionScope) -> Exception {
        Exception {
            scope,
            owner: "platform".to_owned(),
            reason: "being moved".to_owned(),
            ticket: None,
            expires_at: "2026-12-01T00:00:00Z".parse().unwrap(),
            source: ExceptionSource::Command,
        }
    }

    #[test]
    fn each_part_of_a_scope_narrows() {
        let account = Account {
            id: "111111111111".parse().unwrap(),
            name: "one".to_owned(),
            state: AccountState::Active,
            ou_path: Some(OuPath(vec!["r-ab12".to_owned(), "ou-ab12-prod".to_owned()])),
            tags: None,
        };
        let all = ExceptionScope {
            account: Some(account.id),
            ou: Some("r-ab12".to_owned()),
            control: "organizations-changes".parse().ok(),
            reason_code: Some(Reason::AlarmAbsent),
        };
        let covers = |scope: ExceptionScope| {
            exception(scope).covers(&finding(Reason::AlarmAbsent), &account)
        };
        assert!(covers(all.clone()));
        assert!(covers(ExceptionScope::default()));
        let others = [
            ExceptionScope {
                account: "222222222222".parse().ok(),
                ..all.clone()
            },
            ExceptionScope {
                ou: Some("ou-ab12-dev".to_owned()),
                ..all.clone()
            },
            ExceptionScope {
                control: "root-usage".parse().ok(),
                ..all.clone()
            },
            ExceptionScope {
                reason_code: Some(Reason::TrailAbsent),
                ..all.clone()
            },
        ];
        for other in others {
            assert!(!covers(other.clone()), "{other}");
        }
        let passing = finding(Reason::CoveredByOwnTrail);
        assert!(!exception(all).covers(&passing, &account));
    }

    #[test]
    fn an_id_follows_from_what_is_said_and_an_exception_ends() {
        let one = exception(ExceptionScope::default());
        let id = one.id();
        assert_eq!(id.to_string().parse::<ExceptionId>().unwrap(), id);
        let other = Exception {
            owner: "somebody else".to_owned(),
            ..one.clone()
        };
        assert_ne!(other.id(), id);
        let at = |time: &str| one.is_in_force(time.parse().unwrap());
        assert!(at("2026-11-30T23:59:59Z"));
        assert!(!at("2026-12-01T00:00:00Z"));
    }
}
