#![doc = include_str!("../README.md")]

mod alerts;
pub mod controls_json;
mod departure;
mod drifts;
mod exceptions;
mod moment;
mod organization;
mod rows;

pub use alerts::{alert, delivery};
pub use departure::left;
pub use drifts::with_journal;
pub use exceptions::{accept, exception, exceptions_at, in_force};
pub use moment::{MomentError, line, moment};
pub use organization::organization_verdict;
pub use rows::{account, entry, finding, sweep, sweep_line};
