//! Alarm mute rules: while one is active, its alarms change their state and tell nobody.

use serde::Deserialize;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MuteRule {
    pub name: String,
    pub region: String,
    /// The alarms it mutes, by name: metric alarms and composite ones.
    pub alarms: Vec<String>,
    pub status: MuteStatus,
    pub kind: MuteKind,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MuteStatus {
    #[default]
    Active,
    Scheduled,
    Expired,
}

impl MuteStatus {
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Scheduled => "SCHEDULED",
            Self::Expired => "EXPIRED",
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MuteKind {
    /// One window, after which the rule has expired.
    #[default]
    OneTime,
    /// A window that comes again and again, with no end unless one is set.
    Recurring,
}

impl MuteKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::OneTime => "ONE_TIME",
            Self::Recurring => "RECURRING",
        }
    }
}
