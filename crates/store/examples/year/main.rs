//! A year of an organization, remembered through the real `drift` and `store`:
//! `cargo xtask bench year [--accounts 10000] [--days 365]
//! [--seed 1] [--changes 20] [--organization-wide no] [--unchanged 1000]`. With `--store` of an earlier
//! run, and the rest as then, only the end is measured again.
//!
//! Findings are supplied: nobody is asked, and the clock is moved by hand, an hour a sweep. Every sweep
//! takes the steps of `daemon/sweep.rs` in their order. The figures are in docs/performance.md.

mod evidence;
mod measures;
mod sweeps;
mod world;

use std::{
    error::Error,
    path::PathBuf,
    time::{Duration, Instant},
};

use store::Store;

use crate::{evidence::Defect, measures::Times, sweeps::Sweeps, world::World};

// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// What to simulate.
struct Plan {
    accounts: u64,
    days: u64,
    seed: u64,
    changes: u64,
    organization_wide: bool,
    /// How many sweeps of an unchanged organization are measured at the end.
    unchanged: u64,
    store: PathBuf,
}

const DAY: u64 = 24;
const MONTH: u64 = 30 * DAY;

/// For so many hours a month the organization's trail is broken, from this hour on.
const BROKEN: std::ops::Range<u64> = 350..356;

/// How many bytes a sweep may leave in which nothing changed, on average.
const SWEEP: u64 = 4 * 1024;

/// How many bytes the store may have after a year or less of single changes. What happens to every account
/// at once takes some 9 MB more each time: each account has a drift and new findings.
const STORE: u64 = 200_000_000;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example tells what it measured")]
async fn main() -> Outcome<()> {
    let plan = plan()?;
    let begun = Instant::now();
    let mut world = World::new(plan.accounts, plan.seed)?;
    println!("world made in {:.1?}", begun.elapsed());
    if plan.store.exists() {
        for hour in 1..plan.days * DAY {
            an_hour(&plan, &mut world, hour)?;
        }
    } else {
        remember(&plan, &mut world).await?;
    }

    let latest = measures::answers(&plan.store).await?;

    let mut sweeps = Sweeps::open(&plan.store, world.controls()).await?;
    sweeps.go_on(latest.id, latest.started_at);
    unchanged(&plan, &world, sweeps).await?;
    let store = Store::open_reader(&plan.store).await?;
    let verdicts = store.latest_sweep().await?.map(|sweep| sweep.verdicts);
    println!(
        "verdicts at the end: {verdicts:?}; {:.0?} in all",
        begun.elapsed()
    );
    store.close().await;
    Ok(())
}

/// A history of so many days, from nothing.
#[expect(clippy::print_stdout, reason = "an example tells what it measured")]
async fn remember(plan: &Plan, world: &mut World) -> Outcome<()> {
    let mut sweeps = Sweeps::open(&plan.store, world.controls()).await?;
    let first = sweeps.sweep(world).await?;
    println!(
        "first sweep: {:.2?} in the store, {:.2} s CPU; {} bytes",
        first.store,
        first.cpu,
        std::fs::metadata(&plan.store)?.len(),
    );

    the_days(plan, world, &mut sweeps).await?;
    sweeps.close().await?;
    let size = std::fs::metadata(&plan.store)?.len();
    println!("store: {size} bytes");
    if !plan.organization_wide {
        at_most("bytes of a store", size, STORE)?;
    }
    Ok(())
}

/// A sweep an hour of an organization that changes.
#[expect(clippy::print_stdout, reason = "an example tells what it measured")]
async fn the_days(plan: &Plan, world: &mut World, sweeps: &mut Sweeps) -> Outcome<()> {
    let (mut changes, mut drifts) = (0, 0);
    let (mut of_some, mut of_all) = (Times::default(), Times::default());
    for hour in 1..plan.days * DAY {
        let (due, is_of_all) = an_hour(plan, world, hour)?;
        changes += due;
        let swept = sweeps.sweep(world).await?;
        drifts += swept.drifts;
        let times = if is_of_all { &mut of_all } else { &mut of_some };
        times.add(swept.store);
    }
    println!(
        "{} sweeps, {changes} changes, {drifts} drifts",
        plan.days * DAY
    );
    println!("sweeps with single changes: {of_some}");
    println!("sweeps with a change to all members: {of_all}");
    Ok(())
}

/// What happens within an hour: how many changes, and whether one is to all members.
fn an_hour(plan: &Plan, world: &mut World, hour: u64) -> Outcome<(u64, bool)> {
    let due = hour * plan.changes / DAY - (hour - 1) * plan.changes / DAY;
    for _ in 0..due {
        world.change()?;
    }
    let defect = match hour % MONTH {
        hour if hour == BROKEN.start => Some(Defect::AlarmGone(0)),
        hour if hour == BROKEN.end => None,
        _ => return Ok((due, false)),
    };
    if !plan.organization_wide {
        return Ok((due, false));
    }
    world.change_for_all(defect)?;
    Ok((due + 1, true))
}

/// Sweeps of an organization that does not change any more.
#[expect(clippy::print_stdout, reason = "an example tells what it measured")]
async fn unchanged(plan: &Plan, world: &World, mut sweeps: Sweeps) -> Outcome<()> {
    let first = sweeps.sweep(world).await?;
    println!(
        "first sweep of a new process, nothing changed: {:.1?}",
        first.store
    );
    let (last, now) = (sweeps.last(), sweeps.now());
    sweeps.close().await?;
    let before = std::fs::metadata(&plan.store)?.len();
    let mut sweeps = Sweeps::open(&plan.store, world.controls()).await?;
    sweeps.go_on(last, now);
    let (mut times, mut cpu) = (Times::default(), Times::default());
    for _ in 0..plan.unchanged {
        let swept = sweeps.sweep(world).await?;
        times.add(swept.store);
        cpu.add(Duration::from_secs_f64(swept.cpu));
    }
    sweeps.close().await?;
    let grown = std::fs::metadata(&plan.store)?.len() - before;
    println!("sweep of an unchanged organization: {times}");
    let grown = grown / plan.unchanged.max(1);
    println!("  CPU {cpu}; {grown} bytes a sweep");
    at_most(
        "bytes for a sweep of an unchanged organization",
        grown,
        SWEEP,
    )
}

/// Sizes are the same on every machine, unlike times: these are held.
fn at_most(what: &str, found: u64, most: u64) -> Outcome<()> {
    if found > most {
        return Err(format!("{found} {what}, and not more than {most} were to be").into());
    }
    Ok(())
}

fn plan() -> Outcome<Plan> {
    let mut plan = Plan {
        accounts: 10_000,
        days: 30,
        seed: 1,
        changes: 20,
        organization_wide: false,
        unchanged: 1000,
        store: PathBuf::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--accounts" => plan.accounts = value.parse()?,
            "--days" => plan.days = value.parse()?,
            "--seed" => plan.seed = value.parse()?,
            "--changes" => plan.changes = value.parse()?,
            "--organization-wide" => plan.organization_wide = value == "yes",
            "--unchanged" => plan.unchanged = value.parse()?,
            "--store" => plan.store = value.into(),
            _ => return Err(format!("there is no {name}").into()),
        }
    }
    if plan.store.as_os_str().is_empty() {
        return Err("name the store: --store PATH".into());
    }
    Ok(plan)
}
