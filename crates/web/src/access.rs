//! Who may ask what: the one place that every request but those for health goes through.
//!
//! `bearer` knows what a token looks like, `host` which names mean this machine, `throttle` how many failed
//! attempts there may be, and `gate` decides. Handlers see a [`Caller`] and not how it was recognized, so
//! that another way to come in changes nothing behind the gate.

mod bearer;
mod binding;
mod caller;
mod client;
mod gate;
mod host;
mod last_use;
mod throttle;

use std::net::IpAddr;

pub use bearer::FreshToken;
pub use binding::check_binding;
pub(crate) use caller::Caller;
pub(crate) use client::{Connection, client};
pub(crate) use gate::{gate, is_still_taken};
pub(crate) use last_use::LastUses;
pub(crate) use throttle::Throttle;

/// What is configured about access.
#[derive(Debug, Clone, Default)]
pub struct AccessSettings {
    /// Proxies whose `X-Forwarded-For` tells where a request comes from: for the log and for counting failed
    /// attempts, and never for letting anybody in.
    pub trusted_proxies: Vec<IpAddr>,
}
