#![doc = include_str!("../README.md")]

mod commit_groups;
mod sweep;

pub use sweep::{Progress, Regions, Sweep, SweepError, SweepOutcome, SweepPlan, session_apis};
