//! Logs: to stderr, for people on a terminal and as JSON otherwise.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::exit::BadInput;

/// Libraries that write requests, with their security tokens, or answers into their logs below
/// this level: whatever filter is asked for, they stay above it.
const CAPPED: [&str; 14] = [
    "aws_config=info",
    "aws_credential_types=info",
    "aws_runtime=info",
    "aws_sigv4=info",
    "aws_smithy_http_client=info",
    "aws_smithy_runtime=info",
    "aws_smithy_runtime_api=info",
    "h2=info",
    "hyper=info",
    "hyper_util=info",
    "lettre=info",
    "reqwest=info",
    "rustls=info",
    "sqlx=warn",
];

/// Starts logging by a filter such as `warn` or `info,scanner=debug`.
pub(crate) fn start(filter: &str) -> anyhow::Result<()> {
    let mut filter = EnvFilter::try_new(filter)
        .map_err(|error| BadInput::of(format!("--log `{}`: {error}", filter.escape_debug())))?;
    for cap in CAPPED {
        filter = filter.add_directive(cap.parse()?);
    }
    let registry = tracing_subscriber::registry().with(filter);
    if stderr().is_terminal() {
        registry
            .with(tracing_subscriber::fmt::layer().with_writer(stderr))
            .init();
    } else {
        registry
            .with(tracing_subscriber::fmt::layer().json().with_writer(stderr))
            .init();
    }
    Ok(())
}
