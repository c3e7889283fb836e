//! Notices as a daemon makes them, for tests.

use std::{collections::BTreeMap, sync::OnceLock};

use jiff::Timestamp;
use model::{
    AccountId, AlertId, Author, ChainResource, ChangeKind, Drift, DriftId, DriftKind, DriftSide,
    FieldChange, FindingSide, Link, OuPath, Reason, Severity, SweepId, SweepPair, Verdict,
};
use serde_json::json;

use crate::{Ended, Group, Groups, Notice, Opening, Place, Seal, SeenDrift, Standing, Still, Who};

pub(crate) fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + 60 * minute).unwrap()
}

pub(crate) fn account(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn side(reason: Reason) -> DriftSide {
    let verdict = reason.verdict();
    DriftSide::Finding(FindingSide {
        verdict,
        reason,
        link: (verdict == Verdict::Fail).then_some(Link::Trail),
        resource: (verdict == Verdict::Fail).then(|| TRAIL.to_owned()),
        covered_by: None,
        message: reason.meaning().to_owned(),
    })
}

const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/org-trail";

pub(crate) fn drift(
    kind: DriftKind,
    (before, after): (Reason, Reason),
    number: u64,
    control: Option<&str>,
) -> Drift {
    let control = control.map(|control| control.parse().unwrap());
    let cause = format!("trail {TRAIL}");
    let severity = match kind {
        DriftKind::VerdictChanged if after.verdict() == Verdict::Fail => Severity::Critical,
        DriftKind::BecameUnknown => Severity::Medium,
        DriftKind::ReasonChanged => Severity::Low,
        _ => Severity::Info,
    };
    Drift {
        id: DriftId::of(kind, Some(account(number)), control.as_ref(), SweepId(7), &cause),
        kind,
        severity,
        account: Some(account(number)),
        control,
        cause,
        message: "organizations-changes fails: is_logging of the trail org-trail is false instead of true"
            .to_owned(),
        between: SweepPair {
            last_before: Some(SweepId(6)),
            seen: SweepId(7),
        },
        before: Some(side(before)),
        after: Some(side(after)),
        changes: vec![FieldChange {
            of: ChainResource {
                link: Link::Trail,
                resource: TRAIL.to_owned(),
                account: Some("111122223333".parse().unwrap()),
                region: Some("eu-west-1".parse().unwrap()),
                within: None,
            },
            change: ChangeKind::Changed,
            path: "/status/is_logging".to_owned(),
            before: json!(true),
            after: json!(false),
        }],
        accounts: Vec::new(),
        undamped: None,
    }
}

pub(crate) fn broken(number: u64, control: &str) -> Drift {
    let reasons = (Reason::CoveredByOrganizationTrail, Reason::TrailNotLogging);
    drift(DriftKind::VerdictChanged, reasons, number, Some(control))
}

pub(crate) fn seen(drift: Drift) -> SeenDrift {
    SeenDrift {
        drift,
        seen_at: at(30),
        last_before_at: Some(at(0)),
        act: None,
    }
}

pub(crate) fn group_of(drifts: impl IntoIterator<Item = Drift>) -> Group {
    let mut groups = Groups::default();
    for (row, drift) in (1..).zip(drifts) {
        groups.add(row, seen(drift));
    }
    let mut groups = groups.into_groups();
    let group = groups.next().expect("there are drifts");
    assert_eq!(groups.next(), None, "they have one cause");
    group
}

fn opened(group: &Group, who: Who, name: impl Fn(AccountId) -> String) -> Notice {
    let opening = Opening {
        at: at(33),
        seen_at: at(30),
        who,
        standing: Some(Standing {
            hold: 1,
            of: 10_001,
            is_of_accounts: true,
        }),
        seal: Some(Seal {
            sweep: SweepId(7),
            hash: "5ea1".repeat(16),
        }),
        public_url: Some("https://scanner.example.com/"),
    };
    Notice::opened(group, opening, |account| Place {
        account,
        name: name(account),
        ou_path: Some(OuPath(vec!["r-ab12".to_owned(), "ou-ab12-prod".to_owned()])),
    })
}

fn author() -> Who {
    Who::Found {
        author: Box::new(Author {
            event_id: "6f1ee1d5-0000-4000-8000-000000000001".to_owned(),
            event_source: "cloudtrail.amazonaws.com".to_owned(),
            event_name: "StopLogging".to_owned(),
            time: at(12),
            account: "111122223333".parse().unwrap(),
            region: "eu-west-1".parse().unwrap(),
            actor: Some("arn:aws:sts::111122223333:assumed-role/Admin/mallory".to_owned()),
            session_issuer: None,
            source_ip: Some("203.0.113.7".to_owned()),
            user_agent: None,
        }),
    }
}

/// One account, one control.
pub(crate) fn single() -> Notice {
    let group = group_of([broken(1, "organizations-changes")]);
    opened(&group, author(), |_| "production".to_owned())
}

/// Ten thousand accounts by two controls, of one cause.
pub(crate) fn storm() -> Notice {
    static STORM: OnceLock<Notice> = OnceLock::new();
    STORM.get_or_init(make_storm).clone()
}

fn make_storm() -> Notice {
    let of = |number| {
        [
            broken(number, "organizations-changes"),
            broken(number, "root-usage"),
        ]
    };
    let group = group_of((1..=10_000).flat_map(of));
    opened(&group, Who::NotYet, |account| format!("team-{account}"))
}

/// An account that nobody can look into any more.
pub(crate) fn unseen() -> Notice {
    let reasons = (Reason::CoveredByOwnTrail, Reason::AccountNotEntered);
    let drift = drift(DriftKind::BecameUnknown, reasons, 1, None);
    let lost = Drift {
        changes: Vec::new(),
        message: "production (000000000001) can no longer be seen: the role could not be assumed"
            .to_owned(),
        ..drift
    };
    opened(&group_of([lost]), Who::Nobody, |_| "production".to_owned())
}

fn now(fail: u64) -> Ended {
    Ended {
        at: at(33 + 60 * 50),
        still: Still {
            verdicts: BTreeMap::from([(Verdict::Pass, 20_000 - fail), (Verdict::Fail, fail)])
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .collect(),
            accounts: usize::try_from(fail).unwrap(),
            opened_at: at(33),
        },
        seal: Some(Seal {
            sweep: SweepId(9),
            hash: "0a".repeat(32),
        }),
    }
}

pub(crate) fn reminder() -> Notice {
    storm().reminder(2, now(3))
}

pub(crate) fn recovered() -> Notice {
    storm().recovered(now(0))
}

/// Notices about accounts that were given names for this.
pub(crate) fn hostile() -> Vec<Notice> {
    let names = [
        "<script>alert(1)</script><!channel> & <https://evil.example|click> *b* `c` \u{202e}gnp",
        "a\r\nBcc: everybody@example.com\r\n\r\n<img src=x onerror=\"alert(1)\">",
        "\u{1b}]0;owned\u{7}\u{0}\u{200b}{{7*7}} ${jndi:x} %0d%0a \\",
    ];
    let long = ["&<>\"'".repeat(3000), "東京".repeat(5000)];
    (names.into_iter().map(str::to_owned))
        .chain(long)
        .map(|name| {
            let mut drift = broken(1, "organizations-changes");
            drift.message = format!("in {name}: it fails");
            drift.changes[0].of.resource.clone_from(&name);
            let mut notice = opened(&group_of([drift]), author(), |_| name.clone());
            notice.alert = AlertId::of(&name.len());
            notice
        })
        .collect()
}
