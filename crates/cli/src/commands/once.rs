//! `scanner once`: one sweep of the real organization.

use clap::Args;

use crate::{
    commands::sweep_and_report::sweep_and_report,
    config_file::{AuthorWait, ResumeWithin},
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
    /// How long ago a sweep may have begun to be resumed: a duration, or a number of hours.
    #[arg(
        long,
        value_name = "DURATION",
        env = "SCANNER_RESUME_WITHIN",
        default_value = "6h",
        value_parser = ResumeWithin::or_hours
    )]
    resume_within: ResumeWithin,
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
    settings.plan.resume_within = resume.then_some(resume_within.0);
    settings.author_wait = author_wait.0;
    sweep_and_report(settings).await
}
