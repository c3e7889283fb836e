#![doc = include_str!("../README.md")]

mod accounts;
mod changed;
mod column;
mod coverage;
mod database;
mod drifts;
mod earlier_sweeps;
mod error;
mod evidence;
mod exceptions;
mod finding_query;
mod findings;
#[cfg(test)]
mod fixture;
mod journal;
mod leaves;
mod memory;
mod owner;
mod progress;
mod remembered;
mod seals;
mod sweeps;

pub use database::{Store, Sweeper};
pub use drifts::{DriftQuery, DriftRow};
pub use earlier_sweeps::EarlierSweeps;
pub use error::Error;
pub use exceptions::ExceptionRow;
pub use finding_query::{FindingPages, FindingQuery, FindingRow};
pub use journal::{Journal, JournalKind, JournalRecord};
pub use progress::ResumedSweep;
pub use seals::SealRow;
pub use sweeps::{JudgedAccount, SweepRow};
