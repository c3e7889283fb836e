//! A drift before it has its name.

use model::{
    Account, AccountId, AccountSide, ControlId, Drift, DriftId, DriftKind, DriftSide, FieldChange,
    Finding, FindingSide, Severity, SweepId, SweepPair,
};

use crate::cause::broken_resource;

/// What a drift is made of.
pub(crate) struct Draft {
    pub(crate) kind: DriftKind,
    pub(crate) severity: Severity,
    pub(crate) account: Option<AccountId>,
    pub(crate) control: Option<ControlId>,
    pub(crate) cause: String,
    pub(crate) message: String,
    pub(crate) last_before: Option<SweepId>,
    pub(crate) before: Option<DriftSide>,
    pub(crate) after: Option<DriftSide>,
    pub(crate) changes: Vec<FieldChange>,
}

impl Draft {
    pub(crate) fn named(self, seen: SweepId) -> Drift {
        let control = self.control.as_ref();
        Drift {
            id: DriftId::of(self.kind, self.account, control, seen, &self.cause),
            kind: self.kind,
            severity: self.severity,
            account: self.account,
            control: self.control,
            cause: self.cause,
            message: self.message,
            between: SweepPair {
                last_before: self.last_before,
                seen,
            },
            before: self.before,
            after: self.after,
            changes: self.changes,
            accounts: Vec::new(),
            undamped: None,
        }
    }
}

pub(crate) fn finding_side(finding: &Finding) -> DriftSide {
    DriftSide::Finding(FindingSide {
        verdict: finding.verdict(),
        reason: finding.reason,
        link: finding.link,
        resource: broken_resource(finding).map(|resource| resource.resource),
        covered_by: finding.covered_by.clone(),
        message: finding.message.clone(),
    })
}

pub(crate) fn account_side(account: &Account) -> DriftSide {
    DriftSide::Account(AccountSide {
        name: account.name.clone(),
        state: account.state,
        ou_path: account.ou_path.clone(),
    })
}
