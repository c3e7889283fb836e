//! Asks a running API as many questions a second as it is told to, and prints a line of JSON about the answers.
//!
//! Arguments are `name=value`: `address` (127.0.0.1:7070), `rate` (500 a second), `seconds` (60), `connections`
//! (32), `token` (none), `pid` (whose memory is told). Each question has its time, kept or not: an answer that
//! holds up others makes them late as well.

#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Controls that are asked about.
const CONTROLS: [&str; 3] = ["organizations-changes", "root-usage", "4.3"];

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
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(measure(&text))
}

async fn measure(text: &impl Fn(&str, &str) -> String) -> Outcome<()> {
    let address = text("address", "127.0.0.1:7070");
    let token = text("token", "");
    let (rate, seconds): (u64, u64) =
        (text("rate", "500").parse()?, text("seconds", "60").parse()?);
    let connections: usize = text("connections", "32").parse()?;
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{}/status", text("pid", "none"))).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    let accounts = Arc::new(accounts(&address, &token).await?);
    let before = resident();
    let next = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut asking = JoinSet::new();
    for _ in 0..connections {
        let (next, accounts) = (Arc::clone(&next), Arc::clone(&accounts));
        let (address, token) = (address.clone(), token.clone());
        asking.spawn(async move {
            let mut client = Client::new(&address, &token);
            let mut seen: Vec<(&'static str, u16, Duration)> = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= rate * seconds {
                    return seen;
                }
                let due = begun + Duration::from_micros(number * 1_000_000 / rate);
                tokio::time::sleep_until(due.into()).await;
                let (kind, path) = question(number, &accounts);
                // One that breaks off has no status.
                let status = client.get(&path).await.map_or(0, |(status, _)| status);
                seen.push((kind, status, due.elapsed()));
            }
        });
    }
    let mut seen: Vec<_> = asking.join_all().await.into_iter().flatten().collect();
    let took = begun.elapsed().as_secs_f64();
    seen.sort_by_key(|(_, _, took)| *took);
    let failed = seen.iter().filter(|(_, status, _)| *status != 200).count();
    let mut kinds: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for (kind, _, took) in &seen {
        kinds.entry(kind).or_default().push(*took);
    }
    let all: Vec<Duration> = seen.iter().map(|(_, _, took)| *took).collect();
    let kinds: BTreeMap<&str, Value> = (kinds.into_iter())
        .map(|(kind, took)| {
            (
                kind,
                json!({"requests": took.len(), "ms": percentiles(&took)}),
            )
        })
        .collect();
    println!(
        "{}",
        json!({
            "accounts": accounts.len(), "requests": all.len(), "seconds": took, "failed": failed,
            "ms": percentiles(&all), "kinds": kinds,
            "resident_kib": {"before": before, "after": resident()},
        })
    );
    Ok(())
}

/// What people and dashboards ask, over and over.
fn question(number: u64, accounts: &[String]) -> (&'static str, String) {
    let place = usize::try_from(number.wrapping_mul(2_654_435_761)).unwrap_or(usize::MAX);
    let account = &accounts[place % accounts.len()];
    let control = CONTROLS[place % CONTROLS.len()];
    match number % 10 {
        0 => ("organization", "/api/v1/organization".to_owned()),
        1 | 2 => ("findings", format!("/api/v1/findings?account={account}")),
        3 => (
            "failing",
            "/api/v1/findings?verdict=FAIL&limit=50".to_owned(),
        ),
        4 => ("accounts", "/api/v1/accounts?limit=100".to_owned()),
        5 => ("account", format!("/api/v1/accounts/{account}")),
        6 | 7 => ("explain", format!("/api/v1/explain/{account}/{control}")),
        8 => ("drifts", "/api/v1/drifts?limit=50".to_owned()),
        _ => ("sweeps", "/api/v1/sweeps?limit=20".to_owned()),
    }
}

/// In milliseconds, of what is sorted.
fn percentiles(sorted: &[Duration]) -> Value {
    let at = |thousandths: usize| {
        let place = (sorted.len() * thousandths).div_ceil(1000).max(1) - 1;
        let took = sorted.get(place).map_or(0.0, Duration::as_secs_f64);
        (took * 100_000.0).round() / 100.0
    };
    json!({"p50": at(500), "p90": at(900), "p99": at(990), "p999": at(999), "max": at(1000)})
}

async fn accounts(address: &str, token: &str) -> Outcome<Vec<String>> {
    let mut client = Client::new(address, token);
    let (mut accounts, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, body) = client
            .get(&format!("/api/v1/accounts?limit=500{cursor}"))
            .await?;
        if status != 200 {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
        }
        let page: Value = serde_json::from_slice(&body)?;
        let ids = page["accounts"].as_array().into_iter().flatten();
        accounts.extend(
            ids.filter_map(|one| one["account_id"].as_str())
                .map(ToOwned::to_owned),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None if accounts.is_empty() => return Err("the store knows no account".into()),
            None => return Ok(accounts),
        }
    }
}

/// One connection, made anew when it breaks off.
struct Client {
    address: String,
    authorization: String,
    stream: Option<TcpStream>,
}

impl Client {
    fn new(address: &str, token: &str) -> Self {
        Self {
            address: address.to_owned(),
            authorization: if token.is_empty() {
                String::new()
            } else {
                format!("authorization: Bearer {token}\r\n")
            },
            stream: None,
        }
    }

    async fn get(&mut self, path: &str) -> Outcome<(u16, Vec<u8>)> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(&self.address).await?,
        };
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
            self.authorization
        );
        stream.write_all(head.as_bytes()).await?;
        let mut bytes = Vec::with_capacity(16 * 1024);
        loop {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err("half an answer".into());
            }
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.split("\r\n").next());
            let length: usize = length.unwrap_or("0").trim().parse()?;
            if bytes.len() >= end + 4 + length {
                let status = head.split(' ').nth(1).unwrap_or_default().parse()?;
                self.stream = Some(stream);
                return Ok((status, bytes.split_off(end + 4)));
            }
        }
    }
}
