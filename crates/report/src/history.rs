//! Lists from the history for a human.

use std::collections::BTreeMap;

use comfy_table::Cell;
use jiff::Timestamp;
use model::{ControlId, DiscoveryState, SweepId, SweepState, Verdict};

use crate::{
    AsOfLine, Options, PastFinding, PastSweep,
    list_table::{lines, table},
    palette,
    table::accepted_until,
    text::{NAME_WIDTH, duration, moment, safe, sentence, thousands},
};

mod accounts;
mod drifts;
#[cfg(test)]
mod tests;

pub use accounts::render_accounts;
pub use drifts::render_drifts;

/// The line above a list that tells what was so at a moment.
pub fn as_of(moment: &AsOfLine) -> String {
    format!("As of {}\n\n", as_of_words(moment))
}

/// A moment, as a human would name it.
pub(crate) fn as_of_words(as_of: &AsOfLine) -> String {
    let how = match as_of.state {
        SweepState::Finished => "finished",
        SweepState::Interrupted => "was stopped",
        SweepState::Abandoned | SweepState::Running => "died",
    };
    match as_of.finished_at {
        Some(at) => format!("sweep {}, which {how} at {}", as_of.sweep, moment(at)),
        None => format!("sweep {}, which {how}", as_of.sweep),
    }
}

/// From which width on the calls to AWS have a column.
const ROOM_FOR_CALLS: usize = 80;

/// Renders past sweeps, in the order given.
pub fn render_sweeps(sweeps: &[PastSweep], options: &Options) -> String {
    if sweeps.is_empty() {
        return "No sweep fits.\n".to_owned();
    }
    let mut table = table(options);
    let has_room = options.width >= ROOM_FOR_CALLS;
    let mut header = vec![
        "SWEEP", "STARTED", "TOOK", "STATE", "FAIL", "UNKNOWN", "PASS", "N/A", "DRIFTS", "SCOPE",
    ];
    if has_room {
        header.insert(9, "CALLS");
    }
    table.set_header(header);
    for past in sweeps {
        let sweep = &past.sweep;
        let took = (sweep.finished_at)
            .map(|finished_at| duration(finished_at.duration_since(sweep.started_at)));
        let state = match (sweep.state, &sweep.discovery) {
            (SweepState::Running, _) => "running",
            (SweepState::Interrupted, _) => "interrupted",
            (SweepState::Abandoned, _) => "abandoned",
            (SweepState::Finished, Some(DiscoveryState::Incomplete { .. })) => "incomplete",
            (SweepState::Finished, _) => "finished",
        };
        let mut row = vec![
            Cell::new(sweep.id.map(|id| id.to_string()).unwrap_or_default()),
            Cell::new(moment(sweep.started_at)),
            Cell::new(took.unwrap_or_default()),
            Cell::new(state),
        ];
        row.extend(verdict_numbers(&past.verdicts));
        row.push(Cell::new(thousands(past.drifts)));
        if has_room {
            row.push(Cell::new(
                sweep.api_calls.map(thousands).unwrap_or_default(),
            ));
        }
        row.push(Cell::new(scope(past)));
        table.add_row(row);
    }
    lines(table)
}

/// Renders findings from the history, in the order given.
pub fn render_findings(findings: &[PastFinding], options: &Options) -> String {
    if findings.is_empty() {
        return "No finding fits.\n".to_owned();
    }
    let mut table = table(options);
    table.set_header(["VERDICT", "ACCOUNT", "CONTROL", "REASON", "SINCE", "WHY"]);
    for past in findings {
        let finding = &past.entry.finding;
        let until =
            (past.until_sweep).map_or_else(String::new, |until| format!("\nuntil sweep {until}"));
        let accepted = (past.entry.exception.as_ref()).map_or_else(String::new, |exception| {
            format!("\n{}", accepted_until(exception))
        });
        table.add_row(vec![
            palette::verdict_cell(finding.verdict()),
            Cell::new(format!(
                "{}\n{}",
                finding.account,
                safe(&past.entry.account.name, NAME_WIDTH)
            )),
            Cell::new(&finding.control),
            Cell::new(finding.reason),
            Cell::new(since(past.since, past.since_sweep) + &until),
            Cell::new(sentence(&finding.message) + &accepted),
        ]);
    }
    lines(table)
}

/// How many are FAIL, UNKNOWN, PASS and NOT_APPLICABLE.
fn verdict_numbers(verdicts: &BTreeMap<Verdict, u64>) -> [Cell; 4] {
    let columns = [
        Verdict::Fail,
        Verdict::Unknown,
        Verdict::Pass,
        Verdict::NotApplicable,
    ];
    columns.map(|verdict| {
        Cell::new(thousands(
            verdicts.get(&verdict).copied().unwrap_or_default(),
        ))
    })
}

fn since(time: Timestamp, sweep: SweepId) -> String {
    format!("{}\nsweep {sweep}", moment(time))
}

fn scope(past: &PastSweep) -> String {
    let scope = &past.sweep.scope;
    let accounts = if scope.accounts.is_empty() {
        format!("all, {} accounts", thousands(past.accounts_seen))
    } else {
        sentence(&scope.accounts.join(", "))
    };
    match scope.controls.as_slice() {
        [] => accounts,
        [control] => format!("{accounts}; {}", ControlId::as_str(control)),
        several => format!("{accounts}; {} controls", several.len()),
    }
}
