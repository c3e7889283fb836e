//! The configuration file: typed sections, checked in full before anything happens.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt::Display,
    path::{Path, PathBuf},
    str::FromStr,
};

use discovery::Selector;
use model::{AccountId, ControlId, Exception, ExceptionScope, ExceptionSource, Reason, Region};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    exit::{BadInput, FailOn},
    output::Format,
    settings::{
        DEFAULT_ACCOUNT_DEADLINE, DEFAULT_CONCURRENCY, DEFAULT_QUOTA_SHARE, DEFAULT_ROLE,
        DEFAULT_STORE, controls,
    },
};

mod alerts;
mod durations;
pub(crate) mod example;
mod serve;
#[cfg(test)]
mod tests;
mod web;

pub(crate) use self::web::{WebSection, WebSettings};
pub(crate) use alerts::{AlertSpan, AlertsSection, ChannelTable, ChannelType, RouteTable, TlsMode};
pub(crate) use durations::{
    AuthorPatience, HistoryAge, RecheckPause, ResumeWithin, ShutdownGrace, SweepInterval,
    SweepJitter,
};
pub(crate) use serve::{RecheckAccounts, ServeSection};

// What stands above a field here stands above its key in `config/scanner.example.toml` and in the schema:
// both are made from it by `cargo xtask docs`. `default` is what holds where nothing is said, `examples` are
// for keys that have no default.

/// Everything that a file may say; what it does not say is `None`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConfigFile {
    /// The history.
    pub(crate) store: StoreSection,
    /// The role that is assumed in each account.
    pub(crate) role: RoleSection,
    /// What is looked at, and by what it is judged.
    pub(crate) scope: ScopeSection,
    /// How AWS is talked to.
    pub(crate) aws: AwsSection,
    /// The report of `scanner once`.
    pub(crate) report: ReportSection,
    /// The service, `scanner serve`.
    pub(crate) serve: ServeSection,
    /// The API of the service.
    pub(crate) web: WebSection,
    /// Findings that are accepted until a date: at least one of account, ou, control and reason_code says
    /// which. An exception never changes a verdict; when it has expired, that is told as a drift.
    pub(crate) exception: Vec<ExceptionTable>,
    /// Alerts: what changed, told to people. `scanner alerts test CHANNEL` tries a channel.
    pub(crate) alerts: AlertsSection,
    /// Channels: where alerts go. Which keys one has depends on its type. Secrets never stand in this file: a
    /// key that ends in _env names an environment variable (whose name does not begin with SCANNER_), one that
    /// ends in _file a file of at most 16 KiB, such as a systemd credential or a mounted secret. Both are read at
    /// the start.
    // Each is read by itself, so that no mistake shows a line of it.
    #[schemars(with = "Vec<ChannelTable>")]
    pub(crate) channel: Vec<toml::Table>,
    /// Routes: a drift that fits all that a route asks for goes to its channels. Every route that fits counts, in
    /// whatever order. Without any route, all channels get what is at least of medium severity.
    pub(crate) route: Vec<RouteTable>,
}

