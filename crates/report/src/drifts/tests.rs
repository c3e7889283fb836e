//! The section as a whole, and what stands in it for a hostile name.

use model::{DriftKind, SweepId, SweepPair};

use super::*;
use crate::fixture::account_id;

fn entry(severity: Severity, author: Option<AuthorOutcome>) -> DriftEntry {
    let account = Some(account_id(7));
    let kind = DriftKind::VerdictChanged;
    let id = DriftId::of(kind, account, None, SweepId(2), severity.as_str());
    DriftEntry {
        drift: Drift {
            id,
            kind,
            severity,
            account,
            control: None,
            cause: "a filter".to_owned(),
            message: "went from PASS to FAIL; the metric filter f is gone".to_owned(),
            between: SweepPair {
                last_before: Some(SweepId(1)),
                seen: SweepId(2),
            },
            before: None,
            after: None,
            changes: Vec::new(),
            accounts: Vec::new(),
            undamped: None,
        },
        ids: vec![id],
        author,
    }
}

fn author() -> Author {
    Author {
        event_id: "an-id".to_owned(),
        event_source: "logs.amazonaws.com".to_owned(),
        event_name: "DeleteMetricFilter".to_owned(),
        time: "2026-01-02T03:04:05Z".parse().unwrap(),
        account: account_id(7),
        region: "us-east-1".parse().unwrap(),
        actor: Some("arn:aws:sts::000000000007:assumed-role/Admin/alice".to_owned()),
        session_issuer: None,
        source_ip: Some("203.0.113.24".to_owned()),
        user_agent: None,
    }
}

#[test]
fn the_gravest_comes_first_with_who_did_it() {
    let not_found = AuthorOutcome::NotFound {
        looked_until: "2026-01-02T04:04:05Z".parse().unwrap(),
        is_whole: true,
        asked: Vec::new(),
    };
    let found = AuthorOutcome::Found { author: author() };
    let entries = [
        entry(Severity::Low, Some(not_found)),
        entry(Severity::High, Some(found)),
        entry(Severity::Info, None),
    ];
    let options = Options {
        width: 100,
        ..Options::default()
    };
    assert_eq!(
        render(&entries, &options),
        "
Changes since the last sweep
  high      went from PASS to FAIL; the metric filter f is gone
            by arn:aws:sts::000000000007:assumed-role/Admin/alice, DeleteMetricFilter at 2026-01-02
            03:04:05Z, from 203.0.113.24
  low       went from PASS to FAIL; the metric filter f is gone
            who did it: CloudTrail showed no such call until 2026-01-02 04:04:05Z; events may take a
            quarter of an hour
  info      went from PASS to FAIL; the metric filter f is gone
"
    );
    assert_eq!(render(&[], &options), "");
}

#[test]
fn many_are_counted_and_hostile_words_are_harmless() {
    let hostile = Author {
        actor: Some("arn:\u{1b}[2J\u{202e}".to_owned()),
        source_ip: Some("x".repeat(10_000)),
        ..author()
    };
    let found = AuthorOutcome::Found { author: hostile };
    let entries = vec![entry(Severity::High, Some(found)); LISTED + 5];
    let text = render(&entries, &Options::default());
    assert!(text.ends_with("and 5 more\n"), "{text}");
    assert!(
        !text
            .chars()
            .any(|c| c != '\n' && crate::text::is_hostile(c))
    );
    assert!(text.len() < 20_000);
}
