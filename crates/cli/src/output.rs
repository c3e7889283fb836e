//! What is printed, where, and how a failure is said.

use std::{
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::ValueEnum;
use discovery::DiscoverError;

use crate::exit::{BadInput, Exit};

/// The form of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// For people.
    #[default]
    #[value(alias = "human")]
    Table,
    /// For programs: a documented, versioned shape.
    Json,
}

/// The form of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people.
    #[default]
    #[value(alias = "human")]
    Table,
    /// For programs: one document of a documented, versioned shape.
    Json,
    /// For programs that read a line at a time: an item on each, in the same shape.
    #[value(alias = "jsonl")]
    Ndjson,
    /// For spreadsheets.
    Csv,
}

/// Where a report goes.
#[derive(Debug, Clone)]
pub(crate) enum Destination {
    /// Standard output.
    Stdout,
    /// A file, which is there in full or not at all.
    File(PathBuf),
}

impl Destination {
    /// Checks that the report can be written when its time comes.
    pub(crate) fn new(path: Option<PathBuf>) -> anyhow::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Stdout);
        };
        let folder = folder_of(&path);
        if !folder.is_dir() {
            return Err(BadInput::of(format!(
                "cannot write the report to {}: the folder {} does not exist",
                path.display(),
                folder.display()
            )));
        }
        if path.is_dir() {
            return Err(BadInput::of(format!(
                "cannot write the report to {}: it is a folder",
                path.display()
            )));
        }
        Ok(Self::File(path))
    }

    /// How people see it: the terminal's width, and colour if the terminal has it.
    pub(crate) fn look(&self, all: bool) -> report::Options {
        let terminal = matches!(self, Self::Stdout) && io::stdout().is_terminal();
        let width = if terminal {
            terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
        } else {
            None
        };
        let colour =
            terminal && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        report::Options {
            width: width.unwrap_or(120).max(40),
            colour,
            all,
        }
    }

    /// Writes the report.
    pub(crate) fn write(&self, text: &str) -> anyhow::Result<()> {
        self.write_with(|out| out.write_all(text.as_bytes()))
    }

    /// Lets a report be written piece by piece.
    pub(crate) fn write_with(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = io::BufWriter::new(io::stdout().lock());
                match write(&mut stdout).and_then(|()| stdout.flush()) {
                    // Whoever reads has seen enough: `scanner once | head`.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    written => written.context("cannot write to standard output"),
                }
            }
            Self::File(path) => replace(path, write)
                .with_context(|| format!("cannot write the report to {}", path.display())),
        }
    }
}

/// The folder in which a file lies or would lie.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Writes beside the file and renames, so that a reader sees the old report or the new one. A link is
/// followed; what is no file, such as a pipe or a device, is written into.
fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir()) {
        let mut out = std::fs::File::options().write(true).open(path)?;
        return write(&mut out).and_then(|()| out.flush());
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = std::fs::File::create(&part)
        .map(io::BufWriter::new)
        .and_then(|mut out| write(&mut out).and_then(|()| out.flush()))
        .and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}

/// Says something on stderr that is no log line.
pub(crate) fn say(text: &str) {
    let mut stderr = anstream::stderr();
    // Nobody is left to be told that stderr is gone.
    let _ = writeln!(stderr, "{text}");
}

/// Says why the command failed, with every cause, and gives its exit code.
pub(crate) fn failed(error: &anyhow::Error) -> Exit {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Some errors repeat their source.
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    say(&format!("error: {text}"));
    let is_bad_input = error.chain().any(|cause| {
        cause.is::<BadInput>()
            || cause.is::<DiscoverError>()
            || cause.downcast_ref().is_some_and(store::Error::is_bad_input)
    });
    if is_bad_input {
        Exit::Usage
    } else {
        Exit::Failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_replaces_the_old_one_in_full() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        std::fs::write(&path, "old, and longer").unwrap();
        Destination::new(Some(path.clone()))
            .unwrap()
            .write("new")
            .unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_report_into_nowhere_is_refused_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Destination::new(Some(folder.path().join("missing/report.json"))).is_err());
        assert!(Destination::new(Some(folder.path().to_owned())).is_err());
    }
}
