//! The rows of the report: accounts with the same cause share one.

use std::{cmp::Reverse, collections::BTreeMap};

use comfy_table::{Cell, ColumnConstraint, Width};
use model::{AccountId, ControlId, Exception, Finding, Link, Reason, Verdict};

use crate::{
    Entry, Options, Report, list_table, palette,
    table::{count, number},
    text::{NAME_WIDTH, moment, push_line, safe, sentence, thousands},
};

/// From which width on name, reason and message have columns of their own.
const WIDE: usize = 140;

/// Entries of which one sentence says what is the matter.
pub(super) type Row<'e> = Vec<&'e Entry>;

/// Puts the entries into rows: what fails first, and of that what decides or concerns most.
///
/// Below an organization trail one broken filter fails every account, and a stopped trail fails every
/// control; it is one thing to mend, and one row. With `all`, each entry has its own.
pub(super) fn rows<'e>(
    report: &Report,
    entries: Vec<&'e Entry>,
    options: &Options,
) -> Vec<Row<'e>> {
    let mut rows: Vec<Row<'e>> = if options.all {
        entries.into_iter().map(|entry| vec![entry]).collect()
    } else {
        let mut by_cause: BTreeMap<(Reason, Option<Link>, &str), Row<'e>> = BTreeMap::new();
        for entry in entries {
            let finding = &entry.finding;
            let cause = (finding.reason, finding.link, finding.message.as_str());
            by_cause.entry(cause).or_default().push(entry);
        }
        // What fails several controls of the same accounts in the same way, each by its own alarm or
        // filter, is one thing too.
        let mut by_accounts: BTreeMap<(Reason, Option<Link>, Vec<AccountId>), Row<'e>> =
            BTreeMap::new();
        for ((reason, link, _), row) in by_cause {
            let mut accounts: Vec<AccountId> =
                row.iter().map(|entry| entry.finding.account).collect();
            accounts.sort_unstable();
            accounts.dedup();
            by_accounts
                .entry((reason, link, accounts))
                .or_default()
                .extend(row);
        }
        by_accounts.into_values().collect()
    };
    for row in &mut rows {
        row.sort_by_key(|entry| place(report, entry));
    }
    rows.sort_by_cached_key(|row| {
        let first = row.first().map(|entry| place(report, entry));
        let is_management = first.is_some_and(|(_, is_other, ..)| !is_other);
        let urgency = first.map(|(urgency, ..)| urgency);
        (urgency, !is_management, Reverse(row.len()), first)
    });
    rows
}

/// Where an entry stands by itself: the management account decides, so it comes first.
pub(super) fn place<'e>(report: &Report, entry: &'e Entry) -> (u8, bool, AccountId, &'e ControlId) {
    let finding = &entry.finding;
    let management = (report.organization.as_ref()).map(|it| it.management_account_id);
    let urgency = match finding.verdict() {
        Verdict::Fail => 0,
        Verdict::Unknown => 1,
        Verdict::Pass => 2,
        Verdict::NotApplicable => 3,
    };
    (
        urgency,
        Some(finding.account) != management,
        finding.account,
        &finding.control,
    )
}

pub(super) fn push_rows(out: &mut String, rows: &[Row<'_>], options: &Options) {
    let is_wide = options.width >= WIDE;
    let controls = rows.iter().flatten().map(|entry| &entry.finding.control);
    let has_controls = count(controls).len() > 1;
    let mut table = list_table::table(options);
    if is_wide {
        table.set_header(["VERDICT", "ACCOUNT", "NAME", "REASON", "WHY"]);
    } else {
        table.set_header(["VERDICT", "ACCOUNT", "WHY"]);
    }
    for row in rows {
        let Some(first) = row.first() else { continue };
        let finding = &first.finding;
        let own = count(row.iter().map(|entry| &entry.finding.control)).len();
        let reason = match own {
            _ if !has_controls => with_link(finding),
            0 | 1 => format!("{}: {}", finding.control, with_link(finding)),
            several => format!("{several} controls: {}", with_link(finding)),
        };
        let name = safe(&first.account.name, NAME_WIDTH);
        let mut why = why(finding);
        let messages = count(row.iter().map(|entry| entry.finding.message.as_str())).len();
        if messages > 1 {
            why = format!("{why}\nand {} more alike", thousands(number(messages - 1)));
        }
        let others = match count(row.iter().map(|entry| entry.finding.account)).len() {
            0 | 1 => String::new(),
            all => format!("and {} more", thousands(number(all - 1))),
        };
        if let Some(exception) = &first.exception {
            why = format!("{why}\n{}", accepted_until(exception));
        }
        let verdict = palette::verdict_cell(finding.verdict());
        if is_wide {
            table.add_row(vec![
                verdict,
                Cell::new(lines(&[&finding.account.to_string(), &others])),
                Cell::new(name),
                Cell::new(reason),
                Cell::new(why),
            ]);
        } else {
            table.add_row(vec![
                verdict,
                Cell::new(lines(&[&finding.account.to_string(), &name, &others])),
                Cell::new(lines(&[&reason, &why])),
            ]);
        }
    }
    // The verdict and the id are never broken; a name takes no more than a quarter.
    let quarter = u16::try_from(options.width / 4).unwrap_or(u16::MAX);
    let up_to_quarter = ColumnConstraint::UpperBoundary(Width::Fixed(quarter.max(14)));
    let constraints = if is_wide {
        vec![
            ColumnConstraint::ContentWidth,
            ColumnConstraint::ContentWidth,
            up_to_quarter,
            up_to_quarter,
        ]
    } else {
        vec![ColumnConstraint::ContentWidth, up_to_quarter]
    };
    table.set_constraints(constraints);
    for line in table.lines() {
        push_line(out, &line);
    }
}

/// Until when something is accepted, and by whom.
pub(crate) fn accepted_until(exception: &Exception) -> String {
    let ticket = (exception.ticket.as_ref()).map_or_else(String::new, |ticket| {
        format!(", {}", safe(ticket, NAME_WIDTH))
    });
    format!(
        "accepted until {} by {}{ticket}",
        moment(exception.expires_at),
        safe(&exception.owner, NAME_WIDTH)
    )
}

/// One above the other, without those that are empty.
fn lines(texts: &[&str]) -> String {
    let texts: Vec<&str> = (texts.iter().copied())
        .filter(|text| !text.is_empty())
        .collect();
    texts.join("\n")
}

/// The reason, and the link where it arises.
pub(super) fn with_link(finding: &Finding) -> String {
    match finding.link.map(Link::in_words) {
        Some(link) => format!("{} ({link})", finding.reason),
        None => finding.reason.to_string(),
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
