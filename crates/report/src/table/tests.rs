//! What the report looks like, and what it never does.

use unicode_width::UnicodeWidthStr;

use std::sync::Arc;

use super::*;
use crate::fixture::{
    Full, account_id, covered, entry, failing, finding, line, not_entered, report,
};
use model::{Advice, AdviceCode, Finding, Gap, GapClass, GapSample, Reason, SweepId};

fn options(width: usize) -> Options {
    Options {
        width,
        ..Options::default()
    }
}

/// Renders and holds what is true of every rendering.
fn check(report: &Full, options: &Options) -> String {
    let text = report.table(options);
    assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{text:?}");
    for line in text.lines() {
        assert!(line.width() <= options.width.max(40), "too wide: {line}");
        assert_eq!(line, line.trim_end());
        assert!(!line.chars().any(crate::text::is_hostile), "{line:?}");
    }
    text
}

#[test]
fn a_small_report_lists_every_account_that_was_judged() {
    insta::assert_snapshot!(check(&report(2), &options(80)));
}

#[test]
fn a_large_report_sums_up_what_passes() {
    insta::assert_snapshot!(check(&report(188), &options(80)));
}

#[test]
fn a_wide_terminal_gets_a_line_for_each_account() {
    insta::assert_snapshot!(check(&report(2), &options(200)));
}

#[test]
fn everything_is_listed_when_asked_for() {
    let all = Options {
        all: true,
        ..options(80)
    };
    let text = check(&report(188), &all);
    for number in (100..288).chain([1, 7, 9]) {
        assert!(text.contains(&account_id(number).to_string()), "{number}");
    }
}

#[test]
fn the_management_account_stands_first_among_those_that_fail() {
    let mut report = report(0);
    report
        .entries
        .push(entry(0, "zero", finding(0, Reason::TrailAbsent)));
    let text = check(&report, &options(80));
    let at = |number| {
        text.find(&format!("FAIL      {}", account_id(number)))
            .unwrap_or_else(|| panic!("{text}"))
    };
    assert!(at(1) < at(0), "{text}");
}

#[test]
fn a_management_account_that_a_part_of_a_sweep_left_out_has_no_verdict() {
    let mut report = report(0);
    let management = report
        .report
        .organization
        .as_ref()
        .unwrap()
        .management_account_id;
    report.report.sweep.scope.accounts = vec![account_id(9).to_string()];
    report
        .entries
        .retain(|entry| entry.finding.account != management);
    let text = check(&report, &options(160));
    let heading = format!("management account {management}: not looked at by this sweep");
    assert!(text.contains(&heading), "{text}");
}

#[test]
fn accounts_with_the_same_cause_share_a_row() {
    let mut report = report(0);
    let same = |number: u64| {
        let mut entry = failing();
        entry.finding.account = account_id(number);
        Arc::make_mut(&mut entry.account).name = format!("member-{number}");
        entry
    };
    report.entries.extend((200..1200).map(same));
    report.entries.push(entry(
        300_000,
        "lonely",
        finding(300_000, Reason::TrailAbsent),
    ));
    insta::assert_snapshot!(check(&report, &options(80)));
    let text = check(&report, &options(160));
    assert!(text.lines().count() < 30, "{text}");
    assert!(text.contains("and 1,000 more"), "{text}");
    let all = Options {
        all: true,
        ..options(80)
    };
    assert!(!check(&report, &all).contains(" more"));
}

#[test]
fn what_concerns_most_accounts_stands_before_what_concerns_few() {
    let mut report = report(0);
    let of = |reason| move |number| entry(number, "x", finding(number, reason));
    report.entries.extend((10..12).map(of(Reason::TrailAbsent)));
    report.entries.extend((20..25).map(of(Reason::AlarmAbsent)));
    let text = check(&report, &options(80));
    let at = |word| text.find(word).unwrap_or_else(|| panic!("{text}"));
    assert!(at("filter-incomplete") < at("alarm-absent"), "{text}");
    assert!(at("alarm-absent") < at("trail-absent"), "{text}");
    assert!(at("trail-absent") < at("account-not-entered"), "{text}");
}

#[test]
fn a_flood_of_causes_is_counted_by_reason_beyond_a_screen() {
    let mut report = report(0);
    let alone = |number| {
        let mut entry = entry(number, "x", finding(number, Reason::TrailNotLogging));
        entry.finding.message = format!("the trail of {number} is stopped");
        entry
    };
    report.entries.extend((1000..3100).map(alone));
    let text = check(&report, &options(80));
    assert!(text.lines().count() < 200, "{text}");
    assert!(text.contains("2,101 FAIL"), "{text}");
    assert!(text.contains("and 2,061 more FAIL"), "{text}");
    assert!(text.contains("   2,061  trail-not-logging"), "{text}");
    assert!(text.contains("and 1 more UNKNOWN"), "{text}");
}

