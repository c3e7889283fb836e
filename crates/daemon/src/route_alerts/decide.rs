//! What becomes of one drift: told, told already, accepted, or of no interest to anybody.

use std::collections::{BTreeSet, HashMap};

use alerts::{Place, RoutedDrift};
use jiff::Timestamp;
use model::{
    Account, AccountId, AccountSide, ControlId, Drift, DriftKind, DriftSide, ExceptionScope,
    Organization, OuPath, Reason, SweepId, Verdict,
};
use store::{Store, WaitingDrift};

use crate::AlertSettings;

/// What becomes of a drift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// These channels are told.
    Tell(BTreeSet<String>),
    /// It belongs to an alert that was told.
    Attach(i64),
    /// Nobody is told.
    Untold,
    /// It goes to and fro; it is looked at again when that is over.
    Rest,
    /// The sweep that found it has not ended, and it is in no hurry.
    Wait,
}

/// What decisions rest on, read once for a run.
pub(super) struct Decider<'a> {
    pub(super) settings: &'a AlertSettings,
    pub(super) now: Timestamp,
    pub(super) organization: Option<Organization>,
    pub(super) latest_sweep: SweepId,
    accounts: HashMap<AccountId, Account>,
    exceptions: Vec<ExceptionScope>,
}

impl<'a> Decider<'a> {
    pub(super) async fn read(
        store: &Store,
        settings: &'a AlertSettings,
        now: Timestamp,
    ) -> Result<Self, store::Error> {
        let accounts = store.remembered_accounts().await?;
        let exceptions = store.exceptions().await?;
        let latest = store.latest_sweep().await?;
        Ok(Self {
            settings,
            now,
            organization: store.organization().await?,
            latest_sweep: latest.map_or(SweepId(0), |sweep| sweep.id),
            accounts: (accounts.into_iter())
                .map(|account| (account.id, account))
                .collect(),
            exceptions: (exceptions.into_iter())
                .filter(|row| row.was_in_force(now))
                .map(|row| row.exception.scope)
                .collect(),
        })
    }

    /// What becomes of a drift. Before its sweep has ended only what breaks something is told.
    pub(super) fn decide(&self, waiting: &WaitingDrift, is_over: bool) -> Decision {
        let drift = &waiting.drift.drift;
        if drift.is_recovery()
            && let Some(alert) = waiting.told_by
        {
            return Decision::Attach(alert);
        }
        if !is_over && !breaks_something(drift) {
            return Decision::Wait;
        }
        if self.is_of_accepted_finding(drift) {
            return Decision::Untold;
        }
        let routed = RoutedDrift {
            kind: drift.kind,
            severity: drift.severity,
            account: drift.account,
            ou_path: (drift.account).and_then(|account| self.ou_path(account, drift)),
            control: drift.control.as_ref(),
        };
        let channels: BTreeSet<String> = (self.settings.routes.channels(&routed).into_iter())
            .map(str::to_owned)
            .collect();
        match channels.is_empty() {
            false => Decision::Tell(channels),
            true if drift.is_flapping() => Decision::Rest,
            true => Decision::Untold,
        }
    }

    pub(super) fn has_exceptions(&self) -> bool {
        !self.exceptions.is_empty()
    }

    /// Whether an exception that is in force accepts such a finding.
    pub(super) fn is_accepted(
        &self,
        account: AccountId,
        control: Option<&ControlId>,
        reason: Option<Reason>,
    ) -> bool {
        let path = (self.accounts.get(&account)).and_then(|account| account.ou_path.as_ref());
        (self.exceptions.iter()).any(|scope| scope.takes(account, path, control, reason))
    }

    fn is_of_accepted_finding(&self, drift: &Drift) -> bool {
        let (Some(account), Some(DriftSide::Finding(finding))) = (drift.account, &drift.after)
        else {
            return false;
        };
        matches!(finding.verdict, Verdict::Fail | Verdict::Unknown)
            && self.is_accepted(account, drift.control.as_ref(), Some(finding.reason))
    }

    /// Where an account hangs, or hung when it left.
    fn ou_path<'b>(&'b self, account: AccountId, drift: &'b Drift) -> Option<&'b OuPath> {
        let known = self.accounts.get(&account);
        known
            .and_then(|account| account.ou_path.as_ref())
            .or_else(|| account_side(drift)?.ou_path.as_ref())
    }

    /// An account as people know it, or, where it left, as its drift knew it.
    pub(super) fn place(&self, account: AccountId, side: Option<&AccountSide>) -> Place {
        let known = self.accounts.get(&account);
        Place {
            account,
            name: known
                .map(|known| known.name.clone())
                .or_else(|| side.map(|side| side.name.clone()))
                .unwrap_or_default(),
            ou_path: known
                .and_then(|known| known.ou_path.clone())
                .or_else(|| side.and_then(|side| side.ou_path.clone())),
        }
    }
}

/// What AWS Organizations said of the account of a drift, the later first.
fn account_side(drift: &Drift) -> Option<&AccountSide> {
    let of = |side: &'_ Option<DriftSide>| matches!(side, Some(DriftSide::Account(_)));
    let side = if of(&drift.after) {
        &drift.after
    } else {
        &drift.before
    };
    match side {
        Some(DriftSide::Account(side)) => Some(side),
        _ => None,
    }
}

fn breaks_something(drift: &Drift) -> bool {
    matches!(
        drift.kind,
        DriftKind::VerdictChanged | DriftKind::BecameUnknown | DriftKind::ExceptionExpired
    ) && !drift.is_recovery()
}
