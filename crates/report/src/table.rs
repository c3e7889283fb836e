//! The report for a human: what is broken first, what is in order summed up.

use std::collections::BTreeMap;

use model::{DiscoveryState, SweepState, Verdict};

use crate::{
    Entry, Options, Report, palette,
    text::{
        NAME_WIDTH, counted, duration, moment, number, push_line, push_wrapped, safe, sentence,
        thousands,
    },
};

mod rows;
mod summary;
#[cfg(test)]
mod tests;

pub(crate) use rows::accepted_until;

/// How many rows are listed before the rest is counted by reason: about a screen.
const LISTED: usize = 40;

/// Up to how many accounts that pass are listed: so few are no flood.
const FEW_PASSES: usize = 10;

/// Renders the report and its findings, which may come in any order and without chains.
pub fn render(report: &Report, entries: &[Entry], options: &Options) -> String {
    let mut out = String::new();
    push_headline(&mut out, report, entries, options);
    push_findings(&mut out, report, entries, options);
    summary::push_accepted(&mut out, entries, options);
    summary::push_next_step(&mut out, report, entries, options);
    summary::push_advice(&mut out, entries, options);
    summary::push_notices(&mut out, report, options);
    out
}

fn push_headline(out: &mut String, report: &Report, entries: &[Entry], options: &Options) {
    if let Some(organization) = &report.organization {
        let name = format!("Organization {}", safe(&organization.id, NAME_WIDTH));
        let account = organization.management_account_id;
        // A sweep of some accounts may not have looked at it: that says nothing of its verdict.
        let was_seen = report.sweep.scope.accounts.is_empty()
            || entries.iter().any(|entry| entry.finding.account == account);
        let verdict = if was_seen {
            let verdict = organization.verdict;
            palette::verdict(verdict.as_str(), verdict, options)
        } else {
            "not looked at by this sweep".to_owned()
        };
        let name = palette::strong(&name, options);
        let line = format!("{name}, management account {account}: {verdict}");
        push_wrapped(out, "", &line, options.width);
    } else {
        push_wrapped(
            out,
            "",
            "No organization: each account was judged by itself.",
            options.width,
        );
    }

    let sweep = &report.sweep;
    let name = (sweep.id).map_or_else(|| "Sweep".to_owned(), |id| format!("Sweep {id}"));
    let mut facts = vec![format!("{name} of {}", moment(sweep.started_at))];
    if let Some(finished_at) = sweep.finished_at {
        facts.push(duration(finished_at.duration_since(sweep.started_at)));
    }
    if let Some(calls) = sweep.api_calls {
        facts.push(format!("{} to AWS", counted(calls, "call")));
    }
    match sweep.scope.controls.as_slice() {
        [] => {}
        [control] => facts.push(format!("control {control}")),
        several => facts.push(format!("{} controls", several.len())),
    }
    match sweep.state {
        SweepState::Finished => {}
        SweepState::Running => facts.push("still under way".to_owned()),
        SweepState::Interrupted => facts.push("interrupted before its end".to_owned()),
        SweepState::Abandoned => facts.push("abandoned before its end".to_owned()),
    }
    push_wrapped(out, "", &facts.join(", "), options.width);
    if !sweep.scope.accounts.is_empty() {
        let chosen = sentence(&sweep.scope.accounts.join(", "));
        push_wrapped(out, "Only: ", &chosen, options.width);
    }

    let counts: Vec<String> = [
        Verdict::Fail,
        Verdict::Unknown,
        Verdict::Pass,
        Verdict::NotApplicable,
    ]
    .into_iter()
    .filter_map(|verdict| {
        let number = report
            .verdicts
            .get(&verdict)
            .filter(|number| **number > 0)?;
        let text = format!("{} {verdict}", thousands(*number));
        Some(palette::verdict(&text, verdict, options))
    })
    .collect();
    if counts.is_empty() {
        push_line(out, "Nothing was judged.");
    } else {
        let accounts = count(entries.iter().map(|entry| entry.finding.account)).len();
        let mut subject = counted(number(accounts), "account");
        if accounts != entries.len() {
            subject = format!("{subject}, {}", counted(number(entries.len()), "finding"));
        }
        push_wrapped(
            out,
            "",
            &format!("{subject}: {}", counts.join(", ")),
            options.width,
        );
    }
    let accepted = (entries.iter())
        .filter(|entry| entry.exception.is_some())
        .count();
    if accepted > 0 {
        let line = format!(
            "Accepted by exceptions: {}",
            counted(number(accepted), "finding")
        );
        push_line(out, &line);
    }
    if let Some(DiscoveryState::Incomplete { gap }) = &sweep.discovery {
        push_wrapped(
            out,
            &palette::verdict("! ", Verdict::Unknown, options),
            &sentence(&format!(
                "The account list is incomplete, accounts are missing from this report: {gap}."
            )),
            options.width,
        );
    }
}

/// What somebody must look at, then what passes, if it is little.
fn push_findings(out: &mut String, report: &Report, entries: &[Entry], options: &Options) {
    let passes = (entries.iter())
        .filter(|entry| entry.finding.verdict() == Verdict::Pass)
        .count();
    let (listed, summed_up): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| {
        options.all
            || match entry.finding.verdict() {
                _ if entry.exception.is_some() => false,
                Verdict::Fail | Verdict::Unknown => true,
                Verdict::Pass => passes <= FEW_PASSES,
                Verdict::NotApplicable => false,
            }
    });
    let rows = rows::rows(report, listed, options);
    let shown = if options.all {
        rows.len()
    } else {
        rows.len().min(LISTED)
    };
    let (shown, unshown) = rows.split_at(shown);
    if !shown.is_empty() {
        out.push('\n');
        rows::push_rows(out, shown, options);
    }
    if !unshown.is_empty() {
        out.push('\n');
        summary::push_counts(out, "and", &unshown.concat(), options);
    }
    if !summed_up.is_empty() {
        out.push('\n');
        summary::push_counts(out, "", &summed_up, options);
    }
}

fn count<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}
