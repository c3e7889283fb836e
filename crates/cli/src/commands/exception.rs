//! `scanner exception`: findings that somebody accepts until a date.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{
    AccountId, Clock as _, Exception, ExceptionId, ExceptionScope, ExceptionSource, Reason,
    SystemClock,
};
use report::{ExceptionState, PastException};
use store::Store;

use crate::{
    config_file::{ControlName, Expiry, Ou, Said},
    exit::{BadInput, Exit},
    output::{Destination, Format, say},
    settings::DEFAULT_STORE,
};

/// The flags of `scanner exception`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Accept findings until a date: at least one of --account, --ou, --control and --reason-code
    /// says which.
    Add(Add),
    /// The exceptions that are in force, or all that ever were.
    List {
        /// Also those that were removed or have expired.
        #[arg(long)]
        all: bool,
        /// The form of the list.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        store: At,
    },
    /// End an exception before it expires.
    Remove {
        /// The exception, as `exception list` names it.
        id: ExceptionId,
        /// Who removes it.
        #[arg(long, value_name = "NAME")]
        by: Option<Said>,
        #[command(flatten)]
        store: At,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// Findings of this account.
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// Findings of accounts in this OU or root and below.
    #[arg(long, value_name = "ID")]
    ou: Option<Ou>,
    /// Findings of this control: a slug, 4.15, 5.15@v6.0.
    #[arg(long, value_name = "ID")]
    control: Option<ControlName>,
    /// Findings with this reason, such as alarm-absent.
    #[arg(long, value_name = "CODE")]
    reason_code: Option<Reason>,
    /// Who answers for it.
    #[arg(long, value_name = "NAME")]
    owner: Said,
    /// Why the findings are accepted.
    #[arg(long, value_name = "TEXT")]
    reason: Said,
    /// Where that was decided.
    #[arg(long, value_name = "ID")]
    ticket: Option<Said>,
    /// Until when: a date (its first moment, UTC) or a time in RFC 3339.
    #[arg(long, value_name = "TIME")]
    expires: Expiry,
    #[command(flatten)]
    store: At,
}

#[derive(Debug, Args)]
struct At {
    /// The store.
    #[arg(long, value_name = "PATH", env = "SCANNER_STORE", default_value = DEFAULT_STORE)]
    store: PathBuf,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    match options.what {
        What::Add(add) => self::add(add).await,
        What::List { all, format, store } => list(&store, all, format).await,
        What::Remove { id, by, store } => remove(&store, id, by).await,
    }
}

async fn add(add: Add) -> anyhow::Result<Exit> {
    let now = SystemClock.now();
    let exception = Exception {
        scope: ExceptionScope {
            account: add.account,
            ou: add.ou.map(|ou| ou.id()),
            control: add.control.map(|control| control.0),
            reason_code: add.reason_code,
        },
        owner: add.owner.0,
        reason: add.reason.0,
        ticket: add.ticket.map(|ticket| ticket.0),
        expires_at: add.expires.0,
        source: ExceptionSource::Command,
    };
    if exception.scope == ExceptionScope::default() {
        return Err(BadInput::of(
            "this would accept every finding\n  help: say which with --account, --ou, --control or --reason-code",
        ));
    }
    if !exception.is_in_force(now) {
        return Err(BadInput::of(format!(
            "the exception would have expired already, at {:.0}\n  help: give a time in the future with --expires",
            exception.expires_at
        )));
    }
    let journal = Store::open_journal(&add.store.store).await?;
    let added = journal.add_exception(now, &exception).await?;
    journal.close().await?;
    match added {
        Some(id) => say(&format!(
            "exception {id} accepts findings of {} until {:.0}; the next sweep shows it",
            exception.scope, exception.expires_at
        )),
        None => say(&format!(
            "exception {} is there already, and nothing was added",
            exception.id()
        )),
    }
    Ok(Exit::Success)
}

async fn list(at: &At, all: bool, format: Format) -> anyhow::Result<Exit> {
    let now = SystemClock.now();
    let store = Store::open_reader(&at.store).await?;
    let rows = store.exceptions().await?;
    store.close().await;
    let rows: Vec<PastException> = (rows.into_iter())
        .map(|row| answers::exception(row, now))
        .filter(|past| all || past.state == ExceptionState::InForce)
        .collect();
    let destination = Destination::Stdout;
    let text = match format {
        Format::Table => report::exceptions::render(&rows, &destination.look(true)),
        Format::Json => report::exceptions::render_json(&rows),
    };
    destination.write(&text)?;
    Ok(Exit::Success)
}

async fn remove(at: &At, id: ExceptionId, by: Option<Said>) -> anyhow::Result<Exit> {
    let journal = Store::open_journal(&at.store).await?;
    let by = by.as_ref().map(|by| by.0.as_str());
    let removed = journal.remove_exception(SystemClock.now(), id, by).await?;
    journal.close().await?;
    if !removed {
        return Err(BadInput::of(format!(
            "no exception {id} is in force in {}\n  help: `scanner exception list --store {}` names them",
            at.store.display(),
            at.store.display()
        )));
    }
    say(&format!("exception {id} is removed"));
    Ok(Exit::Success)
}
