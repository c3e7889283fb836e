//! Which channels a drift goes to.
//!
//! Every route that takes a drift adds its channels. There is no first match, so that the order of routes
//! in a file, or one more route for one more team, never takes an alert away from anybody.

use std::collections::BTreeSet;

use model::{AccountId, ControlId, DriftKind, OuPath, Severity};

#[cfg(test)]
mod tests;

/// A rule: drifts that fit all that it asks for go to its channels. An empty list asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Of one of these kinds.
    pub kinds: Vec<DriftKind>,
    /// At least this severe.
    pub min_severity: Severity,
    /// In one of these OUs or roots, directly or further down.
    pub ous: Vec<String>,
    /// Of one of these controls.
    pub controls: Vec<ControlId>,
    /// Of one of these accounts.
    pub accounts: Vec<AccountId>,
    /// Where they go.
    pub channels: Vec<String>,
}

/// What a route looks at.
#[derive(Debug, Clone, Copy)]
pub struct RoutedDrift<'a> {
    /// Its kind.
    pub kind: DriftKind,
    /// Its severity, damped where it goes to and fro.
    pub severity: Severity,
    /// Its account; `None` for what concerns the organization.
    pub account: Option<AccountId>,
    /// Where the account hangs, where that is known.
    pub ou_path: Option<&'a OuPath>,
    /// Its control; `None` for what concerns an account as a whole.
    pub control: Option<&'a ControlId>,
}

/// All routes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes(pub Vec<Route>);

impl Route {
    /// Whether it takes a drift.
    pub fn takes(&self, drift: &RoutedDrift<'_>) -> bool {
        let is_of = |account| self.accounts.contains(&account);
        let hangs_in = |path: &OuPath| self.ous.iter().any(|ou| path.is_within(ou));
        let concerns = |control| self.controls.contains(control);
        drift.severity >= self.min_severity
            && (self.kinds.is_empty() || self.kinds.contains(&drift.kind))
            && (self.accounts.is_empty() || drift.account.is_some_and(is_of))
            && (self.ous.is_empty() || drift.ou_path.is_some_and(hangs_in))
            // What happened to an account as a whole happened to each of its controls.
            && (self.controls.is_empty() || drift.control.is_none_or(concerns))
    }
}

impl Routes {
    /// The channels that a drift goes to.
    pub fn channels(&self, drift: &RoutedDrift<'_>) -> BTreeSet<&str> {
        (self.0.iter())
            .filter(|route| route.takes(drift))
            .flat_map(|route| route.channels.iter().map(String::as_str))
            .collect()
    }
}
