//! The list of accounts for a human.

use comfy_table::Cell;
use model::{Account, Verdict};

use super::{since, verdict_numbers};
use crate::{
    Options, PastAccount,
    list_table::{lines, table},
    text::{NAME_WIDTH, counted, moment, number, push_line, safe, sentence},
};

/// Renders accounts, in the order given.
pub fn render_accounts(accounts: &[PastAccount], options: &Options) -> String {
    if accounts.is_empty() {
        return "No account fits.\n".to_owned();
    }
    let mut table = table(options);
    let is_tagged =
        |past: &PastAccount| past.account.tags.as_ref().is_some_and(|it| !it.is_empty());
    let place = if accounts.iter().any(is_tagged) {
        "OU, TAGS"
    } else {
        "OU"
    };
    table.set_header([
        "ACCOUNT",
        "STATE",
        place,
        "SINCE",
        "FAIL",
        "UNKNOWN",
        "PASS",
        "N/A",
        "CONFIRMED",
    ]);
    for past in accounts {
        let account = &past.account;
        let path = account.ou_path.as_ref().map(ToString::to_string);
        let mut row = vec![
            Cell::new(format!(
                "{}\n{}",
                account.id,
                safe(&account.name, NAME_WIDTH)
            )),
            Cell::new(account.state),
            Cell::new(place_and_tags(path.as_deref(), account)),
            Cell::new(since(past.since, past.since_sweep)),
        ];
        row.extend(verdict_numbers(&past.verdicts));
        row.push(Cell::new(format!(
            "{}\nsweep {}",
            moment(past.confirmed),
            past.confirmed_sweep
        )));
        table.add_row(row);
    }
    let mut out = lines(table);
    let failing = (accounts.iter())
        .filter(|past| past.verdicts.contains_key(&Verdict::Fail))
        .count();
    out.push('\n');
    let all = counted(number(accounts.len()), "account");
    push_line(&mut out, &format!("{all}, {failing} with a FAIL"));
    out
}

/// Where it hangs and what it is tagged with, each below the other.
fn place_and_tags(path: Option<&str>, account: &Account) -> String {
    let tags = (account.tags.iter().flatten())
        .map(|(key, value)| safe(&format!("{key}={value}"), NAME_WIDTH));
    let lines: Vec<String> = path.map(sentence).into_iter().chain(tags).collect();
    lines.join("\n")
}
