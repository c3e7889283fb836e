//! Lists from the history for a human.

use comfy_table::{Cell, ContentArrangement, LineStyle, Table, TableStyle};
use model::{ControlId, DiscoveryState, SweepState, Verdict};

use crate::{
    Options, PastFinding, PastSweep, palette,
    text::{NAME_WIDTH, duration, moment, push_line, safe, sentence, thousands},
};

#[cfg(test)]
mod tests;

/// Renders past sweeps, in the order given.
pub fn render_sweeps(sweeps: &[PastSweep], options: &Options) -> String {
    if sweeps.is_empty() {
        return "No sweep is remembered.\n".to_owned();
    }
    let mut table = table(options);
    table.set_header([
        "SWEEP", "STARTED", "TOOK", "STATE", "FAIL", "UNKNOWN", "PASS", "N/A", "CALLS", "SCOPE",
    ]);
    for past in sweeps {
        let sweep = &past.sweep;
        let took = (sweep.finished_at)
            .map(|finished_at| duration(finished_at.duration_since(sweep.started_at)));
        let of = |verdict: Verdict| {
            let number = past.verdicts.get(&verdict).copied().unwrap_or_default();
            Cell::new(thousands(number))
        };
        let state = match (sweep.state, &sweep.discovery) {
            (SweepState::Running, _) => "running",
            (SweepState::Interrupted, _) => "interrupted",
            (SweepState::Abandoned, _) => "abandoned",
            (SweepState::Finished, Some(DiscoveryState::Incomplete { .. })) => "incomplete",
            (SweepState::Finished, _) => "finished",
        };
        table.add_row(vec![
            Cell::new(sweep.id.map(|id| id.to_string()).unwrap_or_default()),
            Cell::new(moment(sweep.started_at)),
            Cell::new(took.unwrap_or_default()),
            Cell::new(state),
            of(Verdict::Fail),
            of(Verdict::Unknown),
            of(Verdict::Pass),
            of(Verdict::NotApplicable),
            Cell::new(sweep.api_calls.map(thousands).unwrap_or_default()),
            Cell::new(scope(past)),
        ]);
    }
    lines(&table)
}

/// Renders findings from the history, in the order given.
pub fn render_findings(findings: &[PastFinding], options: &Options) -> String {
    if findings.is_empty() {
        return "No finding is remembered.\n".to_owned();
    }
    let mut table = table(options);
    table.set_header(["VERDICT", "ACCOUNT", "CONTROL", "REASON", "SINCE", "WHY"]);
    for past in findings {
        let finding = &past.entry.finding;
        let until =
            (past.until_sweep).map_or_else(String::new, |until| format!("\nuntil sweep {until}"));
        table.add_row(vec![
            palette::verdict_cell(finding.verdict()),
            Cell::new(format!(
                "{}\n{}",
                finding.account,
                safe(&past.entry.account.name, NAME_WIDTH)
            )),
            Cell::new(&finding.control),
            Cell::new(finding.reason),
            Cell::new(format!(
                "{}\nsweep {}{until}",
                moment(past.since),
                past.since_sweep
            )),
            Cell::new(sentence(&finding.message)),
        ]);
    }
    lines(&table)
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

pub(crate) fn table(options: &Options) -> Table {
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
    table
}

pub(crate) fn lines(table: &Table) -> String {
    let mut out = String::new();
    for line in table.lines() {
        push_line(&mut out, &line);
    }
    out
}
