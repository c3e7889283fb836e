//! Whole-system tests: the binary `scanner`, as a user runs it, against the simulator and against
//! third parties. Nothing here calls our own functions but to look at what was left behind.

#[cfg(test)]
mod accounts_over_time;
#[cfg(test)]
mod alarm_settings;
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod chain_breaks;
#[cfg(test)]
mod composite_alarms;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod drift_authors;
#[cfg(test)]
mod drifts;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod exceptions;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fifteen_controls;
#[cfg(test)]
mod filter_options;
#[cfg(test)]
mod history;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod log_group_class;
#[cfg(test)]
mod monitoring_account;
#[cfg(test)]
mod moto;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod organization_trail;
#[cfg(test)]
mod pattern;
#[cfg(test)]
mod receivers;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod scanner;
#[cfg(test)]
mod serve_alerts;
#[cfg(test)]
mod serve_lifecycle;
#[cfg(test)]
mod serve_schedule;
#[cfg(test)]
mod serve_signals;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod session_policy;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod timeline;
#[cfg(test)]
mod topic_access;
#[cfg(test)]
mod unchanged_world;
#[cfg(test)]
mod web_access;
#[cfg(test)]
mod web_schemathesis;
#[cfg(test)]
mod web_server;
#[cfg(test)]
mod web_words;
