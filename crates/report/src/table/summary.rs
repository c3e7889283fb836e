//! What is counted instead of listed, and what is said beside the findings.

use std::collections::BTreeMap;

use model::{AccountId, AdviceCode, Finding, Reason, Verdict};

use crate::{
    Entry, Options, Report, palette,
    table::{count, number, rows},
    text::{NAME_WIDTH, counted, push_line, push_wrapped, safe, sentence, thousands},
};

/// How many kinds of advice are told before the rest is counted.
const TOLD_ADVICE: usize = 5;

/// Counts findings: those that pass by what covers them, the others by their reason.
pub(super) fn push_counts(out: &mut String, lead: &str, entries: &[&Entry], options: &Options) {
    for verdict in [
        Verdict::Fail,
        Verdict::Unknown,
        Verdict::Pass,
        Verdict::NotApplicable,
    ] {
        let of_verdict = || (entries.iter()).filter(|entry| entry.finding.verdict() == verdict);
        let total = of_verdict().count();
        if total == 0 {
            continue;
        }
        let more = if lead.is_empty() { "" } else { " more" };
        let head = format!("{lead} {}{more} {verdict}", thousands(number(total)));
        push_line(out, &palette::verdict(head.trim_start(), verdict, options));
        let mut groups: Vec<_> = count(of_verdict().map(|entry| ground(&entry.finding)))
            .into_iter()
            .collect();
        groups.sort_by(|(one, few), (other, many)| many.cmp(few).then_with(|| one.cmp(other)));
        for (ground, members) in groups {
            let first = format!("{:>8}  ", thousands(members));
            push_wrapped(out, &first, &ground, options.width);
        }
    }
}

/// What a finding is counted by.
fn ground(finding: &Finding) -> String {
    match &finding.covered_by {
        Some(covered_by) if covered_by.is_organization_trail => {
            let name = covered_by.trail.resource();
            format!(
                "covered by the organization trail {} of account {}",
                safe(name.strip_prefix("trail/").unwrap_or(name), NAME_WIDTH),
                covered_by.account
            )
        }
        _ if finding.reason == Reason::CoveredByOwnTrail => "covered by their own trail".to_owned(),
        _ => rows::with_link(finding),
    }
}

/// What is accepted: a line for each exception.
pub(super) fn push_accepted(out: &mut String, entries: &[Entry], options: &Options) {
    let mut accepted: BTreeMap<String, u64> = BTreeMap::new();
    for exception in entries.iter().filter_map(|entry| entry.exception.as_ref()) {
        let scope = sentence(&exception.scope.to_string());
        let line = format!("{scope}: {}", rows::accepted_until(exception));
        *accepted.entry(line).or_default() += 1;
    }
    if accepted.is_empty() {
        return;
    }
    out.push('\n');
    push_line(out, &palette::strong("Accepted", options));
    for (line, findings) in accepted {
        let line = format!("{line} ({})", counted(findings, "finding"));
        push_wrapped(out, "  - ", &line, options.width);
    }
}

pub(super) fn push_next_step(
    out: &mut String,
    report: &Report,
    entries: &[Entry],
    options: &Options,
) {
    let first = (entries.iter())
        .filter(|entry| entry.exception.is_none())
        .filter(|entry| matches!(entry.finding.verdict(), Verdict::Fail | Verdict::Unknown))
        .min_by_key(|entry| rows::place(report, entry))
        .map(|entry| &entry.finding);
    let all = if options.all {
        ""
    } else {
        " `--all` lists every account."
    };
    if let Some(finding) = first {
        let account = finding.account;
        let controls = count(entries.iter().map(|entry| &entry.finding.control));
        let control = if controls.len() > 1 {
            format!(" --control {}", finding.control)
        } else {
            String::new()
        };
        let store = (report.store.as_ref()).map_or_else(String::new, |store| {
            format!(" --store {}", safe(store, NAME_WIDTH))
        });
        out.push('\n');
        push_wrapped(
            out,
            "",
            &format!(
                "`scanner explain --account {account}{control}{store}` shows the chain, link by link.{all}"
            ),
            options.width,
        );
    }
}

pub(super) fn push_advice(out: &mut String, entries: &[Entry], options: &Options) {
    let mut told: BTreeMap<(AdviceCode, &str), Vec<AccountId>> = BTreeMap::new();
    for entry in entries {
        for advice in &entry.finding.advice {
            (told.entry((advice.code, advice.message.as_str())))
                .or_default()
                .push(entry.finding.account);
        }
    }
    if told.is_empty() {
        return;
    }
    let mut told: Vec<_> = told.into_iter().collect();
    told.sort_by_key(|(_, accounts)| std::cmp::Reverse(accounts.len()));
    out.push('\n');
    push_line(out, &palette::strong("Advice", options));
    let shown = if options.all {
        told.len()
    } else {
        told.len().min(TOLD_ADVICE)
    };
    let (shown, unshown) = told.split_at(shown);
    for ((_, message), accounts) in shown {
        let whose = match accounts.as_slice() {
            [account] => account.to_string(),
            several => counted(number(several.len()), "finding"),
        };
        push_wrapped(
            out,
            "  - ",
            &format!("{} ({whose})", sentence(message)),
            options.width,
        );
    }
    if !unshown.is_empty() {
        push_line(out, &format!("  - and {} more", unshown.len()));
    }
}

pub(super) fn push_notices(out: &mut String, report: &Report, options: &Options) {
    if report.notices.is_empty() {
        return;
    }
    out.push('\n');
    push_line(out, &palette::strong("Notices", options));
    for notice in &report.notices {
        push_wrapped(out, "  - ", &sentence(notice), options.width);
    }
}
