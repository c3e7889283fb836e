//! What is told and to whom, from the configuration: everything is checked, and every secret read, before
//! anything runs.

use std::{collections::BTreeSet, fs, io::Read as _, path::Path};

use alerts::{
    Channel, ChannelSettings, EmailSettings, PAGERDUTY_URL, PagerDutySettings, Route, Routes,
    Secret, SlackSettings, SmtpTls, SnsSettings, WebhookSettings, check_url,
};
use daemon::AlertSettings;
use model::Severity;

use crate::{
    config_file::{ChannelTable, ChannelType, ConfigFile, RouteTable, TlsMode},
    exit::BadInput,
};

#[cfg(test)]
mod tests;

/// The largest file that is taken for a secret.
const LARGEST_SECRET: u64 = 16 * 1024;

/// The shortest key of a signature: 128 bits in hexadecimal are twice as long.
const SHORTEST_KEY: usize = 16;

/// What is told, and the channels that it goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Alerting {
    pub(crate) settings: AlertSettings,
    pub(crate) channels: Vec<Channel>,
}

/// Checks the sections and reads the secrets.
pub(crate) fn alerting(file: &ConfigFile) -> anyhow::Result<Alerting> {
    alerting_from(file, |name| std::env::var(name).ok())
        .map_err(|mistake| BadInput::of(format!("configuration: {mistake}")))
}

fn alerting_from(
    file: &ConfigFile,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Alerting, String> {
    let mut channels: Vec<Channel> = Vec::new();
    for (number, table) in (1..).zip(&file.channel) {
        let named = table.get("name").and_then(toml::Value::as_str);
        let named = named.map_or_else(
            || format!("channel {number}"),
            |name| format!("channel `{}`", name.escape_debug()),
        );
        // Not by file and line: what stands in the line may be a secret.
        let table: ChannelTable = (table.clone().try_into())
            .map_err(|error: toml::de::Error| format!("{named}: {}", error.message()))?;
        let channel = Reader {
            table: &table,
            environment: &environment,
        };
        let channel = channel
            .read()
            .map_err(|mistake| format!("{named}: {mistake}"))?;
        if channels.iter().any(|other| other.name == channel.name) {
            return Err(format!("two channels are called `{}`", channel.name));
        }
        channels.push(channel);
    }
    let routes = routes(&file.route, &channels)?;
    let section = &file.alerts;
    let default = AlertSettings::default();
    let span = |given: Option<&crate::config_file::FromText<crate::config_file::AlertSpan>>,
                default| { given.map_or(default, |span| span.0.0) };
    if let Some(url) = &section.public_url {
        check_url(url, true)
            .and_then(|()| {
                if has_userinfo(url) {
                    Err("it stands in every alert, and so can have no user or password")
                } else {
                    Ok(())
                }
            })
            .map_err(|mistake| format!("alerts.public_url: {mistake}"))?;
    }
    let reminders = (section.reminder_interval.as_ref()).map(|interval| interval.0.0);
    if let Some(interval) = reminders
        && !interval.is_zero()
        && interval < jiff::SignedDuration::from_mins(1)
    {
        return Err(
            "alerts.reminder_interval: expected at least 1m, or 0 for no reminders".to_owned(),
        );
    }
    Ok(Alerting {
        settings: AlertSettings {
            routes,
            public_url: section.public_url.clone(),
            group_wait: span(section.group_wait.as_ref(), default.group_wait),
            author_wait: span(section.author_wait.as_ref(), default.author_wait),
            reminder_interval: match reminders {
                Some(interval) => Some(interval).filter(|interval| !interval.is_zero()),
                None => default.reminder_interval,
            },
            give_up_after: span(section.give_up_after.as_ref(), default.give_up_after),
            forget_after: span(section.forget_after.as_ref(), default.forget_after),
        },
        channels,
    })
}

fn routes(tables: &[RouteTable], channels: &[Channel]) -> Result<Routes, String> {
    let names: BTreeSet<&str> = channels
        .iter()
        .map(|channel| channel.name.as_str())
        .collect();
    if tables.is_empty() {
        // Whoever names a channel and no route wants to hear what matters.
        let route = Route {
            kinds: Vec::new(),
            min_severity: Severity::Medium,
            ous: Vec::new(),
            controls: Vec::new(),
            accounts: Vec::new(),
            channels: names.into_iter().map(str::to_owned).collect(),
        };
        return Ok(Routes(Vec::from_iter(
            (!channels.is_empty()).then_some(route),
        )));
    }
    let mut routes = Vec::new();
    for (number, table) in (1..).zip(tables) {
        if table.channels.is_empty() {
            return Err(format!("route {number} goes to no channel"));
        }
        if let Some(unknown) = table
            .channels
            .iter()
            .find(|name| !names.contains(name.as_str()))
        {
            let known: Vec<&str> = names.into_iter().collect();
            return Err(format!(
                "route {number} goes to the channel `{}`, which is not there; there are: {}",
                unknown.escape_debug(),
                if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                }
            ));
        }
        // Who asks for kinds wants these, however little they matter.
        let min_severity = match (&table.min_severity, table.kinds.is_empty()) {
            (Some(severity), _) => severity.0,
            (None, true) => Severity::Medium,
            (None, false) => Severity::Info,
        };
        routes.push(Route {
            kinds: table.kinds.iter().map(|kind| kind.0).collect(),
            min_severity,
            ous: table.ous.iter().map(|ou| ou.0.id()).collect(),
            controls: (table.controls.iter())
                .map(|control| control.0.0.clone())
                .collect(),
            accounts: table.accounts.clone(),
            channels: table.channels.clone(),
        });
    }
    Ok(Routes(routes))
}

