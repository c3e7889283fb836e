//! The configuration file: typed sections, checked in full before anything happens.

use std::{
    collections::BTreeMap,
    fmt::Display,
    path::{Path, PathBuf},
    str::FromStr,
};

use discovery::Selector;
use model::{AccountId, ControlId, Exception, ExceptionScope, ExceptionSource, Reason, Region};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    exit::{BadInput, FailOn},
    output::Format,
    settings::controls,
};

mod alerts;

pub(crate) use alerts::{AlertSpan, AlertsSection, ChannelTable, ChannelType, RouteTable, TlsMode};

/// Everything that a file may say; what it does not say is `None`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConfigFile {
    pub(crate) store: StoreSection,
    pub(crate) role: RoleSection,
    pub(crate) scope: ScopeSection,
    pub(crate) aws: AwsSection,
    pub(crate) report: ReportSection,
    /// `[[exception]]`, one table each.
    pub(crate) exception: Vec<ExceptionTable>,
    pub(crate) alerts: AlertsSection,
    /// `[[channel]]`, each a [`ChannelTable`]: read by itself, so that no mistake shows a line of it.
    pub(crate) channel: Vec<toml::Table>,
    /// `[[route]]`, one table each.
    pub(crate) route: Vec<RouteTable>,
}

/// Findings that are accepted until a date.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExceptionTable {
    account: Option<AccountId>,
    ou: Option<FromText<Ou>>,
    control: Option<FromText<ControlName>>,
    reason_code: Option<FromText<Reason>>,
    owner: FromText<Said>,
    reason: FromText<Said>,
    ticket: Option<FromText<Said>>,
    /// The first moment at which it no longer holds: a date, or a time with its offset.
    expires: FromText<Expiry>,
}

impl ExceptionTable {
    pub(crate) fn exception(&self) -> Exception {
        Exception {
            scope: ExceptionScope {
                account: self.account,
                ou: self.ou.as_ref().map(|ou| ou.0.id()),
                control: self.control.as_ref().map(|control| control.0.0.clone()),
                reason_code: self.reason_code.as_ref().map(|reason| reason.0),
            },
            owner: self.owner.0.0.clone(),
            reason: self.reason.0.0.clone(),
            ticket: self.ticket.as_ref().map(|ticket| ticket.0.0.clone()),
            expires_at: self.expires.0.0,
            source: ExceptionSource::Configuration,
        }
    }
}

/// A control by any of its names, as its slug.
#[derive(Debug, Clone)]
pub(crate) struct ControlName(pub(crate) ControlId);

impl FromStr for ControlName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = controls(&[text.to_owned()]).map_err(|error| error.to_string())?;
        let control = found.into_iter().next();
        control
            .map(|control| Self(control.id))
            .ok_or_else(|| "there is no such control".to_owned())
    }
}

/// Words that somebody is to read: not empty, and no essay.
#[derive(Debug, Clone)]
pub(crate) struct Said(pub(crate) String);

impl FromStr for Said {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if (1..=500).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("expected 1 to 500 characters".to_owned())
        }
    }
}

/// When an exception ends: a date (its first moment, UTC) or a time in RFC 3339.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expiry(pub(crate) jiff::Timestamp);

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let of_date =
            |date: jiff::civil::Date| format!("{date}T00:00:00Z").parse::<jiff::Timestamp>().ok();
        let date = text.parse::<jiff::civil::Date>().ok().and_then(of_date);
        // A time without an offset would be read as a date by mistake of its first half.
        let date = date.filter(|_| text.len() == "2026-01-31".len());
        date.or_else(|| text.parse().ok()).map(Self).ok_or_else(|| {
            format!(
                "`{}` is not when something expires: expected a date such as 2027-01-31, or \
                 2027-01-31T12:00:00Z",
                text.escape_debug()
            )
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StoreSection {
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RoleSection {
    pub(crate) name: Option<FromText<RoleName>>,
    pub(crate) external_id: Option<FromText<ExternalId>>,
    pub(crate) source_identity: Option<FromText<SessionName>>,
    pub(crate) instance: Option<FromText<SessionName>>,
    pub(crate) session_duration: Option<FromText<SessionDuration>>,
    pub(crate) overrides: BTreeMap<AccountId, FromText<RoleName>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ScopeSection {
    pub(crate) organization: Option<bool>,
    pub(crate) accounts: Vec<AccountId>,
    pub(crate) ous: Vec<FromText<Ou>>,
    pub(crate) names: Vec<FromText<NameGlob>>,
    pub(crate) tags: Vec<FromText<Tag>>,
    pub(crate) exclude: Vec<FromText<Selector>>,
    pub(crate) controls: Vec<String>,
    pub(crate) regions: Option<RegionList>,
    pub(crate) probe_regions: Vec<Region>,
    pub(crate) monitoring_accounts: Vec<AccountId>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AwsSection {
    pub(crate) profile: Option<String>,
    pub(crate) quota_share: Option<QuotaShare>,
    pub(crate) concurrency: Option<Concurrency>,
    pub(crate) account_deadline: Option<AccountDeadline>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReportSection {
    pub(crate) format: Option<Format>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) fail_on: Option<FailOn>,
}

impl ConfigFile {
    /// Reads a file; a mistake names file, line and key.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            BadInput::of(format!(
                "cannot read the configuration {}: {error}",
                path.display()
            ))
        })?;
        toml::from_str(&text).map_err(|error| {
            BadInput::of(format!(
                "configuration {}: {}",
                path.display(),
                error.to_string().trim_end()
            ))
        })
    }
}

