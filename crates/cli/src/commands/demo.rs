//! `scanner demo`: one sweep of a simulated organization, over HTTP, with the real SDK.

use std::path::PathBuf;

use aws::SimulatorAccess;
use clap::Args;
use model::Partition;
use simulator::{GenerateOptions, Load, Simulator, SimulatorOptions, World};

use crate::{
    commands::sweep_and_report::sweep_and_report,
    config_file::Concurrency,
    exit::{Exit, FailOn},
    output::say,
    settings::{AwsOptions, FileOptions, ReportOptions, ScopeOptions, resolve},
};

/// The flags of `scanner demo`: its own, and those of `scanner once`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many accounts the simulated organization has.
    #[arg(long = "accounts", value_name = "NUMBER", default_value_t = 50, value_parser = account_count)]
    account_count: usize,
    /// From which number the organization is made: equal seeds make equal organizations.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// The store [default: scanner-demo-ACCOUNTS-SEED.db]. Neither the environment nor a
    /// configuration file can name it: a demo keeps away from a real history.
    #[arg(long, value_name = "PATH")]
    store: Option<PathBuf>,
    /// How many accounts are looked at at the same time [default: 64].
    #[arg(long, value_name = "NUMBER")]
    concurrency: Option<Concurrency>,
    /// Make the simulated AWS as strict and as slow as the real one: its quotas, and answers that
    /// take 50 ms, one in a hundred more than 150 ms.
    #[arg(long)]
    realistic: bool,
    #[command(flatten)]
    report: ReportOptions,
    #[command(flatten)]
    scope: ScopeOptions,
}

pub(crate) fn account_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=50_000) => Ok(number),
        _ => Err("expected a number of accounts between 1 and 50000, as AWS allows".to_owned()),
    }
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    let Options {
        account_count: accounts,
        seed,
        store,
        concurrency,
        realistic,
        report,
        scope,
    } = options;
    // A file of its own: a store belongs to one organization, and size and seed make one.
    let store = store.unwrap_or_else(|| format!("scanner-demo-{accounts}-{seed}.db").into());
    let files = FileOptions {
        config: None,
        store: Some(store),
    };
    let aws = AwsOptions::with_concurrency(concurrency);
    let mut settings = resolve(files, report, scope, aws, FailOn::Never)?;
    let mut world = World::generate(&GenerateOptions {
        accounts,
        seed,
        ..GenerateOptions::default()
    });
    if realistic {
        world.load = Load::realistic();
    }
    let simulator = Simulator::start(
        world,
        SimulatorOptions {
            seed,
            ..SimulatorOptions::default()
        },
    )
    .await
    .map_err(|error| {
        anyhow::Error::new(error).context("cannot start the simulator on 127.0.0.1")
    })?;
    let credentials = simulator.caller_credentials();
    settings.aws.simulator = Some(SimulatorAccess {
        endpoint_url: simulator.endpoint_url(),
        access_key_id: credentials.access_key_id,
        secret_access_key: credentials.secret_access_key,
        region: Partition::new("aws").default_region(),
    });
    // Nobody else uses the simulated accounts' quotas.
    settings.aws.quota_share = 1.0;
    say(&format!(
        "a simulated organization of {accounts} {} (seed {seed}), not AWS",
        if accounts == 1 { "account" } else { "accounts" }
    ));
    let exit = sweep_and_report(settings).await;
    simulator.shutdown().await;
    exit
}
