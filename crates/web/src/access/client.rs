//! Where a request comes from.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::request::Parts;
use tokio_util::sync::CancellationToken;

/// The connection by which a request came.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// The other end.
    pub(crate) peer: IpAddr,
    /// Whether nobody but this machine reaches the listener.
    pub(crate) is_on_loopback: bool,
    /// Ends what would go on for ever.
    pub(crate) stop: CancellationToken,
}

/// Where the request comes from: the other end, or whom a trusted proxy names last.
pub(crate) fn client(asked: &Parts, trusted: &[IpAddr]) -> IpAddr {
    let peer = (asked.extensions.get::<Connection>())
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |connection| {
            connection.peer.to_canonical()
        });
    if !trusted.contains(&peer) {
        return peer;
    }
    // What stands before the last was written by whoever asked.
    let named = (asked.headers.get_all("x-forwarded-for").iter().next_back())
        .and_then(|value| value.to_str().ok())
        .and_then(|list| list.rsplit(',').next())
        .and_then(|last| last.trim().parse::<IpAddr>().ok());
    named.map_or(peer, |named| named.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_trusted_proxy_names_somebody_else() {
        let from = |peer: &str, forwarded: &[&str]| {
            let (mut asked, ()) = axum::http::Request::new(()).into_parts();
            asked.extensions.insert(Connection {
                peer: peer.parse().unwrap(),
                is_on_loopback: true,
                stop: CancellationToken::new(),
            });
            for value in forwarded {
                asked
                    .headers
                    .append("x-forwarded-for", value.parse().unwrap());
            }
            client(&asked, &["127.0.0.1".parse().unwrap()]).to_string()
        };
        assert_eq!(from("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(from("192.0.2.7", &["198.51.100.1"]), "192.0.2.7");
        assert_eq!(from("127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(from("::ffff:127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(
            from("127.0.0.1", &["203.0.113.9, 198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(
            from("127.0.0.1", &["203.0.113.9", "198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(from("127.0.0.1", &["unknown"]), "127.0.0.1");
    }
}
