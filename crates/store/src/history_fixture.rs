//! A small history with everything in it that sweeps leave, for tests.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use model::{
    AccountId, AccountSide, AccountState, Drift, DriftId, DriftKind, DriftSide, Finding, Judgement,
    Reason, Severity, SweepHeader, SweepId, SweepPair, SweepScope, SweepState, SweepSummary,
    evidence::StorableEvidence,
};
use serde_json::json;

use crate::{
    JournalKind, JudgedAccount, Sweeper,
    fixture::{Folder, account, account_id, evidence, finding, gap, header, noon, summary},
};

pub(crate) const CONTROLS: [&str; 2] = ["organizations-changes", "root-usage"];

/// An account with an answer to both controls.
pub(crate) fn judged(number: u64, reasons: [Reason; 2]) -> JudgedAccount {
    let findings = (CONTROLS.iter().zip(reasons))
        .map(|(control, reason)| {
            let mut judgement: Judgement = (*finding(number, reason).judgement).clone();
            if reason == Reason::EvidenceGap {
                judgement.gaps = vec![gap(&format!("request-of-{number}"))];
            }
            Finding {
                account: account_id(number),
                control: control.parse().unwrap(),
                judgement: Arc::new(judgement),
            }
        })
        .collect();
    let is_suspended = reasons[0] == Reason::AccountSuspended;
    let mut account = account(number);
    if is_suspended {
        account.state = AccountState::Suspended;
    }
    let evidence = evidence(number, reasons[0] != Reason::TrailNotLogging);
    JudgedAccount {
        account,
        evidence: (!is_suspended).then(|| StorableEvidence::read(evidence)),
        findings,
        basis: None,
    }
}

pub(crate) fn header_at(hour: i64, accounts: &[&str], controls: &[&str]) -> SweepHeader {
    SweepHeader {
        scope: SweepScope {
            controls: controls.iter().map(|it| it.parse().unwrap()).collect(),
            accounts: accounts.iter().map(|it| (*it).to_owned()).collect(),
            regions: Vec::new(),
        },
        started_at: at(hour),
        ..header()
    }
}

pub(crate) fn at(hour: i64) -> Timestamp {
    noon() + SignedDuration::from_hours(hour)
}

/// What a daemon would say of these.
pub(crate) fn summary_of(hour: i64, accounts: &[JudgedAccount]) -> SweepSummary {
    let mut summary = SweepSummary {
        finished_at: at(hour) + SignedDuration::from_secs(42),
        verdicts: BTreeMap::new(),
        ..summary()
    };
    for finding in accounts.iter().flat_map(|account| &account.findings) {
        *summary.verdicts.entry(finding.verdict()).or_default() += 1;
        for gap in &finding.gaps {
            *summary.gaps.entry(gap.class).or_default() += 1;
        }
    }
    summary
}

/// A whole sweep of the whole organization.
pub(crate) async fn whole(
    sweeper: &Sweeper,
    hour: i64,
    accounts: &[JudgedAccount],
    drifts: impl Fn(SweepId) -> Vec<Drift>,
) -> SweepId {
    let header = header_at(hour, &[], &CONTROLS);
    let sweep = sweeper.begin_sweep(&header).await.unwrap();
    sweeper
        .commit(sweep, accounts, &drifts(sweep))
        .await
        .unwrap();
    let summary = summary_of(hour, accounts);
    sweeper.finish_sweep(sweep, &summary).await.unwrap();
    sweep
}

pub(crate) fn no_drifts(_: SweepId) -> Vec<Drift> {
    Vec::new()
}

/// A drift of an account, or a notice on several.
pub(crate) fn drift(sweep: SweepId, accounts: &[AccountId]) -> Drift {
    let account = (accounts.len() == 1).then(|| accounts[0]);
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
        message: "It has another name.".to_owned(),
        between: SweepPair {
            last_before: (sweep.0 > 1).then(|| SweepId(sweep.0 - 1)),
            seen: sweep,
        },
        before: side("old"),
        after: side("new"),
        changes: Vec::new(),
        accounts: if account.is_some() {
            Vec::new()
        } else {
            accounts.to_vec()
        },
        undamped: None,
    }
}

pub(crate) const ABSENT: [Reason; 2] = [Reason::TrailAbsent; 2];
pub(crate) const MIXED: [Reason; 2] = [Reason::TrailNotLogging, Reason::TrailAbsent];
pub(crate) const BLIND: [Reason; 2] = [Reason::EvidenceGap; 2];
pub(crate) const SUSPENDED: [Reason; 2] = [Reason::AccountSuspended; 2];

