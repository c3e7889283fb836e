//! The list of drifts for a human: what has one cause stands in one row.

use std::{cmp::Reverse, collections::BTreeSet};

use comfy_table::Cell;
use model::{AccountId, ControlId, Drift};

use crate::{
    Options, PastDrift, drift,
    list_table::{lines, table},
    palette,
    text::{NAME_WIDTH, counted, moment, number, push_line, safe, sentence},
};

/// Renders drifts that were put together by cause, the latest first and of those the gravest.
pub fn render_drifts(mut groups: Vec<Vec<PastDrift>>, options: &Options) -> String {
    for group in &mut groups {
        group.sort_by_key(|past| {
            (
                Reverse(past.drift.severity),
                past.drift.account,
                past.drift.id,
            )
        });
    }
    groups.retain(|group| !group.is_empty());
    groups.sort_by_key(|group| {
        let first = group.first().map(|past| &past.drift);
        let seen = first.map(|drift| (drift.between.seen, drift.severity));
        (Reverse(seen), first.map(|drift| (drift.account, drift.id)))
    });
    if groups.is_empty() {
        return "No drift fits.\n".to_owned();
    }
    let mut table = table(options);
    table.set_header(["SEEN", "SEVERITY", "DRIFT", "ACCOUNT", "WHAT"]);
    for group in &groups {
        let Some(first) = group.first() else { continue };
        table.add_row(vec![
            Cell::new(format!(
                "{}\nsweep {}",
                moment(first.seen_at),
                first.drift.between.seen
            )),
            palette::severity_cell(first.drift.severity),
            Cell::new(format!("{}\n{}", first.drift.id, first.drift.kind)),
            Cell::new(accounts(group, first)),
            Cell::new(what(group, first)),
        ]);
    }
    let mut out = lines(table);
    let all: usize = groups.iter().map(Vec::len).sum();
    let unseen = (groups.iter().flatten())
        .filter(|past| past.acknowledged.is_none())
        .count();
    out.push('\n');
    let all = counted(number(all), "drift");
    push_line(&mut out, &format!("{all}, {unseen} not acknowledged"));
    out
}

/// Which account, or how many.
fn accounts(group: &[PastDrift], first: &PastDrift) -> String {
    let of = |drift: &Drift| -> Vec<AccountId> {
        drift
            .account
            .iter()
            .chain(&drift.accounts)
            .copied()
            .collect()
    };
    let all: BTreeSet<AccountId> = group.iter().flat_map(|past| of(&past.drift)).collect();
    match (all.first(), all.len()) {
        (None, _) => "all".to_owned(),
        (Some(account), 1) => {
            format!("{account}\n{}", safe(&first.account_name, NAME_WIDTH))
        }
        (_, several) => counted(number(several), "account"),
    }
}

fn what(group: &[PastDrift], first: &PastDrift) -> String {
    let controls: BTreeSet<Option<&ControlId>> = group
        .iter()
        .map(|past| past.drift.control.as_ref())
        .collect();
    let mut what = String::new();
    if group.len() > 1 {
        let drifts = counted(number(group.len()), "drift");
        let of = match controls.len() {
            1 => String::new(),
            several => format!(" of {several} controls"),
        };
        what = format!("{drifts}{of} of one cause, such as: ");
    }
    what.push_str(&sentence(&first.drift.message));
    if let Some(who) = &first.who {
        what.push('\n');
        what.push_str(&drift::who(who));
    }
    let seen: Vec<_> = group
        .iter()
        .filter_map(|past| past.acknowledged.as_ref())
        .collect();
    let acknowledged = match seen.as_slice() {
        [] => String::new(),
        [first, ..] if seen.len() == group.len() => drift::acknowledged(first),
        some => format!("{} of {} acknowledged", some.len(), group.len()),
    };
    if !acknowledged.is_empty() {
        what.push('\n');
        what.push_str(&acknowledged);
    }
    what
}
