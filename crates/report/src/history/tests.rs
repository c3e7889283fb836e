//! Lists from the history.

use super::*;
use crate::fixture::{failing, line};
use model::{Reason, SweepId};

fn sweeps() -> Vec<PastSweep> {
    let mut running = line();
    running.id = Some(SweepId(13));
    running.state = SweepState::Running;
    running.finished_at = None;
    running.discovery = None;
    running.api_calls = None;
    running.scope.accounts = vec!["ou-ab12-prod".to_owned()];
    vec![
        PastSweep {
            sweep: running,
            verdicts: std::collections::BTreeMap::new(),
            accounts_seen: 3,
        },
        PastSweep {
            sweep: line(),
            verdicts: [(Verdict::Pass, 1188), (Verdict::Fail, 2)].into(),
            accounts_seen: 1190,
        },
    ]
}

fn findings() -> Vec<PastFinding> {
    let past = PastFinding {
        entry: failing(),
        since_sweep: SweepId(3),
        since: line().started_at,
        until_sweep: Some(SweepId(12)),
    };
    let mut now = past.clone();
    now.entry.finding.reason = Reason::CoveredByOwnTrail;
    now.entry.finding.message = "covered".to_owned();
    now.until_sweep = None;
    vec![past, now]
}

#[test]
fn sweeps_are_a_line_each() {
    let options = Options {
        width: 120,
        ..Options::default()
    };
    insta::assert_snapshot!(render_sweeps(&sweeps(), &options));
}

#[test]
fn findings_say_since_when() {
    let options = Options {
        width: 120,
        ..Options::default()
    };
    insta::assert_snapshot!(render_findings(&findings(), &options));
}

#[test]
fn lists_fit_a_narrow_terminal() {
    for width in [40, 80] {
        let options = Options {
            width,
            ..Options::default()
        };
        for text in [
            render_sweeps(&sweeps(), &options),
            render_findings(&findings(), &options),
        ] {
            for line in text.lines() {
                let columns = unicode_width::UnicodeWidthStr::width(line);
                assert!(columns <= width, "{width}: {text}");
            }
        }
    }
}

#[test]
fn an_empty_history_says_so() {
    let options = Options::default();
    assert_eq!(render_sweeps(&[], &options), "No sweep is remembered.\n");
    assert_eq!(
        render_findings(&[], &options),
        "No finding is remembered.\n"
    );
}

#[test]
fn lists_from_the_history_are_json_as_well() {
    insta::assert_snapshot!(crate::json::render_sweeps(&sweeps()));
    let json: serde_json::Value =
        serde_json::from_str(&crate::json::render_findings(&findings())).unwrap();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["findings"][0]["account_id"], "000000000001");
    assert_eq!(json["findings"][0]["since_sweep"], 3);
    assert_eq!(json["findings"][0]["since"], "2026-01-02T03:04:05Z");
    assert_eq!(json["findings"][0]["until_sweep"], 12);
    assert_eq!(json["findings"][1]["until_sweep"], serde_json::Value::Null);
}
