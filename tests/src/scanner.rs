//! Runs the binary and reads its report.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use simulator::{Simulator, SimulatorOptions, World};
use tempfile::TempDir;
use tokio::process::Command;

/// No sweep of a test takes longer than this, on any machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the root")
}

/// The binary that is tested.
fn binary() -> PathBuf {
    program("scanner")
}

/// A program of this workspace, beside this test's own.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test knows where it is");
    let folder = test
        .parent()
        .and_then(Path::parent)
        .expect("target/<profile>/deps/<test>");
    let binary = folder.join(name);
    assert!(
        binary.is_file(),
        "{} is not there: run `cargo build` first, as `cargo xtask test` does",
        binary.display()
    );
    binary
}

/// Starts the simulator over a scenario file of `tests/scenarios`.
pub(crate) async fn scenario(name: &str) -> Simulator {
    let file = root().join("tests/scenarios").join(format!("{name}.toml"));
    start(World::from_file(&file).expect("the scenario is valid")).await
}

/// Starts the simulator over a world.
pub(crate) async fn start(world: World) -> Simulator {
    Simulator::start(world, SimulatorOptions::default())
        .await
        .expect("a free port on 127.0.0.1")
}

/// What sweeps judge by unless a test says otherwise: the chain is the same for all controls, and
/// one finding for each account is easier to read than fifteen.
const CONTROL: &str = "organizations-changes";

/// A user's shell: a folder of its own and an environment without anything of this machine's.
pub(crate) struct Shell {
    pub(crate) folder: TempDir,
    environment: BTreeMap<String, String>,
}

/// What the binary said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Shell {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path().display().to_string();
        let environment = [
            ("PATH", "/usr/bin:/bin"),
            ("HOME", &home),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("SCANNER_CONTROL", CONTROL),
            // Only some tests ask who caused what changed, and wait for it.
            ("SCANNER_AUTHOR_WAIT", "0"),
        ];
        let environment = environment
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        Self {
            folder,
            environment,
        }
    }

    /// A shell in which the AWS SDK talks to the simulator.
    pub(crate) fn at(simulator: &Simulator) -> Self {
        let credentials = simulator.caller_credentials();
        Self::new()
            .with("AWS_ENDPOINT_URL", &simulator.endpoint_url())
            .with("AWS_ACCESS_KEY_ID", &credentials.access_key_id)
            .with("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key)
            .with("AWS_REGION", simulator.world().partition.default_region())
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A shell in which sweeps judge by the whole catalogue, as they do unless somebody asks for
    /// less.
    pub(crate) fn by_every_control(mut self) -> Self {
        self.environment.remove("SCANNER_CONTROL");
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output();
        let output = tokio::time::timeout(PATIENCE, output)
            .await
            .expect("the scanner ends")
            .expect("it starts");
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("reports are UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("errors are UTF-8"),
        }
    }

    /// `scanner once` without waiting for a share of anybody's quota, reported as JSON.
    pub(crate) async fn once(&self, more: &[&str]) -> Run {
        let mut arguments = vec!["once", "--format", "json", "--quota-share", "1"];
        arguments.extend(more);
        self.run(&arguments).await
    }
}

impl Run {
    /// The JSON report.
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }

    /// The findings of the JSON report.
    pub(crate) fn findings(&self) -> Vec<Value> {
        self.report()["findings"]
            .as_array()
            .expect("a list of findings")
            .clone()
    }

    /// Verdict and reason by account name.
    pub(crate) fn answers(&self) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.findings()
            .iter()
            .map(|finding| {
                let answer = format!("{} {}", text(&finding["verdict"]), text(&finding["reason"]));
                (text(&finding["account_name"]), answer)
            })
            .collect()
    }

    /// Verdict and reason by control, of one account.
    pub(crate) fn answers_by_control(&self, account_name: &str) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.findings()
            .iter()
            .filter(|finding| finding["account_name"] == account_name)
            .map(|finding| {
                let answer = format!("{} {}", text(&finding["verdict"]), text(&finding["reason"]));
                (text(&finding["control_id"]), answer)
            })
            .collect()
    }

    /// The codes of the advice to an account.
    pub(crate) fn advice(&self, account_name: &str) -> Vec<String> {
        let finding = self.finding(account_name);
        let advice = finding["advice"].as_array().expect("a list of advice");
        let codes = advice.iter().map(|one| one["code"].as_str());
        codes
            .map(|code| code.unwrap_or_default().to_owned())
            .collect()
    }

    /// The finding of an account.
    pub(crate) fn finding(&self, account_name: &str) -> Value {
        let found = self
            .findings()
            .into_iter()
            .find(|finding| finding["account_name"] == account_name);
        found.unwrap_or_else(|| panic!("no finding for {account_name}"))
    }
}

/// Compares answers with a table of `name: VERDICT reason`.
pub(crate) fn assert_answers(run: &Run, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> = expected
        .iter()
        .map(|(name, answer)| ((*name).to_owned(), (*answer).to_owned()))
        .collect();
    let found = run.answers();
    let wrong: Vec<String> = expected
        .keys()
        .chain(found.keys())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .filter(|name| expected.get(*name) != found.get(*name))
        .map(|name| {
            format!(
                "{name}: expected {:?}, found {:?}",
                expected.get(name),
                found.get(name)
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), run.stderr);
}