/// Findings that are accepted until a date.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExceptionTable {
    /// Findings of this account.
    #[schemars(with = "Option<String>", extend("examples" = ["444455556666"]))]
    account: Option<AccountId>,
    /// Findings of accounts in this OU or root and below.
    #[schemars(extend("examples" = ["ou-ab12-sandbox1"]))]
    ou: Option<FromText<Ou>>,
    /// Findings by this control.
    #[schemars(extend("examples" = ["organizations-changes"]))]
    control: Option<FromText<ControlName>>,
    /// Findings with this reason.
    #[schemars(extend("examples" = ["alarm-absent"]))]
    reason_code: Option<FromText<Reason>>,
    /// Who answers for it.
    #[schemars(extend("examples" = ["platform team"]))]
    owner: FromText<Said>,
    /// Why they are accepted.
    #[schemars(extend("examples" = ["the account is closed in March"]))]
    reason: FromText<Said>,
    /// Where that was decided.
    #[schemars(extend("examples" = ["SEC-1234"]))]
    ticket: Option<FromText<Said>>,
    /// The first moment at which it no longer holds: a date (its first moment, UTC), or a time in RFC 3339.
    #[schemars(extend("examples" = ["2027-03-31"]))]
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

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StoreSection {
    /// An SQLite file, readable by its owner alone; made if it is not there.
    #[schemars(with = "Option<String>", extend("default" = DEFAULT_STORE))]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RoleSection {
    /// Its name, with its path if it has one. OrganizationAccountAccessRole is an administrator; sessions are
    /// narrowed to the calls the scanner makes, but a dedicated read-only role is better.
    #[schemars(extend("default" = DEFAULT_ROLE))]
    pub(crate) name: Option<FromText<RoleName>>,
    /// The external id that the trust policies ask for.
    #[schemars(extend("examples" = ["an-external-id"]))]
    pub(crate) external_id: Option<FromText<ExternalId>>,
    /// The source identity, for trust policies that ask for one.
    #[schemars(extend("examples" = ["compliance-scanner"]))]
    pub(crate) source_identity: Option<FromText<SessionName>>,
    /// CloudTrail shows the scanner as scanner-<instance>. Without this it is the name of the host.
    #[schemars(extend("examples" = ["scanner-1"]))]
    pub(crate) instance: Option<FromText<SessionName>>,
    /// How long the credentials of a role last, 15m to 12h. They are kept in memory and used by later sweeps
    /// of the same process. Where the role's maximum is shorter, or the scanner is a role itself (AWS caps
    /// role chaining at an hour), it is an hour.
    #[schemars(extend("default" = "1h"))]
    pub(crate) session_duration: Option<FromText<SessionDuration>>,
    /// Accounts whose role has another name. An entry for the account of the credentials makes that one be
    /// entered through a role as well.
    #[schemars(with = "BTreeMap<String, String>", extend("examples" = [{"111122223333": "audit/ReadOnlyScanner"}]))]
    pub(crate) overrides: BTreeMap<AccountId, FromText<RoleName>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ScopeSection {
    /// Whether AWS Organizations lists the accounts.
    #[schemars(extend("default" = true))]
    pub(crate) organization: Option<bool>,
    /// Look at these accounts. Each kind of condition that is given narrows the scope.
    #[schemars(with = "Vec<String>", extend("examples" = [["111122223333"]]))]
    pub(crate) accounts: Vec<AccountId>,
    /// Look at accounts in these OUs or roots and below.
    #[schemars(extend("examples" = [["ou-ab12-34cdefgh"]]))]
    pub(crate) ous: Vec<FromText<Ou>>,
    /// Look at accounts whose names fit one of these globs.
    #[schemars(extend("examples" = [["prod-*"]]))]
    pub(crate) names: Vec<FromText<NameGlob>>,
    /// Look at accounts that carry one of these tags.
    #[schemars(extend("examples" = [["environment=production"]]))]
    pub(crate) tags: Vec<FromText<Tag>>,
    /// Read the tags of every account in scope and remember them, with a call for each, which takes
    /// organizations:ListTagsForResource. Otherwise only tags that decide what is in scope are read.
    #[schemars(extend("default" = false))]
    pub(crate) read_tags: Option<bool>,
    /// What to leave out: account ids, OUs, tag:KEY=VALUE, or globs over names.
    #[schemars(extend("examples" = [["444455556666", "sandbox-*"]]))]
    pub(crate) exclude: Vec<FromText<Selector>>,
    /// By what to judge. Without this it is all controls.
    #[schemars(extend("examples" = [["organizations-changes"]]))]
    pub(crate) controls: Vec<FromText<ControlName>>,
    /// Ask each of these regions for trails, or "all" that are enabled. One region shows every multi-region
    /// trail; more regions show single-region trails too.
    #[schemars(extend("examples" = ["all"]))]
    pub(crate) regions: Option<RegionList>,
    /// Or: the regions to ask in this order until one answers. Without this it is the organization trail's
    /// home, then the partition's default region.
    #[schemars(with = "Vec<String>", extend("examples" = [["eu-central-1", "us-east-1"]]))]
    pub(crate) probe_regions: Vec<Region>,
    /// Accounts whose alarms may watch the metrics of other accounts (cross-account observability). Their
    /// alarms are looked at before a FAIL is said; each needs the role.
    #[schemars(with = "Vec<String>", extend("examples" = [["777788889999"]]))]
    pub(crate) monitoring_accounts: Vec<AccountId>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AwsSection {
    /// The profile to take credentials from.
    #[schemars(extend("examples" = ["audit"]))]
    pub(crate) profile: Option<String>,
    /// The share of each account's API quotas that may be used, 0.01 to 1. After a throttle the scanner uses
    /// less of it, and comes back slowly.
    #[schemars(extend("default" = DEFAULT_QUOTA_SHARE))]
    pub(crate) quota_share: Option<QuotaShare>,
    /// How many accounts are looked at at the same time.
    #[schemars(extend("default" = DEFAULT_CONCURRENCY))]
    pub(crate) concurrency: Option<Concurrency>,
    /// How many seconds an account may take. One that takes longer is looked at again at the end of the
    /// sweep, and then is UNKNOWN.
    #[schemars(extend("default" = DEFAULT_ACCOUNT_DEADLINE))]
    pub(crate) account_deadline: Option<AccountDeadline>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ReportSection {
    /// table or json.
    #[schemars(with = "Option<String>", extend("default" = "table", "enum" = ["table", "json"]))]
    pub(crate) format: Option<Format>,
    /// Write the report to a file instead of standard output.
    #[schemars(with = "Option<String>", extend("examples" = ["report.json"]))]
    pub(crate) output: Option<PathBuf>,
    /// Which verdicts make the exit code one of failure: fail,unknown | fail | never.
    #[schemars(with = "Option<String>", extend("default" = "fail,unknown", "enum" = ["fail,unknown", "fail", "never"]))]
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

impl<T> JsonSchema for FromText<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
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
    /// The name of a token: it stands in logs and in the journal.
    TokenName("a name for a token", "_+=,.@-", 1..=64, "1 to 64 letters, digits and _+=,.@-");
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

impl JsonSchema for RegionList {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RegionList".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" } }
            ]
        })
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

macro_rules! bounded_number {
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

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let mut schema = <$inner>::json_schema(generator);
                let bounds = $bounds;
                schema.insert("minimum".to_owned(), (*bounds.start()).into());
                schema.insert("maximum".to_owned(), (*bounds.end()).into());
                schema
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::try_from(<$inner>::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    )*};
}

pub(crate) use bounded_number;

bounded_number! {
    /// The part of each account's API quotas that may be used.
    QuotaShare(f64, 0.01..=1.0, "a share between 0.01 and 1");
    /// How many accounts are looked at at the same time.
    Concurrency(usize, 1..=2048, "a number of accounts between 1 and 2048");
    /// How long an account may take, in seconds.
    AccountDeadline(u64, 1..=86_400, "a number of seconds between 1 and 86400");
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
