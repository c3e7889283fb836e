//! `scanner alerts`: what people were told, what did not reach them, and whether a channel works.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use alerts::{Channel, Channels, HttpClient, Notice, Outcome, idempotency_key};
use aws::{Aws, AwsSettings};
use clap::{Args, Subcommand};
use daemon::{DeliverAlerts, RouteAlerts};
use model::{AlertId, Clock, DeliveryState, NoticeForm, SystemClock};
use rand::{SeedableRng as _, rngs::StdRng};
use report::alerts::{PastAlert, PastDelivery};
use store::{AlertQuery, DeliveryQuery, Resend, Store};
use tokio_util::sync::CancellationToken;

use crate::{
    commands::asked::StoreOptions,
    config_file::ConfigFile,
    exit::{BadInput, Exit, FailOn},
    output::{Destination, Format, say},
    settings::{
        Alerting, AwsOptions, FileOptions, ReportOptions, ScopeOptions, Settings, alerting, resolve,
    },
};

/// The flags of `scanner alerts`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The alerts that last, and what has not reached its channel; or all.
    List(List),
    /// Send what was given up again: with the next run of whoever sends.
    Retry(Retry),
    /// Send a marked test message to a channel, and say what came of it.
    Test(Test),
    /// Decide what is to be told and send what is due, once: for sweeps that are started by a timer.
    Send(Send),
}

#[derive(Debug, Args)]
struct List {
    /// Also alerts that are over, and what was delivered.
    #[arg(long)]
    all: bool,
    /// No more alerts, and no more deliveries, than this many.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: u32,
    /// The form of the list.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    store: StoreOptions,
}

#[derive(Debug, Args)]
struct Retry {
    /// Only what went to this channel.
    #[arg(long, value_name = "NAME", conflicts_with = "alert")]
    channel: Option<String>,
    /// Only what was told of this alert.
    #[arg(long, value_name = "ID")]
    alert: Option<AlertId>,
    #[command(flatten)]
    store: StoreOptions,
}

#[derive(Debug, Args)]
struct Test {
    /// The channel, as the configuration calls it.
    #[arg(value_name = "CHANNEL")]
    channel: String,
    #[command(flatten)]
    config: Config,
}

