//! `scanner health`: whether the service answers, for a container's health check.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::Args;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{exit::Exit, output::Destination};

/// The flags of `scanner health`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where the service listens; where that is everywhere, the loopback interface is asked.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "SCANNER_LISTEN",
        default_value = "127.0.0.1:7070"
    )]
    listen: SocketAddr,
    /// Ask whether it is ready, not only whether it is there.
    #[arg(long)]
    ready: bool,
    /// How many seconds it may take to answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 4)]
    within: u64,
}

pub(crate) async fn run(options: Options) -> anyhow::Result<Exit> {
    let path = if options.ready { "/readyz" } else { "/healthz" };
    let address = reachable(options.listen);
    let answer = tokio::time::timeout(Duration::from_secs(options.within), ask(address, path));
    let status = (answer.await)
        .with_context(|| format!("{address} did not answer in {} s", options.within))?
        .with_context(|| format!("{address} could not be asked"))?;
    if status != 200 {
        bail!("{address} answered {path} with status {status}");
    }
    Destination::Stdout.write("ok\n")?;
    Ok(Exit::Success)
}

/// Where a listener on this address is reached from the same machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

/// One request and the status of its answer: too little to bring in an HTTP client for it.
async fn ask(address: SocketAddr, path: &str) -> anyhow::Result<u16> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    // The status line, as far as it matters: `HTTP/1.1 200`.
    let mut line = [0; 12];
    stream.read_exact(&mut line).await?;
    let line = String::from_utf8_lossy(&line);
    let status = line
        .strip_prefix("HTTP/1.1 ")
        .and_then(|it| it.parse().ok());
    status.with_context(|| format!("it answered `{}`, which is no HTTP", line.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_every_address_is_asked_on_the_loopback_interface() {
        for (listen, asked) in [
            ("0.0.0.0:7070", "127.0.0.1:7070"),
            ("[::]:80", "[::1]:80"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
