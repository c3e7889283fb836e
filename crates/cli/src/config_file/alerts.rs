//! `[alerts]`, `[[channel]]` and `[[route]]`: what is told, when and to whom.

use std::{path::PathBuf, str::FromStr};

use jiff::SignedDuration;
use model::{AccountId, Arn, DriftKind, Severity};
use serde::{Deserialize, de::IgnoredAny};

use crate::config_file::{ControlName, FromText, Ou};

/// When people are told.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AlertsSection {
    /// Where people reach the scanner: alerts link there.
    pub(crate) public_url: Option<String>,
    /// How long the end of a sweep is waited for before what it found so far is told.
    pub(crate) group_wait: Option<FromText<AlertSpan>>,
    /// How long an alert waits for its author after the sweep; then it says that the author is not known yet.
    pub(crate) author_wait: Option<FromText<AlertSpan>>,
    /// How often people are reminded of what stays broken; 0: never.
    pub(crate) reminder_interval: Option<FromText<AlertSpan>>,
    /// For how long a delivery is tried before it is given up.
    pub(crate) give_up_after: Option<FromText<AlertSpan>>,
    /// What sweeps found that began longer ago is not told any more.
    pub(crate) forget_after: Option<FromText<AlertSpan>>,
}

/// A channel: where alerts go. Which keys it has depends on its type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelTable {
    /// What routes call it: lower-case letters, digits and hyphens.
    pub(crate) name: FromText<ChannelName>,
    /// sns, slack, pagerduty, webhook or email.
    #[serde(rename = "type")]
    pub(crate) kind: ChannelType,
    /// sns: the topic. The scanner's own credentials publish.
    pub(crate) topic_arn: Option<Arn>,
    /// webhook: where it listens. pagerduty: where events go, if not to its US service region.
    pub(crate) url: Option<String>,
    /// slack, webhook: the environment variable with the URL.
    pub(crate) url_env: Option<String>,
    /// slack, webhook: the file with the URL.
    pub(crate) url_file: Option<PathBuf>,
    /// webhook: whether a URL may be http and not on this machine.
    pub(crate) allow_http: Option<bool>,
    /// Refused: it is a secret.
    pub(crate) routing_key: Option<IgnoredAny>,
    /// pagerduty: the environment variable with the integration key.
    pub(crate) routing_key_env: Option<String>,
    /// pagerduty: the file with the integration key.
    pub(crate) routing_key_file: Option<PathBuf>,
    /// Refused: it is a secret.
    pub(crate) secret: Option<IgnoredAny>,
    /// webhook: the environment variable with the key of the signature.
    pub(crate) secret_env: Option<String>,
    /// webhook: the file with the key of the signature.
    pub(crate) secret_file: Option<PathBuf>,
    /// email: the mail server.
    pub(crate) host: Option<String>,
    /// email: its port.
    pub(crate) port: Option<u16>,
    /// email: starttls, tls, or none for a server on this machine.
    pub(crate) tls: Option<TlsMode>,
    /// email: the user.
    pub(crate) username: Option<String>,
    /// Refused: it is a secret.
    pub(crate) password: Option<IgnoredAny>,
    /// email: the environment variable with the password.
    pub(crate) password_env: Option<String>,
    /// email: the file with the password.
    pub(crate) password_file: Option<PathBuf>,
    /// email: who writes.
    pub(crate) from: Option<String>,
    /// email: who is written to.
    pub(crate) to: Option<Vec<String>>,
}

/// A route: drifts that fit all that it asks for go to its channels.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteTable {
    /// Where they go.
    pub(crate) channels: Vec<String>,
    /// Of one of these kinds.
    #[serde(default)]
    pub(crate) kinds: Vec<FromText<DriftKind>>,
    /// At least this severe.
    pub(crate) min_severity: Option<FromText<Severity>>,
    /// In one of these OUs or roots, directly or further down.
    #[serde(default)]
    pub(crate) ous: Vec<FromText<Ou>>,
    /// Of one of these controls.
    #[serde(default)]
    pub(crate) controls: Vec<FromText<ControlName>>,
    /// Of one of these accounts.
    #[serde(default)]
    pub(crate) accounts: Vec<AccountId>,
}

/// What kind of channel it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChannelType {
    Sns,
    Slack,
    PagerDuty,
    Webhook,
    Email,
}

/// How the way to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TlsMode {
    StartTls,
    Tls,
    None,
}

/// The name of a channel. It stands in keys by which receivers tell notices apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelName(pub(crate) String);

impl FromStr for ChannelName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if (1..=40).contains(&text.len()) && text.chars().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{}` is not the name of a channel: expected 1 to 40 lower-case letters, digits and \
                 hyphens",
                text.escape_debug()
            ))
        }
    }
}

/// A time span that is written as `30s`, `5m`, `24h`, `7d`, or `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AlertSpan(pub(crate) SignedDuration);

impl FromStr for AlertSpan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let longest = SignedDuration::from_hours(90 * 24);
        let days = text
            .strip_suffix('d')
            .and_then(|days| days.trim().parse::<i64>().ok());
        let span = match (text, days) {
            ("0", _) => Some(SignedDuration::ZERO),
            (_, Some(days)) => days.checked_mul(24).map(SignedDuration::from_hours),
            (text, None) => text.parse().ok(),
        };
        span.filter(|span| (SignedDuration::ZERO..=longest).contains(span))
            .map(Self)
            .ok_or_else(|| {
                "expected a time span up to 90d, such as 30s, 5m, 24h or 7d, or 0".to_owned()
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_is_read_in_any_unit() {
        let rows = [
            ("0", Some(0)),
            ("30s", Some(30)),
            ("5m", Some(300)),
            ("24h", Some(86_400)),
            ("7d", Some(604_800)),
            ("90d", Some(7_776_000)),
            ("91d", None),
            ("-1s", None),
            ("99999999999999999999d", None),
            ("soon", None),
        ];
        for (text, seconds) in rows {
            let span = text.parse::<AlertSpan>().ok();
            assert_eq!(span.map(|span| span.0.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn the_name_of_a_channel_is_plain() {
        "on-call-2".parse::<ChannelName>().unwrap();
        for name in ["", "On-Call", "a.b", "a b", "ü", &"x".repeat(41)] {
            name.parse::<ChannelName>().unwrap_err();
        }
    }
}
