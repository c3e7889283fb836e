#![doc = include_str!("../README.md")]

mod accepted;
mod account_sweep;
mod commit_groups;
mod find_authors;
mod look_at_accounts;
mod places;
mod regions_asked;
mod roster;
mod service_handle;
mod sweep;

pub use find_authors::{AuthorSearch, AuthorsFound, OpenQuestions};
pub use service_handle::{
    EndedSweep, Refusal, RunningSweep, ServiceEnd, ServiceEvent, ServiceHandle, ServiceRequest,
    ServiceStatus, SweepRequest, SweepRequested, TaskName, TaskStatus, service_handle,
};
pub use sweep::{Discovered, Progress, Regions, Sweep, SweepOutcome, SweepPlan, session_apis};
