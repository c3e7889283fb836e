//! The channels of a configuration, and the one way to send something to one of them.

use std::{collections::BTreeMap, time::Duration};

use aws::Aws;
use jiff::Timestamp;

use crate::{
    EmailSettings, HttpClient, Notice, Outcome, PagerDutySettings, SlackSettings, SnsSettings,
    WebhookSettings, deliver_email, deliver_pagerduty, deliver_slack, deliver_sns, deliver_webhook,
};

/// No delivery takes longer, whatever its channel does.
const DEADLINE: Duration = Duration::from_mins(1);

/// How a channel is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelSettings {
    /// A topic of SNS.
    Sns(SnsSettings),
    /// An incoming webhook of Slack.
    Slack(SlackSettings),
    /// A service of PagerDuty.
    PagerDuty(PagerDutySettings),
    /// Any program that takes JSON.
    Webhook(WebhookSettings),
    /// A mail server.
    Email(EmailSettings),
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The name that the configuration gives it.
    pub name: String,
    /// How it is reached.
    pub settings: ChannelSettings,
}

impl Channel {
    /// Every kind of channel, as the configuration writes it.
    pub const KINDS: [&str; 5] = ["sns", "slack", "pagerduty", "webhook", "email"];

    /// What kind of channel it is, as the configuration writes it.
    pub fn kind(&self) -> &'static str {
        match self.settings {
            ChannelSettings::Sns(_) => "sns",
            ChannelSettings::Slack(_) => "slack",
            ChannelSettings::PagerDuty(_) => "pagerduty",
            ChannelSettings::Webhook(_) => "webhook",
            ChannelSettings::Email(_) => "email",
        }
    }

    /// Whether it needs the connection to AWS.
    pub fn needs_aws(&self) -> bool {
        matches!(self.settings, ChannelSettings::Sns(_))
    }
}

/// All channels, ready to send.
#[derive(Debug, Clone)]
pub struct Channels {
    by_name: BTreeMap<String, Channel>,
    http: HttpClient,
    aws: Option<Aws>,
}

impl Channels {
    /// Channels that send with this client, and publish with these credentials.
    pub fn new(
        channels: impl IntoIterator<Item = Channel>,
        http: HttpClient,
        aws: Option<Aws>,
    ) -> Self {
        Self {
            by_name: (channels.into_iter())
                .map(|channel| (channel.name.clone(), channel))
                .collect(),
            http,
            aws,
        }
    }

    /// What kind of channel one is.
    pub fn kind(&self, name: &str) -> Option<&'static str> {
        self.by_name.get(name).map(Channel::kind)
    }

    /// Whether there is one of this name.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Sends a notice to a channel; `None` where there is no channel of this name.
    pub async fn deliver(
        &self,
        name: &str,
        notice: &Notice,
        key: &str,
        now: Timestamp,
    ) -> Option<Outcome> {
        let channel = self.by_name.get(name)?;
        let sent = self.send(&channel.settings, notice, key, now);
        let outcome = tokio::time::timeout(DEADLINE, sent).await;
        Some(outcome.unwrap_or_else(|_| Outcome::try_again("the channel did not answer in time")))
    }

    async fn send(
        &self,
        settings: &ChannelSettings,
        notice: &Notice,
        key: &str,
        now: Timestamp,
    ) -> Outcome {
        match settings {
            ChannelSettings::Sns(settings) => match &self.aws {
                Some(aws) => deliver_sns::deliver(aws, settings, notice, key).await,
                None => Outcome::try_again("there is no connection to AWS"),
            },
            ChannelSettings::Slack(settings) => {
                deliver_slack::deliver(&self.http, settings, notice, now).await
            }
            ChannelSettings::PagerDuty(settings) => {
                deliver_pagerduty::deliver(&self.http, settings, notice, now).await
            }
            ChannelSettings::Webhook(settings) => {
                deliver_webhook::deliver(&self.http, settings, notice, key, now).await
            }
            ChannelSettings::Email(settings) => {
                deliver_email::deliver(settings, notice, key, now).await
            }
        }
    }
}
