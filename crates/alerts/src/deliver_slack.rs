//! Posts to an incoming webhook of Slack, in blocks. The URL is the secret.

use jiff::Timestamp;
use model::{NoticeForm, Severity};
use serde_json::{Value, json};

use crate::{
    HttpClient, Notice, Outcome, Secret,
    facts::{facts, links, title},
    http::Post,
};

/// The limits of Slack's Block Kit: of a header's text, of a section's, and of a button's URL.
const HEADER: usize = 150;
const SECTION: usize = 3000;
const URL: usize = 3000;

/// A channel of Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackSettings {
    /// The URL of the incoming webhook: whoever has it can post.
    pub url: Secret,
}

pub(crate) async fn deliver(
    http: &HttpClient,
    settings: &SlackSettings,
    notice: &Notice,
    now: Timestamp,
) -> Outcome {
    http.post(Post {
        url: settings.url.expose(),
        body: message(notice).to_string(),
        headers: Vec::new(),
        secrets: vec![&settings.url],
        now,
    })
    .await
}

pub(crate) fn message(notice: &Notice) -> Value {
    let title = title(notice);
    // In plain text too: the three characters are read in every text object.
    let header = format!("{} {}", sign(notice), escaped(&title, HEADER - 30));
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": header, "emoji": true },
    })];
    for fact in facts(notice) {
        // Escaped text is longer, and must not be cut within an escape.
        let text = format!("*{}*\n{}", fact.label, escaped(&fact.text, SECTION - 100));
        blocks.push(json!({
            "type": "section",
            // Verbatim: what looks like a link, a name or a channel stays the text it is.
            "text": { "type": "mrkdwn", "text": text, "verbatim": true },
        }));
    }
    let buttons: Vec<Value> = (links(notice).into_iter())
        .filter(|(_, url)| url.len() <= URL)
        .map(|(label, url)| {
            json!({
                "type": "button",
                "text": { "type": "plain_text", "text": label },
                "url": url,
            })
        })
        .collect();
    if !buttons.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    // What shows where blocks do not: in a notification.
    json!({ "text": escaped(&title, SECTION), "blocks": blocks, "unfurl_links": false })
}

fn sign(notice: &Notice) -> &'static str {
    match (notice.form, notice.severity) {
        (NoticeForm::Recovered, _) => ":white_check_mark:",
        (NoticeForm::Test, _) => ":wave:",
        (_, Severity::Critical) => ":rotating_light:",
        (_, Severity::High) => ":red_circle:",
        (_, Severity::Medium) => ":large_orange_circle:",
        (_, Severity::Low | Severity::Info) => ":information_source:",
    }
}

/// The three characters that Slack gives a meaning to, as it wants them written.
fn escaped(text: &str, longest: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for c in text.chars() {
        let piece = match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            c => c.to_string(),
        };
        length += piece.chars().count();
        if length > longest {
            out.push('…');
            break;
        }
        out.push_str(&piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_storm_a_reminder_and_a_recovery_are_readable() {
        insta::assert_json_snapshot!("slack_storm", message(&fixture::storm()));
        insta::assert_json_snapshot!("slack_recovered", message(&fixture::recovered()));
        insta::assert_json_snapshot!("slack_hostile", message(&fixture::hostile()[0]));
    }

    #[test]
    fn the_limits_of_slack_hold_and_nothing_has_a_meaning_that_is_not_ours() {
        for notice in fixture::hostile() {
            let message = message(&notice);
            let blocks = message["blocks"].as_array().unwrap();
            assert!(blocks.len() <= 50);
            let length = |text: &Value| text.as_str().unwrap().chars().count();
            assert!(length(&blocks[0]["text"]["text"]) <= HEADER);
            for block in &blocks[1..] {
                if block["type"] == "section" {
                    assert!(length(&block["text"]["text"]) <= SECTION);
                    let text = block["text"]["text"].as_str().unwrap();
                    assert!(!text.contains('<') && !text.contains('>'), "{text}");
                }
            }
            assert!(!message.to_string().contains("<!channel>"));
        }
    }
}
