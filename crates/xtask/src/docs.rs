//! The pages of `docs/` that are made from the code.

mod controls_page;
mod reasons_page;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};

use crate::say;

/// Whoever opens a page must see that editing it is of no use.
const MADE_BY: &str = "<!-- Made by `cargo xtask docs`. -->";

/// A page and where it lies.
struct Page {
    path: &'static str,
    text: String,
}

fn pages() -> anyhow::Result<[Page; 2]> {
    let catalog = controls::Catalog::embedded()?;
    Ok([
        Page {
            path: "docs/controls.md",
            text: controls_page::render(&catalog),
        },
        Page {
            path: "docs/reasons.md",
            text: reasons_page::render(),
        },
    ])
}

/// Files that the binary itself prints. Its own tests say whether they are fresh.
const PRINTED: [(&str, &[&str]); 3] = [
    ("config/scanner.example.toml", &["config", "show-default"]),
    ("config/scanner.schema.json", &["config", "schema"]),
    ("docs/metrics.md", &["config", "metrics"]),
];

fn write_printed(root: &Path) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for (path, arguments) in PRINTED {
        let printed = Command::new(&cargo)
            .args(["run", "--quiet", "--package", "cli", "--"])
            .args(arguments)
            .current_dir(root)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run the scanner")?;
        if !printed.status.success() {
            bail!("scanner {}: {}", arguments.join(" "), printed.status);
        }
        let text = String::from_utf8(printed.stdout)?;
        let page = Page { path, text };
        if is_stale(root, &page) {
            fs::write(root.join(path), page.text)
                .with_context(|| format!("cannot write {path}"))?;
            say(&format!("docs: {path} is new"));
        }
    }
    Ok(())
}

/// Writes the pages that are stale.
pub(crate) fn write(root: &Path) -> anyhow::Result<()> {
    write_printed(root)?;
    for page in pages()? {
        if is_stale(root, &page) {
            let path = root.join(page.path);
            fs::write(&path, page.text)
                .with_context(|| format!("cannot write {}", path.display()))?;
            say(&format!("docs: {} is new", page.path));
        }
    }
    Ok(())
}

/// Fails when a page is stale.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let stale: Vec<&str> = pages()?
        .iter()
        .filter(|page| is_stale(root, page))
        .map(|page| page.path)
        .collect();
    if !stale.is_empty() {
        bail!("stale: {}; renew with `cargo xtask docs`", stale.join(", "));
    }
    Ok(())
}

fn is_stale(root: &Path, page: &Page) -> bool {
    // A checkout may have other line ends.
    let is_same = |text: String| text.replace("\r\n", "\n") == page.text;
    !fs::read_to_string(root.join(page.path)).is_ok_and(is_same)
}

/// Headings, paragraphs, lists and tables, one after another.
fn page(blocks: &[String]) -> String {
    blocks.join("\n\n") + "\n"
}

fn list(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("- {item}")).collect();
    items.join("\n")
}

fn table<const N: usize>(names: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let rows = rows.into_iter().map(|cells| row(&cells));
    let head = [row(&names), format!("|{}", "---|".repeat(N))];
    let lines: Vec<String> = head.into_iter().chain(rows).collect();
    lines.join("\n")
}

fn row(cells: &[impl AsRef<str>]) -> String {
    // A bar would end the cell, even in code.
    let escaped = |cell: &_| AsRef::<str>::as_ref(cell).replace('|', "\\|");
    let cells: Vec<String> = cells.iter().map(escaped).collect();
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_fresh() {
        check(crate::root()).unwrap();
    }

    #[test]
    fn a_stale_page_is_named_with_the_command_that_renews_it() {
        let error = check(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(
            error.contains("docs/controls.md, docs/reasons.md"),
            "{error}"
        );
        assert!(error.contains("`cargo xtask docs`"), "{error}");
    }

    #[test]
    fn a_bar_does_not_end_a_cell() {
        let rows = [["a || b", "c"].map(str::to_owned)];
        assert_eq!(
            table(["x", "y"], rows),
            "| x | y |\n|---|---|\n| a \\|\\| b | c |"
        );
    }
}
