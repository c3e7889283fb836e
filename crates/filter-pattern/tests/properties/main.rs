//! Properties that hold for all patterns, tried on thousands of random ones.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod decision;
mod generate;
mod rewrites;
mod round_trip;
