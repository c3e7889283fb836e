#![doc = include_str!("../README.md")]

mod accounts;
mod column;
mod database;
mod error;
mod evidence;
mod findings;
#[cfg(test)]
mod fixture;
mod owner;
mod progress;
mod sweeps;

pub use database::{Store, Sweeper};
pub use error::Error;
pub use findings::{FindingQuery, FindingRow};
pub use progress::ResumedSweep;
pub use sweeps::{JudgedAccount, SweepRow};
