//! `scanner history`: what past sweeps saw.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{AccountId, Verdict};
use store::{FindingQuery, Store};

use crate::{
    commands::past,
    exit::Exit,
    output::{Destination, Format},
    settings::{DEFAULT_STORE, controls},
};

/// The flags of `scanner history`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The sweeps, the latest first.
    Sweeps {
        /// No more than this many.
        #[arg(long, value_name = "NUMBER", default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        from: From,
    },
    /// What is known of each account and control, and since when.
    Findings {
        /// Of this account.
        #[arg(long, value_name = "ID")]
        account: Option<AccountId>,
        /// Of this control.
        #[arg(long, value_name = "ID")]
        control: Option<String>,
        /// With this verdict.
        #[arg(long)]
        verdict: Option<Verdict>,
        /// No more than this many.
        #[arg(long, value_name = "NUMBER")]
        limit: Option<u32>,
        #[command(flatten)]
        from: From,
    },
}

#[derive(Debug, Args)]
struct From {
    /// The store.
    #[arg(long, value_name = "PATH", env = "SCANNER_STORE", default_value = DEFAULT_STORE)]
    store: PathBuf,
    /// The form of the list.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    let destination = Destination::Stdout;
    let look = destination.look(true);
    let text = match options.what {
        What::Sweeps { limit, from } => {
            let store = Store::open_reader(&from.store).await?;
            let sweeps: Vec<_> = store
                .sweeps(Some(limit))
                .await?
                .into_iter()
                .map(past::sweep)
                .collect();
            match from.format {
                Format::Table => report::history::render_sweeps(&sweeps, &look),
                Format::Json => report::json::render_sweeps(&sweeps),
            }
        }
        What::Findings {
            account,
            control,
            verdict,
            limit,
            from,
        } => {
            let control = match control {
                Some(name) => controls(&[name])?.pop().map(|control| control.id),
                None => None,
            };
            let store = Store::open_reader(&from.store).await?;
            let query = FindingQuery {
                account,
                control,
                verdict,
                limit,
                without_chains: from.format == Format::Table,
                ..FindingQuery::default()
            };
            let findings: Vec<_> = store
                .findings(&query)
                .await?
                .into_iter()
                .map(past::finding)
                .collect();
            match from.format {
                Format::Table => report::history::render_findings(&findings, &look),
                Format::Json => report::json::render_findings(&findings),
            }
        }
    };
    destination.write(&text)?;
    Ok(Exit::Success)
}
