//! `[web]`: the API.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use serde::Deserialize;

use super::FromText;

/// The API.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WebSection {
    /// Where it listens. Where others reach it, there must be a token.
    listen: Option<SocketAddr>,
    /// Under which address people reach it: for links.
    public_url: Option<FromText<PublicUrl>>,
    /// The proxies whose `X-Forwarded-For` tells where a request comes from.
    trusted_proxies: Vec<IpAddr>,
}

/// What is configured about the API.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "only a service that stays has an API")]
pub(crate) struct WebSettings {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Under which address people reach it, without a slash at the end.
    pub(crate) public_url: Option<String>,
    /// Who may ask.
    pub(crate) access: web::AccessSettings,
}

impl WebSection {
    /// What is configured, and the defaults of the rest.
    #[expect(dead_code, reason = "only a service that stays has an API")]
    pub(crate) fn settings(self) -> WebSettings {
        WebSettings {
            listen: self.listen.unwrap_or(DEFAULT_LISTEN),
            public_url: self.public_url.map(|url| url.0.0),
            access: web::AccessSettings {
                trusted_proxies: self.trusted_proxies,
            },
        }
    }
}

/// Only this machine reaches it there.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7070);

/// An address that people can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl(pub(crate) String);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let host = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let fits = |c: char| c.is_ascii_graphic() && !"\"'<>\\^`{|}@?#".contains(c);
        match host {
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(fits) => {
                Ok(Self(text.trim_end_matches('/').to_owned()))
            }
            _ => Err(format!(
                "`{}` is no address: expected one such as https://scanner.example.com",
                text.escape_debug()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_sent_to_an_address_of_the_web_alone() {
        for (text, expected) in [
            (
                "https://scanner.example.com",
                Some("https://scanner.example.com"),
            ),
            ("http://localhost:7070/", Some("http://localhost:7070")),
            (
                "https://example.com/scanner/",
                Some("https://example.com/scanner"),
            ),
            ("scanner.example.com", None),
            ("javascript:alert(1)", None),
            ("https://", None),
            ("https:///x", None),
            ("https://user@example.com", None),
            ("https://example.com/?x", None),
            ("https://example.com/\"x", None),
        ] {
            let url = text.parse::<PublicUrl>().ok().map(|url| url.0);
            assert_eq!(url.as_deref(), expected, "{text}");
        }
    }
}
