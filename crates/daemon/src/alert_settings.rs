//! When people are told, and where.

use alerts::Routes;
use jiff::SignedDuration;

/// What decides what is told, when, and for how long it is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// Which drifts go to which channels.
    pub routes: Routes,
    /// Where the scanner can be reached, for links.
    pub public_url: Option<String>,
    /// How long the end of a sweep is waited for, so that what has one cause is told at once.
    pub group_wait: SignedDuration,
    /// How long after the end of a sweep an alert waits for its author.
    pub author_wait: SignedDuration,
    /// How often people are reminded of what lasts; `None`: never.
    pub reminder_interval: Option<SignedDuration>,
    /// For how long a delivery is tried.
    pub give_up_after: SignedDuration,
    /// Drifts of sweeps that began longer ago are not told any more.
    pub forget_after: SignedDuration,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            routes: Routes::default(),
            public_url: None,
            group_wait: SignedDuration::from_mins(5),
            author_wait: SignedDuration::from_mins(3),
            reminder_interval: Some(SignedDuration::from_hours(24)),
            give_up_after: SignedDuration::from_hours(24),
            forget_after: SignedDuration::from_hours(7 * 24),
        }
    }
}
