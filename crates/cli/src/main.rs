#![doc = include_str!("../README.md")]

mod commands;
mod config_file;
mod exit;
mod output;
mod settings;
mod systemd;
mod telemetry;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};

use crate::exit::Exit;

/// Calls to AWS allocate much and in small pieces: see "Client cost per call" in
/// `docs/performance.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Proves, for every account of an AWS organization, that a change to the organization would wake
/// somebody up (CIS AWS Foundations 4.15 / 5.15), and so for the other monitoring controls.
#[derive(Debug, Parser)]
#[command(name = "scanner", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Arguments {
    /// What is logged to stderr, such as `info` or `warn,scanner=debug` [default: warn; of `serve` also
    /// what the service does].
    #[arg(long, global = true, value_name = "FILTER", env = "SCANNER_LOG")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes of `once`: 0 all pass; 3 at least one FAIL; 4 no FAIL but something is \
UNKNOWN, the account list is incomplete, or nothing could be judged; 2 wrong usage or configuration; 1 anything \
else; 130 or 143 when interrupted. `serve` ends with 0 when it was asked to stop and did so in order.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Sweep the organization once and report.
    Once(Box<commands::once::Options>),
    /// Sweep again and again, as a service.
    Serve(Box<commands::serve::Options>),
    /// Ask a running service whether it is well.
    Health(commands::health::Options),
    /// Check the configuration, and show what it may say.
    Config(commands::config::Options),
    /// Sweep a simulated organization: needs no AWS account.
    Demo(Box<commands::demo::Options>),
    /// Serve a simulated organization to any AWS tool, and report what it asked.
    Simulate(commands::simulate::Options),
    /// Show the chain of one account, link by link.
    Explain(commands::explain::Options),
    /// List what past sweeps saw, now or as of any moment.
    History(commands::history::Options),
    /// Take what was seen to an auditor, and verify it offline.
    Evidence(commands::evidence::Options),
    /// Check, copy, prune and describe the store.
    Store(commands::store::Options),
    /// Accept findings until a date: add, list and remove exceptions.
    Exception(commands::exception::Options),
    /// Tell what is not the same at two moments.
    Diff(commands::diff::Options),
    /// List what changed, show one change in full, note that somebody has seen it.
    Drift(commands::drift::Options),
    /// Check, test and explain filter patterns, without AWS.
    Pattern(commands::pattern::Options),
    /// List what is judged by, and show one control in full.
    Controls(commands::controls::Options),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no mistakes.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Success.into()
            };
        }
    };
    if let Err(mistake) =
        settings::check_environment(&<Arguments as clap::CommandFactory>::command())
    {
        return output::failed(&mistake).into();
    }
    let default = match &arguments.command {
        Command::Serve(_) => telemetry::SERVICE_FILTER,
        _ => telemetry::DEFAULT_FILTER,
    };
    let filter = arguments.log.as_deref().unwrap_or(default);
    if let Err(mistake) = telemetry::start(filter) {
        return output::failed(&mistake).into();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return output::failed(&anyhow::Error::from(error).context("cannot start")).into();
        }
    };
    let outcome = runtime.block_on(async {
        match arguments.command {
            Command::Once(options) => commands::once::run(*options).await,
            Command::Serve(options) => commands::serve::run(*options).await,
            Command::Health(options) => commands::health::run(options).await,
            Command::Config(options) => commands::config::run(&options),
            Command::Demo(options) => commands::demo::run(*options).await,
            Command::Simulate(options) => commands::simulate::run(options).await,
            Command::Explain(options) => commands::explain::run(options).await,
            Command::History(options) => commands::history::run(options).await,
            Command::Evidence(options) => commands::evidence::run(options).await,
            Command::Store(options) => commands::store::run(options).await,
            Command::Exception(options) => commands::exception::run(options).await,
            Command::Diff(options) => commands::diff::run(options).await,
            Command::Drift(options) => commands::drift::run(options).await,
            Command::Pattern(options) => commands::pattern::run(options),
            Command::Controls(options) => commands::controls::run(&options),
        }
    });
    // Work that was given up must not keep the process from ending.
    runtime.shutdown_timeout(Duration::from_secs(2));
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => output::failed(&error).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
