#![doc = include_str!("../README.md")]

mod accepted;
mod account_sweep;
mod commit_groups;
mod configuration;
mod find_authors;
mod known_sweeps;
mod lifecycle;
mod look_at_accounts;
mod metrics;
mod own_thread;
mod places;
mod recheck;
mod regions_asked;
mod roster;
mod schedule;
mod service;
mod service_handle;
mod status_board;
mod sweep;
mod task;
mod tasks;

pub use configuration::{Configuration, Reload};
pub use find_authors::{AuthorSearch, AuthorsFound, OpenQuestions};
pub use lifecycle::{Ended, Sign, Stop};
pub use metrics::{METRICS, register_metrics};
pub use recheck::RecheckRule;
pub use schedule::Schedule;
pub use service::{ServiceParts, serve};
pub use service_handle::{
    EndedSweep, Refusal, RunningSweep, ServiceEnd, ServiceEvent, ServiceHandle, ServiceRequest,
    ServiceStatus, SweepRequest, SweepRequested, TaskName, TaskStatus, service_handle,
};
pub use sweep::{Discovered, Progress, Regions, Sweep, SweepOutcome, SweepPlan, session_apis};
