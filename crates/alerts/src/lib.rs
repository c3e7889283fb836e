#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod channel;
mod console_link;
mod deliver_email;
mod deliver_pagerduty;
mod deliver_slack;
mod deliver_sns;
mod deliver_webhook;
mod facts;
#[cfg(test)]
mod fixture;
mod grouping;
mod headline;
mod http;
mod message;
mod outcome;
mod routing;
mod secret;

pub use channel::{Channel, ChannelSettings, Channels};
pub use deliver_email::{EmailSettings, SmtpTls};
pub use deliver_pagerduty::{PAGERDUTY_URL, PagerDutySettings};
pub use deliver_slack::SlackSettings;
pub use deliver_sns::SnsSettings;
pub use deliver_webhook::{SCHEMA, WebhookSettings, signature};
pub use facts::{Fact, facts, plain_text};
pub use grouping::{Group, Groups, SeenDrift};
pub use http::{HttpClient, HttpSetupError, check_url};
pub use message::{
    Ended, Notice, Opening, Place, Resource, Seal, Since, Standing, Still, SweepTime, Who,
    idempotency_key,
};
pub use outcome::Outcome;
pub use routing::{Route, RoutedDrift, Routes};
pub use secret::Secret;
