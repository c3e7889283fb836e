//! `cargo xtask bench`: real sweeps against a simulator in a process of its own, in figures.

mod measured;
mod plot;
mod processes;
mod table;

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, bail};

use self::{
    measured::Measured,
    plot::{Panel, Series},
    processes::Binaries,
};
use crate::{cargo, run, say, target};

pub(crate) const USAGE: &str = "usage: cargo xtask bench sweep [NAME=VALUE...]    sweep organizations, and print a table
           accounts=100,1000,10000  regions=probe|all|NAMES  controls=15  sweeps=2  concurrency=256  share=1
           quotas=on|off|FACTOR  latency=50ms  own-trails=0.05  slow=SHARE:TIME  throttling=SHARE  seed=1
       cargo xtask bench growth [accounts=1000]   what more accounts, regions and controls cost, in
           docs/performance/growth.svg
       cargo xtask bench year [--days 365] [--accounts 10000] [--unchanged 1000]
           an organization's year in a store, through the real `drift` and `store`; fails where a store grows too much
       cargo xtask bench calls [ACCOUNTS]         what a call costs the client, by runtime and allocator";

/// What is swept and how; one run of the simulator.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    accounts: Vec<usize>,
    sweeps: usize,
    concurrency: usize,
    share: String,
    controls: usize,
    regions: String,
    quotas: String,
    latency: String,
    own_trails: String,
    slow: Option<String>,
    throttling: Option<String>,
    seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            accounts: vec![100, 1000, 10_000],
            sweeps: 2,
            concurrency: 256,
            share: "1".to_owned(),
            controls: 15,
            regions: "probe".to_owned(),
            quotas: "on".to_owned(),
            latency: "50ms".to_owned(),
            own_trails: "0.05".to_owned(),
            slow: None,
            throttling: None,
            seed: 1,
        }
    }
}

impl Settings {
    fn read(words: &[&str]) -> anyhow::Result<Self> {
        let mut settings = Self::default();
        for word in words {
            let Some((name, value)) = word.split_once('=') else {
                bail!("`{word}` is not NAME=VALUE\n{USAGE}");
            };
            let owned = value.to_owned();
            let number = || {
                value
                    .parse()
                    .with_context(|| format!("{word}: not a number"))
            };
            match name {
                "accounts" => {
                    let numbers = value.split(',').map(str::parse);
                    settings.accounts = numbers
                        .collect::<Result<_, _>>()
                        .with_context(|| format!("{word}: not numbers"))?;
                }
                "sweeps" => settings.sweeps = number()?,
                "concurrency" => settings.concurrency = number()?,
                "controls" => settings.controls = number()?,
                "share" => settings.share = owned,
                "regions" => settings.regions = owned,
                "quotas" => settings.quotas = owned,
                "latency" => settings.latency = owned,
                "own-trails" => settings.own_trails = owned,
                "slow" => settings.slow = Some(owned),
                "throttling" => settings.throttling = Some(owned),
                "seed" => {
                    let seed = value.parse();
                    settings.seed = seed.with_context(|| format!("{word}: not a number"))?;
                }
                other => bail!("there is no setting `{other}`\n{USAGE}"),
            }
        }
        Ok(settings)
    }

    fn of(&self, accounts: usize) -> Self {
        Self {
            accounts: vec![accounts],
            ..self.clone()
        }
    }
}

/// Sweeps each of the organizations and prints the table.
pub(crate) fn sweep(words: &[&str]) -> anyhow::Result<()> {
    let settings = Settings::read(words)?;
    let binaries = build()?;
    let mut all = Vec::new();
    for accounts in &settings.accounts {
        let measured = binaries.sweep(*accounts, &settings)?;
        for it in &measured {
            say(&table::line(it));
        }
        all.extend(measured);
    }
    say("");
    show(&table::render(&all));
    Ok(())
}

