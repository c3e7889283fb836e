//! Which calls could have caused a drift.
//!
//! The names are those of CloudTrail's records, which are those of the API (API references of CloudTrail,
//! CloudWatch Logs, CloudWatch, SNS and Organizations).

use model::{
    AccountId, Arn, ChainResource, ChangeKind, Drift, DriftKind, FieldChange, Link, Organization,
    Region,
};
use serde_json::Value;

use crate::request::{Asks, Target};

mod accounts;
#[cfg(test)]
pub(crate) mod tests;

/// A call to look for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suspect {
    /// The account in which CloudTrail recorded it: that of the resource.
    pub account: AccountId,
    /// The region in which CloudTrail recorded it.
    pub region: Region,
    /// The service, such as `logs.amazonaws.com`.
    pub event_source: String,
    /// The operation, such as `DeleteMetricFilter`.
    pub event_name: String,
    /// The resource that it was about.
    pub resource: String,
}

/// A suspect, and how a call is known to be it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Suspicion {
    pub(crate) suspect: Suspect,
    pub(crate) target: Target,
    pub(crate) asks: Asks,
}

/// The calls that could have caused a drift, to be looked for in CloudTrail; none where nobody did, or
/// where that cannot be told: for what was rejudged, lost sight of, or delivered late.
///
/// The organization says where calls about accounts are recorded.
pub fn suspects(drift: &Drift, organization: Option<&Organization>) -> Vec<Suspect> {
    let mut suspects: Vec<Suspect> = suspicions(drift, organization)
        .into_iter()
        .map(|suspicion| suspicion.suspect)
        .collect();
    suspects.sort();
    suspects.dedup();
    suspects
}

pub(crate) fn suspicions(drift: &Drift, organization: Option<&Organization>) -> Vec<Suspicion> {
    match drift.kind {
        DriftKind::VerdictChanged | DriftKind::ReasonChanged | DriftKind::EvidenceChanged => {
            // What else changed did not cause it: better no author than a wrong one.
            let of_cause = |change: &&FieldChange| change.of.cause() == drift.cause;
            drift
                .changes
                .iter()
                .filter(of_cause)
                .flat_map(of_change)
                .collect()
        }
        DriftKind::AccountJoined
        | DriftKind::AccountLeft
        | DriftKind::AccountMoved
        | DriftKind::AccountStateChanged
        | DriftKind::AccountRenamed => {
            let of_account = organization.zip(drift.account);
            of_account.map_or_else(Vec::new, |(organization, account)| {
                accounts::of_account_change(drift, account, organization)
            })
        }
        DriftKind::BecameUnknown
        | DriftKind::VisibleAgain
        | DriftKind::ControlAdded
        | DriftKind::Rejudged
        | DriftKind::ExceptionExpired => Vec::new(),
    }
}

/// Collects suspicions about one resource.
struct Against<'c> {
    of: &'c ChainResource,
    found: Vec<Suspicion>,
}

impl Against<'_> {
    fn add(&mut self, source: &str, target: Option<&Target>, asks: &Asks, names: &[&str]) {
        let (Some(account), Some(region), Some(target)) =
            (self.of.account, &self.of.region, target)
        else {
            return;
        };
        self.found.extend(names.iter().map(|name| Suspicion {
            suspect: Suspect {
                account,
                region: region.clone(),
                event_source: source.to_owned(),
                event_name: (*name).to_owned(),
                resource: self.of.resource.clone(),
            },
            target: target.clone(),
            asks: asks.clone(),
        }));
    }
}

fn of_change(change: &FieldChange) -> Vec<Suspicion> {
    let mut against = Against {
        of: &change.of,
        found: Vec::new(),
    };
    match change.of.link {
        Link::Trail => of_trail(change, &mut against),
        Link::LogGroup => of_log_group(change, &mut against),
        Link::MetricFilter => of_metric_filter(change, &mut against),
        Link::Alarm => of_alarm(change, &mut against),
        Link::Topic => of_topic(change, &mut against),
        Link::Subscription => of_subscription(change, &mut against),
    }
    against.found
}

const CLOUDTRAIL: &str = "cloudtrail.amazonaws.com";
const LOGS: &str = "logs.amazonaws.com";
const CLOUDWATCH: &str = "monitoring.amazonaws.com";
const SNS: &str = "sns.amazonaws.com";

