//! The subcommands, one file each.

mod asked;
pub(crate) mod changes;
pub(crate) mod config;
pub(crate) mod controls;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod drift;
mod drift_list;
pub(crate) mod evidence;
pub(crate) mod exception;
pub(crate) mod explain;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod once;
mod past;
pub(crate) mod pattern;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod store;
mod sweep_and_report;
mod write_list;
