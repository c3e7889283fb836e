//! The API as its users have it: over a real socket, with a client that knows nothing of ours.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_push_string,
    reason = "a test fails by panicking, and may be slow"
)]

mod access;
mod alerts;
mod answers;
mod changes;
mod client;
mod described;
mod limits;
mod pages;
mod server;
mod streams;
mod world;
