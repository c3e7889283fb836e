//! `scanner controls`: what can be judged by.

use std::fmt::Write as _;

use clap::Args;

use crate::{exit::Exit, output::Destination, settings::controls};

/// The flags of `scanner controls`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only this control: a slug, 4.15, 5.15@v6.0, lacework-global-66.
    #[arg(value_name = "ID")]
    controls: Vec<String>,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let mut text = String::new();
    for control in controls(&options.controls)? {
        let sections = control.benchmarks.iter().map(|benchmark| {
            format!(
                "CIS {} ({})",
                benchmark.section,
                benchmark.versions.join(", ")
            )
        });
        let names: Vec<String> = sections.chain(control.aliases.values().cloned()).collect();
        let events = control.required_events();
        writeln!(text, "{}  {}", control.id, control.title)?;
        writeln!(
            text,
            "  severity {}, level {}",
            control.severity, control.level
        )?;
        writeln!(text, "  {}", control.rationale.trim())?;
        writeln!(text, "  also known as: {}", names.join("; "))?;
        let events: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
        writeln!(
            text,
            "  {} required events: {}",
            events.len(),
            events.join(", ")
        )?;
    }
    Destination::Stdout.write(&text)?;
    Ok(Exit::Success)
}
