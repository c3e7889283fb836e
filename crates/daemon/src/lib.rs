#![doc = include_str!("../README.md")]

mod accepted;
mod account_sweep;
mod alert_settings;
mod commit_groups;
mod configuration;
mod deliver_alerts;
mod find_authors;
mod known_sweeps;
mod lifecycle;
mod look_at_accounts;
mod metrics;
mod own_thread;
mod places;
#[cfg(test)]
mod receiver;
mod recheck;
mod regions_asked;
mod roster;
mod route_alerts;
mod schedule;
mod service;
mod service_handle;
#[cfg(test)]
mod small_world;
mod status_board;
mod sweep;
mod task;
mod tasks;

pub use alert_settings::AlertSettings;
pub use configuration::{Configuration, Reload};
pub use deliver_alerts::{DeliverAlerts, Delivered};
pub use find_authors::{AuthorSearch, AuthorsFound, OpenQuestions};
pub use lifecycle::{Ended, Sign, Stop};
pub use metrics::{METRICS, register_metrics};
pub use recheck::RecheckRule;
pub use route_alerts::{RouteAlerts, Routed};
pub use schedule::Schedule;
pub use service::{ServiceParts, serve};
pub use service_handle::{
    EndedSweep, Refusal, RunningSweep, ServiceEnd, ServiceEvent, ServiceHandle, ServiceRequest,
    ServiceStatus, SweepRequest, SweepRequested, TaskName, TaskStatus, service_handle,
};
pub use sweep::{Discovered, Progress, Regions, Sweep, SweepOutcome, SweepPlan, session_apis};
