//! `scanner once`: one sweep of the real organization.

use clap::Args;
use jiff::SignedDuration;

use crate::{
    commands::sweep_and_report::sweep_and_report,
    config_file::{AuthorWait, ResumeHours},
    exit::{Exit, FailOn},
    settings::{AwsOptions, FileOptions, ReportOptions, ScopeOptions, resolve},
};

/// The flags of `scanner once`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Go on with the sweep that was stopped last, with the accounts that are missing. Scope,
    /// controls and version must be the same; if there is none, a new sweep begins.
    #[arg(long)]
    resume: bool,
    /// How many hours ago a sweep may have begun to be resumed.
    #[arg(
        long,
        value_name = "HOURS",
        env = "SCANNER_RESUME_WITHIN",
        default_value = "6"
    )]
    resume_within: ResumeHours,
    /// How long to wait after the sweep for CloudTrail to tell who caused what changed; 0 to not ask at
    /// all. A sweep that found no change waits for nothing.
    #[arg(
        long,
        value_name = "DURATION",
        env = "SCANNER_AUTHOR_WAIT",
        default_value = "30s"
    )]
    author_wait: AuthorWait,
    #[command(flatten)]
    files: FileOptions,
    #[command(flatten)]
    report: ReportOptions,
    #[command(flatten)]
    scope: ScopeOptions,
    #[command(flatten)]
    aws: AwsOptions,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    let Options {
        resume,
        resume_within,
        author_wait,
        files,
        report,
        scope,
        aws,
    } = options;
    let mut settings = resolve(files, report, scope, aws, FailOn::FailAndUnknown)?;
    settings.plan.resume_within = resume.then(|| SignedDuration::from_hours(resume_within.0));
    settings.author_wait = author_wait.0;
    sweep_and_report(settings).await
}
