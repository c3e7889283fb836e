//! `scanner store`: the care of the store.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{Clock as _, SystemClock, WrittenMoment};
use store::{Backup, KeepFrom, Store, StoreInfo};

use crate::{
    commands::asked,
    exit::Exit,
    output::{Destination, say},
    settings::DEFAULT_STORE,
};

/// The flags of `scanner store`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Look for damage, and for anything that was altered since it was sealed: exit code 3 for either.
    Check {
        /// For damage alone, which takes a fraction of the time.
        #[arg(long)]
        quick: bool,
        #[command(flatten)]
        at: At,
    },
    /// Copy the store, whole and of one moment, also while a sweep writes into it.
    Backup {
        /// The copy, which must not be there yet.
        #[arg(value_name = "FILE")]
        to: PathBuf,
        #[command(flatten)]
        at: At,
    },
    /// Put a copy of a backup in the place of the store, while nothing sweeps into it. The store that was
    /// there is kept beside it.
    Restore {
        /// The backup, which stays as it is.
        #[arg(value_name = "FILE")]
        from: PathBuf,
        #[command(flatten)]
        at: At,
    },
    /// Drop what was no longer so before some sweep or time. Sweeps and seals stay, so that what is
    /// left can be verified.
    Prune {
        /// What was so then or later is kept: the number of a sweep, RFC 3339, a day, or an age such as
        /// 400d.
        #[arg(long, value_name = "TIME|SWEEP")]
        keep_from: WrittenMoment,
        /// Also give the room back to the file system, which takes as much again while it lasts.
        #[arg(long)]
        compact: bool,
        #[command(flatten)]
        at: At,
    },
    /// Bring the schema up to date; a sweep does so as well.
    Migrate {
        #[command(flatten)]
        at: At,
    },
    /// What the store holds, and what takes room.
    Info {
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Args)]
struct At {
    /// The store.
    #[arg(long, value_name = "PATH", env = "SCANNER_STORE", default_value = DEFAULT_STORE)]
    store: PathBuf,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    match options.what {
        What::Check { quick, at } => check(&at, quick).await,
        What::Backup { to, at } => {
            let store = Store::open_reader(&at.store).await?;
            let backup = store.backup(&to).await?;
            store.close().await;
            say(&of_copy(&backup));
            Ok(Exit::Success)
        }
        What::Restore { from, at } => {
            let restored = Store::restore(&from, &at.store).await?;
            say(&of_copy(&restored.backup));
            if let Some(kept) = &restored.kept {
                say(&format!(
                    "the store that was there is kept as {}; what it has beyond the copy, its seals too, is in \
                     that file alone",
                    kept.display()
                ));
            }
            Ok(Exit::Success)
        }
        What::Prune {
            keep_from,
            compact,
            at,
        } => prune(&at, keep_from, compact).await,
        What::Migrate { at } => {
            let migrated = Store::migrate(&at.store).await?;
            say(&if migrated.from == migrated.to {
                format!(
                    "{} is up to date, at step {}",
                    at.store.display(),
                    migrated.to
                )
            } else {
                format!(
                    "{} went from step {} to step {}",
                    at.store.display(),
                    migrated.from,
                    migrated.to
                )
            });
            Ok(Exit::Success)
        }
        What::Info { at } => {
            let store = Store::open_reader(&at.store).await?;
            let info = store.info().await?;
            store.close().await;
            Destination::Stdout.write(&of_info(&info))?;
            Ok(Exit::Success)
        }
    }
}

fn of_copy(copy: &Backup) -> String {
    let latest =
        (copy.latest_sweep).map_or_else(|| "no sweep".to_owned(), |sweep| format!("sweep {sweep}"));
    let head = (copy.head).map_or_else(String::new, |(_, seal)| {
        format!("; the last seal is {seal}")
    });
    format!(
        "{} is a copy up to {latest}, {} bytes{head}",
        copy.path.display(),
        copy.bytes
    )
}

