//! Development commands: `cargo xtask test | lint | tidy | docs | bench`.

mod bench;
mod docs;
mod tidy;
mod tools;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, bail};

const USAGE: &str = "usage: cargo xtask test    set up what the tests need, and run all of them
       cargo xtask lint    format, clippy, tidy and docs, without changing anything
       cargo xtask tidy    what no compiler checks: file headers, lengths, names
       cargo xtask docs    make the pages of docs/ that come from the code; --check only looks
       cargo xtask bench   measure sweeps and calls against the simulator; without more it says how";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test", more @ ..] => test(more),
        ["lint"] => lint(),
        ["tidy"] => tidy::check(root()),
        ["docs"] => docs::write(root()),
        ["docs", "--check"] => docs::check(root()),
        ["bench", "sweep", more @ ..] => bench::sweep(more),
        ["bench", "growth", more @ ..] => bench::growth(root(), more),
        ["bench", "year", more @ ..] => bench::year(more),
        ["bench", "calls", more @ ..] => bench::calls(more),
        ["bench", ..] => {
            say(bench::USAGE);
            return ExitCode::from(2);
        }
        _ => {
            say(USAGE);
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap_or(Path::new("."))
}

#[expect(clippy::print_stderr, reason = "what a command line tool is for")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// Installs what is missing, builds the binary that the whole-system tests run, and runs every
/// test. What is given behind `test` goes to nextest.
fn test(more: &[&str]) -> anyhow::Result<()> {
    let moto = tools::moto(&target())?;
    let promtool = tools::promtool(&target())?;
    let hadolint = tools::hadolint(&target())?;
    let schemathesis = tools::schemathesis(&target())?;
    tools::nextest()?;
    cargo(&["build", "--workspace", "--bins"], &[])?;
    let nextest: Vec<&str> = ["nextest", "run", "--workspace", "--no-fail-fast"]
        .iter()
        .chain(more)
        .copied()
        .collect();
    cargo(
        &nextest,
        &[
            ("MOTO_PYTHONPATH", &moto.display().to_string()),
            ("PROMTOOL", &promtool.display().to_string()),
            ("HADOLINT", &hadolint.display().to_string()),
            (
                "SCHEMATHESIS_PYTHONPATH",
                &schemathesis.display().to_string(),
            ),
        ],
    )?;
    if more.is_empty() {
        cargo(&["test", "--workspace", "--doc", "--quiet"], &[])?;
    }
    Ok(())
}

fn lint() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"], &[])?;
    cargo(
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
        &[],
    )?;
    tidy::check(root())?;
    docs::check(root())
}

/// Where cargo builds.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    // Set by the cargo that runs this command; they are about this crate, not about what is run.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(name);
    }
    run(command.envs(environment.iter().copied()))
}

/// Runs a command to its end, showing what it prints.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = format!("{command:?}").replace('"', "");
    say(&format!("$ {line}"));
    let status = command
        .status()
        .with_context(|| format!("cannot start {line}"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    Ok(())
}
