//! Who called: the event history of an account and region, asked after something has changed.

use aws::{Api, Aws, CallError, Target};
use aws_sdk_cloudtrail::{
    primitives::DateTime,
    types::{Event, LookupAttribute, LookupAttributeKey},
};
use jiff::Timestamp;
use model::{Gap, RecordedCall, evidence::Place};

use crate::recorded_call::recorded_call;

/// How many pages of one question are read. An account has two calls a second for all that ask, people
/// at the console among them, and the change is seldom far from the end of its window.
const MOST_PAGES: usize = 5;

/// The most that AWS gives at once.
const PAGE: i32 = 50;

/// All events of one question together may be so large.
const LARGEST_LOOKUP: usize = 4 << 20;

/// The time in which something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The last time at which it had not changed.
    pub start: Timestamp,
    /// The first time at which it had.
    pub end: Timestamp,
}

/// The calls that were found, the last one first.
#[derive(Debug, Clone, PartialEq)]
pub struct LookedUp {
    /// Refused calls among them.
    pub calls: Vec<RecordedCall>,
    /// Whether these are all that can be seen by now: no page was left unread, and no event was
    /// unreadable. Events show up minutes after the call, so that more may come.
    pub is_whole: bool,
}

impl LookedUp {
    fn take(&mut self, event: Event, place: &Place, event_name: &str) {
        match recorded_call(event, place) {
            Some(call) if call.author.event_name == event_name => self.calls.push(call),
            // An answer to another question, or none.
            _ => self.is_whole = false,
        }
    }
}

/// Looks up the calls of an operation, such as `DeleteMetricFilter`, that were made in an account and
/// region. What follows a page that could not be read is missing, and the answer says so.
pub async fn look_up_events(
    aws: &Aws,
    place: &Place,
    event_name: &str,
    window: Window,
) -> Result<LookedUp, Gap> {
    let client = &aws.clients().cloudtrail;
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::EventName)
        .attribute_value(event_name)
        .build()
        .map_err(|_| aws_malformed(aws, place, event_name))?;
    let send = |target: Target, token: Option<String>| {
        // Events carry whole seconds, rounded down.
        let request = client
            .lookup_events()
            .lookup_attributes(attribute.clone())
            .start_time(DateTime::from_secs(window.start.as_second()))
            .end_time(DateTime::from_secs(
                window.end.as_second().saturating_add(1),
            ))
            .max_results(PAGE)
            .set_next_token(token);
        request
            .customize()
            .config_override(target.cloudtrail())
            .send()
    };
    let mut found = LookedUp {
        calls: Vec::new(),
        is_whole: true,
    };
    let (mut pages, mut size) = (0, 0_usize);
    let outcome = aws
        .session(place.account)
        .pages(
            Api::LookupEvents,
            &place.region,
            Some(event_name),
            send,
            |page| {
                pages += 1;
                for event in page.events.unwrap_or_default() {
                    size = size.saturating_add(event.cloud_trail_event().map_or(0, str::len));
                    if size > LARGEST_LOOKUP {
                        found.is_whole = false;
                        return Ok(None);
                    }
                    found.take(event, place, event_name);
                }
                let more = page.next_token.filter(|token| !token.is_empty());
                if more.is_some() && pages >= MOST_PAGES {
                    found.is_whole = false;
                    return Ok(None);
                }
                Ok(more)
            },
        )
        .await;
    match outcome {
        Ok(()) => Ok(found),
        Err(error) if pages > 0 => {
            tracing::debug!(%error, "the event history was not read to its end");
            found.is_whole = false;
            Ok(found)
        }
        Err(error) => Err(error.into()),
    }
}

fn aws_malformed(aws: &Aws, place: &Place, event_name: &str) -> CallError {
    let session = aws.session(place.account);
    session.malformed_answer(Api::LookupEvents, &place.region, Some(event_name))
}

#[cfg(test)]
mod tests;
