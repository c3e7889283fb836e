//! `docs/controls.md`: what is judged by.

use controls::{Catalog, Control, EventGroup};

use super::{MADE_BY, list, page, row, table};

const OPENING: &str = "The monitoring controls of the CIS AWS Foundations Benchmark, in our own words. Each asks for the same
chain: a multi-region trail that logs all management events, a log group, a metric filter, an alarm, an
SNS topic and a confirmed subscription. They differ in the events that the filter must match. They are
data: [`config/controls/`](../config/controls/README.md).";

pub(super) fn render(catalog: &Catalog) -> String {
    let overview = table(
        ["CIS", "control", "severity", "level", "events", "title"],
        catalog.controls().map(|control| {
            let slug = control.id.as_str();
            // The anchor that a heading of number and slug gets.
            let anchor = format!("{}-{slug}", control.number().replace('.', ""));
            [
                control.number().to_owned(),
                format!("[{slug}](#{anchor})"),
                control.severity.to_string(),
                control.level.to_string(),
                control.required_events().len().to_string(),
                control.title.clone(),
            ]
        }),
    );
    let mut blocks = vec![
        "# Controls".to_owned(),
        MADE_BY.to_owned(),
        OPENING.to_owned(),
        overview,
    ];
    let versions = catalog.versions();
    for control in catalog.controls() {
        blocks.extend(section(control, &versions));
    }
    page(&blocks)
}

fn section(control: &Control, versions: &[&str]) -> Vec<String> {
    let mut blocks = vec![
        format!("## {} {}", control.number(), control.id),
        format!(
            "**{}.** Severity {}, level {}.",
            control.title, control.severity, control.level
        ),
        control.rationale.clone(),
        numbers(control, versions),
        format!("Also known as {}.", aliases(control)),
        "### Required".to_owned(),
    ];
    for group in control.event_groups() {
        blocks.push(format!("{}:", names(group)));
        blocks.push(list(group.in_words()));
    }
    if !control.notes.is_empty() {
        blocks.push("### Notes".to_owned());
        blocks.push(list(control.notes.iter().cloned()));
    }
    let prescription = &control.prescription;
    blocks.extend([
        "### Prescribed".to_owned(),
        format!("```text\n{}\n```", prescription.filter_pattern),
        format!(
            "The filter publishes {} to the metric `{}` in the namespace `{}`. The alarm: {}.",
            prescription.metric_value,
            prescription.metric_name,
            prescription.metric_namespace,
            prescription.alarm
        ),
    ]);
    blocks
}

/// The number in each version of the benchmark.
fn numbers(control: &Control, versions: &[&str]) -> String {
    let numbers: Vec<&str> = versions
        .iter()
        .map(|version| control.number_in(version).unwrap_or("–"))
        .collect();
    let rule = "---|".repeat(versions.len());
    format!("{}\n|{rule}\n{}", row(versions), row(&numbers))
}

fn aliases(control: &Control) -> String {
    let aliases: Vec<String> = control
        .aliases
        .iter()
        .map(|(tool, name)| format!("`{name}` ({})", tool_name(tool)))
        .collect();
    aliases.join(", ")
}

fn tool_name(tool: &str) -> &str {
    match tool {
        "lacework" => "Lacework",
        "prowler" => "Prowler",
        "security_hub" => "AWS Security Hub",
        other => other,
    }
}

fn names(group: &EventGroup) -> String {
    if !group.are_event_names {
        return group.names.join(", ");
    }
    let names: Vec<String> = group.names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
