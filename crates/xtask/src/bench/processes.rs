//! The two processes of a measurement: the simulator, and the one that sweeps.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail};

use super::{Settings, measured::Measured};

/// Regions that every account has.
pub(super) const REGIONS: [&str; 16] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ca-central-1",
    "sa-east-1",
];

/// Where the release build lies.
pub(super) struct Binaries {
    scanner: PathBuf,
    sweeps: PathBuf,
    folder: PathBuf,
}

/// Ends with its owner.
struct Simulator {
    child: Child,
    environment: Vec<(String, String)>,
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Simulator {
    fn start(scanner: &Path, accounts: usize, settings: &Settings) -> anyhow::Result<Self> {
        let mut command = Command::new(scanner);
        command
            .args(["simulate", "--healthy", "--listen", "127.0.0.1:0"])
            .args(["--accounts", &accounts.to_string()])
            .args(["--own-trails", &settings.own_trails])
            .args(["--quotas", &settings.quotas])
            .args(["--latency", &settings.latency])
            .args(["--seed", &settings.seed.to_string()]);
        if let Some(slow) = &settings.slow {
            command.args(["--slow-accounts", slow]);
        }
        if let Some(throttling) = &settings.throttling {
            command.args(["--throttling-accounts", throttling]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", scanner.display()))?;
        let mut simulator = Self {
            child,
            environment: Vec::new(),
        };
        let stdout = simulator.child.stdout.take().context("it has an output")?;
        for line in BufReader::new(stdout).lines() {
            let line = line?;
            if let Some((name, value)) = line
                .strip_prefix("export ")
                .and_then(|it| it.split_once('='))
            {
                simulator
                    .environment
                    .push((name.to_owned(), value.to_owned()));
            }
            // The last line that it prints before it is stopped.
            if line.starts_with('#') {
                return Ok(simulator);
            }
        }
        bail!("the simulator ended before it listened");
    }
}

impl Binaries {
    pub(super) fn in_folder(release: &Path) -> anyhow::Result<Self> {
        let folder = release.join("bench");
        fs::create_dir_all(&folder)?;
        Ok(Self {
            scanner: release.join("scanner"),
            sweeps: release.join("sweeps"),
            folder,
        })
    }

    /// Sweeps a new organization of this size into a new store.
    pub(super) fn sweep(
        &self,
        accounts: usize,
        settings: &Settings,
    ) -> anyhow::Result<Vec<Measured>> {
        let store = tempfile::tempdir_in(&self.folder)?;
        let simulator = Simulator::start(&self.scanner, accounts, settings)?;
        let path = store.path().join("sweeps.db");
        let output = Command::new(&self.sweeps)
            .arg(format!("store={}", path.display()))
            .arg(format!("sweeps={}", settings.sweeps))
            .arg(format!("concurrency={}", settings.concurrency))
            .arg(format!("share={}", settings.share))
            .arg(format!("controls={}", settings.controls))
            .arg(format!("regions={}", settings.regions))
            .envs(simulator.environment.iter().cloned())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start {}", self.sweeps.display()))?;
        if !output.status.success() {
            bail!("{}: {}", self.sweeps.display(), output.status);
        }
        let lines = std::str::from_utf8(&output.stdout)?.lines();
        lines.map(|line| Measured::read(line, settings)).collect()
    }
}
