//! `scanner explain`: one account's chain, as the store remembers it.

use std::path::PathBuf;

use clap::Args;
use model::AccountId;
use store::{FindingQuery, Store};

use crate::{
    commands::past,
    exit::{BadInput, Exit},
    output::Destination,
    settings::{DEFAULT_STORE, controls},
};

/// The flags of `scanner explain`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The account.
    #[arg(long, value_name = "ID")]
    account: AccountId,
    /// The control: a slug, 4.15, 5.15@v6.0, lacework-global-66 [default: all].
    #[arg(long = "control", value_name = "ID")]
    controls: Vec<String>,
    /// The store.
    #[arg(long, value_name = "PATH", env = "SCANNER_STORE", default_value = DEFAULT_STORE)]
    store: PathBuf,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    let Options {
        account,
        controls: names,
        store: path,
    } = options;
    let controls = controls(&names)?;
    let store = Store::open_reader(&path).await?;
    let query = FindingQuery {
        account: Some(account),
        ..FindingQuery::default()
    };
    let mut rows = store.findings(&query).await?;
    store.close().await;
    rows.retain(|row| {
        controls
            .iter()
            .any(|control| control.id == row.finding.control)
    });
    if rows.is_empty() {
        return Err(BadInput::of(format!(
            "{} knows nothing of account {account}\n  help: `scanner history findings --store {}` lists what it knows; \
             `scanner once --account {account}` looks at the account",
            path.display(),
            path.display()
        )));
    }
    let destination = Destination::Stdout;
    let look = destination.look(true);
    let texts: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let since = format!(
                "\nSo since sweep {} of {:.0}.\n",
                row.since_sweep, row.since
            );
            report::explain::render(&past::entry(row), &look) + &since
        })
        .collect();
    destination.write(&texts.join("\n"))?;
    Ok(Exit::Success)
}
