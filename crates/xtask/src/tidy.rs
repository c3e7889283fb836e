//! What no compiler checks: every file says what it holds, stays small, and is named for it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::bail;

use crate::say;

/// A file that grows past this holds more than one thing.
const LONGEST_FILE: usize = 600;
const LONG_FILE: usize = 400;

/// Names that say nothing of what a file holds.
const DRAWERS: [&str; 8] = [
    "utils", "util", "helpers", "common", "misc", "manager", "base", "types",
];

/// Checks every Rust file of the repository.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for folder in ["crates", "tests"] {
        rust_files(&root.join(folder), &mut files)?;
    }
    let mut wrong = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file)?;
        let name = file
            .strip_prefix(root)
            .unwrap_or(file)
            .display()
            .to_string();
        wrong.extend(mistakes(&name, &text));
    }
    if !wrong.is_empty() {
        bail!("{} mistakes\n  {}", wrong.len(), wrong.join("\n  "));
    }
    say(&format!("tidy: {} files", files.len()));
    Ok(())
}

fn mistakes(name: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let opens =
        text.starts_with("//!") || text.starts_with("#![doc = include_str!(\"../README.md\")]");
    // Fuzz targets must open with an attribute.
    if !opens && !name.contains("/fuzz/") {
        wrong.push(format!(
            "{name} does not open by saying what it holds (//!)"
        ));
    }
    let lines = text.lines().count();
    let is_test =
        name.contains("/tests/") || name.contains("tests.rs") || name.starts_with("tests/");
    if lines > LONGEST_FILE && !is_test {
        wrong.push(format!(
            "{name} has {lines} lines; more than {LONGEST_FILE} are more than one thing"
        ));
    } else if lines > LONG_FILE && !is_test {
        say(&format!("{name} has {lines} lines: is it still one thing?"));
    }
    let path = Path::new(name);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if stem == "mod" {
        wrong.push(format!(
            "{name}: a module is foo.rs, with its parts in foo/"
        ));
    }
    if DRAWERS.contains(&stem.as_ref()) {
        wrong.push(format!("{name}: `{stem}` does not say what the file holds"));
    }
    for (index, line) in text.lines().enumerate() {
        if line.ends_with([' ', '\t']) {
            wrong.push(format!(
                "{name}:{}: space at the end of the line",
                index + 1
            ));
        }
    }
    wrong
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        check(crate::root()).unwrap();
    }

    #[test]
    fn a_mistake_is_found() {
        assert_eq!(
            mistakes("crates/x/src/a.rs", "//! A.\n"),
            Vec::<String>::new()
        );
        assert_eq!(mistakes("crates/x/src/a.rs", "fn a() {}\n").len(), 1);
        assert_eq!(mistakes("crates/x/src/utils.rs", "//! A.\n").len(), 1);
        assert_eq!(mistakes("crates/x/src/a/mod.rs", "//! A. \n").len(), 2);
        assert_eq!(
            mistakes("crates/x/src/a.rs", &"//! A.\n".repeat(601)).len(),
            1
        );
        assert_eq!(
            mistakes("crates/x/src/a/tests.rs", &"//! A.\n".repeat(601)).len(),
            0
        );
    }
}