/// Looks for damage and then, in what is whole, for what was altered.
async fn check(at: &At, quick: bool) -> anyhow::Result<Exit> {
    let store = Store::open_reader(&at.store).await?;
    let path = at.store.display();
    let report = store.check().await?;
    if !report.is_sound() {
        store.close().await;
        let mut lines: Vec<String> = (report.problems.iter())
            .map(|problem| format!("{}: {}\n", problem.check, problem.found))
            .collect();
        lines.push(format!(
            "{path} is damaged: `scanner store restore FILE` puts a backup in its place.\n"
        ));
        Destination::Stdout.write(&lines.concat())?;
        return Ok(Exit::Fail);
    }
    let sealed = if quick {
        "whether anything was altered was not looked at"
    } else {
        match store.verify(None).await {
            Ok(verified) if verified.seals == 0 => "and nothing in it is sealed yet",
            Ok(_) => "and what is sealed is as it was sealed",
            Err(error) => {
                let Some(misfit) = error.misfit() else {
                    return Err(error.into());
                };
                let altered = format!("{path} was altered since it was sealed: {misfit}\n");
                store.close().await;
                Destination::Stdout.write(&altered)?;
                return Ok(Exit::Fail);
            }
        }
    };
    store.close().await;
    Destination::Stdout.write(&format!("{path} is sound, {sealed}.\n"))?;
    Ok(Exit::Success)
}

async fn prune(at: &At, keep_from: WrittenMoment, compact: bool) -> anyhow::Result<Exit> {
    let store = Store::open_reader(&at.store).await?;
    let moment = match asked::moment(&store, keep_from, SystemClock.now()).await {
        Ok(moment) => moment,
        Err(error) => {
            store.close().await;
            let Some(store::Error::BeforeHistory { sweep, begins, .. }) = error.downcast_ref()
            else {
                return Err(error);
            };
            // A timer that prunes what is old begins with a store that is young.
            say(&format!(
                "nothing to drop: history begins with sweep {sweep}, which finished at {begins:.0}"
            ));
            return Ok(Exit::Success);
        }
    };
    store.close().await;
    let sweeper = Store::open_sweeper(&at.store).await?;
    let pruned = sweeper.prune(KeepFrom::Sweep(moment.sweep)).await?;
    if compact {
        sweeper.compact().await?;
    }
    sweeper.close().await?;
    say(&format!(
        "what was so at the end of sweep {} or later is kept; dropped: {} findings, {} account states, {} \
         leaves, {} drifts, {} alerts, {} documents",
        moment.sweep,
        pruned.findings,
        pruned.account_states,
        pruned.account_leaves,
        pruned.drifts,
        pruned.alerts,
        pruned.documents
    ));
    Ok(Exit::Success)
}

fn of_info(info: &StoreInfo) -> String {
    let sweep = |of: Option<(model::SweepId, jiff::Timestamp)>| {
        of.map_or_else(
            || "none".to_owned(),
            |(sweep, at)| format!("sweep {sweep} of {at:.0}"),
        )
    };
    let mut lines = vec![
        format!("Store         {}", info.path.display()),
        format!(
            "Organization  {}",
            info.organization_id
                .as_deref()
                .unwrap_or("not known yet")
                .escape_debug()
        ),
        format!("Schema        step {}", info.schema),
        format!(
            "Size          {} bytes in {} pages, {} bytes free",
            info.bytes, info.pages, info.free_bytes
        ),
        format!(
            "Sweeps        {}: from {} to {}",
            info.sweeps,
            sweep(info.first_sweep),
            sweep(info.last_sweep)
        ),
        format!(
            "Accounts      {}, {} of them now",
            info.accounts, info.accounts_now
        ),
        format!(
            "Findings      {}, {} of them now",
            info.findings, info.findings_now
        ),
        format!("Drifts        {}", info.drifts),
        format!("Journal       {}", info.journal),
        format!("Documents     {}", info.documents),
    ];
    lines.push(match info.head {
        Some((sweep, seal)) => format!(
            "Seals         {}, the last of sweep {sweep}: {seal}",
            info.seals
        ),
        None => "Seals         none".to_owned(),
    });
    if let Some(from) = info.content_from {
        lines.push(format!(
            "Kept          what was so at the end of sweep {from} or later"
        ));
    }
    for table in &info.tables {
        if let Some(bytes) = table.bytes {
            lines.push(format!("  {:<16}{bytes:>12} bytes", table.name));
        }
    }
    lines.join("\n") + "\n"
}
