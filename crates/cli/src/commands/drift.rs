//! `scanner drift`: what changed, one change in full, and that somebody has seen it.

use std::{collections::BTreeSet, path::Path};

use clap::{Args, Subcommand};
use model::{AuthorOutcome, Clock as _, DriftId, SystemClock};
use serde::Deserialize as _;
use serde_json::json;
use store::{DriftQuery, DriftRow, JournalKind, Store};

use crate::{
    commands::{asked::StoreOptions, drift_list},
    exit::{BadInput, Exit},
    output::{Destination, Format},
    settings::DEFAULT_STORE,
};

/// The flags of `scanner drift`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What changed, the latest first; in the table, one row for each cause.
    List(drift_list::Options),
    /// One drift in full: before and after, when, who, and what to do next.
    Show(ShowOptions),
    /// Note that somebody has seen drifts.
    Ack(AckOptions),
}

#[derive(Debug, Args)]
struct ShowOptions {
    /// The drift.
    #[arg(value_name = "ID")]
    id: DriftId,
    /// The form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    store: StoreOptions,
}

#[derive(Debug, Args)]
struct AckOptions {
    /// The drifts.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<DriftId>,
    /// Also those of the same sweep and cause, which share a row of `drift list`.
    #[arg(long)]
    same_cause: bool,
    /// What is to be remembered with it.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Who has seen it [default: the user of this shell].
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    store: StoreOptions,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    match options.what {
        What::List(options) => drift_list::run(options, SystemClock.now()).await?,
        What::Show(options) => show(options).await?,
        What::Ack(options) => acknowledge(options).await?,
    }
    Ok(Exit::Success)
}

async fn show(options: ShowOptions) -> anyhow::Result<()> {
    let store = options.store.open().await?;
    let row = find(&store, options.id).await?;
    let destination = Destination::Stdout;
    let path = store.path();
    let named = (path != Path::new(DEFAULT_STORE)).then(|| path.display().to_string());
    for drift in answers::with_journal(&store, vec![row]).await? {
        match options.format {
            Format::Table => {
                let look = destination.look(true);
                destination.write(&report::drift::render(&drift, named.as_deref(), &look))?;
            }
            Format::Json => destination.write_with(|out| report::json::write_drift(&drift, out))?,
        }
    }
    Ok(())
}

async fn find(store: &Store, id: DriftId) -> anyhow::Result<DriftRow> {
    let query = DriftQuery {
        id: Some(id),
        ..DriftQuery::default()
    };
    store.drifts(&query).await?.pop().ok_or_else(|| {
        let path = store.path().display();
        BadInput::of(format!(
            "there is no drift {id} in {path}; `scanner drift list --store {path}` lists them"
        ))
    })
}

async fn acknowledge(options: AckOptions) -> anyhow::Result<()> {
    let by = match options.by.or_else(user) {
        Some(by) if !by.trim().is_empty() => by,
        _ => {
            return Err(BadInput::of(
                "it is not known who has seen it: say so with --by NAME",
            ));
        }
    };
    let journal = Store::open_journal(&options.store.store).await?;
    options.store.check(journal.store()).await?;
    // All are looked up before any is noted.
    let mut wanted = BTreeSet::new();
    for id in options.ids {
        let row = find(journal.store(), id).await?;
        if options.same_cause {
            wanted.extend(of_same_cause(journal.store(), &row).await?);
        }
        wanted.insert(id);
    }
    let body = json!({"by": by, "note": options.note});
    for id in &wanted {
        journal
            .record(
                SystemClock.now(),
                JournalKind::Acknowledgement,
                &id.to_string(),
                &body,
            )
            .await?;
    }
    journal.close().await?;
    let ids: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let by = report::text::safe(&by, 80);
    Destination::Stdout.write(&format!("acknowledged by {by}: {}\n", ids.join(" ")))
}

/// The drifts that share a row of the list with this one.
async fn of_same_cause(store: &Store, row: &DriftRow) -> Result<Vec<DriftId>, store::Error> {
    let sweep = Some(row.drift.between.seen);
    let query = DriftQuery {
        from_sweep: sweep,
        to_sweep: sweep,
        kind: Some(row.drift.kind),
        ..DriftQuery::default()
    };
    let rows = store.drifts(&query).await?;
    let ids: Vec<DriftId> = rows.iter().map(|row| row.drift.id).collect();
    let authors = store.journal_of_drifts(JournalKind::Author, &ids).await?;
    let act = |row: &DriftRow| {
        let record = authors.get(&row.drift.id);
        let outcome = record.and_then(|record| AuthorOutcome::deserialize(&record.body).ok());
        let author = outcome.as_ref().and_then(AuthorOutcome::author);
        drift::act(&row.drift, author)
    };
    let groups = drift::groups(rows, |row| &row.drift, act);
    let ids = |group: Vec<DriftRow>| {
        group
            .into_iter()
            .map(|row| row.drift.id)
            .collect::<Vec<_>>()
    };
    Ok(groups
        .into_iter()
        .map(ids)
        .find(|group| group.contains(&row.drift.id))
        .unwrap_or_default())
}

fn user() -> Option<String> {
    ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|name| !name.is_empty())
}
