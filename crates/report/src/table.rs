//! The report for a human: what is broken first, what is in order summed up.

use std::collections::BTreeMap;

use comfy_table::{
    Cell, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width,
};
use model::{
    AccountId, AdviceCode, ControlId, DiscoveryState, Finding, Link, Reason, SweepState, Verdict,
};

use crate::{
    Entry, Options, Report, palette,
    text::{
        NAME_WIDTH, counted, duration, moment, push_line, push_wrapped, safe, sentence, thousands,
    },
};

#[cfg(test)]
mod tests;

/// How many accounts are listed before the rest is counted by reason: about a screen.
const LISTED: usize = 40;

/// Up to how many accounts that pass are listed: so few are no flood.
const FEW_PASSES: usize = 10;

/// How many kinds of advice are told before the rest is counted.
const TOLD_ADVICE: usize = 5;

/// From which width on name, reason and message have columns of their own.
const WIDE: usize = 140;

/// Renders the report.
pub fn render(report: &Report, options: &Options) -> String {
    let mut out = String::new();
    push_headline(&mut out, report, options);
    push_findings(&mut out, report, options);
    push_next_step(&mut out, report, options);
    push_advice(&mut out, report, options);
    push_notices(&mut out, report, options);
    out
}

fn push_headline(out: &mut String, report: &Report, options: &Options) {
    if let Some(organization) = &report.organization {
        let name = format!("Organization {}", safe(&organization.id, NAME_WIDTH));
        let line = format!(
            "{}, management account {}: {}",
            palette::strong(&name, options),
            organization.management_account_id,
            palette::verdict(organization.verdict.as_str(), organization.verdict, options),
        );
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
    }
    push_wrapped(out, "", &facts.join(", "), options.width);
    if !sweep.scope.accounts.is_empty() {
        let chosen = sentence(&sweep.scope.accounts.join(", "));
        push_wrapped(out, "Only: ", &chosen, options.width);
    }

    let by_verdict = count(report.entries.iter().map(|entry| entry.finding.verdict()));
    let counts: Vec<String> = [
        Verdict::Fail,
        Verdict::Unknown,
        Verdict::Pass,
        Verdict::NotApplicable,
    ]
    .into_iter()
    .filter_map(|verdict| {
        let number = by_verdict.get(&verdict)?;
        let text = format!("{} {verdict}", thousands(*number));
        Some(palette::verdict(&text, verdict, options))
    })
    .collect();
    if counts.is_empty() {
        push_line(out, "Nothing was judged.");
    } else {
        let accounts = count(report.entries.iter().map(|entry| entry.finding.account)).len();
        let mut subject = counted(number(accounts), "account");
        if accounts != report.entries.len() {
            subject = format!(
                "{subject}, {}",
                counted(number(report.entries.len()), "finding")
            );
        }
        push_wrapped(
            out,
            "",
            &format!("{subject}: {}", counts.join(", ")),
            options.width,
        );
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

/// The accounts that somebody must look at, then those that pass, if they are few.
fn push_findings(out: &mut String, report: &Report, options: &Options) {
    let mut entries: Vec<&Entry> = report.entries.iter().collect();
    entries.sort_by_key(|entry| place(report, entry));
    let passes = |entry: &&Entry| entry.finding.verdict() == Verdict::Pass;
    let lists_passes = entries
        .iter()
        .copied()
        .filter(|entry| passes(entry))
        .count()
        <= FEW_PASSES;
    let (listed, summed_up): (Vec<&Entry>, Vec<&Entry>) = entries.into_iter().partition(|entry| {
        options.all
            || match entry.finding.verdict() {
                Verdict::Fail | Verdict::Unknown => true,
                Verdict::Pass => lists_passes,
                Verdict::NotApplicable => false,
            }
    });
    let shown = if options.all {
        listed.len()
    } else {
        listed.len().min(LISTED)
    };
    let (listed, unlisted) = listed.split_at(shown);
    if !listed.is_empty() {
        out.push('\n');
        push_table(out, listed, options);
    }
    if !unlisted.is_empty() {
        out.push('\n');
        push_counts(out, "and", unlisted, options);
    }
    if !summed_up.is_empty() {
        out.push('\n');
        push_counts(out, "", &summed_up, options);
    }
}

/// Where an entry stands: what fails first, and of that the management account, which decides.
fn place<'e>(report: &Report, entry: &'e Entry) -> (u8, bool, AccountId, &'e ControlId) {
    let finding = &entry.finding;
    let management = (report.organization.as_ref()).map(|it| it.management_account_id);
    (
        urgency(finding.verdict()),
        Some(finding.account) != management,
        finding.account,
        &finding.control,
    )
}

fn urgency(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Unknown => 1,
        Verdict::Pass => 2,
        Verdict::NotApplicable => 3,
    }
}

