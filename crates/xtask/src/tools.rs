//! What the tests need beside cargo: installed if it is not there.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{root, run, say};

/// Whether a command can be run and succeeds, without showing what it prints.
fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// cargo-nextest: one process per test, and a summary that can be read.
pub(crate) fn nextest() -> anyhow::Result<()> {
    if succeeds("cargo", &["nextest", "--version"]) {
        return Ok(());
    }
    say("cargo-nextest is not there: installing it, which takes some minutes");
    run(Command::new("cargo").args(["install", "cargo-nextest", "--locked"]))
}

/// moto, at the versions of `tests/moto/requirements.txt`.
pub(crate) fn moto(target: &Path) -> anyhow::Result<PathBuf> {
    python_packages(target, "moto")
}

/// schemathesis, which goes through an API by its description, at the versions of
/// `tests/schemathesis/requirements.txt`.
pub(crate) fn schemathesis(target: &Path) -> anyhow::Result<PathBuf> {
    python_packages(target, "schemathesis")
}

/// What `tests/NAME/requirements.txt` asks for, in a folder of its own below `target`.
fn python_packages(target: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let requirements = root().join(format!("tests/{name}/requirements.txt"));
    let wanted = std::fs::read_to_string(&requirements)?;
    let folder = target.join(name);
    let installed = folder.join("installed.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(folder);
    }
    if !succeeds("python3", &["-m", "pip", "--version"]) {
        pip()?;
    }
    // Into a folder: neither a virtual environment nor the system's packages are touched.
    run(Command::new("python3")
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--upgrade",
            "--target",
        ])
        .arg(&folder)
        .arg("--requirement")
        .arg(&requirements))?;
    std::fs::write(installed, wanted)?;
    Ok(folder)
}

fn pip() -> anyhow::Result<()> {
    if succeeds("python3", &["-m", "ensurepip", "--user"]) {
        return Ok(());
    }
    run(Command::new("apt-get").args(["update", "--quiet"]))?;
    run(Command::new("apt-get").args(["install", "--yes", "--quiet", "python3", "python3-pip"]))
}
