//! Sweeps a simulated organization several times over one connection and one store, as a long-lived
//! process does, and prints a line of JSON for each sweep: `cargo xtask bench` runs it.
//!
//! `eval "$(scanner simulate --accounts 1000)"`-like variables say where the simulator is. Arguments are
//! `name=value`: `store` (a path that does not exist), `sweeps`, `concurrency`, `share`, `controls` (how
//! many), `regions` (`probe`, `all`, or names with commas), `runtime` (`workers` or `one-core`).
//!
//! The first sweep is cold: it lists the accounts, enters them all, fills the store. The later ones know
//! the accounts and hold their credentials.

#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws::{Aws, AwsSettings, RoleSettings, SimulatorAccess, Timing};
use controls::Catalog;
use daemon::{Progress, Regions, Sweep, SweepPlan, session_apis};
use discovery::{Selection, Source};
use model::SystemClock;
use serde_json::{Value, json};
use store::{Store, Sweeper};
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The allocator of the binary `scanner`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// No sweep of a measurement takes longer.
const LONGEST: Duration = Duration::from_mins(20);

/// Until every bucket is full again: 12 pages at 8 a second take longest.
const REFILL: Duration = Duration::from_secs(2);

fn main() -> Outcome<()> {
    let arguments: BTreeMap<String, String> = (env::args().skip(1))
        .filter_map(|it| {
            it.split_once('=')
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
        })
        .collect();
    let text = |name: &str, default: &str| {
        arguments
            .get(name)
            .cloned()
            .unwrap_or_else(|| default.to_owned())
    };
    let mut runtime = match text("runtime", "workers").as_str() {
        "one-core" => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    runtime.enable_all().build()?.block_on(sweep(&text))
}

async fn sweep(text: &impl Fn(&str, &str) -> String) -> Outcome<()> {
    let sweeps: usize = text("sweeps", "2").parse()?;
    let plan = plan(text)?;
    let settings = AwsSettings {
        role: RoleSettings {
            role_name: "OrganizationAccountAccessRole".to_owned(),
            overrides: BTreeMap::new(),
            external_id: None,
            session_name: "scanner-measurement".to_owned(),
            source_identity: None,
            session_seconds: 3600,
        },
        session_apis: session_apis(&plan.regions),
        quota_share: text("share", "1").parse()?,
        timing: Timing::default(),
        profile: None,
        seed: 1,
        simulator: Some(SimulatorAccess {
            endpoint_url: env::var("AWS_ENDPOINT_URL")?,
            access_key_id: env::var("AWS_ACCESS_KEY_ID")?,
            secret_access_key: env::var("AWS_SECRET_ACCESS_KEY")?,
            region: env::var("AWS_REGION")?.parse()?,
        }),
    };
    let store = Store::open_sweeper(text("store", "sweeps.db")).await?;
    let aws = Aws::connect(settings, Arc::new(SystemClock)).await?;
    for number in 0..sweeps {
        // The lower bound counts on full buckets; the sweep before has emptied some.
        if number > 0 {
            tokio::time::sleep(REFILL).await;
        }
        let line = tokio::time::timeout(LONGEST, measure(&aws, &store, &plan)).await??;
        let kind = if number == 0 { "cold" } else { "warm" };
        println!("{}", merged(json!({ "sweep": kind }), line));
    }
    store.close().await?;
    Ok(())
}

fn plan(text: &impl Fn(&str, &str) -> String) -> Outcome<SweepPlan> {
    let controls: usize = text("controls", "15").parse()?;
    let catalog = Catalog::embedded()?;
    let regions = match text("regions", "probe").as_str() {
        "probe" => Regions::Probe,
        "all" => Regions::All,
        names => Regions::Each(names.split(',').map(str::parse).collect::<Result<_, _>>()?),
    };
    Ok(SweepPlan {
        source: Source::Organization,
        selection: Selection::default(),
        regions,
        monitoring_accounts: Vec::new(),
        read_tags: discovery::ReadTags::WhereTheyDecide,
        exceptions: None,
        controls: catalog.controls().take(controls).cloned().collect(),
        accounts_at_once: text("concurrency", "256").parse()?,
        account_deadline: Duration::from_mins(5),
        resume_within: None,
        scanner_version: "measurement".to_owned(),
    })
}

async fn measure(aws: &Aws, store: &Sweeper, plan: &SweepPlan) -> Outcome<Value> {
    let endpoint = env::var("AWS_ENDPOINT_URL")?;
    let address = endpoint.trim_start_matches("http://");
    ask(address, "POST /_simulator/reset")?;
    // Forgets the peak of the sweep before.
    fs::write("/proc/self/clear_refs", "5")?;
    let throttled_before = aws.call_statistics().throttled();
    let (cpu, begun) = (cpu_seconds()?, Instant::now());
    let judged_at = Mutex::new(Vec::new());
    let progress = |progress: Progress| {
        if progress == Progress::Judged {
            let mut judged_at = judged_at.lock().unwrap_or_else(PoisonError::into_inner);
            judged_at.push(begun.elapsed());
        }
    };
    let sweep = Sweep {
        aws,
        clock: Arc::new(SystemClock),
        stop: CancellationToken::new(),
        cut: CancellationToken::new(),
        progress: &progress,
    };
    let discovered = sweep.discover(plan).await?;
    let outcome = sweep.run(store, plan, discovered).await?;
    let wall = begun.elapsed().as_secs_f64();
    let cpu = cpu_seconds()? - cpu;
    let judged_at = judged_at
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let at = |hundredths: usize| {
        let place = (judged_at.len() * hundredths).div_ceil(100);
        let at = judged_at.get(place.saturating_sub(1));
        at.map_or(wall, Duration::as_secs_f64)
    };
    Ok(json!({
        "accounts": outcome.judged.len(),
        "findings": outcome.summary.verdicts.values().sum::<u64>(),
        "verdicts": outcome.summary.verdicts,
        "notices": outcome.notices,
        "wall": wall,
        "cpu": cpu,
        "peak_kib": peak_kib()?,
        "calls": outcome.summary.api_calls,
        "throttled": aws.call_statistics().throttled() - throttled_before,
        "commits": outcome.commits,
        "judged_at": { "50": at(50), "75": at(75), "95": at(95), "100": at(100) },
        "report": ask(address, "GET /_simulator/report")?,
    }))
}

fn merged(mut first: Value, second: Value) -> Value {
    if let (Value::Object(first), Value::Object(second)) = (&mut first, second) {
        first.extend(second);
    }
    first
}

/// User and system time of all threads, to a hundredth of a second.
fn cpu_seconds() -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, rest) = stat.rsplit_once(')').ok_or("an unknown /proc/self/stat")?;
    let times = rest.split_ascii_whitespace().skip(11).take(2);
    let hundredths: f64 = times.map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(hundredths / 100.0)
}

fn peak_kib() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = line.ok_or("no VmHWM in /proc/self/status")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}

/// One request to the simulator's own pages; `null` where it answers without a body.
fn ask(address: &str, line: &str) -> Outcome<Value> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "{line} HTTP/1.1\r\nhost: simulator\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("half an answer")?;
    if !head.starts_with("HTTP/1.1 2") {
        return Err(format!("{line}: {head}").into());
    }
    Ok(serde_json::from_str(body).unwrap_or(Value::Null))
}