/// A value that is written as a string and checked as it is read.
#[derive(Debug, Clone)]
pub(crate) struct FromText<T>(pub(crate) T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for FromText<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

macro_rules! checked_text {
    ($($(#[$doc:meta])* $name:ident($what:literal, $allowed:literal, $lengths:expr, $expected:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) String);

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let fits = |c: char| c.is_ascii_alphanumeric() || $allowed.contains(c);
                if $lengths.contains(&text.len()) && text.chars().all(fits) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(format!("`{}` is not {}: expected {}", text.escape_debug(), $what, $expected))
                }
            }
        }
    )*};
}

// The characters and lengths are AWS's (IAM and STS API References).
checked_text! {
    /// The name of a role, with its path if it has one.
    RoleName("a role name", "_+=,.@-/", 1..=512, "letters, digits, _+=,.@- and / for a path");
    /// An external id.
    ExternalId("an external id", "_+=,.@:/-", 2..=1224, "2 to 1224 letters, digits and _+=,.@:/-");
    /// A role session name, or a source identity.
    SessionName("a session name", "_+=,.@-", 2..=56, "2 to 56 letters, digits and _+=,.@-");
}

macro_rules! selector_text {
    ($($(#[$doc:meta])* $name:ident by $read:path;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name(pub(crate) Selector);

        impl FromStr for $name {
            type Err = discovery::SelectionError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $read(text).map(Self)
            }
        }
    )*};
}

selector_text! {
    /// An account id.
    Account by Selector::account;
    /// The id of an OU or root.
    Ou by Selector::ou;
    /// A glob over account names.
    NameGlob by Selector::name;
    /// `KEY=VALUE`.
    Tag by Selector::tag;
}

/// `all`, or a list of regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RegionList {
    All,
    Each(Vec<Region>),
}

impl FromStr for RegionList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let regions = text
            .split(',')
            .map(|region| region.trim().parse::<Region>());
        regions
            .collect::<Result<_, _>>()
            .map(Self::Each)
            .map_err(|error| format!("{error}, or `all`"))
    }
}

impl<'de> Deserialize<'de> for RegionList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            List(Vec<String>),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::List(list) => list.join(","),
        };
        text.parse().map_err(D::Error::custom)
    }
}

impl Ou {
    /// The id.
    pub(crate) fn id(&self) -> String {
        match &self.0 {
            Selector::Ou(id) => id.clone(),
            _ => String::new(),
        }
    }
}

