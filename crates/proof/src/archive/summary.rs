//! The summary: what an archive holds, for humans.
//!
//! It follows from the rest of the archive alone, so a verifier writes it again and compares. That is why
//! it repeats codes and stored sentences, and no texts that a later version may put in other words.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::Timestamp;
use model::{AccountId, ContentHash, ControlId, SweepId, SweepScope, Verdict};
use serde::Deserialize;

use super::records::BatchCount;
use crate::misfit::shown;

/// The longest text of others that is repeated.
const LONGEST: usize = 1_000;

/// What Markdown may take for more than a character.
const MARKS: &str = "\\`*[]<>|&#~!$";

/// What is read of the header of the sweep's seal: words and not variants where a later version may
/// have more of them.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct HeaderClaims {
    pub(super) organization_id: Option<String>,
    pub(super) organization: Option<ContentHash>,
    caller: AccountId,
    pub(super) scope: SweepScope,
    scanner_version: String,
    configuration: Option<ContentHash>,
    started_at: Timestamp,
    finished_at: Timestamp,
    pub(super) state: String,
    pub(super) discovery: Option<DiscoveryClaim>,
    pub(super) verdicts: BTreeMap<Verdict, u64>,
    gaps: BTreeMap<String, u64>,
    api_calls: u64,
    /// `"all"`, or where the list of those that were seen is.
    pub(super) seen: Option<serde_json::Value>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct DiscoveryClaim {
    pub(super) state: String,
}

/// What is read of a leaf, in the same way.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct LeafClaims {
    pub(super) account: AccountClaims,
    pub(super) evidence: Option<ContentHash>,
    pub(super) findings: BTreeMap<ControlId, FindingClaims>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct AccountClaims {
    pub(super) id: AccountId,
    name: String,
    state: String,
    ou_path: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct FindingClaims {
    pub(super) verdict: Verdict,
    pub(super) reason: String,
    link: Option<String>,
    pub(super) detail: ContentHash,
    pub(super) gap_samples: Option<ContentHash>,
}

/// Everything that a summary tells.
pub(super) struct Summary<'a> {
    pub(super) sweep: SweepId,
    pub(super) seal: String,
    pub(super) header: &'a HeaderClaims,
    pub(super) head: String,
    pub(super) head_sweep: SweepId,
    pub(super) seals: u64,
    pub(super) accounts_sealed: u64,
    pub(super) is_whole: bool,
    pub(super) accounts: &'a [LeafClaims],
    pub(super) messages: &'a BTreeMap<ContentHash, String>,
    pub(super) drifts: BatchCount,
    pub(super) journal: BatchCount,
}

impl Summary<'_> {
    pub(super) fn render(&self) -> String {
        let mut text = format!("# Sweep {} of {}\n\n", self.sweep, self.organization());
        self.write_sweep(&mut text);
        self.write_counts(&mut text);
        text.push_str("\n## Accounts\n\n");
        if self.is_whole {
            text.push_str("All accounts that are sealed.\n");
        } else {
            let count = self.accounts.len();
            line(
                &mut text,
                format_args!(
                    "{count} of {} accounts that are sealed.",
                    self.accounts_sealed
                ),
            );
        }
        for account in self.accounts {
            self.write_account(&mut text, account);
        }
        text
    }

    fn organization(&self) -> String {
        let id = self.header.organization_id.as_deref();
        id.map_or_else(|| "no organization".to_owned(), plain)
    }

    fn write_sweep(&self, text: &mut String) {
        let header = self.header;
        let scope = &header.scope;
        let controls: Vec<String> = scope.controls.iter().map(ToString::to_string).collect();
        let configuration = header.configuration.map(|hash| hash.to_string());
        let discovery = header.discovery.as_ref();
        let rows = [
            ("Sweep", format!("{}, {}", self.sweep, plain(&header.state))),
            ("Began", header.started_at.to_string()),
            ("Ended", header.finished_at.to_string()),
            ("Scanner", plain(&header.scanner_version)),
            (
                "Configuration",
                configuration.unwrap_or_else(|| "not noted".to_owned()),
            ),
            ("Credentials of", header.caller.to_string()),
            ("Calls to AWS", header.api_calls.to_string()),
            (
                "Account list",
                discovery.map_or("not read".to_owned(), |list| plain(&list.state)),
            ),
            ("Accounts asked for", listed(&scope.accounts, "all")),
            ("Controls", listed(&controls, "none")),
            (
                "Regions asked for",
                listed(&scope.regions, "none besides those of the trails"),
            ),
            ("Accounts sealed", self.accounts_sealed.to_string()),
            ("Seal", self.seal.clone()),
            (
                "Head",
                format!("{}, of sweep {}", self.head, self.head_sweep),
            ),
            ("Seals in a row", self.seals.to_string()),
            ("Drifts", records(self.drifts)),
            ("Journal", records(self.journal)),
        ];
        text.push_str("| | |\n|---|---|\n");
        for (what, value) in rows {
            line(text, format_args!("| {what} | {value} |"));
        }
    }

    fn write_counts(&self, text: &mut String) {
        text.push_str("\n| findings of the sweep | |\n|---|---|\n");
        for (verdict, count) in &self.header.verdicts {
            line(text, format_args!("| {verdict} | {count} |"));
        }
        for (class, count) in &self.header.gaps {
            line(text, format_args!("| gaps: {} | {count} |", plain(class)));
        }
    }

    fn write_account(&self, text: &mut String, leaf: &LeafClaims) {
        let account = &leaf.account;
        let heading = format!("{} {}", account.id, plain(&account.name));
        line(
            text,
            format_args!(
                "
### {}
",
                heading.trim_end()
            ),
        );
        let place = account.ou_path.as_ref().map(|path| plain(&path.join("/")));
        let place = place.unwrap_or_else(|| "a place that is not known".to_owned());
        line(
            text,
            format_args!("{}, in {place}\n", plain(&account.state)),
        );
        for (control, finding) in &leaf.findings {
            let link = finding.link.as_deref();
            let link = link
                .map(|link| format!(" ({})", plain(link)))
                .unwrap_or_default();
            let code = format!("{} {}{link}", finding.verdict, plain(&finding.reason));
            line(text, format_args!("- {control}: {code}"));
            // For a whole organization the sentences would be most of the archive; they stand in the
            // details, each once.
            if let Some(message) = self
                .messages
                .get(&finding.detail)
                .filter(|_| !self.is_whole)
            {
                line(text, format_args!("  {}", plain(message)));
            }
        }
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(line);
    debug_assert!(written.is_ok(), "writing into a String cannot fail");
    text.push('\n');
}

fn listed(items: &[String], none: &str) -> String {
    if items.is_empty() {
        none.to_owned()
    } else {
        plain(&items.join(", "))
    }
}

fn records(count: BatchCount) -> String {
    let BatchCount { shown, withheld } = count;
    format!("{shown} shown, {withheld} withheld")
}

/// Text of others on one line, in which nothing acts on a terminal and nothing is Markdown.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in shown(text, LONGEST).chars() {
        if MARKS.contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_is_neither_markdown_nor_a_control() {
        assert_eq!(plain("prod-eu_1 (main)"), "prod-eu_1 (main)");
        assert_eq!(plain("[x](y) <b>|"), "\\[x\\](y) \\<b\\>\\|");
        assert_eq!(plain("a\nb\u{202e}c"), "a\\\\nb\\\\u{202e}c");
    }
}
