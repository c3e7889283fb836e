//! Sends events to PagerDuty (Events API v2): an alert is an incident, and its end resolves it.

use jiff::Timestamp;
use model::{NoticeForm, Severity};
use serde_json::{Value, json};

use crate::{
    HttpClient, Notice, Outcome, Secret,
    facts::{facts, links, title},
    http::Post,
};

/// Where PagerDuty takes events.
pub const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";

/// The longest summary.
const SUMMARY: usize = 1024;

/// A service of PagerDuty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagerDutySettings {
    /// Where events go: [`PAGERDUTY_URL`], or its like of another service region.
    pub url: String,
    /// The integration key of the service.
    pub routing_key: Secret,
}

pub(crate) async fn deliver(
    http: &HttpClient,
    settings: &PagerDutySettings,
    notice: &Notice,
    now: Timestamp,
) -> Outcome {
    let mut outcome = Outcome::Delivered;
    for event in events(settings, notice) {
        outcome = http
            .post(Post {
                url: &settings.url,
                body: event.to_string(),
                headers: Vec::new(),
                secrets: vec![&settings.routing_key],
                now,
            })
            .await;
        if outcome != Outcome::Delivered {
            break;
        }
    }
    outcome
}

/// What is sent: one event, but for a test, which leaves no incident behind.
pub(crate) fn events(settings: &PagerDutySettings, notice: &Notice) -> Vec<Value> {
    // An incident is one for all that is told of its alert.
    let dedup_key = format!("scanner-{}", notice.alert);
    let resolve = || {
        json!({
            "routing_key": settings.routing_key.expose(),
            "event_action": "resolve",
            "dedup_key": dedup_key,
        })
    };
    let trigger = || trigger(settings.routing_key.expose(), &dedup_key, notice);
    match notice.form {
        NoticeForm::Opened | NoticeForm::Reminder => vec![trigger()],
        NoticeForm::Recovered => vec![resolve()],
        NoticeForm::Test => vec![trigger(), resolve()],
    }
}

fn trigger(routing_key: &str, dedup_key: &str, notice: &Notice) -> Value {
    let details: serde_json::Map<String, Value> = (facts(notice).into_iter())
        .map(|fact| (fact.label.to_owned(), Value::from(fact.text)))
        .collect();
    let links: Vec<Value> = (links(notice).into_iter())
        .map(|(text, href)| json!({ "href": href, "text": text }))
        .collect();
    let source = match notice.places.as_slice() {
        [place] => place.account.to_string(),
        _ => "the organization".to_owned(),
    };
    let component = notice.resource.as_ref();
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": dedup_key,
        "client": "scanner",
        "client_url": notice.dashboard,
        "payload": {
            "summary": title(notice).chars().take(SUMMARY).collect::<String>(),
            "source": source,
            "severity": severity(notice.severity),
            "timestamp": notice.since.seen.at.to_string(),
            "component": component.map(|of| of.link.in_words()),
            "group": notice.kind.code(),
            "class": notice.reason.map(model::Reason::code),
            "custom_details": details,
        },
        "links": links,
    })
}

/// The four that PagerDuty knows.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn settings() -> PagerDutySettings {
        PagerDutySettings {
            url: PAGERDUTY_URL.to_owned(),
            routing_key: Secret::new("R0UT1NGKEY".to_owned()),
        }
    }

    #[test]
    fn an_alert_triggers_and_its_end_resolves_the_same_incident() {
        let opened = events(&settings(), &fixture::storm());
        insta::assert_json_snapshot!("pagerduty_storm", opened);
        let recovered = events(&settings(), &fixture::recovered());
        insta::assert_json_snapshot!("pagerduty_recovered", recovered);
        assert_eq!(opened[0]["dedup_key"], recovered[0]["dedup_key"]);
        let test = Notice::test("oncall", Timestamp::UNIX_EPOCH);
        let actions: Vec<Value> = (events(&settings(), &test).into_iter())
            .map(|event| event["event_action"].clone())
            .collect();
        assert_eq!(actions, ["trigger", "resolve"]);
    }

    #[test]
    fn the_limits_of_pagerduty_hold() {
        for notice in fixture::hostile() {
            let event = &events(&settings(), &notice)[0];
            assert!(event.to_string().len() < 512 * 1024);
            assert!(event["dedup_key"].as_str().unwrap().len() <= 255);
            let summary = event["payload"]["summary"].as_str().unwrap();
            assert!((1..=SUMMARY).contains(&summary.chars().count()));
            assert!(!summary.chars().any(char::is_control));
        }
    }
}
