#![doc = include_str!("../README.md")]

mod answer;
mod api_error;
mod calls;
mod chance;
mod connections;
mod faults;
mod generate;
mod latency;
mod load;
mod load_report;
mod page;
mod params;
mod permissions;
mod process_cpu;
mod quotas;
mod request;
mod scenario;
mod server;
mod service;
mod services;
mod sessions;
mod token_buckets;
mod value;
mod wire;
pub mod world;

pub use calls::{CallKey, Calls};
pub use faults::{FaultKind, FaultRule};
pub use generate::{GenerateOptions, Mix, OrganizationChain};
pub use latency::{Latency, LatencyError};
pub use load::{Load, SlowAccounts, SlowAccountsError};
pub use load_report::{BoundPart, LoadReport, LowerBound, OperationCalls};
pub use scenario::ScenarioError;
pub use server::{CallerCredentials, Simulator, SimulatorOptions};
pub use service::Service;
pub use sessions::SessionRecord;
pub use world::World;
