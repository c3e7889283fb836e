//! `[web]`: the API.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use schemars::JsonSchema;
use serde::Deserialize;

/// The API.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WebSection {
    /// Where it listens. Where others than this machine reach it, there must be a token (`scanner token create`).
    #[schemars(with = "Option<String>", extend("default" = DEFAULT_LISTEN.to_string()))]
    listen: Option<SocketAddr>,
    /// The proxies whose `X-Forwarded-For` tells where a request comes from.
    #[schemars(with = "Vec<String>", extend("examples" = [["127.0.0.1"]]))]
    trusted_proxies: Vec<IpAddr>,
}

/// What is configured about the API.
#[derive(Debug, Clone)]
pub(crate) struct WebSettings {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Who may ask.
    pub(crate) access: web::AccessSettings,
}

impl WebSection {
    /// What is configured, and the defaults of the rest.
    pub(crate) fn settings(self) -> WebSettings {
        WebSettings {
            listen: self.listen.unwrap_or(DEFAULT_LISTEN),
            access: web::AccessSettings {
                trusted_proxies: self.trusted_proxies,
            },
        }
    }
}

/// Only this machine reaches it there.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7070);