/// Reads one channel.
struct Reader<'a, E> {
    table: &'a ChannelTable,
    environment: &'a E,
}

impl<E: Fn(&str) -> Option<String>> Reader<'_, E> {
    fn read(&self) -> Result<Channel, String> {
        let table = self.table;
        for (key, value) in [
            ("routing_key", &table.routing_key),
            ("secret", &table.secret),
            ("password", &table.password),
        ] {
            if value.is_some() {
                return Err(inline(key));
            }
        }
        self.only_own_keys()?;
        let settings = match table.kind {
            ChannelType::Sns => self.sns()?,
            ChannelType::Slack => {
                if table.url.is_some() {
                    return Err(inline("url"));
                }
                let url = self.url()?;
                ChannelSettings::Slack(SlackSettings { url })
            }
            ChannelType::PagerDuty => {
                let url = table
                    .url
                    .clone()
                    .unwrap_or_else(|| PAGERDUTY_URL.to_owned());
                without_userinfo(&url)?;
                check_url(&url, false).map_err(|mistake| format!("url: {mistake}"))?;
                ChannelSettings::PagerDuty(PagerDutySettings {
                    url,
                    routing_key: self.secret(
                        "routing_key",
                        table.routing_key_env.as_deref(),
                        table.routing_key_file.as_deref(),
                    )?,
                })
            }
            ChannelType::Webhook => ChannelSettings::Webhook(WebhookSettings {
                url: self.url()?,
                key: self.signing_key()?,
            }),
            ChannelType::Email => self.email()?,
        };
        Ok(Channel {
            name: table.name.0.0.clone(),
            settings,
        })
    }

    /// A key that means nothing to this type of channel is a slip.
    fn only_own_keys(&self) -> Result<(), String> {
        use ChannelType::{Email, PagerDuty, Slack, Sns, Webhook};
        let table = self.table;
        let keys: [(&str, bool, &[ChannelType]); 18] = [
            ("topic_arn", table.topic_arn.is_some(), &[Sns]),
            ("url", table.url.is_some(), &[Slack, PagerDuty, Webhook]),
            ("url_env", table.url_env.is_some(), &[Slack, Webhook]),
            ("url_file", table.url_file.is_some(), &[Slack, Webhook]),
            ("allow_http", table.allow_http.is_some(), &[Webhook]),
            (
                "routing_key_env",
                table.routing_key_env.is_some(),
                &[PagerDuty],
            ),
            (
                "routing_key_file",
                table.routing_key_file.is_some(),
                &[PagerDuty],
            ),
            ("secret_env", table.secret_env.is_some(), &[Webhook]),
            ("secret_file", table.secret_file.is_some(), &[Webhook]),
            ("host", table.host.is_some(), &[Email]),
            ("port", table.port.is_some(), &[Email]),
            ("tls", table.tls.is_some(), &[Email]),
            ("username", table.username.is_some(), &[Email]),
            ("password_env", table.password_env.is_some(), &[Email]),
            ("password_file", table.password_file.is_some(), &[Email]),
            ("from", table.from.is_some(), &[Email]),
            ("to", table.to.is_some(), &[Email]),
            ("type", true, &[Sns, Slack, PagerDuty, Webhook, Email]),
        ];
        for (key, is_given, of) in keys {
            if is_given && !of.contains(&table.kind) {
                return Err(format!("`{key}` means nothing to a channel of this type"));
            }
        }
        Ok(())
    }

    fn sns(&self) -> Result<ChannelSettings, String> {
        let topic = self
            .table
            .topic_arn
            .clone()
            .ok_or("`topic_arn` is missing")?;
        if !topic.is_sns_topic() {
            return Err("topic_arn: expected the ARN of an SNS topic".to_owned());
        }
        Ok(ChannelSettings::Sns(SnsSettings { topic }))
    }

    /// A URL that may be a secret.
    fn url(&self) -> Result<Secret, String> {
        let table = self.table;
        let url = match &table.url {
            Some(_) if table.url_env.is_some() || table.url_file.is_some() => {
                return Err("`url` is given twice".to_owned());
            }
            Some(url) => {
                without_userinfo(url)?;
                url.clone()
            }
            None => self.read_secret("url", table.url_env.as_deref(), table.url_file.as_deref())?,
        };
        check_url(&url, table.allow_http.unwrap_or(false))
            .map_err(|mistake| format!("url: {mistake}"))?;
        Ok(Secret::new(url))
    }

    fn signing_key(&self) -> Result<Secret, String> {
        let table = self.table;
        let (env, file) = (table.secret_env.as_deref(), table.secret_file.as_deref());
        let key = self.read_secret("secret", env, file)?;
        if key.len() < SHORTEST_KEY {
            return Err(format!(
                "secret: expected at least {SHORTEST_KEY} characters, such as `openssl rand -hex 32` makes"
            ));
        }
        Ok(Secret::new(key))
    }

    fn email(&self) -> Result<ChannelSettings, String> {
        let table = self.table;
        let host = table.host.clone().ok_or("`host` is missing")?;
        let is_here = ["localhost", "127.0.0.1", "::1"].contains(&host.as_str());
        let (tls, port) = match table.tls.unwrap_or(TlsMode::StartTls) {
            TlsMode::StartTls => (SmtpTls::StartTls, 587),
            TlsMode::Tls => (SmtpTls::Wrapped, 465),
            TlsMode::None if !is_here => {
                return Err("tls: `none` is for a mail server on this machine only".to_owned());
            }
            TlsMode::None => (SmtpTls::None, 25),
        };
        let (env, file) = (
            table.password_env.as_deref(),
            table.password_file.as_deref(),
        );
        let credentials = match &table.username {
            Some(user) => Some((user.clone(), self.secret("password", env, file)?)),
            None if env.is_some() || file.is_some() => {
                return Err("there is a password, and `username` is missing".to_owned());
            }
            None => None,
        };
        let from = table.from.clone().ok_or("`from` is missing")?;
        let to = table.to.clone().filter(|to| !to.is_empty());
        let to = to.ok_or("`to` is missing")?;
        EmailSettings::check_address(&from).map_err(|mistake| format!("from: {mistake}"))?;
        for address in &to {
            EmailSettings::check_address(address).map_err(|mistake| format!("to: {mistake}"))?;
        }
        Ok(ChannelSettings::Email(EmailSettings {
            host,
            port: table.port.unwrap_or(port),
            tls,
            credentials,
            from,
            to,
        }))
    }

    fn secret(&self, key: &str, env: Option<&str>, file: Option<&Path>) -> Result<Secret, String> {
        self.read_secret(key, env, file).map(Secret::new)
    }

    fn read_secret(
        &self,
        key: &str,
        env: Option<&str>,
        file: Option<&Path>,
    ) -> Result<String, String> {
        let (text, from) = match (env, file) {
            (Some(_), Some(_)) => {
                return Err(format!("`{key}_env` and `{key}_file` are both given"));
            }
            (None, None) => return Err(format!("`{key}_env` or `{key}_file` is missing")),
            (Some(name), None) => {
                if name.starts_with("SCANNER_") {
                    return Err(format!(
                        "{key}_env: names that begin with SCANNER_ are those of the scanner's own settings; \
                         take another"
                    ));
                }
                let from = format!("the environment variable `{}`", name.escape_debug());
                let text = (self.environment)(name)
                    .ok_or_else(|| format!("{key}_env: {from} is not set, or is no text"))?;
                (text, from)
            }
            (None, Some(path)) => {
                let from = format!("the file {}", path.display());
                let text =
                    read_file(path).map_err(|error| format!("{key}_file: {from} {error}"))?;
                (text, from)
            }
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(format!("{key}: {from} is empty"));
        }
        if text.chars().any(char::is_control) {
            return Err(format!(
                "{key}: {from} has more than one line, or control characters"
            ));
        }
        Ok(text.to_owned())
    }
}

