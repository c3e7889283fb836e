//! Properties that hold for all patterns, tried on thousands of random ones.

mod decision;
mod generate;
mod rewrites;
mod round_trip;