fn of_trail(change: &FieldChange, against: &mut Against<'_>) {
    let trail = change.of.resource.parse().ok().map(Target::Trail);
    let trail = trail.as_ref();
    let mut add = |asks: Asks, names: &[&str]| against.add(CLOUDTRAIL, trail, &asks, names);
    let updated = &["UpdateTrail", "CreateTrail"];
    match (change.change, change.path.as_str()) {
        (ChangeKind::Removed, _) => {
            add(Asks::Anything, &["DeleteTrail"]);
            // A trail that no longer records the organization, or every region, no longer shows here.
            add(Asks::Flag("isOrganizationTrail", false), &["UpdateTrail"]);
            add(Asks::Flag("isMultiRegionTrail", false), &["UpdateTrail"]);
        }
        (ChangeKind::Added, _) => {
            add(Asks::Anything, &["CreateTrail"]);
            add(Asks::Flag("isOrganizationTrail", true), &["UpdateTrail"]);
            add(Asks::Flag("isMultiRegionTrail", true), &["UpdateTrail"]);
        }
        (_, "/status/is_logging") if change.after == Value::Bool(true) => {
            add(Asks::Anything, &["StartLogging"]);
        }
        // A trail that was made anew does not log before it is told to.
        (_, "/status/is_logging") => add(Asks::Anything, &["StopLogging", "CreateTrail"]),
        (_, "/is_multi_region") => {
            add(asked("isMultiRegionTrail", &change.after), &["UpdateTrail"]);
            add(Asks::Anything, &["CreateTrail"]);
        }
        (_, "/is_organization_trail") => {
            add(
                asked("isOrganizationTrail", &change.after),
                &["UpdateTrail"],
            );
            add(Asks::Anything, &["CreateTrail"]);
        }
        (_, "/log_group") => {
            add(Asks::Gives(&["cloudWatchLogsLogGroupArn"]), updated);
        }
        (_, path) if path.starts_with("/selectors") => {
            add(Asks::Anything, &["PutEventSelectors", "CreateTrail"]);
        }
        // Nobody sets whether CloudTrail delivers; the role that it uses is the nearest to that.
        (_, path) if path.starts_with("/status/delivery") => {
            add(Asks::Gives(&["cloudWatchLogsRoleArn"]), &["UpdateTrail"]);
        }
        _ => add(Asks::Anything, updated),
    }
}

fn asked(flag: &'static str, after: &Value) -> Asks {
    after
        .as_bool()
        .map_or(Asks::Anything, |wanted| Asks::Flag(flag, wanted))
}

fn of_log_group(change: &FieldChange, against: &mut Against<'_>) {
    let group = change.of.resource.parse().ok().map(Target::LogGroup);
    if change.change == ChangeKind::Changed {
        let names: &[&str] = if is_missing(&change.after) {
            &["DeleteLogGroup"]
        } else if is_missing(&change.before) {
            &["CreateLogGroup"]
        } else {
            // The class of a log group cannot be changed: it was deleted and made again.
            &["CreateLogGroup", "DeleteLogGroup"]
        };
        return against.add(LOGS, group.as_ref(), &Asks::Anything, names);
    }
    // The trail leads to it, or no longer does.
    if let Some(trail) = change
        .of
        .within
        .as_deref()
        .and_then(|within| within.parse::<Arn>().ok())
    {
        let of = ChainResource {
            link: Link::Trail,
            account: trail.account(),
            region: trail.region(),
            resource: trail.to_string(),
            within: None,
        };
        let mut led = Against {
            of: &of,
            found: Vec::new(),
        };
        let asks = Asks::Gives(&["cloudWatchLogsLogGroupArn"]);
        led.add(
            CLOUDTRAIL,
            Some(&Target::Trail(trail)),
            &asks,
            &["UpdateTrail", "CreateTrail"],
        );
        against.found.append(&mut led.found);
    }
}

fn of_metric_filter(change: &FieldChange, against: &mut Against<'_>) {
    let group = change
        .of
        .within
        .as_deref()
        .and_then(|within| within.parse().ok());
    let filter = group
        .clone()
        .map(|group| Target::MetricFilter(group, change.of.resource.clone()));
    let filter = filter.as_ref();
    match (change.change, change.path.as_str(), change.after.as_str()) {
        (ChangeKind::Removed, ..) => {
            // One that was changed to match other events is no longer a candidate.
            against.add(
                LOGS,
                filter,
                &Asks::Anything,
                &["DeleteMetricFilter", "PutMetricFilter"],
            );
            let group = group.map(Target::LogGroup);
            against.add(LOGS, group.as_ref(), &Asks::Anything, &["DeleteLogGroup"]);
        }
        (ChangeKind::Changed, "/pattern", Some(pattern)) => {
            let asks = Asks::Text("filterPattern", pattern.to_owned());
            against.add(LOGS, filter, &asks, &["PutMetricFilter"]);
        }
        _ => against.add(LOGS, filter, &Asks::Anything, &["PutMetricFilter"]),
    }
}