#[derive(Debug, Args)]
struct Send {
    #[command(flatten)]
    config: Config,
    /// The store [default: scanner.db].
    #[arg(long, value_name = "PATH", env = "SCANNER_STORE")]
    store: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Config {
    /// The configuration file.
    #[arg(long, value_name = "PATH", env = "SCANNER_CONFIG")]
    config: PathBuf,
    #[command(flatten)]
    aws: AwsOptions,
}

impl Config {
    /// What is told and to whom; where history is kept and how AWS is reached.
    fn read(self, store: Option<PathBuf>) -> anyhow::Result<(Alerting, Settings)> {
        let alerting = alerting(&ConfigFile::read(&self.config)?)?;
        let files = FileOptions {
            config: Some(self.config),
            store,
        };
        let (report, scope) = (ReportOptions::default(), ScopeOptions::default());
        let settings = resolve(files, report, scope, self.aws, FailOn::Never)?;
        Ok((alerting, settings))
    }
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    match options.what {
        What::List(options) => list(options).await,
        What::Retry(options) => retry(options).await,
        What::Test(options) => test(options).await,
        What::Send(options) => send(options).await,
    }
}

async fn list(options: List) -> anyhow::Result<Exit> {
    let store = options.store.open().await?;
    let query = AlertQuery {
        lasts: (!options.all).then_some(true),
        limit: Some(options.limit),
        ..AlertQuery::default()
    };
    let alerts = store.alerts(&query).await?;
    let mut deliveries = Vec::new();
    let states = if options.all {
        vec![None]
    } else {
        vec![Some(DeliveryState::Pending), Some(DeliveryState::Dead)]
    };
    for state in states {
        let query = DeliveryQuery {
            state,
            limit: Some(options.limit),
            ..DeliveryQuery::default()
        };
        deliveries.extend(store.deliveries(&query).await?);
    }
    store.close().await;
    let alerts: Vec<PastAlert> = alerts.into_iter().map(answers::alert).collect();
    let deliveries: Vec<PastDelivery> = deliveries.into_iter().map(answers::delivery).collect();
    let destination = Destination::Stdout;
    let text = match options.format {
        Format::Table => report::alerts::render(&alerts, &deliveries, &destination.look(true)),
        Format::Json => report::alerts::render_json(&alerts, &deliveries),
    };
    destination.write(&text)?;
    Ok(Exit::Success)
}

async fn retry(options: Retry) -> anyhow::Result<Exit> {
    let which = match (options.channel, options.alert) {
        (Some(channel), _) => Resend::Channel(channel),
        (None, Some(alert)) => Resend::Alert(alert),
        (None, None) => Resend::All,
    };
    let journal = Store::open_journal(&options.store.store).await?;
    options.store.check(journal.store()).await?;
    let resent = journal.resend(SystemClock.now(), &which).await?;
    journal.close().await?;
    say(&match resent {
        0 => "nothing of this was given up".to_owned(),
        1 => "1 delivery is tried again".to_owned(),
        more => format!("{more} deliveries are tried again"),
    });
    Ok(Exit::Success)
}

async fn test(options: Test) -> anyhow::Result<Exit> {
    let (Alerting { channels, .. }, settings) = options.config.read(None)?;
    let known: Vec<String> = channels
        .iter()
        .map(|channel| channel.name.clone())
        .collect();
    let wanted = channels
        .into_iter()
        .find(|channel| channel.name == options.channel);
    let Some(channel) = wanted else {
        return Err(BadInput::of(format!(
            "the configuration has no channel `{}`; it has: {}",
            options.channel.escape_debug(),
            if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            }
        )));
    };
    let (name, kind) = (channel.name.clone(), channel.kind());
    let now = SystemClock.now();
    let notice = Notice::test(&name, now);
    let key = idempotency_key(notice.alert, NoticeForm::Test, None, &name);
    let channels = open_channels(vec![channel], settings.aws).await?;
    let outcome = channels.deliver(&name, &notice, &key, now).await;
    match outcome {
        Some(Outcome::Delivered) => {
            say(&format!(
                "{kind} channel {name}: the test message was delivered"
            ));
            Ok(Exit::Success)
        }
        Some(Outcome::TryAgain { why, .. }) => {
            say(&format!(
                "{kind} channel {name}: not delivered, though it may work later: {why}"
            ));
            Ok(Exit::Failure)
        }
        Some(Outcome::Dead { why }) => {
            say(&format!(
                "{kind} channel {name}: not delivered, and it never will be as it is: {why}"
            ));
            Ok(Exit::Failure)
        }
        None => Ok(Exit::Failure),
    }
}

async fn send(options: Send) -> anyhow::Result<Exit> {
    let (
        Alerting { settings, channels },
        Settings {
            store: path, aws, ..
        },
    ) = options.config.read(options.store)?;
    let settings = Arc::new(settings);
    // What is not there, or is of an older version, is said before anybody is connected to.
    Store::open_reader(&path).await?.close().await;
    let channels = open_channels(channels, aws).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let sweeper = Store::open_sweeper(&path).await?;
    let route = RouteAlerts {
        settings: Arc::clone(&settings),
        clock: Arc::clone(&clock),
    };
    let routed = route.run(&sweeper).await?;
    let deliver = DeliverAlerts {
        channels,
        settings,
        clock,
        // Jitter needs to differ between processes, not to be secret.
        chance: Arc::new(Mutex::new(StdRng::seed_from_u64(u64::from(
            std::process::id(),
        )))),
        stop: CancellationToken::new(),
    };
    let delivered = deliver.run(&sweeper).await?;
    sweeper.close().await?;
    say(&format!(
        "alerts: {} new, {} over, {} reminders; {} drifts wait for their sweep or author",
        routed.alerts, routed.recovered, routed.reminders, routed.waiting
    ));
    say(&format!(
        "deliveries: {} arrived, {} are tried again, {} were given up",
        delivered.delivered, delivered.failed, delivered.dead
    ));
    Ok(if delivered.failed + delivered.dead == 0 {
        Exit::Success
    } else {
        Exit::Failure
    })
}

/// The channels, connected to AWS where one of them needs it.
pub(crate) async fn open_channels(
    channels: Vec<Channel>,
    aws: AwsSettings,
) -> anyhow::Result<Channels> {
    let aws = if channels.iter().any(Channel::needs_aws) {
        Some(Aws::connect(aws, Arc::new(SystemClock)).await?)
    } else {
        None
    };
    Ok(Channels::new(channels, HttpClient::new()?, aws))
}
