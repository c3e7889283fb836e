//! CloudTrail: trails as the owner and as members of the organization see them.

mod lookup_events;

use jiff::Timestamp;

use super::{ArnParts, Call};
use crate::api_error::ApiError;
use crate::service::Service;
use crate::value::{Fields, Value};
use crate::world::{Account, AdvancedSelector, Delivery, EventSelector, Selectors, Trail};

/// How long a healthy trail takes to deliver, at least.
const DELIVERY_SECONDS: i64 = 60;

pub(super) fn answer(operation: &str, call: &Call<'_>) -> Result<Fields, ApiError> {
    match operation {
        "DescribeTrails" => describe_trails(call),
        "GetTrailStatus" => {
            let (owner, trail) = find_trail(call, "Name", "cloudtrail:GetTrailStatus")?;
            Ok(status(call, owner, trail))
        }
        "GetEventSelectors" => {
            let (owner, trail) = find_trail(call, "TrailName", "cloudtrail:GetEventSelectors")?;
            Ok(selectors(call, owner, trail))
        }
        "LookupEvents" => lookup_events::lookup_events(call),
        other => Err(Service::CloudTrail.unknown_operation(other)),
    }
}

fn describe_trails(call: &Call<'_>) -> Result<Fields, ApiError> {
    call.authorize("cloudtrail:DescribeTrails", None)?;
    let names = call
        .params
        .texts("trailNameList")?
        .filter(|names| !names.is_empty());
    let with_shadows = call.params.flag("includeShadowTrails")?.unwrap_or(true);
    let mut seen: Vec<(&Account, &Trail)> = visible_trails(call)
        .filter(|(owner, trail)| match &names {
            // A name means a trail of this account and region; a foreign one needs its ARN.
            Some(names) => names.iter().any(|name| {
                *name == trail_arn(call, owner, trail)
                    || (*name == trail.name
                        && owner.id == call.account.id
                        && trail.home_region == call.region)
            }),
            None => true,
        })
        .filter(|(owner, trail)| with_shadows || !is_shadow(call, owner, trail))
        .collect();
    let turn = usize::try_from(call.draw.fork("order").next() % 64).unwrap_or(0);
    let length = seen.len().max(1);
    seen.rotate_left(turn % length);
    let items: Vec<Value> = seen
        .into_iter()
        .map(|(owner, trail)| trail_fields(call, owner, trail).into())
        .collect();
    Ok(Fields::new().with("trailList", items))
}

/// The account's own trails and the organization's, as far as this region shows them.
fn visible_trails<'a>(call: &'a Call<'_>) -> impl Iterator<Item = (&'a Account, &'a Trail)> {
    let own = call
        .account
        .trails
        .iter()
        .map(|trail| (call.account, trail));
    let organization = organization_trails(call);
    own.chain(organization)
        .filter(|(_, trail)| trail.home_region == call.region || trail.is_multi_region)
}

/// The trails of the management account that reach into this one.
fn organization_trails<'a>(call: &'a Call<'_>) -> impl Iterator<Item = (&'a Account, &'a Trail)> {
    call.world
        .management()
        .filter(|management| management.id != call.account.id)
        .filter(|_| call.account.is_member && call.account.sees_organization_trail)
        .into_iter()
        .flat_map(|management| {
            management
                .trails
                .iter()
                .map(move |trail| (management, trail))
        })
        .filter(|(_, trail)| trail.is_organization)
}

fn is_shadow(call: &Call<'_>, owner: &Account, trail: &Trail) -> bool {
    trail.home_region != call.region || owner.id != call.account.id
}

fn trail_fields(call: &Call<'_>, owner: &Account, trail: &Trail) -> Fields {
    let role = trail
        .log_group_arn
        .as_ref()
        .map(|_| call.arn_in("iam", "", &owner.id, "role/CloudTrailToCloudWatchLogs"));
    let is_custom = trail.selectors != Selectors::all_management_events();
    Fields::new()
        .with("Name", &trail.name)
        .with("S3BucketName", &trail.s3_bucket)
        .with("IncludeGlobalServiceEvents", true)
        .with("IsMultiRegionTrail", trail.is_multi_region)
        .with("HomeRegion", &trail.home_region)
        .with("TrailARN", trail_arn(call, owner, trail))
        .with("LogFileValidationEnabled", true)
        .maybe("CloudWatchLogsLogGroupArn", trail.log_group_arn.as_ref())
        .maybe("CloudWatchLogsRoleArn", role)
        .maybe("KmsKeyId", trail.kms_key.as_ref())
        .with("HasCustomEventSelectors", is_custom)
        .with("HasInsightSelectors", false)
        .with("IsOrganizationTrail", trail.is_organization)
}

fn trail_arn(call: &Call<'_>, owner: &Account, trail: &Trail) -> String {
    let resource = format!("trail/{}", trail.name);
    call.arn_in("cloudtrail", &trail.home_region, &owner.id, &resource)
}