fn inline(key: &str) -> String {
    format!(
        "a secret does not stand in this file: name an environment variable with `{key}_env`, or a file \
         with `{key}_file`, instead of `{key}`"
    )
}

/// A text file of a size that a secret may have. A folder, a pipe or a device is none.
fn read_file(path: &Path) -> Result<String, String> {
    let metadata = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut text = String::new();
    (fs::File::open(path))
        .and_then(|file| file.take(LARGEST_SECRET + 1).read_to_string(&mut text))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST_SECRET) {
        return Err(format!("is larger than {LARGEST_SECRET} bytes"));
    }
    Ok(text)
}

fn has_userinfo(url: &str) -> bool {
    // A backslash is a slash to those who read URLs as browsers do.
    let (_, rest) = url.split_once(':').unwrap_or_default();
    let authority = rest.trim_start_matches(['/', '\\']);
    let authority = authority.split(['/', '\\', '?', '#']).next();
    authority.is_some_and(|authority| authority.contains('@'))
}

/// Refuses a user or a password in a URL that stands in the file: secrets come from elsewhere.
fn without_userinfo(url: &str) -> Result<(), String> {
    if has_userinfo(url) {
        return Err(
            "url: a user or a password in it is a secret, which does not belong in the file: give the URL with \
             url_env or url_file"
                .to_owned(),
        );
    }
    Ok(())
}
