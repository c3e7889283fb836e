//! Controls for people.

use controls::{Catalog, Control, EventGroup};
use report::text::{push_line, push_wrapped};

/// Every control in a line.
pub(super) fn list(catalog: &Catalog) -> String {
    let heads = ["cis", "control", "severity", "events", "title"].map(str::to_owned);
    let rows = catalog.controls().map(|control| {
        [
            control.number().to_owned(),
            control.id.to_string(),
            control.severity.to_string(),
            control.required_events().len().to_string(),
            control.title.clone(),
        ]
    });
    let rows: Vec<[String; 5]> = [heads].into_iter().chain(rows).collect();
    columns(
        "",
        rows.iter()
            .map(|row| row.iter().map(String::as_str).collect()),
    )
}

/// Everything about one control.
pub(super) fn show(control: &Control, versions: &[&str], width: usize) -> String {
    let mut out = String::new();
    push_line(&mut out, &format!("{}  {}", control.id, control.title));
    let rank = format!("severity {}, level {}", control.severity, control.level);
    push_wrapped(&mut out, "  ", &rank, width);
    out.push('\n');
    push_wrapped(&mut out, "  ", &control.rationale, width);

    push_line(&mut out, "\nCIS AWS Foundations Benchmark");
    let number = |version: &&str| control.number_in(version).unwrap_or("-");
    out += &columns(
        "  ",
        [versions.to_vec(), versions.iter().map(number).collect()],
    );
    push_line(&mut out, "\nin other tools");
    let aliases = control.aliases.iter();
    out += &columns(
        "  ",
        aliases.map(|(tool, name)| vec![tool.as_str(), name.as_str()]),
    );

    let events = control.required_events().len();
    push_line(&mut out, &format!("\nrequired events: {events}"));
    for group in control.event_groups() {
        push_group(&mut out, group, width);
    }
    if !control.notes.is_empty() {
        push_line(&mut out, "\nnotes");
    }
    for note in &control.notes {
        push_wrapped(&mut out, "  - ", note, width);
    }

    let prescription = &control.prescription;
    push_line(&mut out, "\nprescribed");
    // On one line, so that it can be copied.
    push_line(
        &mut out,
        &format!("  pattern  {}", prescription.filter_pattern),
    );
    let metric = format!(
        "{} in {}, value {}",
        prescription.metric_name, prescription.metric_namespace, prescription.metric_value
    );
    push_wrapped(&mut out, "  metric   ", &metric, width);
    push_wrapped(
        &mut out,
        "  alarm    ",
        &prescription.alarm.to_string(),
        width,
    );
    out
}

fn push_group(out: &mut String, group: &EventGroup, width: usize) {
    push_wrapped(out, "  ", &group.names.join(", "), width);
    for sentence in group.in_words() {
        push_wrapped(out, "    - ", &sentence, width);
    }
}

/// Cells under each other, two blanks apart, behind `indent`.
fn columns<'a>(indent: &str, rows: impl IntoIterator<Item = Vec<&'a str>>) -> String {
    let rows: Vec<Vec<&str>> = rows.into_iter().collect();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        push_line(&mut out, &format!("{indent}{}", cells.join("  ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_aligned() {
        let text = list(&Catalog::embedded().unwrap());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 16);
        let title = lines[0].find("title").unwrap();
        for line in &lines[1..] {
            let (columns, title) = line.split_at(title);
            assert!(columns.ends_with("  ") && title.starts_with(char::is_uppercase));
        }
        assert!(lines[15].starts_with("4.15  organizations-changes "));
    }

    #[test]
    fn everything_about_a_control_is_shown() {
        let catalog = Catalog::embedded().unwrap();
        for control in catalog.controls() {
            let text = show(control, &catalog.versions(), 100);
            let names = control.required_events().iter().map(|event| &event.name);
            for name in names.chain(control.aliases.values()) {
                assert!(text.contains(name), "{name}");
            }
            assert!(text.contains(&control.prescription.filter_pattern));
            assert!(text.contains("v4.0.1") && text.contains(control.number()));
            let pattern = control.prescription.filter_pattern.as_str();
            let mut lines = text.lines().filter(|line| !line.ends_with(pattern));
            assert!(lines.all(|line| line.chars().count() <= 100));
        }
    }
}
