//! An event of CloudTrail, read with care: whoever calls AWS writes some of it.

use aws_sdk_cloudtrail::types::Event;
use jiff::Timestamp;
use model::{Author, RecordedCall, evidence::Place};
use serde_json::Value;

/// CloudTrail's own limit for one event is 256 KB.
pub(crate) const LARGEST_EVENT: usize = 256 << 10;

/// IAM's limit for an ARN. A shortened one would name somebody else.
const LONGEST_ARN: usize = 2048;

/// Beyond this a text is cut; CloudTrail cuts user agents at 1 KB.
const LONGEST_TEXT: usize = 512;

/// The call that an event tells of; `None` where it lacks what every event has.
pub(crate) fn recorded_call(event: Event, place: &Place) -> Option<RecordedCall> {
    let text = event
        .cloud_trail_event
        .filter(|text| text.len() <= LARGEST_EVENT)?;
    let mut record: Value = serde_json::from_str(&text).ok()?;
    let time = match record["eventTime"].as_str() {
        Some(time) => time.parse().ok()?,
        None => Timestamp::from_second(event.event_time?.secs()).ok()?,
    };
    let identity = &record["userIdentity"];
    let invoked_by = short(&identity["invokedBy"]);
    let author = Author {
        event_id: short(&record["eventID"]).or(event.event_id)?,
        event_source: short(&record["eventSource"]).or(event.event_source)?,
        event_name: short(&record["eventName"]).or(event.event_name)?,
        time,
        account: place.account,
        region: place.region.clone(),
        actor: arn(&identity["arn"]),
        session_issuer: arn(&identity["sessionContext"]["sessionIssuer"]["arn"]),
        source_ip: short(&record["sourceIPAddress"]).or(invoked_by),
        user_agent: short(&record["userAgent"]),
    };
    let error_code = match &record["errorCode"] {
        Value::Null => None,
        // Whatever it is, the call was refused.
        code => Some(short(code).unwrap_or_else(|| "unreadable".to_owned())),
    };
    Some(RecordedCall {
        author,
        error_code,
        request_parameters: asked_for(&mut record),
    })
}

/// What was asked for. Nobody asks where a service tells what it did by itself, such as that it made an
/// account: there it is what the service tells.
fn asked_for(record: &mut Value) -> Value {
    let is_of_service = record["eventType"] == "AwsServiceEvent";
    // Not `record["…"]`, which panics where the event is no structure.
    let mut take = |field| record.get_mut(field).map(Value::take).unwrap_or_default();
    match take("requestParameters") {
        Value::Null if is_of_service => take("serviceEventDetails"),
        parameters => parameters,
    }
}

fn arn(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_plain = !text.is_empty() && text.len() <= LONGEST_ARN;
    (is_plain && !text.contains(char::is_control)).then(|| text.to_owned())
}

