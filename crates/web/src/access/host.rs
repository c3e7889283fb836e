//! Which names in a request mean this machine.
//!
//! A page of somebody else's may have its own name lead to 127.0.0.1 and then ask us through the browser of
//! whoever looks at it (DNS rebinding). What it cannot do is to leave out its name.

use axum::http::{HeaderMap, Uri, header::HOST};

/// Whether every name that the request has for us means this machine.
pub(super) fn is_local(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let in_uri = uri
        .authority()
        .is_none_or(|authority| means_this(authority.as_str()));
    in_uri && host.to_str().is_ok_and(means_this)
}

fn means_this(authority: &str) -> bool {
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, "")) => (name, None),
            Some((name, port)) => match port.strip_prefix(':') {
                Some(port) => (name, Some(port)),
                None => return false,
            },
            None => return false,
        },
        None => match authority.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (authority, None),
        },
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok() && !port.starts_with('+');
    let is_name = if authority.starts_with('[') {
        name == "::1"
    } else {
        name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1"
    };
    is_name && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_names_with_any_port_mean_this_machine() {
        for host in [
            "localhost",
            "LocalHost",
            "127.0.0.1",
            "[::1]",
            "localhost:80",
            "127.0.0.1:65535",
            "[::1]:7070",
        ] {
            assert!(means_this(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "localhost.",
            "127.0.0.1.evil.example",
            "127.0.0.2",
            "0.0.0.0",
            "::1",
            "[::1",
            "[::1]x",
            "[::2]",
            "localhost:",
            "localhost:x",
            "localhost:+1",
            "localhost:65536",
            "localhost:80:80",
            "user@localhost",
            "[localhost]",
            "2130706433",
        ] {
            assert!(!means_this(host), "{host}");
        }
    }

    #[test]
    fn every_name_in_the_request_counts() {
        let asked = |uri: &str, hosts: &[&str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, host.parse().unwrap());
            }
            is_local(&uri.parse().unwrap(), &headers)
        };
        assert!(asked("/x", &["localhost"]));
        assert!(asked("http://127.0.0.1/x", &["localhost"]));
        assert!(!asked("/x", &[]));
        assert!(!asked("/x", &["localhost", "localhost"]));
        assert!(!asked("http://evil.example/x", &["localhost"]));
        assert!(!asked("http://localhost/x", &["evil.example"]));
    }
}