fn push_table(out: &mut String, entries: &[&Entry], options: &Options) {
    let is_wide = options.width >= WIDE;
    let has_controls = count(entries.iter().map(|entry| &entry.finding.control)).len() > 1;
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(options.width.max(40)).unwrap_or(u16::MAX));
    if options.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    if is_wide {
        table.set_header(["VERDICT", "ACCOUNT", "NAME", "REASON", "WHY"]);
    } else {
        table.set_header(["VERDICT", "ACCOUNT", "WHY"]);
    }
    for entry in entries {
        let finding = &entry.finding;
        let name = safe(&entry.account_name, NAME_WIDTH);
        let mut reason = finding.reason.code().to_owned();
        if has_controls {
            reason = format!("{}: {reason}", finding.control);
        }
        let verdict = palette::verdict_cell(finding.verdict());
        if is_wide {
            table.add_row(vec![
                verdict,
                Cell::new(finding.account),
                Cell::new(name),
                Cell::new(with_link(&reason, finding)),
                Cell::new(why(finding)),
            ]);
        } else {
            table.add_row(vec![
                verdict,
                Cell::new(format!("{}\n{name}", finding.account)),
                Cell::new(format!("{}\n{}", with_link(&reason, finding), why(finding))),
            ]);
        }
    }
    // The verdict and the id are never broken; a name takes no more than a quarter.
    let quarter = u16::try_from(options.width / 4).unwrap_or(u16::MAX);
    let constraints = [
        ColumnConstraint::ContentWidth,
        if is_wide {
            ColumnConstraint::ContentWidth
        } else {
            ColumnConstraint::UpperBoundary(Width::Fixed(quarter.max(14)))
        },
        ColumnConstraint::UpperBoundary(Width::Fixed(quarter)),
        ColumnConstraint::UpperBoundary(Width::Fixed(quarter)),
    ];
    let columns = if is_wide { 4 } else { 2 };
    table.set_constraints(constraints.into_iter().take(columns));
    for line in table.lines() {
        push_line(out, &line);
    }
}

fn with_link(reason: &str, finding: &Finding) -> String {
    match finding.link.map(Link::in_words) {
        Some(link) => format!("{reason} ({link})"),
        None => reason.to_owned(),
    }
}

/// The finding's sentence, and what AWS said to the first call that failed.
fn why(finding: &Finding) -> String {
    let mut why = sentence(&finding.message);
    let said = (finding.verdict() == Verdict::Unknown)
        .then(|| finding.gaps.first())
        .flatten()
        .map(|gap| sentence(&gap.sample.message))
        .filter(|said| !said.is_empty() && !why.contains(said.as_str()));
    if let Some(said) = said {
        why.push_str("\nAWS said: ");
        why.push_str(&said);
    }
    why
}

/// Counts findings: those that pass by what covers them, the others by their reason.
fn push_counts(out: &mut String, lead: &str, entries: &[&Entry], options: &Options) {
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
        _ => with_link(finding.reason.code(), finding),
    }
}

fn push_next_step(out: &mut String, report: &Report, options: &Options) {
    let first = (report.entries.iter())
        .filter(|entry| matches!(entry.finding.verdict(), Verdict::Fail | Verdict::Unknown))
        .min_by_key(|entry| place(report, entry))
        .map(|entry| entry.finding.account);
    if let Some(account) = first {
        out.push('\n');
        push_wrapped(
            out,
            "",
            &format!("`scanner explain --account {account}` shows the chain, link by link."),
            options.width,
        );
    }
}

fn push_advice(out: &mut String, report: &Report, options: &Options) {
    let mut told: BTreeMap<(AdviceCode, &str), Vec<AccountId>> = BTreeMap::new();
    for entry in &report.entries {
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

fn push_notices(out: &mut String, report: &Report, options: &Options) {
    if report.notices.is_empty() {
        return;
    }
    out.push('\n');
    push_line(out, &palette::strong("Notices", options));
    for notice in &report.notices {
        push_wrapped(out, "  - ", &sentence(notice), options.width);
    }
}

fn count<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
