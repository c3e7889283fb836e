//! A small organization's report, for tests.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use model::{
    Account, AccountId, AccountState, Advice, AdviceCode, Author, ChainNode, ChainResource,
    ChangeKind, CoveredBy, DiscoveryState, Drift, DriftId, DriftKind, DriftSide, FieldChange,
    Finding, FindingSide, Gap, GapClass, GapSample, Judgement, Link, NearMiss, NodeState, OuPath,
    Reason, Severity, SweepId, SweepPair, SweepScope, SweepState, Verdict,
};
use serde_json::json;

use crate::{
    Acknowledged, Entry, Options, OrganizationLine, PastAccount, PastDrift, PastFinding, PastSweep,
    Report, SweepLine, Who, json as json_report, table,
};

/// A report and its findings.
#[derive(Clone)]
pub(crate) struct Full {
    pub(crate) report: Report,
    pub(crate) entries: Vec<Entry>,
}

impl Full {
    fn counted(&self) -> Report {
        let mut verdicts = BTreeMap::new();
        for entry in &self.entries {
            *verdicts.entry(entry.finding.verdict()).or_default() += 1;
        }
        Report {
            verdicts,
            ..self.report.clone()
        }
    }

    pub(crate) fn table(&self, options: &Options) -> String {
        table::render(&self.counted(), &self.entries, options)
    }

