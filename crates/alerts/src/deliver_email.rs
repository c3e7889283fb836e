//! Sends e-mail over SMTP: plain text, and the same as HTML.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use model::NoticeForm;

use crate::{
    Notice, Outcome, Secret,
    facts::{facts, links, plain_text, title},
    message::idempotency_key,
    outcome::excerpt,
    secret::quoted,
};

/// For a connection, and for each answer of the server.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How the way to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// From the first byte on.
    Wrapped,
    /// After the server was asked for it, and not without it.
    StartTls,
    /// Not at all: for a server on the same machine.
    None,
}

/// A mail server, and who is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailSettings {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is protected.
    pub tls: SmtpTls,
    /// The user and the password, if the server asks for them.
    pub credentials: Option<(String, Secret)>,
    /// Who writes.
    pub from: String,
    /// Who is written to.
    pub to: Vec<String>,
}

impl EmailSettings {
    /// Says what is wrong with an address.
    pub fn check_address(address: &str) -> Result<(), String> {
        (address.parse::<Mailbox>()).map(|_| ()).map_err(|error| {
            format!(
                "`{}` is not an e-mail address: {error}",
                address.escape_debug()
            )
        })
    }
}

pub(crate) async fn deliver(
    settings: &EmailSettings,
    notice: &Notice,
    key: &str,
    now: Timestamp,
) -> Outcome {
    let Some(message) = message(settings, notice, key, now) else {
        return Outcome::dead("the message cannot be made: look at the channel's addresses");
    };
    let transport = match transport(settings) {
        Ok(transport) => transport,
        Err(error) => return Outcome::dead(format!("TLS cannot be set up: {error}")),
    };
    match transport.send(message).await {
        Ok(_) => Outcome::Delivered,
        Err(error) => {
            let mut why = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                why = format!("{why}: {cause}");
                source = cause.source();
            }
            let why = match &settings.credentials {
                Some((_, password)) => quoted(&why, &[password]),
                None => why,
            };
            let why = excerpt(&why);
            if error.is_permanent() {
                Outcome::Dead { why }
            } else {
                Outcome::try_again(why)
            }
        }
    }
}

fn transport(
    settings: &EmailSettings,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
    let tls = match settings.tls {
        SmtpTls::Wrapped => Tls::Wrapper(TlsParameters::new(settings.host.clone())?),
        SmtpTls::StartTls => Tls::Required(TlsParameters::new(settings.host.clone())?),
        SmtpTls::None => Tls::None,
    };
    // "Dangerous" is what the name of the function says of `Tls::None`, which the configuration allows
    // on the same machine only.
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
        .port(settings.port)
        .tls(tls)
        .timeout(Some(TIMEOUT));
    if let Some((user, password)) = &settings.credentials {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    Ok(builder.build())
}

/// The message; `None` where an address cannot be used.
pub(crate) fn message(
    settings: &EmailSettings,
    notice: &Notice,
    key: &str,
    now: Timestamp,
) -> Option<Message> {
    let from: Mailbox = settings.from.parse().ok()?;
    let domain = from.email.domain().to_owned();
    // The same for every attempt: whoever gets it twice sees one message.
    let mut builder = Message::builder()
        .message_id(Some(format!("<{key}@{domain}>")))
        .date(SystemTime::try_from(now).ok()?)
        .subject(title(notice));
    if matches!(notice.form, NoticeForm::Reminder | NoticeForm::Recovered)
        && let Some((_, channel)) = key.rsplit_once('.')
    {
        let first = idempotency_key(notice.alert, NoticeForm::Opened, None, channel);
        let first = format!("<{first}@{domain}>");
        builder = builder.in_reply_to(first.clone()).references(first);
    }
    builder = builder.from(from);
    for to in &settings.to {
        builder = builder.to(to.parse().ok()?);
    }
    let both = MultiPart::alternative_plain_html(plain_text(notice), html(notice));
    builder.multipart(both).ok()
}

pub(crate) fn html(notice: &Notice) -> String {
    let mut html = format!(
        "<!doctype html><html><body style=\"font-family:sans-serif\">\n<h2>{}</h2>\n<table>\n",
        escaped(&title(notice))
    );
    let mut row = |label: &str, value: &str| {
        html.push_str("<tr><th align=\"left\" valign=\"top\">");
        html.push_str(label);
        html.push_str("</th><td>");
        html.push_str(value);
        html.push_str("</td></tr>\n");
    };
    for fact in facts(notice) {
        row(&escaped(fact.label), &escaped(&fact.text));
    }
    for (label, url) in links(notice) {
        let url = escaped(url);
        row(&escaped(label), &format!("<a href=\"{url}\">{url}</a>"));
    }
    html.push_str("</table>\n</body></html>\n");
    html
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn settings() -> EmailSettings {
        EmailSettings {
            host: "mail.example.com".to_owned(),
            port: 587,
            tls: SmtpTls::StartTls,
            credentials: None,
            from: "Scanner <scanner@example.com>".to_owned(),
            to: vec!["a@example.com".to_owned(), "b@example.com".to_owned()],
        }
    }

    fn headers(notice: &Notice, key: &str) -> String {
        let now = notice.at;
        let message = message(&settings(), notice, key, now).unwrap().formatted();
        let text = String::from_utf8(message).unwrap();
        let (headers, _) = text.split_once("\r\n\r\n").unwrap();
        let lines = headers.lines().filter(|line| {
            // The boundary is drawn by lot.
            !line.contains("boundary=") && !line.starts_with("Content-Type")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn people_read_sentences() {
        insta::assert_snapshot!("email_text_single", plain_text(&fixture::single()));
        insta::assert_snapshot!("email_text_storm", plain_text(&fixture::storm()));
        insta::assert_snapshot!("email_text_reminder", plain_text(&fixture::reminder()));
        insta::assert_snapshot!("email_text_recovered", plain_text(&fixture::recovered()));
        insta::assert_snapshot!("email_text_unseen", plain_text(&fixture::unseen()));
        insta::assert_snapshot!("email_html_hostile", html(&fixture::hostile()[0]));
        insta::assert_snapshot!(
            "email_headers",
            headers(&fixture::recovered(), "a.recovered.mail")
        );
    }

    #[test]
    fn a_name_is_neither_a_header_nor_a_tag() {
        for notice in fixture::hostile() {
            let headers = headers(&notice, "a.opened.mail");
            assert!(
                !headers.lines().any(|line| line.starts_with("Bcc")),
                "{headers}"
            );
            let html = html(&notice);
            assert!(!html.contains("<script"), "{html}");
            assert!(!html.contains("onerror=\""), "{html}");
        }
    }

    #[test]
    fn an_address_is_checked() {
        EmailSettings::check_address("Scanner <scanner@example.com>").unwrap();
        EmailSettings::check_address("nobody").unwrap_err();
    }
}
