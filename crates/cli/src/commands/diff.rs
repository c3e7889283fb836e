//! `scanner diff`: what is not the same at two moments.

use clap::Args;
use drift::SweepContext;
use model::{AccountId, Clock as _, SweepId, SystemClock, WrittenMoment};
use report::{AsOfLine, Difference};
use store::Store;

use crate::{
    commands::{
        asked::{self, moment},
        history::Form,
    },
    exit::{BadInput, Exit},
    output::{Destination, ListFormat},
};

/// The flags of `scanner diff`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The earlier moment: the number of a sweep, RFC 3339, a day, or an age such as 2h or 7d.
    #[arg(value_name = "A")]
    from: WrittenMoment,
    /// The later moment.
    #[arg(value_name = "B")]
    to: WrittenMoment,
    /// Of this account.
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// Of this control.
    #[arg(long, value_name = "ID")]
    control: Option<String>,
    #[command(flatten)]
    form: Form,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    let now = SystemClock.now();
    let control = asked::control(options.control)?;
    let store = options.form.store.open().await?;
    let from = moment(&store, options.from, now).await?;
    let to = moment(&store, options.to, now).await?;
    if from.sweep > to.sweep {
        return Err(BadInput::of(format!(
            "sweep {} is later than sweep {}: name the earlier moment first",
            from.sweep, to.sweep
        )));
    }
    let mut differences = differences(&store, from.sweep, to.sweep).await?;
    differences.retain(|one| {
        let drift = &one.drift;
        (options.account).is_none_or(|account| drift.account.is_none_or(|of| of == account))
            && (control.as_ref())
                .is_none_or(|control| (drift.control.as_ref()).is_none_or(|of| of == control))
    });
    write(
        &[answers::line(&from), answers::line(&to)],
        differences,
        options.form.format,
    )?;
    Ok(Exit::Success)
}

/// Only accounts that something was written of in between are read, a page at a time.
async fn differences(
    store: &Store,
    from: SweepId,
    to: SweepId,
) -> Result<Vec<Difference>, store::Error> {
    let context = context(store, from, to).await?;
    let of = |account_name: String| {
        move |drift| Difference {
            drift,
            account_name: account_name.clone(),
        }
    };
    let mut differences: Vec<Difference> = (context.new_controls.iter())
        .map(|control| drift::control_added(&context, control))
        .map(of(String::new()))
        .collect();
    let mut pages = store.differences(from, to).await?;
    while let Some(states) = pages.next().await? {
        for state in states {
            let (before, after) = (state.before.as_ref(), state.after.as_ref());
            let name = after.or(before).map(|it| it.account.name.clone());
            let drifts = drift::difference(&context, before, after);
            differences.extend(drifts.into_iter().map(of(name.unwrap_or_default())));
        }
    }
    Ok(differences)
}

/// What is known beside the accounts: of the later moment, in the light of the earlier one.
async fn context(store: &Store, from: SweepId, to: SweepId) -> Result<SweepContext, store::Error> {
    let (earlier, later) = (store.known_after(from).await?, store.known_after(to).await?);
    let organization = store.organization().await?;
    Ok(SweepContext {
        sweep: to,
        management_account: organization.map(|organization| organization.management_account),
        knows_every_account: earlier.knows_every_account,
        new_controls: (later.controls.difference(&earlier.controls).cloned()).collect(),
        judging_changed: earlier.last != later.last,
    })
}

fn write(
    [from, to]: &[AsOfLine; 2],
    differences: Vec<Difference>,
    format: ListFormat,
) -> anyhow::Result<()> {
    let destination = Destination::Stdout;
    let moments = [from, to];
    let items = differences.into_iter();
    match format {
        ListFormat::Table => {
            let groups = drift::groups(items, |one| &one.drift, |_| None);
            destination.write(&report::diff::render(
                moments,
                groups,
                &destination.look(true),
            ))
        }
        ListFormat::Json => {
            destination.write_with(|out| report::json::write_differences(moments, items, out))
        }
        ListFormat::Ndjson => destination.write_with(|out| report::ndjson::write(items, out)),
        ListFormat::Csv => destination.write_with(|out| report::csv::write(items, out)),
    }
}
