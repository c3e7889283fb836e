//! Worlds from small TOML files. The README describes the format.

mod format;
mod pieces;
mod resolve;
mod timeline;

use std::path::{Path, PathBuf};

use crate::world::World;

/// Why a scenario is no world.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    #[error("the scenario {} could not be read", path.display())]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },

    /// Says the line and the key.
    #[error("the scenario is not valid TOML of this format: {0}")]
    Format(Box<toml::de::Error>),

    #[error("the scenario has no account")]
    NoAccount,

    #[error("{place}: there is no account `{account}`")]
    UnknownAccount { place: String, account: String },

    #[error("account `{account}`: the {what} `{value}` is taken")]
    Duplicate {
        account: String,
        what: &'static str,
        value: String,
    },

    #[error("account `{account}`: {problem}")]
    Account { account: String, problem: String },

    #[error("timeline entry {entry}: {problem}")]
    Timeline {
        /// From 1 on.
        entry: usize,
        problem: String,
    },

    #[error("in {}", path.display())]
    InFile {
        path: PathBuf,
        source: Box<ScenarioError>,
    },
}

impl World {
    /// Reads a world from the text of a scenario file.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        let file: format::File =
            toml::from_str(text).map_err(|error| ScenarioError::Format(Box::new(error)))?;
        resolve::world(file)
    }

    /// Reads a world from a scenario file.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ScenarioError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| ScenarioError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::from_toml(&text).map_err(|source| ScenarioError::InFile {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }
}

#[cfg(test)]
mod tests;
