//! The settings of the service: those of a sweep, and when and how patiently.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use daemon::{Configuration, RecheckRule, Schedule};
use jiff::SignedDuration;

use super::{Alerting, AwsOptions, FileOptions, ReportOptions, ScopeOptions, alerting, lay_over};
use crate::{
    config_file::{
        AuthorPatience, ConfigFile, HistoryAge, RecheckAccounts, RecheckPause, ResumeWithin,
        ServeSection, ShutdownGrace, SweepInterval, SweepJitter, WebSettings,
    },
    exit::FailOn,
};

pub(crate) const DEFAULT_INTERVAL: &str = "1h";
pub(crate) const DEFAULT_JITTER: &str = "5m";
pub(crate) const DEFAULT_RESUME_WITHIN: &str = "6h";
pub(crate) const DEFAULT_GRACE: &str = "30s";
/// Whoever changes things by a script is done by then.
pub(crate) const DEFAULT_AFTER_DRIFT: &str = "2m";
/// What passes has mostly passed by then.
pub(crate) const DEFAULT_AFTER_UNKNOWN: &str = "5m";
pub(crate) const DEFAULT_RECHECK_ACCOUNTS: usize = 20;
/// Later than that no event is expected any more.
pub(crate) const DEFAULT_AUTHOR_PATIENCE: &str = "20m";

/// When the service sweeps, and how patiently.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Service")]
pub(crate) struct ServeOptions {
    /// From the beginning of a sweep to the beginning of the next [default: 1h].
    #[arg(long, value_name = "DURATION", env = "SCANNER_INTERVAL")]
    interval: Option<SweepInterval>,
    /// By how much later it may begin [default: 5m].
    #[arg(long, value_name = "DURATION", env = "SCANNER_JITTER")]
    jitter: Option<SweepJitter>,
    /// How long ago a sweep that was stopped may have begun to be gone on with [default: 6h].
    #[arg(long, value_name = "DURATION", env = "SCANNER_RESUME_WITHIN", value_parser = ResumeWithin::or_hours)]
    resume_within: Option<ResumeWithin>,
    /// How long accounts that are being looked at may still take when the service is asked to stop
    /// [default: 30s].
    #[arg(long, value_name = "DURATION", env = "SCANNER_SHUTDOWN_GRACE")]
    shutdown_grace: Option<ShutdownGrace>,
    /// After what time an account in which something changed is looked at again [default: 2m].
    #[arg(long, value_name = "DURATION", env = "SCANNER_RECHECK_AFTER_DRIFT")]
    recheck_after_drift: Option<RecheckPause>,
    /// After what time an account in which something could not be seen is looked at again
    /// [default: 5m].
    #[arg(long, value_name = "DURATION", env = "SCANNER_RECHECK_AFTER_UNKNOWN")]
    recheck_after_unknown: Option<RecheckPause>,
    /// How many accounts are looked at again; 0 for none [default: 20].
    #[arg(long, value_name = "NUMBER", env = "SCANNER_RECHECK_ACCOUNTS")]
    recheck_accounts: Option<RecheckAccounts>,
    /// How long CloudTrail is asked who caused a change; 0 to not ask [default: 20m].
    #[arg(long, value_name = "DURATION", env = "SCANNER_AUTHOR_PATIENCE")]
    author_patience: Option<AuthorPatience>,
    /// Drop what was no longer so this long ago [default: keep everything].
    #[arg(long, value_name = "AGE", env = "SCANNER_KEEP_HISTORY")]
    keep_history: Option<HistoryAge>,
}

/// Every flag that decides what the service does: read again with the file.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServiceOptions {
    #[command(flatten)]
    pub(crate) files: FileOptions,
    /// Where the API listens [default: 127.0.0.1:7070].
    #[arg(long, value_name = "ADDRESS", env = "SCANNER_LISTEN")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    serve: ServeOptions,
    #[command(flatten)]
    scope: ScopeOptions,
    #[command(flatten)]
    aws: AwsOptions,
}

/// Everything that the service needs to know.
#[derive(Debug)]
pub(crate) struct ServiceSettings {
    /// Where the store is.
    pub(crate) store: PathBuf,
    pub(crate) configuration: Configuration,
    pub(crate) web: WebSettings,
}

