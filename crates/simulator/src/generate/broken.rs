//! The ways in which chains break.

use crate::world::{
    Account, Delivery, ORGANIZATIONS_EVENTS, Partition, Selectors, SubscriptionState, pattern_for,
};

/// How many ways [`break_chain`] knows.
pub(super) const WAYS: usize = 20;

/// Breaks the complete chain of `account` in the way of that number, taken round and round.
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
        way @ (7..=9 | 12..=13) => break_filter(account, way),
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

fn break_filter(account: &mut Account, way: usize) {
    for group in &mut account.log_groups {
        match way {
            7 => group.metric_filters.clear(),
            8 => {
                for filter in &mut group.metric_filters {
                    filter.pattern = pattern_without(&["LeaveOrganization"]);
                }
            }
            9 => {
                for filter in &mut group.metric_filters {
                    filter.pattern = narrowed(&filter.pattern);
                }
            }
            12 => {
                for filter in &mut group.metric_filters {
                    "0".clone_into(&mut filter.value);
                }
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
    if way == 19 {
        for topic in &mut account.topics {
            for subscription in &mut topic.subscriptions {
                subscription.state = SubscriptionState::Pending;
            }
        }
    }
}

/// The pattern of CIS without some of its events.
pub(super) fn pattern_without(missing: &[&str]) -> String {
    pattern_for(
        ORGANIZATIONS_EVENTS
            .into_iter()
            .filter(|event| !missing.contains(event)),
    )
}

/// The pattern with a condition that failed calls and one role do not meet.
fn narrowed(pattern: &str) -> String {
    let inner = pattern.trim_start_matches('{').trim_end_matches('}').trim();
    format!("{{ {inner} && ($.errorCode NOT EXISTS) }}")
}
