//! How CloudTrail writes a call down, and what else happens around it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::api_call::ApiCall;
use super::change::Moment;
use super::{Actor, EventResource, RecordedEvent, World};
use crate::chance::Draw;

impl World {
    /// Puts a call into the history of its account and region, with what happens around it.
    pub(super) fn record_call(&mut self, call: &ApiCall, by: &Actor, moment: Moment) {
        if self.event_history.settings.noise && call.details.is_none() {
            let someone = |session: &str| {
                let (partition, account) = (self.partition.name(), &call.account);
                Actor::with_arn(format!(
                    "arn:{partition}:sts::{account}:assumed-role/{session}"
                ))
            };
            let (pipeline, intern) = (someone("Deployment/pipeline"), someone("ReadOnly/intern"));
            let day_before = SignedDuration::from_hours(30);
            self.put_event(call, &pipeline, moment, day_before, None);
            let other = call.about_another();
            self.put_event(
                &other,
                &pipeline,
                moment,
                SignedDuration::from_secs(40),
                None,
            );
            let refused = Some("AccessDenied");
            self.put_event(
                call,
                &intern,
                moment,
                SignedDuration::from_secs(20),
                refused,
            );
        }
        // Nobody calls where a service tells what it has done.
        let itself = Actor {
            invoked_by: Some("AWS Internal".to_owned()),
            ..Actor::default()
        };
        let by = if call.details.is_some() { &itself } else { by };
        self.put_event(call, by, moment, SignedDuration::ZERO, None);
    }

    fn put_event(
        &mut self,
        call: &ApiCall,
        by: &Actor,
        moment: Moment,
        ago: SignedDuration,
        error_code: Option<&str>,
    ) {
        let history = &self.event_history;
        let number = history.recorded().to_string();
        let mut draw = Draw::new(
            moment.seed,
            &["event", &call.account, &call.region, call.name, &number],
        );
        let (event_id, request_id) = (draw.uuid(), draw.uuid());
        let delay = history.settings.delay.at(draw.fraction());
        let happened = moment.now.checked_sub(ago).unwrap_or(moment.now);
        // CloudTrail writes whole seconds.
        let time = Timestamp::from_second(happened.as_second()).unwrap_or(happened);
        let visible_from = happened
            .checked_add(moment.skipped.saturating_add(delay))
            .unwrap_or(happened);
        let caller = by.caller(self.partition, &call.account);
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": caller.identity,
            "eventTime": time.to_string(),
            "eventSource": call.source,
            "eventName": call.name,
            "awsRegion": call.region,
            "sourceIPAddress": caller.source_ip,
            "userAgent": caller.user_agent,
            "requestParameters": call.parameters,
            "responseElements": call.response,
            "requestID": request_id,
            "eventID": event_id,
            "readOnly": false,
            "eventType": if call.details.is_some() { "AwsServiceEvent" } else { "AwsApiCall" },
            "managementEvent": true,
            "recipientAccountId": call.account,
            "eventCategory": "Management",
        });
        if let Some(details) = &call.details {
            record["serviceEventDetails"] = details.clone();
        }
        if let Some(code) = error_code {
            record["errorCode"] = json!(code);
            record["errorMessage"] = json!("User is not authorized to perform this operation");
            record["responseElements"] = Value::Null;
        }
        let resource = |kind| EventResource {
            kind,
            name: call.subject.clone(),
        };
        let event = RecordedEvent {
            event_id,
            event_name: call.name.to_owned(),
            event_source: call.source.to_owned(),
            time,
            visible_from,
            username: caller.username,
            access_key_id: caller.access_key_id,
            is_read_only: false,
            resources: call.kind.map(resource).into_iter().collect(),
            record: record.to_string(),
        };
        self.event_history
            .record(&call.account, &call.region, event);
    }
}

impl ApiCall {
    /// The same call about a resource whose name is nearly the same.
    fn about_another(&self) -> Self {
        let is_id = self.subject.bytes().all(|byte| byte.is_ascii_digit());
        let other = if is_id {
            "999999999999".to_owned()
        } else {
            format!("{}-2", self.subject)
        };
        let mut call = self.clone();
        rename(&mut call.parameters, &self.subject, &other);
        rename(&mut call.response, &self.subject, &other);
        call.subject = other;
        call
    }
}

fn rename(value: &mut Value, name: &str, other: &str) {
    match value {
        Value::String(text) if text.contains(name) => *text = text.replace(name, other),
        Value::Array(values) => values.iter_mut().for_each(|one| rename(one, name, other)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|one| rename(one, name, other)),
        _ => {}
    }
}
