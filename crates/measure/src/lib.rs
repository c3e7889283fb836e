#![doc = include_str!("../README.md")]

pub mod cost_per_call;
