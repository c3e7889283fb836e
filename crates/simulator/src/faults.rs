//! What goes wrong on purpose.

use std::time::Duration;

use serde::Deserialize;

use crate::service::Service;

/// Which calls fail, how, and how often. A field that is not set matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    pub kind: FaultKind,
    /// An IAM prefix: `logs`.
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub operation: Option<String>,
    /// The account whose credentials sign; for AssumeRole also the one that is entered.
    #[serde(default)]
    pub account: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
    /// How many matching calls fail; all, when not set.
    #[serde(default)]
    pub times: Option<u64>,
    /// How many matching calls go well before the first one fails.
    #[serde(default)]
    pub skip: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The service's throttling error.
    Throttled,
    /// A 500.
    InternalError,
    /// No answer, ever. The connection stays open until the client gives up.
    Silence,
    /// The connection closes in the middle of the answer.
    Disconnect,
    /// A 200 whose body breaks off.
    Malformed,
    AccessDenied,
    ExpiredToken,
    /// The right answer, so many milliseconds late.
    Slow(u64),
}

impl FaultKind {
    pub(crate) fn delay(self) -> Option<Duration> {
        match self {
            Self::Slow(milliseconds) => Some(Duration::from_millis(milliseconds)),
            _ => None,
        }
    }
}

impl FaultRule {
    /// A rule that matches every call, always.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            service: None,
            operation: None,
            account: None,
            region: None,
            times: None,
            skip: 0,
        }
    }

    /// Only calls of `operation` of `service`, by its IAM prefix.
    #[must_use]
    pub fn on(mut self, service: &str, operation: &str) -> Self {
        self.service = Some(service.to_owned());
        self.operation = Some(operation.to_owned());
        self
    }

    /// Only calls signed by `account`, and AssumeRole into it.
    #[must_use]
    pub fn in_account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// Only the first `times` matching calls.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets the first `skip` matching calls go well.
    #[must_use]
    pub fn after(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }
}

/// One call, as far as rules look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) service: Service,
    pub(crate) operation: &'a str,
    pub(crate) signer: &'a str,
    /// The account that AssumeRole enters.
    pub(crate) target: Option<&'a str>,
    pub(crate) region: &'a str,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<(FaultRule, u64)>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.rules.push((rule, 0));
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The first rule that matches decides; every rule that matches counts the call.
    pub(crate) fn strike(&mut self, subject: Subject<'_>) -> Option<FaultKind> {
        let mut struck = None;
        for (rule, met) in self
            .rules
            .iter_mut()
            .filter(|(rule, _)| matches(rule, subject))
        {
            *met += 1;
            let is_due = *met > rule.skip
                && rule
                    .times
                    .is_none_or(|times| *met <= rule.skip.saturating_add(times));
            if is_due && struck.is_none() {
                struck = Some(rule.kind);
            }
        }
        struck
    }
}

fn matches(rule: &FaultRule, subject: Subject<'_>) -> bool {
    let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|it| it == found);
    is(&rule.service, subject.service.name())
        && is(&rule.operation, subject.operation)
        && is(&rule.region, subject.region)
        && (is(&rule.account, subject.signer)
            || subject
                .target
                .is_some_and(|target| is(&rule.account, target)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Subject<'static> = Subject {
        service: Service::Sts,
        operation: "AssumeRole",
        signer: "111111111111",
        target: Some("222222222222"),
        region: "us-east-1",
    };

    #[test]
    fn a_rule_strikes_after_its_skip_and_only_so_often() {
        let mut faults = Faults::default();
        faults.add(FaultRule::new(FaultKind::Throttled).times(2).after(1));
        let struck: Vec<bool> = (0..5).map(|_| faults.strike(CALL).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
    }

    #[test]
    fn assume_role_is_matched_by_the_account_that_is_entered() {
        let mut faults = Faults::default();
        faults.add(FaultRule::new(FaultKind::AccessDenied).in_account("222222222222"));
        assert_eq!(faults.strike(CALL), Some(FaultKind::AccessDenied));
        assert_eq!(
            faults.strike(Subject {
                target: None,
                ..CALL
            }),
            None
        );
    }
}