/// The trail that a request means by name or by ARN.
///
/// Field reports disagree about what a member gets for the organization's trail; most name
/// `CloudTrailARNInvalidException`, so that is what a world answers unless its quirks differ.
fn find_trail<'a>(
    call: &'a Call<'_>,
    member: &str,
    action: &str,
) -> Result<(&'a Account, &'a Trail), ApiError> {
    let given = call.params.required(member)?;
    if !given.starts_with("arn:") {
        let arn = call.arn("cloudtrail", &format!("trail/{given}"));
        call.authorize(action, Some(&arn))?;
        return call
            .account
            .trails
            .iter()
            .find(|trail| trail.name == given && trail.home_region == call.region)
            .map(|trail| (call.account, trail))
            .ok_or_else(|| not_found(call, given));
    }
    let parts = ArnParts::parse(given)
        .filter(|parts| parts.service == "cloudtrail")
        .filter(|parts| parts.partition == call.world.partition.name());
    let Some((parts, name)) =
        parts.and_then(|parts| Some((parts, parts.resource.strip_prefix("trail/")?)))
    else {
        return Err(ApiError::new(
            400,
            "CloudTrailARNInvalidException",
            "The specified value for the trail ARN is not valid.",
        ));
    };
    call.authorize(action, Some(given))?;
    if parts.account != call.account.id {
        let shared = organization_trails(call)
            .find(|(owner, trail)| owner.id == parts.account && trail.name == name)
            .filter(|_| call.world.quirks.member_reads_organization_trail);
        return shared.ok_or_else(|| {
            ApiError::new(
                400,
                "CloudTrailARNInvalidException",
                format!("AccountID in ARN is wrong: {given}"),
            )
        });
    }
    call.account
        .trails
        .iter()
        .find(|trail| {
            trail.name == name
                && trail.home_region == parts.region
                && trail.home_region == call.region
        })
        .map(|trail| (call.account, trail))
        .ok_or_else(|| not_found(call, given))
}

fn not_found(call: &Call<'_>, name: &str) -> ApiError {
    ApiError::new(
        400,
        "TrailNotFoundException",
        format!("Unknown trail: {name} for the user: {}", call.account.id),
    )
}

fn status(call: &Call<'_>, owner: &Account, trail: &Trail) -> Fields {
    let started = owner.made_at(&trail.name);
    let has_group = trail.log_group_arn.is_some();
    let (delivered, error) = match &trail.delivery {
        _ if !has_group => (None, None),
        Delivery::Fresh => (Some(call.lately("delivery", DELIVERY_SECONDS)), None),
        Delivery::Stale { hours } => (Some(hours_ago(call, *hours)), None),
        Delivery::Failing {
            code,
            last_success_hours,
        } => (
            last_success_hours.map(|hours| hours_ago(call, hours)),
            Some(code),
        ),
        Delivery::Never => (None, None),
    };
    let attempted = call.lately("attempt", DELIVERY_SECONDS);
    let stopped = (!trail.is_logging).then(|| call.lately("stopped", 86_400 * 30));
    Fields::new()
        .with("IsLogging", trail.is_logging)
        .with("LatestDeliveryTime", call.lately("s3", DELIVERY_SECONDS))
        .with("StartLoggingTime", started)
        .maybe("StopLoggingTime", stopped)
        .maybe("LatestCloudWatchLogsDeliveryTime", delivered)
        .maybe("LatestCloudWatchLogsDeliveryError", error)
        .with("LatestDigestDeliveryTime", call.lately("digest", 1800))
        .with("LatestDeliveryAttemptTime", format!("{attempted:.0}"))
        .with("LatestNotificationAttemptTime", "")
        .with("LatestNotificationAttemptSucceeded", "")
        .with("LatestDeliveryAttemptSucceeded", format!("{attempted:.0}"))
        .with("TimeLoggingStarted", format!("{started:.0}"))
        .with(
            "TimeLoggingStopped",
            stopped.map(|time| format!("{time:.0}")).unwrap_or_default(),
        )
}

fn hours_ago(call: &Call<'_>, hours: i64) -> Timestamp {
    call.lately("delivery", hours.saturating_mul(3600))
}

fn selectors(call: &Call<'_>, owner: &Account, trail: &Trail) -> Fields {
    let fields = Fields::new().with("TrailARN", trail_arn(call, owner, trail));
    match &trail.selectors {
        Selectors::Basic(selectors) => {
            let items: Vec<Value> = selectors
                .iter()
                .map(|selector| basic(selector).into())
                .collect();
            fields.with("EventSelectors", items)
        }
        Selectors::Advanced(selectors) => {
            let items: Vec<Value> = selectors
                .iter()
                .map(|selector| advanced(selector).into())
                .collect();
            fields.with("AdvancedEventSelectors", items)
        }
    }
}

fn basic(selector: &EventSelector) -> Fields {
    Fields::new()
        .with("ReadWriteType", &selector.read_write_type)
        .with(
            "IncludeManagementEvents",
            selector.include_management_events,
        )
        .with("DataResources", Vec::new())
        .with(
            "ExcludeManagementEventSources",
            selector.exclude_sources.as_slice(),
        )
}

fn advanced(selector: &AdvancedSelector) -> Fields {
    let conditions: Vec<Value> = selector
        .fields
        .iter()
        .map(|field| {
            let operators = [
                ("Equals", &field.equals),
                ("StartsWith", &field.starts_with),
                ("EndsWith", &field.ends_with),
                ("NotEquals", &field.not_equals),
                ("NotStartsWith", &field.not_starts_with),
                ("NotEndsWith", &field.not_ends_with),
            ];
            let fields = Fields::new().with("Field", &field.field);
            operators
                .into_iter()
                .filter(|(_, values)| !values.is_empty())
                .fold(fields, |fields, (name, values)| {
                    fields.with(name, values.as_slice())
                })
                .into()
        })
        .collect();
    Fields::new()
        .maybe("Name", selector.name.as_ref())
        .with("FieldSelectors", conditions)
}
