//! LookupEvents: the event history of an account and region, newest first.

use jiff::{SignedDuration, Timestamp};

use super::Call;
use crate::api_error::ApiError;
use crate::value::{Fields, Value};
use crate::world::RecordedEvent;

const PAGE: usize = 50;
const LARGEST_PAGE: i64 = 50;

/// How long the history goes back.
const HISTORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The attributes by which events are found, one at a time.
const ATTRIBUTES: [&str; 8] = [
    "AccessKeyId",
    "EventId",
    "EventName",
    "EventSource",
    "ReadOnly",
    "ResourceName",
    "ResourceType",
    "Username",
];

pub(super) fn lookup_events(call: &Call<'_>) -> Result<Fields, ApiError> {
    call.authorize("cloudtrail:LookupEvents", None)?;
    let attribute = attribute(call)?;
    let size = call
        .asked_size("MaxResults", LARGEST_PAGE)
        .map_err(|error| ApiError::new(400, "InvalidMaxResultsException", error.message))?;
    let (start, end) = time_range(call)?;
    let insights = call.params.text("EventCategory")?;
    if insights.is_some_and(|category| category != "insight") {
        return Err(ApiError::new(
            400,
            "InvalidEventCategoryException",
            "The event category is not valid.",
        ));
    }
    let history = &call.world.event_history;
    let mut found: Vec<&RecordedEvent> = history
        .of(&call.account.id, call.region)
        .iter()
        .filter(|event| insights.is_none() && event.visible_from <= call.waited_until)
        .filter(|event| (start..=end).contains(&event.time))
        .filter(|event| attribute.is_none_or(|(key, value)| holds(event, key, value)))
        .collect();
    // Of those of one second, the last recorded comes first.
    found.reverse();
    found.sort_by_key(|event| std::cmp::Reverse(event.time));
    let page = call
        .page_in_order(found.len(), PAGE, size, "NextToken")
        .map_err(|error| ApiError::new(400, "InvalidNextTokenException", error.message))?;
    let events: Vec<Value> = page
        .positions
        .iter()
        .filter_map(|position| found.get(*position))
        .map(|event| fields(event).into())
        .collect();
    Ok(Fields::new()
        .with("Events", events)
        .maybe("NextToken", page.next_token))
}

/// The attribute that events must have. AWS takes a list, and no more than one in it.
fn attribute<'a>(call: &'a Call<'_>) -> Result<Option<(&'a str, &'a str)>, ApiError> {
    let invalid =
        |message: &'static str| ApiError::new(400, "InvalidLookupAttributesException", message);
    let given = call
        .params
        .pairs("LookupAttributes", "AttributeKey", "AttributeValue")?;
    match given.as_slice() {
        [] => Ok(None),
        [(key, value)] if ATTRIBUTES.contains(key) && !value.is_empty() => Ok(Some((key, value))),
        [_] => Err(invalid("The lookup attribute is not valid.")),
        _ => Err(invalid("You can specify one lookup attribute only.")),
    }
}

fn time_range(call: &Call<'_>) -> Result<(Timestamp, Timestamp), ApiError> {
    let start = call.params.time("StartTime")?;
    let end = call.params.time("EndTime")?;
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(ApiError::new(
            400,
            "InvalidTimeRangeException",
            "The start time must be before the end time.",
        ));
    }
    let oldest = call.now.checked_sub(HISTORY).unwrap_or(Timestamp::MIN);
    let start = start.map_or(oldest, |start| start.max(oldest));
    Ok((start, end.unwrap_or(Timestamp::MAX)))
}

fn holds(event: &RecordedEvent, key: &str, value: &str) -> bool {
    match key {
        "AccessKeyId" => event.access_key_id.as_deref() == Some(value),
        "EventId" => event.event_id == value,
        "EventName" => event.event_name == value,
        "EventSource" => event.event_source == value,
        "ReadOnly" => event.is_read_only.to_string() == value,
        "ResourceName" => event.resources.iter().any(|one| one.name == value),
        "ResourceType" => event.resources.iter().any(|one| one.kind == value),
        "Username" => event.username.as_deref() == Some(value),
        _ => false,
    }
}

fn fields(event: &RecordedEvent) -> Fields {
    let resources: Vec<Value> = event
        .resources
        .iter()
        .map(|resource| {
            Fields::new()
                .with("ResourceType", resource.kind)
                .with("ResourceName", &resource.name)
                .into()
        })
        .collect();
    Fields::new()
        .with("EventId", &event.event_id)
        .with("EventName", &event.event_name)
        .with("ReadOnly", event.is_read_only.to_string())
        .maybe("AccessKeyId", event.access_key_id.as_ref())
        .with("EventTime", event.time)
        .with("EventSource", &event.event_source)
        .maybe("Username", event.username.as_ref())
        .with("Resources", resources)
        .with("CloudTrailEvent", &event.record)
}
