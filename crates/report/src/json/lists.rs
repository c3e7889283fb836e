//! The items of lists from the history, as JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{
    AccountId, AccountState, Author, ChangeKind, Drift, DriftId, DriftKind, DriftSide, Link,
    OuPath, Reason, Region, Severity, SweepId, SweepState, Tags, Verdict,
};
use serde::Serialize;
use serde_json::Value;

use super::{CoveredByShape, DiscoveryShape, FindingShape, SweepShape, counted};
use crate::{
    Acknowledged, AsOfLine, BriefFinding, Difference, PastAccount, PastDrift, PastFinding,
    PastOrganization, PastSweep, Who,
};

/// What a list in JSON can hold.
pub trait Listed {
    /// The field of the document that holds the list.
    const LIST: &'static str;
    /// The field of the document that holds one alone.
    const ITEM: &'static str;

    /// The item as it is written.
    fn shape(&self) -> impl Serialize + '_;
}

impl Listed for PastSweep {
    const LIST: &'static str = "sweeps";
    const ITEM: &'static str = "sweep";

    fn shape(&self) -> impl Serialize + '_ {
        PastSweepShape {
            sweep: SweepShape {
                accounts_seen: Some(self.accounts_seen),
                ..SweepShape::of(&self.sweep, self.verdicts.clone())
            },
            drifts: self.drifts,
            seal: self.seal.as_deref(),
        }
    }
}

impl Listed for PastAccount {
    const LIST: &'static str = "accounts";
    const ITEM: &'static str = "account";

    fn shape(&self) -> impl Serialize + '_ {
        PastAccountShape {
            account_id: self.account.id,
            account_name: &self.account.name,
            state: self.account.state,
            ou_path: self.account.ou_path.as_ref(),
            tags: self.account.tags.as_ref(),
            since_sweep: self.since_sweep,
            since: self.since,
            verdicts: counted(self.verdicts.clone()),
            confirmed_sweep: self.confirmed_sweep,
            confirmed: self.confirmed,
        }
    }
}

impl Listed for PastFinding {
    const LIST: &'static str = "findings";
    const ITEM: &'static str = "finding";

    fn shape(&self) -> impl Serialize + '_ {
        PastFindingShape {
            finding: FindingShape::of(&self.entry),
            since_sweep: self.since_sweep,
            since: self.since,
            until_sweep: self.until_sweep,
        }
    }
}

impl Listed for BriefFinding {
    const LIST: &'static str = "findings";
    const ITEM: &'static str = "finding";

    fn shape(&self) -> impl Serialize + '_ {
        let past = &self.0;
        PastFindingShape {
            finding: FindingShape::brief(&past.entry),
            since_sweep: past.since_sweep,
            since: past.since,
            until_sweep: past.until_sweep,
        }
    }
}

impl Listed for PastOrganization {
    const LIST: &'static str = "organizations";
    const ITEM: &'static str = "organization";

    fn shape(&self) -> impl Serialize + '_ {
        let organization = self.organization.as_ref();
        PastOrganizationShape {
            id: organization.map(|it| it.id.as_str()),
            management_account_id: organization.map(|it| it.management_account_id),
            verdict: organization.map(|it| it.verdict),
            accounts: self.accounts,
            verdicts: counted(self.verdicts.clone()),
            controls: (self.controls.iter())
                .map(|(control, verdicts)| ControlCountsShape {
                    control_id: control.as_str(),
                    verdicts: counted(verdicts.clone()),
                })
                .collect(),
            discovery: self.discovery.as_ref().map(DiscoveryShape::of),
        }
    }
}

/// What refers to an item is shaped like it.
impl<T: Listed> Listed for &T {
    const LIST: &'static str = T::LIST;
    const ITEM: &'static str = T::ITEM;

    fn shape(&self) -> impl Serialize + '_ {
        (**self).shape()
    }
}

impl Listed for PastDrift {
    const LIST: &'static str = "drifts";
    const ITEM: &'static str = "drift";

    fn shape(&self) -> impl Serialize + '_ {
        PastDriftShape {
            id: self.drift.id,
            seen_at: self.seen_at,
            seen_sweep: self.drift.between.seen,
            last_before_at: self.last_before_at,
            last_before_sweep: self.drift.between.last_before,
            what: WhatShape::of(&self.drift, &self.account_name),
            author: self.who.as_ref().map(WhoShape::of),
            acknowledged: self.acknowledged.as_ref().map(AcknowledgedShape::of),
        }
    }
}

impl Listed for Difference {
    const LIST: &'static str = "differences";
    const ITEM: &'static str = "difference";

    fn shape(&self) -> impl Serialize + '_ {
        WhatShape::of(&self.drift, &self.account_name)
    }
}

#[derive(Serialize)]
pub(super) struct AsOfShape {
    sweep: SweepId,
    state: SweepState,
    finished_at: Option<Timestamp>,
}

impl AsOfShape {
    pub(super) fn of(as_of: &AsOfLine) -> Self {
        Self {
            sweep: as_of.sweep,
            state: as_of.state,
            finished_at: as_of.finished_at,
        }
    }
}

#[derive(Serialize)]
struct PastSweepShape<'a> {
    #[serde(flatten)]
    sweep: SweepShape<'a>,
    drifts: u64,
    seal: Option<&'a str>,
}

