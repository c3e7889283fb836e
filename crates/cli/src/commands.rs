//! The subcommands, one file each.

pub(crate) mod controls;
pub(crate) mod demo;
pub(crate) mod exception;
pub(crate) mod explain;
pub(crate) mod history;
pub(crate) mod once;
mod past;
pub(crate) mod pattern;
pub(crate) mod simulate;
mod sweep_and_report;
