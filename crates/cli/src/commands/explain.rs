//! `scanner explain`: one account's chain, as the store remembers it.

use std::slice::from_mut;

use clap::Args;
use model::{AccountId, Clock as _, SystemClock};
use store::{FindingQuery, Moment, Store};

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
    let now = SystemClock.now();
    let moment = when.moment(&store, now).await?;
    let query = FindingQuery {
        account: Some(account),
        sweep: moment.map(|moment| moment.sweep),
        ..FindingQuery::default()
    };
    let mut rows = store.findings(&query).await?;
    rows.retain(|row| {
        controls
            .iter()
            .any(|control| control.id == row.finding.control)
    });
    if rows.is_empty() {
        return Err(nothing_known(&store, account, moment.as_ref()).await?);
    }
    let at = answers::exceptions_at(moment.as_ref(), now);
    let exceptions = answers::in_force(&store.exceptions().await?, at);
    store.close().await;
    let destination = Destination::Stdout;
    let look = destination.look(true);
    let texts: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let since = format!(
                "\nSo since sweep {} of {:.0}.\n",
                row.since_sweep, row.since
            );
            let mut entry = answers::entry(row);
            answers::accept(from_mut(&mut entry), &exceptions);
            report::explain::render(&entry, &look) + &since
        })
        .collect();
    let as_of = moment.as_ref().map(answers::line);
    let head = as_of
        .as_ref()
        .map_or_else(String::new, report::history::as_of);
    destination.write(&(head + &texts.join("\n")))?;
    Ok(Exit::Success)
}

/// Why there is nothing to show, and what could be asked instead.
async fn nothing_known(
    store: &Store,
    account: AccountId,
    moment: Option<&Moment>,
) -> anyhow::Result<anyhow::Error> {
    let path = store.path().display();
    let as_of = moment.map(|moment| moment.sweep);
    if let Some(departure) = store.departure(account, as_of).await? {
        let left = answers::left(account, &departure);
        let help = departure.last_known.map_or_else(String::new, |sweep| {
            format!(
                "\n  help: `scanner explain --account {account} --as-of {sweep} --store {path}` shows what it was \
                 like"
            )
        });
        return Ok(BadInput::of(left + &help));
    }
    let then = as_of.map_or_else(String::new, |sweep| format!(" as of sweep {sweep}"));
    Ok(BadInput::of(format!(
        "{path} knows nothing of account {account}{then}\n  help: `scanner history findings --store {path}` lists what \
         it knows; `scanner once --account {account}` looks at the account"
    )))
}
