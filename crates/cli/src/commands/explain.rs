//! `scanner explain`: one account's chain, as the store remembers it.

use clap::Args;
use model::{AccountId, Clock as _, SystemClock};
use store::FindingQuery;

use crate::{
    commands::asked::{StoreOptions, When},
    exit::{BadInput, Exit},
    output::Destination,
    settings::controls,
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
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    store: StoreOptions,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    let Options {
        account,
        controls: names,
        when,
        store: from,
    } = options;
    let controls = controls(&names)?;
    let store = from.open().await?;
    let moment = when.moment(&store, SystemClock.now()).await?;
    let query = FindingQuery {
        account: Some(account),
        sweep: moment.map(|moment| moment.sweep),
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
        let path = from.store;
        let then = moment.map_or_else(String::new, |moment| {
            format!(" as of sweep {}", moment.sweep)
        });
        return Err(BadInput::of(format!(
            "{} knows nothing of account {account}{then}\n  help: `scanner history findings --store {}` lists what it knows; \
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
            report::explain::render(&answers::entry(row), &look) + &since
        })
        .collect();
    let as_of = moment.as_ref().map(answers::line);
    let head = as_of
        .as_ref()
        .map_or_else(String::new, report::history::as_of);
    destination.write(&(head + &texts.join("\n")))?;
    Ok(Exit::Success)
}
