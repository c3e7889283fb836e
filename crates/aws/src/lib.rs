#![doc = include_str!("../README.md")]

mod api;
mod call;
mod call_error;
mod client;
mod connect;
mod credentials;
mod metrics;
mod pace;
mod rate_limit;
mod retry_budget;
mod session;
mod session_policy;

pub use api::{Api, Service};
pub use call_error::CallError;
pub use client::{Clients, Target};
pub use connect::{Aws, AwsSettings, ConnectError, RoleSettings, SimulatorAccess, Timing};
pub use metrics::{
    CallCounts, CallOutcome, CallStatistics, METRICS, SlowedQueue, register_metrics,
};
pub use session::{Malformed, Session};
pub use session_policy::session_policy;
