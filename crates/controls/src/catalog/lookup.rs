//! Finds a control by any of its names.

use super::{BenchmarkSection, Catalog, Control};

/// A name that does not lead to one control.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindControlError {
    /// No control has it.
    #[error("no control is called `{given}`; known are: {}", .known.join(", "))]
    Unknown {
        /// The name as given, made safe to print.
        given: String,
        /// The slugs of all controls.
        known: Vec<String>,
    },
    /// It is the number of several controls, in different versions of the benchmark.
    #[error("`{given}` is the number of several controls; say which: {}", .names.join(", "))]
    Ambiguous {
        /// The number as given, made safe to print.
        given: String,
        /// The same number with versions of the benchmark.
        names: Vec<String>,
    },
}

impl Catalog {
    /// Finds a control by any of its names: `organizations-changes`, `4.15`, `cis-4.15`,
    /// `5.15@v6.0`, `lacework-global-66`, `CloudWatch.7` of Security Hub, the check of Prowler.
    pub fn find(&self, name: &str) -> Result<&Control, FindControlError> {
        let wanted = name.trim().to_ascii_lowercase();
        let number = wanted.strip_prefix("cis-").unwrap_or(&wanted);
        let (section, version) = match number.split_once('@') {
            Some((section, version)) => (section, Some(version)),
            None => (number, None),
        };
        let found: Vec<&Control> = self
            .controls()
            .filter(|control| {
                let rows = &control.benchmarks;
                control.id.as_str() == wanted
                    || control
                        .aliases
                        .values()
                        .any(|alias| alias.eq_ignore_ascii_case(&wanted))
                    || rows.iter().any(|row| row.is(section, version))
            })
            .collect();
        let given = || name.chars().take(80).flat_map(char::escape_debug).collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(FindControlError::Unknown {
                given: given(),
                known: self.controls().map(|c| c.id.to_string()).collect(),
            }),
            several => Err(FindControlError::Ambiguous {
                given: given(),
                names: several
                    .iter()
                    .flat_map(|control| control.numbers())
                    .filter(|name| name.split('@').next() == Some(section))
                    .collect(),
            }),
        }
    }
}

impl Control {
    /// The names that no other control may have.
    pub(super) fn unambiguous_names(&self) -> Vec<String> {
        let aliases = self.aliases.values().map(|name| name.to_ascii_lowercase());
        [self.id.to_string()]
            .into_iter()
            .chain(aliases)
            .chain(self.numbers())
            .collect()
    }

    /// Its numbers with their versions: `4.15@v5.0`.
    fn numbers(&self) -> impl Iterator<Item = String> {
        self.benchmarks.iter().flat_map(|row| {
            let of_version = |version| format!("{}@{version}", row.section);
            row.versions.iter().map(of_version)
        })
    }
}

impl BenchmarkSection {
    /// Whether it is this number, in this version if one is given.
    fn is(&self, section: &str, version: Option<&str>) -> bool {
        let without_v = |version: &str| version.trim_start_matches('v').to_owned();
        self.section == section
            && version.is_none_or(|wanted| {
                self.versions
                    .iter()
                    .any(|known| without_v(known) == without_v(wanted))
            })
    }
}
