#![doc = include_str!("../README.md")]

mod accepted;
mod account_sweep;
mod commit_groups;
mod look_at_accounts;
mod places;
mod regions_asked;
mod roster;
mod sweep;

pub use sweep::{Discovered, Progress, Regions, Sweep, SweepOutcome, SweepPlan, session_apis};