#[test]
fn an_incomplete_account_list_is_said_at_the_top() {
    let mut report = report(1);
    report.sweep.discovery = Some(DiscoveryState::Incomplete {
        gap: Gap {
            class: GapClass::Throttled,
            api: "organizations:ListAccounts".to_owned(),
            resource: None,
            account: None,
            region: None,
            sample: GapSample::default(),
        },
    });
    report.sweep.state = SweepState::Interrupted;
    report.sweep.scope.accounts = vec!["000000000001".to_owned(), "ou-ab12-prod".to_owned()];
    let text = check(&report, &options(80));
    let head: String = text.lines().take(8).collect::<Vec<_>>().join(" ");
    assert!(head.contains("account list is incomplete"), "{head}");
    assert!(head.contains("ListAccounts was throttled"), "{head}");
    assert!(head.contains("interrupted before its end"), "{head}");
    assert!(head.contains("Only: 000000000001, ou-ab12-prod"), "{head}");
}

#[test]
fn an_empty_report_says_that_nothing_was_judged() {
    let report = Full {
        report: Report {
            sweep: line(),
            verdicts: BTreeMap::new(),
            organization: None,
            notices: Vec::new(),
            store: None,
            drifts: Vec::new(),
        },
        entries: Vec::new(),
    };
    insta::assert_snapshot!(check(&report, &options(80)));
}

#[test]
fn findings_of_several_controls_say_which() {
    let mut report = report(0);
    report.entries.push(entry(
        1,
        "management",
        Finding {
            control: "root-usage".parse().unwrap(),
            ..finding(1, Reason::AlarmAbsent)
        },
    ));
    let text = check(&report, &options(80));
    assert!(text.contains("root-usage: alarm-absent"), "{text}");
    assert!(text.contains("3 accounts, 4 findings: 2 FAIL"), "{text}");
}

#[test]
fn the_same_advice_is_told_once() {
    let mut report = report(0);
    let noisy = |number: u64, event: &str| {
        let mut entry = covered(number);
        entry.finding.advice.push(Advice {
            code: AdviceCode::Noise,
            message: format!("the filter also matches {event}"),
        });
        entry
    };
    report
        .entries
        .extend((100..150).map(|n| noisy(n, "ListRoots")));
    report
        .entries
        .extend((150..160).map(|n| noisy(n, &format!("Event{n}"))));
    let text = check(&report, &options(80));
    assert!(
        text.contains("also matches ListRoots (50 findings)"),
        "{text}"
    );
    assert!(text.contains("and 8 more"), "{text}");
}

#[test]
fn hostile_names_and_messages_are_shown_and_not_obeyed() {
    let hostile = "\u{1b}]0;owned\u{7}\u{202e}gnp.exe\nFAIL\u{200b}".repeat(40);
    let mut report = report(1);
    report
        .organization
        .as_mut()
        .unwrap()
        .id
        .clone_from(&hostile);
    report.notices.push(hostile.clone());
    report.sweep.scope.accounts = vec![hostile.clone()];
    for entry in &mut report.entries {
        Arc::make_mut(&mut entry.account).name.clone_from(&hostile);
        entry.finding.message.clone_from(&hostile);
        for gap in &mut entry.finding.gaps {
            gap.sample.message.clone_from(&hostile);
        }
        for advice in &mut entry.finding.advice {
            advice.message.clone_from(&hostile);
        }
    }
    for width in [0, 40, 80, 140, 200, 100_000] {
        let text = check(&report, &options(width.max(80)));
        assert!(text.contains("\\u{202e}"), "{text}");
        report.table(&options(width));
    }
}

#[test]
fn colour_adds_nothing_but_escapes() {
    let plain = options(80);
    let coloured = Options {
        colour: true,
        ..plain
    };
    let mut incomplete = report(2);
    incomplete.sweep.discovery = Some(DiscoveryState::Incomplete {
        gap: not_entered(7).finding.gaps.remove(0),
    });
    for report in [report(188), incomplete] {
        let text = report.table(&coloured);
        assert!(text.contains("\u{1b}["), "{text}");
        let stripped = strip_colour(&text);
        let trimmed: Vec<&str> = stripped.lines().map(str::trim_end).collect();
        assert_eq!(trimmed.join("\n") + "\n", report.table(&plain));
    }
}

fn strip_colour(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain.push_str(piece.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

#[test]
fn a_sweep_that_was_not_remembered_has_no_number() {
    let mut report = report(1);
    assert!(check(&report, &options(80)).contains(&format!("Sweep {} of", SweepId(12))));
    report.sweep.id = None;
    assert!(check(&report, &options(80)).contains("Sweep of 2026-01-02 03:04:05Z"));
}

#[test]
fn what_aws_said_stands_beside_an_unknown() {
    let mut report = report(0);
    report.entries = vec![failing(), not_entered(7)];
    let text = check(&report, &options(200));
    assert!(text.contains("AWS said: AccessDenied: User:"), "{text}");
}

#[test]
fn thousands_of_rows_are_rendered_at_once() {
    let all = Options {
        all: true,
        ..options(80)
    };
    assert!(check(&report(5_000), &all).lines().count() > 10_000);
}