/// Lets accounts, regions and controls grow, one at a time, and draws what that costs.
pub(crate) fn growth(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    let settings = Settings::read(words)?;
    let accounts = *settings.accounts.first().unwrap_or(&1000);
    let accounts = if words.iter().any(|word| word.starts_with("accounts=")) {
        accounts
    } else {
        1000
    };
    let binaries = build()?;
    let mut all = Vec::new();
    let mut panels = Vec::new();
    let mut measure = |title: &'static str, runs: Vec<(usize, Settings)>| -> anyhow::Result<()> {
        let mut points: Vec<(usize, Vec<Measured>)> = Vec::new();
        for (x, settings) in runs {
            let measured = binaries.sweep(*settings.accounts.first().unwrap_or(&1), &settings)?;
            for it in &measured {
                say(&table::line(it));
            }
            all.extend(measured.iter().cloned());
            points.push((x, measured));
        }
        let series = |name: &'static str, place: usize| Series {
            name,
            points: (points.iter())
                .filter_map(|(x, measured)| Some((*x, measured.get(place)?.cpu_per_account_ms())))
                .collect(),
        };
        panels.push(Panel {
            title,
            series: vec![series("cold", 0), series("warm", 1)],
        });
        Ok(())
    };
    let sizes = [1, 3, 10].map(|times| (accounts * times, settings.of(accounts * times)));
    measure("accounts", sizes.into())?;
    let of_regions = |count: usize| Settings {
        regions: processes::REGIONS[..count].join(","),
        ..settings.of(accounts)
    };
    measure(
        "regions",
        [1, 4, 8, 16].map(|count| (count, of_regions(count))).into(),
    )?;
    let by_controls = |controls: usize| Settings {
        controls,
        ..settings.of(accounts)
    };
    measure(
        "controls",
        [1, 5, 10, 15]
            .map(|count| (count, by_controls(count)))
            .into(),
    )?;
    let path = root.join("docs/performance/growth.svg");
    fs::create_dir_all(root.join("docs/performance"))?;
    let title = "CPU of the scanner per account and sweep, in milliseconds";
    fs::write(&path, plot::render(title, &panels))
        .with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("\n{} is new", path.display()));
    show(&table::render(&all));
    Ok(())
}

/// What a call costs the client.
pub(crate) fn calls(words: &[&str]) -> anyhow::Result<()> {
    let accounts = words.first().copied().unwrap_or("1000");
    build()?;
    for (allocator, binary) in [("mimalloc", "calls"), ("glibc", "calls_glibc")] {
        say(&format!("{allocator}:"));
        for mode in ["one-future", "tasks", "one-core", "each-core"] {
            let binary = target().join("release").join(binary);
            run(Command::new(binary).args([mode, accounts]))?;
        }
    }
    Ok(())
}

/// Remembers a year, or as many days as it is told.
pub(crate) fn year(words: &[&str]) -> anyhow::Result<()> {
    let folder = target().join("year");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let store = folder.join("scanner.db").display().to_string();
    let year = [
        "run",
        "--release",
        "--package",
        "store",
        "--example",
        "year",
    ];
    let mut arguments = year.to_vec();
    arguments.extend(["--", "--days", "365", "--store", &store]);
    // What is said last counts.
    arguments.extend(words);
    cargo(&arguments, &[])
}

fn build() -> anyhow::Result<Binaries> {
    cargo(&["build", "--release", "--workspace", "--bins"], &[])?;
    Binaries::in_folder(&target().join("release"))
}

#[expect(clippy::print_stdout, reason = "the result of a command line tool")]
fn show(text: &str) {
    println!("{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_slips_are_named() {
        let read = Settings::read(&["accounts=5,7", "slow=0.2:2s", "controls=1"]).unwrap();
        assert_eq!((read.accounts, read.controls), (vec![5, 7], 1));
        assert_eq!(read.slow.as_deref(), Some("0.2:2s"));
        for wrong in ["accounts", "accounts=x", "latencies=1", "controls=all"] {
            assert!(Settings::read(&[wrong]).is_err(), "{wrong}");
        }
    }
}
