//! Publishes to a topic of SNS, with the program's own credentials.
//!
//! One message has a form for each protocol: people who get e-mail or a text message read sentences,
//! programs behind a queue, a function or an endpoint read the JSON of the webhook.

use std::collections::HashMap;

use aws::{Api, Aws, CallError};
use aws_sdk_sns::types::MessageAttributeValue;
use model::{Arn, GapClass};
use serde_json::{Value, json};

use crate::{
    Notice, Outcome, deliver_webhook,
    facts::{plain_text, title},
    outcome::excerpt,
};

/// The most that SNS takes, attributes included (SNS API Reference, Publish).
const MOST_BYTES: usize = 256 * 1024;

/// The longest subject (the same).
const SUBJECT: usize = 100;

/// The most characters of a text message that are worth sending.
const TEXT_MESSAGE: usize = 140;

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnsSettings {
    /// The topic.
    pub topic: Arn,
}

/// What is published.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Published {
    pub(crate) subject: String,
    pub(crate) message: String,
    pub(crate) attributes: Vec<(&'static str, String)>,
    /// The group and the name under which a FIFO topic knows it.
    pub(crate) fifo: Option<(String, String)>,
}

pub(crate) async fn deliver(
    aws: &Aws,
    settings: &SnsSettings,
    notice: &Notice,
    key: &str,
) -> Outcome {
    let published = published(settings, notice, key);
    let Some((_, region)) = settings.topic.home() else {
        return Outcome::dead("the topic's ARN names no account and region");
    };
    if published.message.len() > MOST_BYTES {
        return Outcome::dead("the message is longer than SNS takes");
    }
    let arn = settings.topic.as_str();
    let client = &aws.clients().sns;
    let attributes: Option<HashMap<_, _>> = (published.attributes.iter())
        .map(|(name, value)| {
            let attribute = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value);
            Some(((*name).to_owned(), attribute.build().ok()?))
        })
        .collect();
    let sent = aws
        .ambient_session()
        .call(Api::Publish, &region, Some(arn), |target| {
            client
                .publish()
                .topic_arn(arn)
                .subject(&published.subject)
                .message_structure("json")
                .message(&published.message)
                .set_message_attributes(attributes.clone())
                .set_message_group_id(published.fifo.as_ref().map(|(group, _)| group.clone()))
                .set_message_deduplication_id(published.fifo.as_ref().map(|(_, name)| name.clone()))
                .customize()
                .config_override(target.sns())
                .send()
        })
        .await;
    match sent {
        Ok(_) => Outcome::Delivered,
        Err(error) => of_error(&error),
    }
}

pub(crate) fn published(settings: &SnsSettings, notice: &Notice, key: &str) -> Published {
    let text = plain_text(notice);
    let document = deliver_webhook::document(notice).to_string();
    let mut forms = json!({ "default": &text, "email": &text });
    let short: String = title(notice).chars().take(TEXT_MESSAGE).collect();
    let programs = ["sqs", "http", "https", "lambda", "firehose"];
    let texts = (programs.into_iter().map(|protocol| (protocol, &document)))
        .chain([("email-json", &document), ("sms", &short)]);
    if let Value::Object(forms) = &mut forms {
        for (protocol, text) in texts {
            forms.insert(protocol.to_owned(), json!(text));
        }
    }
    // Part of the name, and not of a file's.
    let is_fifo = settings
        .topic
        .resource()
        .rsplit_once('.')
        .is_some_and(|(_, end)| end == "fifo");
    Published {
        subject: subject(&title(notice)),
        message: forms.to_string(),
        attributes: vec![
            ("form", notice.form.to_string()),
            ("kind", notice.kind.to_string()),
            ("severity", notice.severity.to_string()),
        ],
        fifo: is_fifo.then(|| (notice.alert.to_string(), key.to_owned())),
    }
}

/// ASCII without controls that begins with a letter, a digit or punctuation, and is not too long.
fn subject(title: &str) -> String {
    let ascii = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
    title
        .chars()
        .map(ascii)
        .take(SUBJECT)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// What AWS refuses for good needs somebody's hand.
fn of_error(error: &CallError) -> Outcome {
    let why = excerpt(&error.to_string());
    let code = error.code.as_deref().unwrap_or_default();
    match error.class() {
        GapClass::AccessDenied | GapClass::DeniedByOrganizationPolicy | GapClass::NotFound => {
            Outcome::Dead { why }
        }
        _ if code.starts_with("Invalid") && error.class() == GapClass::Other => {
            Outcome::Dead { why }
        }
        _ => Outcome::try_again(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn topic(name: &str) -> SnsSettings {
        SnsSettings {
            topic: format!("arn:aws:sns:eu-west-1:111122223333:{name}")
                .parse()
                .unwrap(),
        }
    }

    #[test]
    fn each_protocol_gets_a_form_of_its_own() {
        let published = published(&topic("alerts"), &fixture::storm(), "key");
        insta::assert_snapshot!(published.subject);
        let forms: Value = serde_json::from_str(&published.message).unwrap();
        assert_eq!(forms["default"], forms["email"]);
        let document: Value = serde_json::from_str(forms["sqs"].as_str().unwrap()).unwrap();
        assert_eq!(document["schema"], deliver_webhook::SCHEMA);
        assert!(forms["sms"].as_str().unwrap().chars().count() <= TEXT_MESSAGE);
        assert_eq!(published.fifo, None);
    }

    #[test]
    fn limits_hold_whatever_a_name_is() {
        for notice in fixture::hostile() {
            let published = published(&topic("alerts.fifo"), &notice, "key.of.it");
            assert!(published.message.len() <= MOST_BYTES);
            let subject = &published.subject;
            assert!((1..=SUBJECT).contains(&subject.len()), "{subject}");
            assert!(subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            let (group, name) = published.fifo.unwrap();
            assert_eq!(
                (group, name.as_str()),
                (notice.alert.to_string(), "key.of.it")
            );
        }
    }
}
