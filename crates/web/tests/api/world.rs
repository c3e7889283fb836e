//! What the store of a test knows: an organization with every verdict, and with names that would do harm.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use model::{
    Account, AccountId, AccountSide, AccountState, AlertId, ChainNode, ControlId, DiscoveryState,
    Drift, DriftId, DriftKind, DriftSide, Finding, Gap, GapClass, GapSample, Judgement, LastsWhile,
    Link, NodeState, NoticeForm, Organization, OuPath, Partition, Reason, Severity, SweepHeader,
    SweepId, SweepPair, SweepScope, SweepState, SweepSummary,
};
use store::{Attempt, JudgedAccount, NewAlert, NewNotice, Recipient, Sweeper};

pub(crate) const HOSTILE: &str = "</script><img src=x>\u{1b}[2J\u{202e}\"'&=1+1\u{7}";
pub(crate) const CONTROLS: [&str; 3] = ["organizations-changes", "root-usage", "iam-changes"];
pub(crate) const OU: &str = "ou-root-prod0001";

const REASONS: [Reason; 4] = [
    Reason::CoveredByOwnTrail,
    Reason::AlarmAbsent,
    Reason::EvidenceGap,
    Reason::AccountSuspended,
];

pub(crate) fn account_id(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

pub(crate) fn noon() -> Timestamp {
    "2026-01-02T12:00:00Z".parse().unwrap()
}

/// An account whose findings have this and the next reasons.
fn judged(number: u64, turn: usize, controls: &[ControlId]) -> JudgedAccount {
    let id = account_id(number);
    let findings = controls.iter().enumerate().map(|(place, control)| Finding {
        account: id,
        control: control.clone(),
        judgement: Arc::new(judgement(id, REASONS[(turn + place) % REASONS.len()])),
    });
    let ou = if number.is_multiple_of(2) {
        OU
    } else {
        "ou-root-dev00001"
    };
    JudgedAccount {
        account: Account {
            id,
            name: format!("account {number} {HOSTILE}"),
            state: AccountState::Active,
            ou_path: Some(OuPath(vec!["r-root".to_owned(), ou.to_owned()])),
            tags: None,
        },
        evidence: None,
        findings: findings.collect(),
        basis: None,
    }
}

fn judgement(account: AccountId, reason: Reason) -> Judgement {
    let gap = Gap {
        class: GapClass::AccessDenied,
        api: "cloudtrail:DescribeTrails".to_owned(),
        resource: None,
        account: Some(account),
        region: Some("us-east-1".parse().unwrap()),
        sample: GapSample {
            message: format!("AccessDenied {HOSTILE}"),
            request_id: None,
        },
    };
    Judgement {
        link: Some(Link::Trail),
        node: Some(0),
        gaps: if reason == Reason::EvidenceGap {
            vec![gap]
        } else {
            Vec::new()
        },
        chain: vec![ChainNode {
            link: Link::Trail,
            parent: None,
            resource: format!("arn:aws:cloudtrail:us-east-1:{account}:trail/own"),
            account: Some(account),
            region: Some("us-east-1".parse().unwrap()),
            state: NodeState::Broken,
            reason: Some(reason),
            message: reason.meaning().to_owned(),
            read: serde_json::json!({"pattern": HOSTILE}),
        }]
        .into(),
        ..Judgement::new(reason, format!("{} {HOSTILE}", reason.meaning()))
    }
}

fn drift(number: u64, sweep: SweepId) -> Drift {
    let account = Some(account_id(number));
    let kind = DriftKind::AccountRenamed;
    let side = |name: &str| {
        Some(DriftSide::Account(AccountSide {
            name: name.to_owned(),
            state: AccountState::Active,
            ou_path: None,
        }))
    };
    Drift {
        id: DriftId::of(kind, account, None, sweep, "name"),
        kind,
        severity: Severity::ALL[0],
        account,
        control: None,
        cause: "name".to_owned(),
        message: format!("It has another name: {HOSTILE}"),
        between: SweepPair {
            last_before: (sweep.0 > 1).then(|| SweepId(sweep.0 - 1)),
            seen: sweep,
        },
        before: side("old"),
        after: side(HOSTILE),
        changes: Vec::new(),
        accounts: Vec::new(),
        undamped: None,
    }
}

pub(crate) fn header(hour: i64) -> SweepHeader {
    SweepHeader {
        scope: SweepScope {
            controls: CONTROLS
                .iter()
                .map(|control| control.parse().unwrap())
                .collect(),
            accounts: Vec::new(),
            regions: Vec::new(),
        },
        organization: Some(Organization {
            id: "o-aaaaaaaaaa".to_owned(),
            management_account: account_id(1),
            partition: Partition::new("aws"),
            delegated_administrators: Ok(Vec::new()),
        }),
        caller: account_id(1),
        started_at: noon() + SignedDuration::from_hours(hour),
        scanner_version: "0.1.0".to_owned(),
        configuration: None,
    }
}

/// A whole sweep of so many accounts, an hour after the one before, in which the first two were renamed.
pub(crate) async fn sweep(sweeper: &Sweeper, hour: i64, accounts: u64) -> SweepId {
    let sweep = sweeper.begin_sweep(&header(hour)).await.unwrap();
    commit(sweeper, sweep, hour, accounts).await;
    finish(sweeper, sweep, hour).await;
    sweep
}

/// What such a sweep finds.
pub(crate) async fn commit(sweeper: &Sweeper, sweep: SweepId, hour: i64, accounts: u64) {
    let controls: Vec<ControlId> = CONTROLS.iter().map(|it| it.parse().unwrap()).collect();
    let turn = |number: u64| usize::try_from(number + hour.unsigned_abs()).unwrap();
    let judged: Vec<JudgedAccount> = (1..=accounts)
        .map(|number| judged(number, turn(number), &controls))
        .collect();
    let drifts: Vec<Drift> = (1..=accounts.min(2))
        .map(|number| drift(number, sweep))
        .collect();
    sweeper.commit(sweep, &judged, &drifts).await.unwrap();
}

pub(crate) async fn finish(sweeper: &Sweeper, sweep: SweepId, hour: i64) {
    let summary = SweepSummary {
        finished_at: noon() + SignedDuration::from_hours(hour) + SignedDuration::from_mins(1),
        state: SweepState::Finished,
        discovery: Some(DiscoveryState::Complete),
        verdicts: BTreeMap::new(),
        gaps: BTreeMap::new(),
        api_calls: 17,
    };
    sweeper.finish_sweep(sweep, &summary).await.unwrap();
}

/// An alert about the drifts of a sweep that wait, and its row. Each channel is told under a key of its own.
pub(crate) async fn tell(
    sweeper: &Sweeper,
    sweep: SweepId,
    number: u64,
    channels: &[&str],
) -> (AlertId, i64) {
    let id = AlertId::of(&number);
    let waiting = (sweeper.store().waiting_drifts(sweep, 0)).await.unwrap();
    let alert = NewAlert {
        id,
        sweep,
        at: noon(),
        kind: DriftKind::AccountRenamed,
        severity: Severity::High,
        drift: drift(1, sweep).id,
        title: format!("accounts have other names: {HOSTILE}"),
        lasts_while: Some(LastsWhile::Broken),
        remind_at: None,
        rows: waiting.iter().map(|waiting| waiting.row).collect(),
        notice: Some(NewNotice {
            form: NoticeForm::Opened,
            body: serde_json::json!({"secret": "of the notice"}),
            recipients: (channels.iter())
                .map(|channel| Recipient {
                    channel: (*channel).to_owned(),
                    idempotency_key: format!("{id}.opened.{channel}"),
                })
                .collect(),
        }),
    };
    (id, sweeper.tell_alert(&alert).await.unwrap())
}

/// Notes what became of everything that is due.
pub(crate) async fn attempt(sweeper: &Sweeper, outcome: impl Fn(&str) -> Attempt) {
    let now = noon() + SignedDuration::from_hours(48);
    let everywhere = BTreeSet::new();
    let due = (sweeper.store()).deliveries_due(now, &everywhere, 100);
    for delivery in due.await.unwrap() {
        let outcome = outcome(&delivery.channel);
        let noted = sweeper.record_attempt(delivery.number, now, &outcome);
        noted.await.unwrap();
    }
}
