//! `scanner config`: check the configuration before it is used, and show what it may say.

use clap::{Args, Subcommand};
use model::{Clock as _, SystemClock};

use crate::{
    config_file::example,
    exit::Exit,
    output::{Destination, folder_of, say},
    settings::serve::{ServiceOptions, resolve},
    telemetry,
};

/// The flags of `scanner config`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Read the configuration as `scanner serve` would, check all of it, and do nothing.
    Check(Box<Check>),
    /// Print a file that shows every key with its default.
    ShowDefault,
    /// Print the JSON schema of the file, for editors.
    Schema,
    /// Print the page of all metrics.
    Metrics,
}

#[derive(Debug, Args)]
struct Check {
    #[command(flatten)]
    service: ServiceOptions,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<Exit> {
    let text = match &options.what {
        What::Check(check) => checked(&check.service)?,
        What::ShowDefault => example::example(),
        What::Schema => serde_json::to_string_pretty(&example::schema())? + "\n",
        What::Metrics => telemetry::metrics_page(),
    };
    Destination::Stdout.write(&text)?;
    Ok(Exit::Success)
}

fn checked(options: &ServiceOptions) -> anyhow::Result<String> {
    let settings = resolve(options)?;
    let configuration = &settings.configuration;
    let now = SystemClock.now();
    let exceptions = configuration.plan.exceptions.iter().flatten();
    for expired in exceptions.filter(|exception| exception.expires_at <= now) {
        // No reason to refuse the file: one that was reviewed ages while a service runs with it.
        say(&format!(
            "warning: the exception of {} ({}) expired at {:.0} and accepts nothing any more",
            expired.owner.escape_debug(),
            expired.reason.escape_debug(),
            expired.expires_at
        ));
    }
    let scope = configuration.plan.scope();
    let accounts = if scope.accounts.is_empty() {
        "all accounts".to_owned()
    } else {
        scope.accounts.join(", ")
    };
    let from = options.files.config.as_ref().map_or_else(
        || "without a file".to_owned(),
        |path| path.display().to_string(),
    );
    let store = &settings.store;
    let folder = folder_of(store);
    let note = if folder.is_dir() {
        ""
    } else {
        " (its folder does not exist here)"
    };
    Ok(format!(
        "The configuration can be used.\n\
         Read from  {from}\n\
         Store      {}{note}\n\
         Scope      {}, {} controls\n\
         Interval   {:#}, up to {:#} later\n\
         Roles      {}\n",
        store.display(),
        accounts.escape_debug(),
        scope.controls.len(),
        configuration.schedule.interval,
        configuration.schedule.jitter,
        configuration.aws.role.role_name,
    ))
}