#[derive(Serialize)]
struct PastAccountShape<'a> {
    account_id: AccountId,
    account_name: &'a str,
    state: AccountState,
    ou_path: Option<&'a OuPath>,
    tags: Option<&'a Tags>,
    since_sweep: SweepId,
    since: Timestamp,
    verdicts: BTreeMap<Verdict, u64>,
    confirmed_sweep: SweepId,
    confirmed: Timestamp,
}

#[derive(Serialize)]
struct PastFindingShape<'a> {
    #[serde(flatten)]
    finding: FindingShape<'a>,
    since_sweep: SweepId,
    since: Timestamp,
    until_sweep: Option<SweepId>,
}

#[derive(Serialize)]
struct PastOrganizationShape<'a> {
    id: Option<&'a str>,
    management_account_id: Option<AccountId>,
    verdict: Option<Verdict>,
    accounts: u64,
    verdicts: BTreeMap<Verdict, u64>,
    controls: Vec<ControlCountsShape<'a>>,
    discovery: Option<DiscoveryShape<'a>>,
}

#[derive(Serialize)]
struct ControlCountsShape<'a> {
    control_id: &'a str,
    verdicts: BTreeMap<Verdict, u64>,
}

#[derive(Serialize)]
struct PastDriftShape<'a> {
    id: DriftId,
    seen_at: Timestamp,
    seen_sweep: SweepId,
    last_before_at: Option<Timestamp>,
    last_before_sweep: Option<SweepId>,
    #[serde(flatten)]
    what: WhatShape<'a>,
    author: Option<WhoShape<'a>>,
    acknowledged: Option<AcknowledgedShape<'a>>,
}

/// What a drift and a difference between two moments have in common.
#[derive(Serialize)]
struct WhatShape<'a> {
    kind: DriftKind,
    severity: Severity,
    undamped_severity: Option<Severity>,
    account_id: Option<AccountId>,
    account_name: &'a str,
    account_ids: &'a [AccountId],
    control_id: Option<&'a str>,
    message: &'a str,
    cause: &'a str,
    next_step: Option<&'static str>,
    before: Option<SideShape<'a>>,
    after: Option<SideShape<'a>>,
    changes: Vec<ChangeShape<'a>>,
}

impl<'a> WhatShape<'a> {
    fn of(drift: &'a Drift, account_name: &'a str) -> Self {
        let changes = drift.changes.iter().map(|change| ChangeShape {
            link: change.of.link,
            resource: &change.of.resource,
            account: change.of.account,
            region: change.of.region.as_ref(),
            within: change.of.within.as_deref(),
            change: change.change,
            path: &change.path,
            before: &change.before,
            after: &change.after,
        });
        Self {
            kind: drift.kind,
            severity: drift.severity,
            undamped_severity: drift.undamped,
            account_id: drift.account,
            account_name,
            account_ids: &drift.accounts,
            control_id: drift.control.as_ref().map(model::ControlId::as_str),
            message: &drift.message,
            cause: &drift.cause,
            next_step: crate::drift::next_step(drift),
            before: drift.before.as_ref().map(SideShape::of),
            after: drift.after.as_ref().map(SideShape::of),
            changes: changes.collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "of", rename_all = "snake_case")]
enum SideShape<'a> {
    Finding {
        verdict: Verdict,
        reason: Reason,
        link: Option<Link>,
        resource: Option<&'a str>,
        covered_by: Option<CoveredByShape<'a>>,
        message: &'a str,
    },
    Account {
        name: &'a str,
        state: AccountState,
        ou_path: Option<&'a OuPath>,
    },
}

impl<'a> SideShape<'a> {
    fn of(side: &'a DriftSide) -> Self {
        match side {
            DriftSide::Finding(finding) => Self::Finding {
                verdict: finding.verdict,
                reason: finding.reason,
                link: finding.link,
                resource: finding.resource.as_deref(),
                covered_by: finding.covered_by.as_ref().map(CoveredByShape::of),
                message: &finding.message,
            },
            DriftSide::Account(account) => Self::Account {
                name: &account.name,
                state: account.state,
                ou_path: account.ou_path.as_ref(),
            },
        }
    }
}

#[derive(Serialize)]
struct ChangeShape<'a> {
    link: Link,
    resource: &'a str,
    account: Option<AccountId>,
    region: Option<&'a Region>,
    within: Option<&'a str>,
    change: ChangeKind,
    path: &'a str,
    before: &'a Value,
    after: &'a Value,
}

#[derive(Serialize)]
struct WhoShape<'a> {
    outcome: &'static str,
    call: Option<&'a Author>,
}

impl<'a> WhoShape<'a> {
    fn of(who: &'a Who) -> Self {
        Self {
            outcome: who.outcome(),
            call: who.author(),
        }
    }
}

#[derive(Serialize)]
struct AcknowledgedShape<'a> {
    at: Timestamp,
    by: &'a str,
    note: Option<&'a str>,
}

impl<'a> AcknowledgedShape<'a> {
    fn of(acknowledged: &'a Acknowledged) -> Self {
        Self {
            at: acknowledged.at,
            by: &acknowledged.by,
            note: acknowledged.note.as_deref(),
        }
    }
}
