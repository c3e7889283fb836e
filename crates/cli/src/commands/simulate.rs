//! `scanner simulate`: a simulated organization as a process of its own, for any AWS tool.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, str::FromStr, sync::Arc};

use anyhow::Context as _;
use clap::Args;
use simulator::{
    GenerateOptions, Latency, Load, LoadReport, Simulator, SimulatorOptions, SlowAccounts, World,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    commands::demo::account_count,
    exit::{BadInput, Exit},
    output::{Destination, Format, say},
};

/// The flags of `scanner simulate`.
#[derive(Debug, Args)]
#[command(after_help = LOWER_BOUND)]
pub(crate) struct Options {
    /// How many accounts the organization has.
    #[arg(long = "accounts", value_name = "NUMBER", default_value_t = 50, value_parser = account_count)]
    account_count: usize,
    /// A world from a scenario file instead of one of the seed. `curl -X POST
    /// $AWS_ENDPOINT_URL/_simulator/advance` makes the next change of its timeline.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["account_count", "healthy", "own_trails"])]
    scenario: Option<PathBuf>,
    /// From which number the organization is made, and latencies are drawn.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Where it listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Listen where other machines can reach it. It asks nobody for a password.
    #[arg(long)]
    expose: bool,
    /// AWS's request quotas: `on`, `off`, or a factor to multiply them by [default: on, or what the
    /// scenario says].
    #[arg(long, value_name = "on|off|FACTOR")]
    quotas: Option<Quotas>,
    /// What an answer takes: `50ms`, a median and a tail such as `50ms..p99=150ms`, or `off` [default:
    /// 50ms..p99=150ms, or what the scenario says].
    #[arg(long, value_name = "TIME")]
    latency: Option<MaybeLatency>,
    /// A share of accounts that answer later, and what they take: `0.2:2s`.
    #[arg(long, value_name = "SHARE:TIME")]
    slow_accounts: Option<SlowAccounts>,
    /// The share of accounts that answer everything with a throttling error, once entered.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    throttling_accounts: Option<f64>,
    /// The share of accounts that the organization's trail has not reached and that have a good
    /// chain of their own [default: 0.02].
    #[arg(long, value_name = "SHARE", value_parser = share)]
    own_trails: Option<f64>,
    /// No broken, unreadable or closed account, and an organization chain that works.
    #[arg(long)]
    healthy: bool,
    /// How many threads answer.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    threads: NonZeroUsize,
    /// The form of the report at the end.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Where the report goes [default: standard output].
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
}

const LOWER_BOUND: &str = "Ctrl-C or SIGTERM ends it with a report; GET /_simulator/report gives the same as JSON at any \
time, and POST /_simulator/reset begins anew. The lower bound in it is the shortest time in which the calls that were \
answered could have been made: the largest of (calls - burst) / rate over all token buckets, of the pages of a list \
one after another, and of the last account, which is listed, then entered, then asked for its trails. Throttled \
calls, and what the client needs for itself, are not in it.";

/// `--quotas`.
#[derive(Debug, Clone, Copy)]
struct Quotas(Option<f64>);

impl FromStr for Quotas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "on" => Ok(Self(Some(1.0))),
            "off" => Ok(Self(None)),
            factor => factor
                .parse()
                .ok()
                .filter(|factor: &f64| factor.is_finite() && *factor > 0.0)
                .map(|factor| Self(Some(factor)))
                .ok_or_else(|| "expected `on`, `off` or a factor above 0".to_owned()),
        }
    }
}

/// `--latency`.
#[derive(Debug, Clone, Copy)]
struct MaybeLatency(Option<Latency>);

impl FromStr for MaybeLatency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        match text.parse() {
            Ok(latency) => Ok(Self(Some(latency))),
            Err(error) => Err(format!("{error}, or `off`")),
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected a share from 0 to 1".to_owned())
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    if !options.listen.ip().is_loopback() && !options.expose {
        return Err(BadInput::of(format!(
            "{} can be reached from other machines, and the simulator asks nobody for a password; \
             --expose says that this is meant",
            options.listen
        )));
    }
    let world = world(&options)?;
    let destination = Destination::new(options.output)?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;

