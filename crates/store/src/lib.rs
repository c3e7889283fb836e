#![doc = include_str!("../README.md")]

mod accounts;
mod changed;
mod column;
mod database;
mod error;
mod evidence;
mod finding_query;
mod findings;
#[cfg(test)]
mod fixture;
mod leaves;
mod memory;
mod owner;
mod progress;
mod sweeps;

pub use database::{Store, Sweeper};
pub use error::Error;
pub use finding_query::{FindingPages, FindingQuery, FindingRow};
pub use progress::ResumedSweep;
pub use sweeps::{JudgedAccount, SweepRow};
