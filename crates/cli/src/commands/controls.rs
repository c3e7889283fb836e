//! `scanner controls`: what is judged by, from the catalogue that is part of the binary.

mod human;

use clap::{Args, Subcommand};
use controls::Catalog;

use crate::{
    exit::{BadInput, Exit},
    output::{Destination, Format},
};

/// The flags of `scanner controls`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List every control: number, slug, severity, title, how many events it requires.
    List(List),
    /// Show one control: its numbers and names, what it requires, what to put in place.
    Show {
        /// The control: a slug, 4.7, 5.7@v6.0, lacework-global-83, CloudWatch.7, a check of Prowler.
        #[arg(value_name = "ID")]
        control: String,
        /// The form of the answer.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(Debug, Args)]
struct List {
    /// The form of the list.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let catalog = Catalog::embedded()?;
    let width = Destination::Stdout.look(false).width;
    let text = match options.what.as_ref() {
        None => list(&catalog, &options.list),
        Some(What::List(options)) => list(&catalog, options),
        Some(What::Show { control, format }) => {
            let control = catalog.find(control).map_err(BadInput::of)?;
            match format {
                Format::Table => human::show(control, &catalog.versions(), width),
                Format::Json => format!("{:#}\n", answers::controls_json::show(control)),
            }
        }
    };
    Destination::Stdout.write(&text)?;
    Ok(Exit::Success)
}

fn list(catalog: &Catalog, options: &List) -> String {
    match options.format {
        Format::Table => human::list(catalog),
        Format::Json => format!("{:#}\n", answers::controls_json::list(catalog)),
    }
}