/// A text without what would act on a terminal, cut where it is too long.
fn short(value: &Value) -> Option<String> {
    let letters = value
        .as_str()?
        .chars()
        .filter(|letter| !letter.is_control());
    let text: String = letters.take(LONGEST_TEXT).collect();
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudtrail::primitives::DateTime;
    use model::{AccountId, Region};
    use serde_json::json;

    fn read(text: impl Into<String>) -> Option<RecordedCall> {
        let place = Place {
            account: "111111111111".parse::<AccountId>().unwrap(),
            region: "us-east-1".parse::<Region>().unwrap(),
        };
        let event = Event::builder()
            .event_id("an-id")
            .event_name("DeleteTopic")
            .event_source("sns.amazonaws.com")
            .event_time(DateTime::from_secs(1_750_000_000))
            .cloud_trail_event(text)
            .build();
        recorded_call(event, &place)
    }

    #[test]
    fn who_called_from_where_and_with_what_is_kept_and_nothing_else() {
        let record = json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROAEXAMPLE:alice",
                "arn": "arn:aws:sts::111111111111:assumed-role/Admin/alice",
                "accessKeyId": "ASIAEXAMPLE",
                "sessionContext": {
                    "sessionIssuer": { "arn": "arn:aws:iam::111111111111:role/Admin" },
                },
            },
            "eventTime": "2026-11-23T20:15:07Z",
            "eventSource": "logs.amazonaws.com",
            "eventName": "DeleteMetricFilter",
            "awsRegion": "us-east-1",
            "sourceIPAddress": "203.0.113.24",
            "userAgent": "aws-cli/2",
            "requestParameters": { "filterName": "one" },
            "responseElements": { "secret": "no" },
            "eventID": "the-id",
        });
        let call = read(record.to_string()).unwrap();
        let author = &call.author;
        assert_eq!(author.event_id, "the-id");
        assert_eq!(author.event_name, "DeleteMetricFilter");
        assert_eq!(author.time.to_string(), "2026-11-23T20:15:07Z");
        assert_eq!(
            author.actor.as_deref(),
            Some("arn:aws:sts::111111111111:assumed-role/Admin/alice")
        );
        assert_eq!(
            author.session_issuer.as_deref(),
            Some("arn:aws:iam::111111111111:role/Admin")
        );
        assert_eq!(author.source_ip.as_deref(), Some("203.0.113.24"));
        assert_eq!(author.user_agent.as_deref(), Some("aws-cli/2"));
        assert_eq!(call.error_code, None);
        assert_eq!(call.request_parameters, json!({ "filterName": "one" }));
        let kept = format!("{call:?}");
        for gone in ["AROAEXAMPLE", "ASIAEXAMPLE", "secret"] {
            assert!(!kept.contains(gone), "{kept}");
        }
    }

    #[test]
    fn a_service_that_called_is_where_the_call_came_from() {
        let record = json!({ "userIdentity": { "type": "AWSService", "invokedBy": "config.amazonaws.com" } });
        let author = read(record.to_string()).unwrap().author;
        assert_eq!(author.actor, None);
        assert_eq!(author.source_ip.as_deref(), Some("config.amazonaws.com"));
        // What the event does not say, the list of events does.
        assert_eq!(author.event_name, "DeleteTopic");
        assert_eq!(author.time.as_second(), 1_750_000_000);
    }

    #[test]
    fn what_a_service_tells_of_itself_is_what_was_asked_for() {
        let details = json!({ "createAccountStatus": { "accountId": "222222222222" } });
        let mut record = json!({
            "eventName": "CreateAccountResult",
            "eventType": "AwsServiceEvent",
            "userIdentity": { "invokedBy": "AWS Internal" },
            "requestParameters": null,
            "serviceEventDetails": details,
        });
        let asked = |record: &Value| read(record.to_string()).unwrap().request_parameters;
        assert_eq!(asked(&record), details);
        // Nobody else's words are taken for it.
        record["eventType"] = json!("AwsApiCall");
        assert_eq!(asked(&record), Value::Null);
    }

    #[test]
    fn whatever_an_event_holds_it_is_read_or_passed_over() {
        let long = "x".repeat(10_000);
        let odd = json!({
            "eventID": 7,
            "eventName": ["DeleteTopic"],
            "userIdentity": "nobody",
            "sourceIPAddress": "1.2.3.4\u{1b}[2J\n",
            "userAgent": long,
            "errorCode": { "a": 1 },
            "requestParameters": [1, 2, 3],
        });
        let call = read(odd.to_string()).unwrap();
        assert_eq!(call.author.event_id, "an-id");
        assert_eq!(call.author.actor, None);
        assert_eq!(call.author.source_ip.as_deref(), Some("1.2.3.4[2J"));
        assert_eq!(call.author.user_agent.unwrap().len(), LONGEST_TEXT);
        assert_eq!(call.error_code.as_deref(), Some("unreadable"));

        let bad_arns = json!({ "userIdentity": { "arn": "a".repeat(3000), "sessionContext": 3 } });
        assert_eq!(read(bad_arns.to_string()).unwrap().author.actor, None);
        let huge = json!({ "requestParameters": "x".repeat(LARGEST_EVENT) });
        let deep = "[".repeat(200_000);
        let no_time = json!({ "eventTime": "yesterday" });
        for text in [
            String::new(),
            "not JSON".to_owned(),
            "{\"eventID\":".to_owned(),
            deep,
            huge.to_string(),
            no_time.to_string(),
        ] {
            assert_eq!(read(text), None);
        }
        for text in ["null", "7", "[]", "\"text\"", "{}"] {
            // An event of nothing: the list of events says what it was.
            assert_eq!(read(text).unwrap().request_parameters, Value::Null);
        }
    }
}