fn of_alarm(change: &FieldChange, against: &mut Against<'_>) {
    let arn = change.of.resource.parse::<Arn>().ok();
    let name = arn
        .as_ref()
        .and_then(|arn| arn.resource().strip_prefix("alarm:"));
    let alarm = name.map(|name| Target::Alarm(name.to_owned()));
    let mut add =
        |asks: Asks, names: &[&str]| against.add(CLOUDWATCH, alarm.as_ref(), &asks, names);
    // A name belongs to one alarm, metric or composite.
    let put = &["PutMetricAlarm", "PutCompositeAlarm"];
    match (change.change, change.path.as_str(), change.after.as_bool()) {
        (ChangeKind::Removed, ..) => {
            add(Asks::Anything, &["DeleteAlarms"]);
            // One that was put on another metric no longer hangs here.
            add(Asks::Anything, put);
        }
        (ChangeKind::Changed, "/actions_enabled", Some(enabled)) => {
            let switch = if enabled {
                "EnableAlarmActions"
            } else {
                "DisableAlarmActions"
            };
            add(Asks::Anything, &[switch]);
            add(Asks::FlagOrDefault("actionsEnabled", enabled), put);
        }
        _ => add(Asks::Anything, put),
    }
}

fn of_topic(change: &FieldChange, against: &mut Against<'_>) {
    let topic = Target::Topic(change.of.resource.clone());
    let name = change.of.resource.rsplit(':').next().unwrap_or_default();
    let made = Target::TopicName(name.to_owned());
    let mut add = |target: &Target, asks: Asks, names: &[&str]| {
        against.add(SNS, Some(target), &asks, names);
    };
    if change.change != ChangeKind::Changed {
        // The alarm leads to it, or no longer does.
        return of_actions(change, against);
    }
    let path = change.path.as_str();
    if is_missing(&change.after) {
        add(&topic, Asks::Anything, &["DeleteTopic"]);
    } else if is_missing(&change.before) {
        add(&made, Asks::Anything, &["CreateTopic"]);
    } else if path.starts_with("/present/policy") {
        let asks = Asks::Text("attributeName", "Policy".to_owned());
        add(&topic, asks, &["SetTopicAttributes"]);
        add(
            &topic,
            Asks::Anything,
            &["AddPermission", "RemovePermission"],
        );
        add(&made, Asks::Anything, &["CreateTopic"]);
    } else if path.starts_with("/present/kms_key") {
        let asks = Asks::Text("attributeName", "KmsMasterKeyId".to_owned());
        add(&topic, asks, &["SetTopicAttributes"]);
        add(&made, Asks::Anything, &["CreateTopic"]);
    } else {
        add(&made, Asks::Anything, &["CreateTopic"]);
    }
}

fn of_actions(change: &FieldChange, against: &mut Against<'_>) {
    let arn = change
        .of
        .within
        .as_deref()
        .and_then(|within| within.parse::<Arn>().ok());
    let Some(alarm) = arn else { return };
    let (account, region) = alarm.home().unzip();
    let of = ChainResource {
        link: Link::Alarm,
        resource: alarm.to_string(),
        account,
        region,
        within: None,
    };
    let mut led = Against {
        of: &of,
        found: Vec::new(),
    };
    let target = alarm
        .resource()
        .strip_prefix("alarm:")
        .map(|name| Target::Alarm(name.to_owned()));
    let names = &["PutMetricAlarm", "PutCompositeAlarm"];
    led.add(CLOUDWATCH, target.as_ref(), &Asks::Anything, names);
    against.found.append(&mut led.found);
}

fn of_subscription(change: &FieldChange, against: &mut Against<'_>) {
    let topic = change.of.within.clone().map(Target::Topic);
    let own = Target::Subscription(change.of.resource.clone());
    let mut add = |target: Option<&Target>, names: &[&str]| {
        against.add(SNS, target, &Asks::Anything, names);
    };
    match change.change {
        ChangeKind::Removed => {
            add(Some(&own), &["Unsubscribe"]);
            add(topic.as_ref(), &["DeleteTopic"]);
            // One that waited has no ARN of its own, and another name once it is confirmed.
            if change.of.resource.parse::<Arn>().is_err() {
                add(topic.as_ref(), &["ConfirmSubscription"]);
            }
        }
        ChangeKind::Added | ChangeKind::Changed => {
            add(topic.as_ref(), &["Subscribe", "ConfirmSubscription"]);
        }
    }
}

/// What the evidence holds in place of something that its owner says does not exist.
fn is_missing(value: &Value) -> bool {
    value.as_str() == Some("missing")
}