/// Eight sweeps: 1 whole; 2 stopped for good; 3 whole, with drifts; 4 of one account and control; 5
/// stopped and resumed; 6 in which an account left; 7 whole, and as before; 8 of an account named by hand.
pub(crate) async fn history(folder: &Folder) -> Sweeper {
    let sweeper = folder.sweeper().await;
    let first = [
        judged(1, ABSENT),
        judged(2, ABSENT),
        judged(3, BLIND),
        judged(4, SUSPENDED),
    ];
    whole(&sweeper, 0, &first, no_drifts).await;

    let stopped = sweeper
        .begin_sweep(&header_at(1, &[], &CONTROLS))
        .await
        .unwrap();
    sweeper
        .commit(stopped, &[judged(1, MIXED)], &[])
        .await
        .unwrap();
    let mut summary = summary_of(1, &[judged(1, MIXED)]);
    summary.state = SweepState::Interrupted;
    sweeper.finish_sweep(stopped, &summary).await.unwrap();

    let third = [
        judged(1, ABSENT),
        judged(2, MIXED),
        judged(3, BLIND),
        judged(4, SUSPENDED),
    ];
    let drifts = |sweep| {
        vec![
            drift(sweep, &[account_id(1)]),
            drift(sweep, &[account_id(2)]),
            drift(sweep, &[account_id(1), account_id(2)]),
        ]
    };
    let body = json!({"who": "arn:aws:iam::000000000001:user/x", "n": 1});
    let of_second = drift(SweepId(3), &[account_id(2)]).id.to_string();
    sweeper
        .record_in_journal(at(2), JournalKind::Exception, "exception-1", &body)
        .await
        .unwrap();
    sweeper
        .record_in_journal(at(2), JournalKind::Author, &of_second, &body)
        .await
        .unwrap();
    whole(&sweeper, 2, &third, drifts).await;

    let scope = ["000000000001"];
    let narrow = header_at(3, &scope, &CONTROLS[..1]);
    let sweep = sweeper.begin_sweep(&narrow).await.unwrap();
    let mut one = judged(1, MIXED);
    one.findings.truncate(1);
    sweeper
        .commit(sweep, std::slice::from_ref(&one), &[])
        .await
        .unwrap();
    let mut summary = summary_of(3, std::slice::from_ref(&one));
    summary.discovery = Some(model::DiscoveryState::Complete);
    sweeper.finish_sweep(sweep, &summary).await.unwrap();

    stopped_and_departed(&sweeper, &third).await;

    let mut named = judged(7, ABSENT);
    named.account.name = String::new();
    let header = header_at(7, &["000000000007"], &CONTROLS);
    let sweep = sweeper.begin_sweep(&header).await.unwrap();
    sweeper
        .commit(sweep, std::slice::from_ref(&named), &[])
        .await
        .unwrap();
    let summary = summary_of(7, std::slice::from_ref(&named));
    sweeper.finish_sweep(sweep, &summary).await.unwrap();
    sweeper
        .record_in_journal(at(8), JournalKind::Acknowledgement, &of_second, &body)
        .await
        .unwrap();
    sweeper
}

/// Sweeps 5 to 7.
async fn stopped_and_departed(sweeper: &Sweeper, third: &[JudgedAccount]) {
    let again = header_at(4, &[], &CONTROLS);
    let sweep = sweeper.begin_sweep(&again).await.unwrap();
    sweeper.commit(sweep, &third[..1], &[]).await.unwrap();
    let mut summary = summary_of(4, &third[..1]);
    summary.state = SweepState::Interrupted;
    sweeper.finish_sweep(sweep, &summary).await.unwrap();
    let resumed = sweeper
        .resume_sweep(&again, Timestamp::MIN)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(resumed.id, sweep);
    sweeper.commit(sweep, &third[1..], &[]).await.unwrap();
    sweeper
        .finish_sweep(sweep, &summary_of(4, third))
        .await
        .unwrap();

    let left = [judged(1, ABSENT), judged(3, BLIND), judged(4, ABSENT)];
    let header = header_at(5, &[], &CONTROLS);
    let sweep = sweeper.begin_sweep(&header).await.unwrap();
    sweeper.commit(sweep, &left, &[]).await.unwrap();
    let gone = [account_id(2)];
    sweeper
        .record_departures(sweep, &gone, &[drift(sweep, &gone)])
        .await
        .unwrap();
    sweeper
        .finish_sweep(sweep, &summary_of(5, &left))
        .await
        .unwrap();

    whole(sweeper, 6, &left, no_drifts).await;
}