macro_rules! bounded {
    ($($(#[$doc:meta])* $name:ident($inner:ty, $bounds:expr, $expected:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub(crate) struct $name(pub(crate) $inner);

        impl TryFrom<$inner> for $name {
            type Error = String;

            fn try_from(number: $inner) -> Result<Self, String> {
                if $bounds.contains(&number) { Ok(Self(number)) } else { Err(format!("{number} is not {}", $expected)) }
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let number: $inner = text.parse().map_err(|_| format!("expected {}", $expected))?;
                Self::try_from(number)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::try_from(<$inner>::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    )*};
}

bounded! {
    /// The part of each account's API quotas that may be used.
    QuotaShare(f64, 0.01..=1.0, "a share between 0.01 and 1");
    /// How many accounts are looked at at the same time.
    Concurrency(usize, 1..=2048, "a number of accounts between 1 and 2048");
    /// How long an account may take, in seconds.
    AccountDeadline(u64, 1..=86_400, "a number of seconds between 1 and 86400");
    /// How long ago a sweep may have begun to be resumed, in hours.
    ResumeHours(i64, 1..=168, "a number of hours between 1 and 168");
}

/// How long to look for who caused drifts, written as `30s` or `2m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuthorWait(pub(crate) std::time::Duration);

impl FromStr for AuthorWait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Later than that no event is expected any more.
        const LONGEST: std::time::Duration = std::time::Duration::from_mins(20);
        let wait = match text {
            "0" => Some(std::time::Duration::ZERO),
            text => text
                .parse::<jiff::SignedDuration>()
                .ok()
                .and_then(|wait| wait.try_into().ok()),
        };
        (wait.filter(|wait| *wait <= LONGEST))
            .map(Self)
            .ok_or_else(|| "expected a duration up to 20m, such as 30s, or 0".to_owned())
    }
}

/// How long the credentials of a role last, in seconds; written as `1h`, `90m` or `1h 30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionDuration(pub(crate) i32);

impl FromStr for SessionDuration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // AWS's bounds (STS API Reference, AssumeRole).
        let allowed = 900..=43_200;
        let duration = text.parse::<jiff::SignedDuration>().ok();
        duration
            .and_then(|duration| i32::try_from(duration.as_secs()).ok())
            .filter(|seconds| allowed.contains(seconds))
            .map(Self)
            .ok_or_else(|| {
                format!(
                    "`{}` is not a session's duration: expected 15m to 12h, such as 1h or 90m",
                    text.escape_debug()
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scanner.toml");
        std::fs::write(&path, text).unwrap();
        ConfigFile::read(&path).unwrap_err().to_string()
    }

    #[test]
    fn a_mistake_names_file_line_and_key() {
        let rows = [
            ("[store]\npaht = \"x\"\n", "line 2", "paht"),
            ("\n[scope]\naccounts = [\"12\"]\n", "line 3", "accounts"),
            ("[scope]\nous = [\"x\"]\n", "line 2", "ous"),
            (
                "[scope]\nmonitoring_accounts = [\"audit\"]\n",
                "line 2",
                "monitoring_accounts",
            ),
            ("[scope]\nregions = \"everywhere\"\n", "line 2", "regions"),
            ("[aws]\nquota_share = 2.0\n", "line 2", "quota_share"),
            ("[aws]\nconcurrency = \"many\"\n", "line 2", "concurrency"),
            (
                "[aws]\naccount_deadline = 0\n",
                "line 2",
                "account_deadline",
            ),
            ("[report]\nfail_on = \"always\"\n", "line 2", "fail_on"),
            ("[role]\nname = \"a role\"\n", "line 2", "name"),
            (
                "[role]\nsession_duration = \"13h\"\n",
                "line 2",
                "session_duration",
            ),
            ("[role.overrides]\n12 = \"x\"\n", "line 2", "12"),
            ("[rolle]\n", "line 1", "rolle"),
            ("store", "line 1", "store"),
        ];
        for (text, line, key) in rows {
            let mistake = mistake(text);
            assert!(
                mistake.contains("scanner.toml") && mistake.contains(line) && mistake.contains(key),
                "{mistake}"
            );
        }
    }

    #[test]
    fn authors_are_waited_for_at_most_twenty_minutes() {
        let rows = [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("30s", Some(30)),
            ("20m", Some(1200)),
            ("21m", None),
            ("-1s", None),
            ("30", None),
        ];
        for (text, seconds) in rows {
            let wait = text.parse::<AuthorWait>().ok();
            assert_eq!(wait.map(|wait| wait.0.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn a_session_lasts_a_quarter_of_an_hour_to_half_a_day() {
        let rows = [
            ("15m", Some(900)),
            ("1h", Some(3600)),
            ("1h 30m", Some(5400)),
            ("12h", Some(43_200)),
            ("7200s", Some(7200)),
            ("14m", None),
            ("12h 1s", None),
            ("-1h", None),
            ("3600", None),
            ("", None),
        ];
        for (text, seconds) in rows {
            let read = text.parse().ok().map(|SessionDuration(seconds)| seconds);
            assert_eq!(read, seconds, "{text}");
        }
    }

    #[test]
    fn the_example_file_is_valid() {
        let example = include_str!("../../../config/scanner.example.toml");
        assert_eq!(toml::from_str::<ConfigFile>(example).err(), None);
        // With every key in force as well.
        let enabled: String = example
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(toml::from_str::<ConfigFile>(&enabled).err(), None);
    }
}
