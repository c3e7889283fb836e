//! What is answered under `/api/v1`, one file for each noun.

pub(crate) mod accounts;
pub(crate) mod alerts;
pub(crate) mod config;
pub(crate) mod controls;
pub(crate) mod counted;
pub(crate) mod drifts;
pub(crate) mod excepted;
pub(crate) mod exceptions;
pub(crate) mod explain;
pub(crate) mod findings;
pub(crate) mod organization;
pub(crate) mod status;
pub(crate) mod sweeps;
pub(crate) mod then;
pub(crate) mod unknown_account;
