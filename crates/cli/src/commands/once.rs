//! `scanner once`: one sweep of the real organization.

use clap::Args;

use crate::{
    commands::sweep_and_report::sweep_and_report,
    exit::{Exit, FailOn},
    settings::{AwsOptions, FileOptions, ReportOptions, ScopeOptions, resolve},
};

/// The flags of `scanner once`.
#[derive(Debug, Args)]
pub(crate) struct Options {
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
        files,
        report,
        scope,
        aws,
    } = options;
    let settings = resolve(files, report, scope, aws, FailOn::FailAndUnknown)?;
    sweep_and_report(settings).await
}
