//! What is not the same at two moments, for a human.

use std::{cmp::Reverse, collections::BTreeSet};

use comfy_table::Cell;

use crate::{
    AsOfLine, Difference, Options,
    history::as_of_words,
    list_table, palette,
    text::{NAME_WIDTH, counted, number, push_line, push_wrapped, safe, sentence},
};

#[cfg(test)]
mod tests;

/// Renders differences that were put together by cause, the gravest first.
pub fn render(
    [from, to]: [&AsOfLine; 2],
    mut groups: Vec<Vec<Difference>>,
    options: &Options,
) -> String {
    let mut out = String::new();
    let accounts: BTreeSet<_> = (groups.iter().flatten())
        .filter_map(|one| one.drift.account)
        .collect();
    let differences: usize = groups.iter().map(Vec::len).sum();
    let head = format!("From {} to {}:", as_of_words(from), as_of_words(to));
    push_wrapped(&mut out, "", &head, options.width);
    if differences == 0 {
        push_line(&mut out, "nothing is different");
        return out;
    }
    let head = format!(
        "{} in {}",
        counted(number(differences), "difference"),
        counted(number(accounts.len()), "account")
    );
    push_line(&mut out, &head);
    out.push('\n');
    for group in &mut groups {
        group.sort_by_key(|one| (Reverse(one.drift.severity), one.drift.account));
    }
    groups.sort_by_key(|group| {
        let first = group.first();
        let severity = first.map(|one| one.drift.severity);
        (
            Reverse(severity),
            Reverse(group.len()),
            first.map(|one| one.drift.account),
        )
    });
    let mut table = list_table::table(options);
    table.set_header(["SEVERITY", "DIFFERENCE", "ACCOUNT", "WHAT"]);
    for group in &groups {
        let Some(first) = group.first() else { continue };
        let accounts: BTreeSet<_> = group.iter().filter_map(|one| one.drift.account).collect();
        let account = match (accounts.first(), accounts.len()) {
            (None, _) => "all".to_owned(),
            (Some(account), 1) => format!("{account}\n{}", safe(&first.account_name, NAME_WIDTH)),
            (_, several) => counted(number(several), "account"),
        };
        let alike = match group.len() {
            1 => String::new(),
            several => format!(
                "{} of one cause, such as: ",
                counted(number(several), "difference")
            ),
        };
        table.add_row(vec![
            palette::severity_cell(first.drift.severity),
            Cell::new(first.drift.kind),
            Cell::new(account),
            Cell::new(format!("{alike}{}", sentence(&first.drift.message))),
        ]);
    }
    out.push_str(&list_table::lines(table));
    out
}
