#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod access;
mod answer;
mod api;
mod asked;
mod cursor;
mod error;
mod events;
mod exchange;
mod health;
mod metrics;
mod openapi;
mod problem;
mod router;
mod serve;
pub mod shapes;
mod state;

pub use access::{AccessSettings, FreshToken, check_binding};
pub use error::Error;
pub use metrics::{METRICS, register_metrics};
pub use openapi::{document, page};
pub use serve::serve;
pub use state::{State, StateParts};