    pub(crate) fn json(&self) -> String {
        let mut out = Vec::new();
        json_report::write(&self.counted(), self.entries.iter().cloned(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }
}

impl Deref for Full {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.report
    }
}

impl DerefMut for Full {
    fn deref_mut(&mut self) -> &mut Report {
        &mut self.report
    }
}

pub(crate) fn account_id(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

pub(crate) fn node(link: Link, parent: Option<usize>, resource: &str) -> ChainNode {
    ChainNode {
        link,
        parent,
        resource: resource.to_owned(),
        account: Some(account_id(1)),
        region: Some("us-east-1".parse().unwrap()),
        state: NodeState::Holds,
        reason: None,
        message: String::new(),
        read: serde_json::Value::Null,
    }
}

/// Two filters: one misses an event, one is about something else's alarm.
pub(crate) fn chain() -> Vec<ChainNode> {
    vec![
        ChainNode {
            message: "organization trail, records every region and all management events"
                .to_owned(),
            read: json!({
                "is_multi_region": true,
                "status": {"Ok": {"is_logging": true, "delivery": "fresh"}},
                "selectors": {"Err": {"class": "access-denied"}},
                "log_group": null,
            }),
            ..node(
                Link::Trail,
                None,
                "arn:aws:cloudtrail:us-east-1:000000000001:trail/org-trail",
            )
        },
        ChainNode {
            message: "2 metric filters".to_owned(),
            ..node(
                Link::LogGroup,
                Some(0),
                "arn:aws:logs:us-east-1:000000000001:log-group:org-trail",
            )
        },
        ChainNode {
            state: NodeState::Broken,
            reason: Some(Reason::FilterIncomplete),
            message: "matches 17 of 18 required events: it misses LeaveOrganization".to_owned(),
            read: json!({
                "pattern": "{ ($.eventSource = organizations.amazonaws.com) && ($.eventName = \"AcceptHandshake\") }",
                "transformations": [{"metric_name": "OrgChanges", "value": "1", "dimensions": {}}],
                "emit_system_field_dimensions": [],
            }),
            ..node(Link::MetricFilter, Some(1), "org-changes")
        },
        ChainNode {
            message: "one event takes it to ALARM".to_owned(),
            ..node(
                Link::Alarm,
                Some(2),
                "arn:aws:cloudwatch:us-east-1:000000000001:alarm:org-changes",
            )
        },
        ChainNode {
            state: NodeState::Broken,
            reason: Some(Reason::FilterNarrowed),
            message: "matches 0 of 18 required events: it is narrowed by errorCode".to_owned(),
            ..node(Link::MetricFilter, Some(1), "org-errors")
        },
    ]
}

pub(crate) fn finding(number: u64, reason: Reason) -> Finding {
    of(number, Judgement::new(reason, reason.meaning()))
}

fn of(number: u64, judgement: Judgement) -> Finding {
    Finding {
        account: account_id(number),
        control: "organizations-changes".parse().unwrap(),
        judgement: Arc::new(judgement),
    }
}

pub(crate) fn entry(number: u64, name: &str, finding: Finding) -> Entry {
    let account = Account {
        id: account_id(number),
        name: name.to_owned(),
        state: AccountState::Active,
        ou_path: Some(OuPath(vec!["r-ab12".to_owned(), "ou-ab12-prod".to_owned()])),
        tags: None,
    };
    Entry {
        finding,
        account: Arc::new(account),
        exception: None,
    }
}

pub(crate) fn failing() -> Entry {
    let judgement = Judgement {
        link: Some(Link::MetricFilter),
        node: Some(2),
        message: "the metric filter `org-changes` misses LeaveOrganization".to_owned(),
        near_misses: vec![NearMiss {
            node: 2,
            filter: "org-changes".to_owned(),
            lacks: vec!["it misses LeaveOrganization".to_owned()],
        }],
        chain: chain().into(),
        advice: vec![Advice {
            code: AdviceCode::DeliveryDegraded,
            message: "nothing was delivered to the log group for a day".to_owned(),
        }],
        ..Judgement::new(Reason::FilterIncomplete, "")
    };
    entry(1, "management", of(1, judgement))
}

pub(crate) fn not_entered(number: u64) -> Entry {
    let gap = Gap {
        class: GapClass::AccessDenied,
        api: "sts:AssumeRole".to_owned(),
        resource: Some(format!("arn:aws:iam::{number:012}:role/Audit")),
        account: Some(account_id(number)),
        region: None,
        sample: GapSample {
            message: "AccessDenied: User: arn:aws:sts::000000000001:assumed-role/x is not authorized to perform: sts:AssumeRole".to_owned(),
            request_id: Some("5f2d-77".to_owned()),
        },
    };
    let judgement = Judgement {
        link: Some(Link::Trail),
        message: "the role could not be assumed: it is missing, or its trust policy does not admit the scanner".to_owned(),
        gaps: vec![gap],
        advice: vec![Advice {
            code: AdviceCode::OrganizationTrailShouldCover,
            message: "the organization trail should cover this account, but nobody looked".to_owned(),
        }],
        ..Judgement::new(Reason::AccountNotEntered, "")
    };
    entry(number, "sandbox-7", of(number, judgement))
}

pub(crate) fn covered(number: u64) -> Entry {
    let reason = Reason::CoveredByOrganizationTrail;
    let judgement = Judgement {
        covered_by: Some(CoveredBy {
            trail: "arn:aws:cloudtrail:us-east-1:000000000001:trail/org-trail"
                .parse()
                .unwrap(),
            account: account_id(1),
            is_organization_trail: true,
        }),
        ..Judgement::new(reason, reason.meaning())
    };
    entry(number, &format!("workload-{number}"), of(number, judgement))
}

pub(crate) fn line() -> SweepLine {
    SweepLine {
        id: Some(SweepId(12)),
        state: SweepState::Finished,
        started_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        finished_at: Some("2026-01-02T03:04:47Z".parse().unwrap()),
        scope: SweepScope {
            controls: vec!["organizations-changes".parse().unwrap()],
            accounts: Vec::new(),
            regions: Vec::new(),
        },
        discovery: Some(DiscoveryState::Complete),
        api_calls: Some(1234),
        scanner_version: "0.1.0".to_owned(),
    }
}

/// One account that fails, one that was not entered, a suspended one, and some that pass.
pub(crate) fn report(passes: u64) -> Full {
    let mut entries: Vec<Entry> = (100..100 + passes).map(covered).collect();
    let mut suspended = entry(9, "old", finding(9, Reason::AccountSuspended));
    Arc::make_mut(&mut suspended.account).state = AccountState::Suspended;
    entries.extend([suspended, not_entered(7), failing()]);
    let report = Report {
        sweep: line(),
        verdicts: BTreeMap::new(),
        organization: Some(OrganizationLine {
            id: "o-a1b2c3d4e5".to_owned(),
            management_account_id: account_id(1),
            verdict: Verdict::Fail,
        }),
        notices: vec![
            "The credentials of this process cannot be narrowed by a session policy.".to_owned(),
        ],
        store: None,
        drifts: Vec::new(),
    };
    Full { report, entries }
}

pub(crate) fn past_sweep() -> PastSweep {
    PastSweep {
        sweep: line(),
        verdicts: [(Verdict::Pass, 1188), (Verdict::Fail, 2)].into(),
        accounts_seen: 1190,
        drifts: 3,
        seal: Some("ab".repeat(32)),
    }
}

pub(crate) fn past_account() -> PastAccount {
    PastAccount {
        account: (*failing().account).clone(),
        since_sweep: SweepId(3),
        since: "2026-01-01T00:00:00Z".parse().unwrap(),
        verdicts: [(Verdict::Fail, 1), (Verdict::Pass, 14)].into(),
        confirmed_sweep: SweepId(12),
        confirmed: line().started_at,
    }
}

pub(crate) fn past_finding() -> PastFinding {
    PastFinding {
        entry: failing(),
        since_sweep: SweepId(3),
        since: line().started_at,
        until_sweep: Some(SweepId(12)),
    }
}

/// Carol took an event out of a filter.
pub(crate) fn past_drift() -> PastDrift {
    let control: model::ControlId = "organizations-changes".parse().unwrap();
    let side = |reason: Reason, message: &str| {
        DriftSide::Finding(FindingSide {
            verdict: reason.verdict(),
            reason,
            link: None,
            resource: None,
            covered_by: None,
            message: message.to_owned(),
        })
    };
    let resource = ChainResource {
        link: Link::MetricFilter,
        resource: "org-changes".to_owned(),
        account: Some(account_id(1)),
        region: "us-east-1".parse().ok(),
        within: Some("arn:aws:logs:us-east-1:000000000001:log-group:trail".to_owned()),
    };
    let cause = resource.cause();
    let message = "the metric filter `org-changes` misses LeaveOrganization";
    let seen = SweepId(12);
    PastDrift {
        drift: Drift {
            id: DriftId::of(
                DriftKind::VerdictChanged,
                Some(account_id(1)),
                Some(&control),
                seen,
                &cause,
            ),
            kind: DriftKind::VerdictChanged,
            severity: Severity::Critical,
            account: Some(account_id(1)),
            control: Some(control.clone()),
            cause,
            message: format!(
                "{control} in account management (000000000001) went from PASS to FAIL: {message}"
            ),
            between: SweepPair {
                last_before: Some(SweepId(11)),
                seen,
            },
            before: Some(side(Reason::CoveredByOwnTrail, "covered by its own trail")),
            after: Some(side(Reason::FilterIncomplete, message)),
            changes: vec![FieldChange {
                of: resource,
                change: ChangeKind::Changed,
                path: "/pattern".to_owned(),
                before: "{ $.eventName = LeaveOrganization }".into(),
                after: "{ $.eventName = nothing }".into(),
            }],
            accounts: Vec::new(),
            undamped: None,
        },
        account_name: "management".to_owned(),
        seen_at: line().started_at,
        last_before_at: Some("2026-01-02T02:04:05Z".parse().unwrap()),
        who: Some(Who::Found(Box::new(Author {
            event_id: "7f3c".to_owned(),
            event_source: "logs.amazonaws.com".to_owned(),
            event_name: "PutMetricFilter".to_owned(),
            time: "2026-01-02T02:59:00Z".parse().unwrap(),
            account: account_id(1),
            region: "us-east-1".parse().unwrap(),
            actor: Some("arn:aws:sts::000000000001:assumed-role/Developer/carol".to_owned()),
            session_issuer: Some("arn:aws:iam::000000000001:role/Developer".to_owned()),
            source_ip: Some("198.51.100.17".to_owned()),
            user_agent: None,
        }))),
        acknowledged: Some(Acknowledged {
            at: "2026-01-02T04:00:00Z".parse().unwrap(),
            by: "dana".to_owned(),
            note: Some("mended in change 77".to_owned()),
        }),
    }
}

/// That a list keeps its ids whole and within the terminal, wide or narrow.
pub(crate) fn assert_fits(render: impl Fn(&crate::Options) -> String, ids: &[&str]) {
    for width in [40, 60, 80, 100, 160] {
        let text = render(&crate::Options {
            width,
            ..crate::Options::default()
        });
        for line in text.lines() {
            let columns = unicode_width::UnicodeWidthStr::width(line);
            assert!(columns <= width, "{width}: {text}");
        }
        for id in ids {
            assert!(text.contains(id), "{width}, {id}: {text}");
        }
    }
}
