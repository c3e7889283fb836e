//! The ways in which chains break.

use crate::world::{
    Account, Alarm, BenchmarkControl, Delivery, MetricFilter, Partition, PolicyKind, Selectors,
    SubscriptionState, narrowed,
};

/// How many ways [`break_chain`] knows.
pub(super) const WAYS: usize = 26;

/// How many ways [`break_control`] knows.
pub(super) const WAYS_OF_A_CONTROL: usize = 6;

/// A condition that failed calls do not meet.
const ONLY_SUCCESSES: &str = "$.errorCode NOT EXISTS";

/// Breaks the complete chain of `account` in the way of that number, taken round and round: for
/// all controls or for some, but always for the one on AWS Organizations.
pub(super) fn break_chain(account: &mut Account, partition: Partition, way: usize) {
    match way % WAYS {
        // The commonest account of all: nobody has set up anything.
        0 | 10 => {
            account.trails.clear();
            account.log_groups.clear();
            account.alarms.clear();
            account.topics.clear();
        }
        way @ (1..=6 | 11) => break_trail(account, way),
        way @ (7..=9 | 12..=13 | 20..=23) => break_filters(account, way),
        way => break_notification(account, partition, way),
    }
}

fn break_trail(account: &mut Account, way: usize) {
    for trail in &mut account.trails {
        match way {
            1 => trail.is_multi_region = false,
            2 => trail.is_logging = false,
            3 => trail.selectors = Selectors::only("ReadOnly"),
            4 => trail.log_group_arn = None,
            5 => {
                trail.delivery = Delivery::Failing {
                    code: "AccessDenied".to_owned(),
                    last_success_hours: None,
                }
            }
            6 => trail.selectors = Selectors::advanced(&[Some("true")]),
            _ => trail.selectors = Selectors::only("WriteOnly"),
        }
    }
}

fn break_filters(account: &mut Account, way: usize) {
    let organizations = BenchmarkControl::OrganizationsChanges;
    match way {
        8 => return forget_events(account, &["LeaveOrganization"]),
        20 => return break_control(account, organizations, 1),
        21 => return break_control(account, organizations, 2),
        // As the benchmark was before v1.3, which brought the control on AWS Organizations.
        22 => return break_control(account, organizations, 3),
        _ => {}
    }
    for group in &mut account.log_groups {
        match way {
            7 => group.metric_filters.clear(),
            9 => {
                for filter in &mut group.metric_filters {
                    filter.pattern = narrowed(&filter.pattern, ONLY_SUCCESSES);
                }
            }
            12 => {
                for filter in &mut group.metric_filters {
                    "0".clone_into(&mut filter.value);
                }
            }
            // The cheaper class, which takes no metric filters.
            23 => {
                group.class = Some("INFREQUENT_ACCESS".to_owned());
                group.metric_filters.clear();
            }
            // Somebody renamed the group; the trail still names the old one.
            _ => group.name.push_str("-new"),
        }
    }
}

fn break_notification(account: &mut Account, partition: Partition, way: usize) {
    let function = format!(
        "arn:{}:lambda:{{}}:{}:function:notify",
        partition.name(),
        account.id
    );
    for alarm in &mut account.alarms {
        match way {
            14 => alarm.alarm_actions.clear(),
            15 => alarm.actions_enabled = false,
            16 => alarm.threshold = Some(5.0),
            17 => "CloudTrailMetrics".clone_into(&mut alarm.namespace),
            18 => alarm.alarm_actions = vec![function.replace("{}", &alarm.region)],
            _ => {}
        }
    }
    for topic in &mut account.topics {
        match way {
            19 => {
                for subscription in &mut topic.subscriptions {
                    subscription.state = SubscriptionState::Pending;
                }
            }
            24 => {
                let arn = format!(
                    "arn:{}:sns:{}:{}:{}",
                    partition.name(),
                    topic.region,
                    account.id,
                    topic.name
                );
                topic.policy = PolicyKind::DenyPublish.policy(&arn, &[], "");
            }
            25 => topic.kms_key = Some("alias/aws/sns".to_owned()),
            _ => {}
        }
    }
}

/// Breaks a single control of a complete chain in the way of that number, taken round and round.
pub(super) fn break_control(account: &mut Account, control: BenchmarkControl, way: usize) {
    match way % WAYS_OF_A_CONTROL {
        0 => {
            if let Some(filter) = filter_of(account, control) {
                filter.pattern = control.pattern_with_a_hole();
            }
        }
        1 => {
            if let Some(alarm) = alarm_of(account, control) {
                alarm.actions_enabled = false;
            }
        }
        2 => {
            if let Some(filter) = filter_of(account, control) {
                filter.pattern = narrowed(&filter.pattern, ONLY_SUCCESSES);
            }
        }
        3 => {
            for group in &mut account.log_groups {
                if control.position() < group.metric_filters.len() {
                    group.metric_filters.remove(control.position());
                }
            }
        }
        4 => {
            if control.position() < account.alarms.len() {
                account.alarms.remove(control.position());
            }
        }
        _ => {
            if let Some(alarm) = alarm_of(account, control) {
                alarm.threshold = Some(5.0);
            }
        }
    }
}

/// Takes events out of the filter for AWS Organizations.
pub(super) fn forget_events(account: &mut Account, events: &[&str]) {
    let control = BenchmarkControl::OrganizationsChanges;
    let left = control.events().iter().copied();
    let pattern = control.pattern_for(left.filter(|event| !events.contains(event)));
    if let Some(filter) = filter_of(account, control) {
        filter.pattern = pattern;
    }
}

/// A complete chain holds its filters and alarms in the order of the controls.
fn filter_of(account: &mut Account, control: BenchmarkControl) -> Option<&mut MetricFilter> {
    let filters = &mut account.log_groups.first_mut()?.metric_filters;
    filters.get_mut(control.position())
}

fn alarm_of(account: &mut Account, control: BenchmarkControl) -> Option<&mut Alarm> {
    account.alarms.get_mut(control.position())
}
