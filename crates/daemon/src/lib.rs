#![doc = include_str!("../README.md")]

mod accepted;
mod account_sweep;
mod alert_settings;
mod commit_groups;
mod deliver_alerts;
mod find_authors;
mod look_at_accounts;
mod places;
mod regions_asked;
mod roster;
mod route_alerts;
mod service_handle;
#[cfg(test)]
mod small_world;
mod sweep;

pub use alert_settings::AlertSettings;
pub use deliver_alerts::{DeliverAlerts, Delivered};
pub use find_authors::{AuthorSearch, AuthorsFound, OpenQuestions};
pub use route_alerts::{RouteAlerts, Routed};
pub use service_handle::{
    EndedSweep, Refusal, RunningSweep, ServiceEnd, ServiceEvent, ServiceHandle, ServiceRequest,
    ServiceStatus, SweepRequest, SweepRequested, TaskName, TaskStatus, service_handle,
};
pub use sweep::{Discovered, Progress, Regions, Sweep, SweepOutcome, SweepPlan, session_apis};