/// Reads the file, if one is named, lays environment and flags over it, and checks all of it.
pub(crate) fn resolve(options: &ServiceOptions) -> anyhow::Result<ServiceSettings> {
    let ServiceOptions {
        files,
        listen,
        serve: flags,
        scope,
        aws,
    } = options.clone();
    let mut file = match &files.config {
        Some(path) => ConfigFile::read(path)?,
        None => ConfigFile::default(),
    };
    let serve = std::mem::take(&mut file.serve);
    let mut web = std::mem::take(&mut file.web).settings();
    if let Some(listen) = listen {
        web.listen = listen;
    }
    let Alerting {
        settings: alerts,
        channels,
    } = alerting(&file)?;
    let report = ReportOptions::default();
    let settings = lay_over(file, files, report, scope, aws, FailOn::Never)?;
    let mut plan = settings.plan;
    let ServeSection {
        interval,
        jitter,
        resume_within,
        shutdown_grace,
        recheck_after_drift,
        recheck_after_unknown,
        recheck_accounts,
        author_patience,
        keep_history,
    } = serve;
    macro_rules! time {
        ($key:ident, $default:expr) => {
            match flags.$key.or($key.map(|text| text.0)) {
                Some(given) => given.0,
                None => default_of($default),
            }
        };
    }
    plan.resume_within = Some(time!(resume_within, DEFAULT_RESUME_WITHIN));
    let configuration = Configuration {
        plan,
        aws: settings.aws,
        schedule: Schedule {
            interval: time!(interval, DEFAULT_INTERVAL),
            jitter: time!(jitter, DEFAULT_JITTER),
        },
        recheck: RecheckRule {
            after_drift: time!(recheck_after_drift, DEFAULT_AFTER_DRIFT),
            after_unknown: time!(recheck_after_unknown, DEFAULT_AFTER_UNKNOWN),
            accounts_at_most: (flags.recheck_accounts.or(recheck_accounts))
                .map_or(DEFAULT_RECHECK_ACCOUNTS, |number| number.0),
        },
        author_patience: unsigned(time!(author_patience, DEFAULT_AUTHOR_PATIENCE)),
        keep_history: (flags.keep_history.or(keep_history.map(|text| text.0))).map(|age| age.0),
        alerts,
        channels,
        shutdown_grace: unsigned(time!(shutdown_grace, DEFAULT_GRACE)),
    };
    Ok(ServiceSettings {
        store: settings.store,
        configuration,
        web,
    })
}

/// A default as it is written in the example file.
fn default_of(text: &str) -> SignedDuration {
    let read = text.parse();
    debug_assert!(read.is_ok(), "{text} is a duration");
    read.unwrap_or_default()
}

/// None of these can be negative: that is checked where they are read.
fn unsigned(time: SignedDuration) -> Duration {
    time.try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        options: ServiceOptions,
    }

    fn settings(flags: &[&str]) -> anyhow::Result<ServiceSettings> {
        let flags = ["scanner"].iter().chain(flags);
        resolve(&Flags::try_parse_from(flags)?.options)
    }

    #[test]
    fn a_flag_beats_the_file_and_the_file_the_default() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scanner.toml");
        std::fs::write(
            &file,
            "[serve]\ninterval = \"2h\"\nkeep_history = \"30d\"\n",
        )
        .unwrap();
        let file = file.to_str().unwrap();
        let minutes = |settings: ServiceSettings| {
            let schedule = settings.configuration.schedule;
            (schedule.interval.as_mins(), schedule.jitter.as_mins())
        };
        assert_eq!(minutes(settings(&[]).unwrap()), (60, 5));
        assert_eq!(minutes(settings(&["--config", file]).unwrap()), (120, 5));
        let both = settings(&["--config", file, "--interval", "10m", "--jitter", "0"]).unwrap();
        let age = both.configuration.keep_history.unwrap();
        assert_eq!(age.as_hours(), 30 * 24);
        assert_eq!(minutes(both), (10, 0));
    }

    #[test]
    fn every_default_is_one_that_may_be_written() {
        let configuration = settings(&[]).unwrap().configuration;
        assert_eq!(configuration.plan.resume_within.unwrap().as_hours(), 6);
        assert_eq!(configuration.author_patience.as_secs(), 1200);
        assert_eq!(configuration.shutdown_grace.as_secs(), 30);
        assert_eq!(configuration.recheck.after_drift.as_mins(), 2);
        assert_eq!(configuration.recheck.after_unknown.as_mins(), 5);
        assert_eq!(configuration.keep_history, None);
    }
}
