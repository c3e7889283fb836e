//! How long the store takes to answer.

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use model::SweepId;
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use store::{DriftQuery, FindingQuery, Store, SweepRow};

use crate::Outcome;

/// How often each question is asked.
const ASKED: usize = 200;

/// Times that were taken.
#[derive(Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
            sorted.get(index).copied().unwrap_or_default()
        };
        let worst = sorted.last().copied().unwrap_or_default();
        write!(
            f,
            "p50 {:.2?}, p99 {:.2?}, worst {worst:.2?} of {}",
            at(50),
            at(99),
            sorted.len()
        )
    }
}

/// The CPU time that the threads of this process took so far, in seconds.
pub(crate) fn cpu() -> Outcome<f64> {
    let mut nanos = 0.0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let used = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanos += (used.split(' ').next().unwrap_or_default()).parse::<f64>()?;
    }
    Ok(nanos / 1e9)
}

/// Asks what a user asks, of a store that nobody writes to.
#[expect(clippy::print_stdout, reason = "an example tells what it measured")]
pub(crate) async fn answers(path: &Path) -> Outcome<SweepRow> {
    let store = Store::open_reader(path).await?;
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let accounts = store.remembered_accounts().await?;
    let latest = store.latest_sweep().await?.ok_or("there is no sweep")?;
    let (last, now) = (latest.id, latest.started_at);
    for without_chains in [true, false] {
        let mut times = Times::default();
        for _ in 0..ASKED {
            let query = FindingQuery {
                account: accounts.choose(&mut chance).map(|account| account.id),
                sweep: Some(SweepId(chance.random_range(1..=last.0))),
                without_chains,
                ..FindingQuery::default()
            };
            let begun = Instant::now();
            store.findings(&query).await?;
            times.add(begun.elapsed());
        }
        let chains = if without_chains { "without" } else { "with" };
        println!("one account as of a sweep, {chains} chains: {times}");
    }
    for sweep in [
        None,
        Some(SweepId(last.0 / 2)),
        Some(SweepId(1 + last.0 / 7)),
    ] {
        let mut times = Times::default();
        let (mut findings, before) = (0, cpu()?);
        for _ in 0..5 {
            let query = FindingQuery {
                sweep,
                without_chains: true,
                ..FindingQuery::default()
            };
            let begun = Instant::now();
            let mut pages = store.finding_pages(&query).await?;
            findings = 0;
            while let Some(page) = pages.next().await? {
                findings += page.len();
            }
            times.add(begun.elapsed());
        }
        let cpu = (cpu()? - before) / 5.0;
        let of = sweep.map_or("now".to_owned(), |sweep| format!("as of sweep {sweep}"));
        println!("the organization {of}: {findings} findings, {cpu:.2} s CPU, {times}");
    }
    for limit in [Some(1000), None] {
        let mut times = Times::default();
        let mut most = 0;
        for _ in 0..ASKED {
            let hours = chance.random_range(0..=last.0.saturating_sub(720).max(0));
            let until = now - SignedDuration::from_hours(hours);
            let query = DriftQuery {
                since: Some(until - SignedDuration::from_hours(720)),
                until: Some(until),
                limit,
                ..DriftQuery::default()
            };
            let begun = Instant::now();
            most = most.max(store.drifts(&query).await?.len());
            times.add(begun.elapsed());
        }
        println!("the drifts of a month, at most {most}: {times}");
    }
    store.close().await;
    Ok(latest)
}
