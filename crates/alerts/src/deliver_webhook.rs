//! Posts JSON of a documented, versioned shape (`docs/alert-webhook.md`), signed.
//!
//! The signature is over the time and the body, so that what was heard once cannot be said again later.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{HttpClient, Notice, Outcome, Secret, http::Post, message::Who};

/// The shape of the document: a new one for every change that a reader would notice, but for more fields.
pub const SCHEMA: &str = "scanner.alert/v1";

/// Any program that takes JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Where it listens; it may be a secret.
    pub url: Secret,
    /// The key of the signature.
    pub key: Secret,
}

pub(crate) async fn deliver(
    http: &HttpClient,
    settings: &WebhookSettings,
    notice: &Notice,
    key: &str,
    now: Timestamp,
) -> Outcome {
    let body = document(notice).to_string();
    let timestamp = now.as_second().to_string();
    http.post(Post {
        url: settings.url.expose(),
        headers: vec![
            (
                "scanner-signature",
                signature(&settings.key, &timestamp, &body),
            ),
            ("scanner-timestamp", timestamp),
            ("idempotency-key", key.to_owned()),
        ],
        body,
        secrets: vec![&settings.url, &settings.key],
        now,
    })
    .await
}

/// `v1=` and the HMAC-SHA256 of `<timestamp>.<body>` in hexadecimal.
pub fn signature(key: &Secret, timestamp: &str, body: &str) -> String {
    // A key of any length will do (RFC 2104, section 2).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()) else {
        return String::new();
    };
    for part in [timestamp, ".", body] {
        mac.update(part.as_bytes());
    }
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// The document that is posted.
pub(crate) fn document(notice: &Notice) -> Value {
    let places: Vec<Value> = (notice.places.iter())
        .map(|place| {
            json!({
                "id": place.account,
                "name": place.name,
                "ou_path": place.ou_path,
            })
        })
        .collect();
    json!({
        "schema": SCHEMA,
        "form": notice.form,
        "id": notice.alert,
        "at": notice.at,
        "kind": notice.kind,
        "severity": notice.severity,
        "title": notice.title,
        "message": notice.message,
        "drift_id": notice.drift,
        "counts": {
            "drifts": notice.drifts,
            "accounts": notice.accounts,
            "controls": notice.controls,
        },
        "accounts": places,
        "controls": notice.named_controls,
        "resource": notice.resource,
        "verdict_before": notice.before,
        "verdict": notice.after,
        "reason": notice.reason,
        "next_step": notice.next_step(),
        "since": notice.since,
        "who": who(&notice.who),
        "standing": notice.standing.map(|standing| json!({
            "hold": standing.hold,
            "of": standing.of,
            "what": if standing.is_of_accounts { "accounts" } else { "controls" },
        })),
        "is_flapping": notice.is_flapping,
        "reminder": notice.reminder,
        "still": notice.still,
        "links": { "dashboard": notice.dashboard, "aws_console": notice.console },
        "seal": notice.seal,
    })
}

fn who(who: &Who) -> Value {
    match who {
        Who::Found { author } => json!({ "outcome": "found", "author": author }),
        Who::NotYet => json!({ "outcome": "not_yet" }),
        Who::NotFound => json!({ "outcome": "not_found" }),
        Who::Denied => json!({ "outcome": "denied" }),
        Who::Nobody => json!({ "outcome": "nobody" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_document_keeps_its_shape() {
        insta::assert_json_snapshot!("webhook_single", document(&fixture::single()));
        insta::assert_json_snapshot!("webhook_storm", document(&fixture::storm()));
        insta::assert_json_snapshot!("webhook_reminder", document(&fixture::reminder()));
        insta::assert_json_snapshot!("webhook_recovered", document(&fixture::recovered()));
    }

    #[test]
    fn a_signature_is_what_other_programs_compute() {
        // echo -n '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
        assert_eq!(
            signature(&Secret::new("key".to_owned()), "1700000000", r#"{"a":1}"#),
            "v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"
        );
    }
}