    let accounts = world.accounts().len();
    let simulator = Simulator::start(
        world,
        SimulatorOptions {
            seed: options.seed,
            bind: options.listen,
            clock: Arc::new(model::SystemClock),
            threads: Some(options.threads),
        },
    )
    .await
    .map_err(|error| BadInput::of(format!("cannot listen on {}: {error}", options.listen)))?;

    // Only what a shell reads goes to standard output before the report.
    Destination::Stdout.write(&exports(&simulator))?;
    let of = match &options.scenario {
        Some(file) => file.display().to_string(),
        None => format!("seed {}", options.seed),
    };
    say(&format!(
        "a simulated organization of {accounts} accounts ({of}), not AWS; Ctrl-C ends it with a report"
    ));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let report = simulator.load_report();
    simulator.shutdown().await;
    destination.write(&text(&report, options.format)?)?;
    // To be stopped is how it ends.
    Ok(Exit::Success)
}

/// The world that is asked for: of a file, or of a seed and then as slow and as strict as AWS.
fn world(options: &Options) -> anyhow::Result<World> {
    let mut world = if let Some(file) = &options.scenario {
        World::from_file(file).map_err(|error| BadInput::of(in_words(&error)))?
    } else {
        let mut world = World::generate(&GenerateOptions {
            accounts: options.account_count,
            seed: options.seed,
            healthy: options.healthy,
            own_trails: options.own_trails,
            ..GenerateOptions::default()
        });
        world.load = Load::realistic();
        world
    };
    let load = &mut world.load;
    if let Some(quotas) = options.quotas {
        load.quotas = quotas.0;
    }
    if let Some(latency) = options.latency {
        load.latency = latency.0;
    }
    if let Some(slow) = options.slow_accounts {
        load.slow_accounts = Some(slow);
    }
    if let Some(share) = options.throttling_accounts {
        load.throttling_accounts = share;
    }
    Ok(world)
}

/// An error with what it comes from.
fn in_words(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(in_words);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// Lines for a shell; what is for people is a comment in them.
fn exports(simulator: &Simulator) -> String {
    let credentials = simulator.caller_credentials();
    let world = simulator.world();
    let management = world
        .management()
        .map_or("", |management| management.id.as_str());
    format!(
        "export AWS_ENDPOINT_URL={}\n\
         export AWS_ACCESS_KEY_ID={}\n\
         export AWS_SECRET_ACCESS_KEY={}\n\
         export AWS_REGION={}\n\
         unset AWS_SESSION_TOKEN AWS_PROFILE\n\
         # management account {management}; role {} in the other accounts\n",
        simulator.endpoint_url(),
        credentials.access_key_id,
        credentials.secret_access_key,
        world.partition.default_region(),
        simulator::world::DEFAULT_ROLE,
    )
}

fn text(report: &LoadReport, format: Format) -> anyhow::Result<String> {
    match format {
        Format::Table => Ok(report.to_string()),
        Format::Json => {
            let json = serde_json::to_string_pretty(report).context("cannot write the report")?;
            Ok(json + "\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_on_off_or_a_factor() {
        let factor = |text: &str| text.parse::<Quotas>().map(|it| it.0);
        assert_eq!(factor("on"), Ok(Some(1.0)));
        assert_eq!(factor("off"), Ok(None));
        assert_eq!(factor("0.5"), Ok(Some(0.5)));
        for text in ["", "0", "-1", "NaN", "inf", "yes"] {
            assert!(factor(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_is_between_none_and_all() {
        assert_eq!(share("0.05"), Ok(0.05));
        for text in ["", "1.5", "-0.1", "NaN", "5%"] {
            assert!(share(text).is_err(), "{text}");
        }
    }
}
