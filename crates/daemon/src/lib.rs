#![doc = include_str!("../README.md")]

mod commit_groups;
mod sweep;

pub use sweep::{Discovered, Progress, Regions, Sweep, SweepOutcome, SweepPlan, session_apis};
