#![doc = include_str!("../README.md")]

mod answer;
mod api_error;
mod calls;
mod chance;
mod faults;
mod generate;
mod page;
mod params;
mod permissions;
mod request;
mod scenario;
mod server;
mod service;
mod services;
mod sessions;
mod value;
mod wire;
pub mod world;

pub use calls::{CallKey, Calls};
pub use faults::{FaultKind, FaultRule};
pub use generate::{GenerateOptions, Mix, OrganizationChain};
pub use scenario::ScenarioError;
pub use server::{CallerCredentials, Simulator, SimulatorOptions};
pub use service::Service;
pub use sessions::SessionRecord;
pub use world::World;
