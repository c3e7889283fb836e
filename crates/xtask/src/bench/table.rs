//! Measurements as a Markdown table, and as lines while they go on.

use super::measured::Measured;

const COLUMNS: [&str; 16] = [
    "accounts",
    "regions",
    "controls",
    "sweep",
    "calls",
    "throttled",
    "wall",
    "of that the first 50 / 75 / 95 %",
    "AWS's bound",
    "machine's bound",
    "wall / reference",
    "CPU per call",
    "CPU per account",
    "simulator's CPU",
    "peak memory",
    "commits/s, findings/s",
];

pub(super) fn render(all: &[Measured]) -> String {
    let mut lines = vec![row(&COLUMNS), format!("|{}", "---|".repeat(COLUMNS.len()))];
    lines.extend(all.iter().map(|it| row(&cells(it))));
    lines.join("\n")
}

/// One sweep, while the others go on.
pub(super) fn line(it: &Measured) -> String {
    let named = COLUMNS.iter().zip(cells(it));
    let parts: Vec<String> = named.map(|(name, cell)| format!("{name} {cell}")).collect();
    parts.join(", ")
}

fn cells(it: &Measured) -> [String; COLUMNS.len()] {
    let [half, three_quarters, nearly_all] = it.judged_at;
    let wall = it.wall.max(1e-9);
    [
        format!("{:.0}", it.accounts),
        it.regions.clone(),
        it.controls.to_string(),
        it.sweep.clone(),
        format!("{:.0}", it.calls),
        format!(
            "{:.0} ({:.2} %)",
            it.throttled,
            it.throttled * 100.0 / it.calls.max(1.0)
        ),
        format!("{:.2} s", it.wall),
        format!("{half:.2} / {three_quarters:.2} / {nearly_all:.2} s"),
        format!("{:.2} s", it.lower_bound),
        format!("{:.2} s", it.machine_bound),
        format!("{:.2}", it.wall / it.reference().max(1e-9)),
        format!("{:.0} us", it.cpu * 1e6 / it.calls.max(1.0)),
        format!("{:.0} us", it.cpu_per_account_ms() * 1e3),
        format!("{:.1} s", it.simulator_cpu),
        format!("{:.0} MiB", it.peak_mib),
        format!("{:.1}, {:.0}", it.commits / wall, it.findings / wall),
    ]
}

fn row(cells: &[impl AsRef<str>]) -> String {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    format!("| {} |", cells.join(" | "))
}
