//! The walk from the metric of a filter on: alarms, plain and composite, topics, subscriptions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{
    Advice, AdviceCode, Arn, ChainNode, Link, LogGroupArn, NodeState, Reason,
    evidence::{
        CompositeAlarm, LogGroupEvidence, MetricAlarm, MetricFilter, MetricKey,
        MetricTransformation, Place, Presence, SubscriptionState,
    },
};
use serde_json::json;

use super::{Candidate, Walk};
use crate::{
    alarm_fires::{Published, alarm_obstacles, topics},
    composite_alarm::{composite_topics, composites_telling},
    metric_filter::{published, sharing_obstacle, worthless},
    obstacle::{Obstacle, best},
    topic_access::topic_obstacles,
};

impl<'e> Walk<'e> {
    /// What is in the way below one metric: one good alarm is enough.
    pub(super) fn metric(
        &mut self,
        parent: usize,
        filter: &'e MetricFilter,
        transformation: &'e MetricTransformation,
        place: &Place,
        advice: &mut Vec<Advice>,
    ) -> Vec<Obstacle> {
        let metric = transformation.metric(place.clone());
        let name = format!("{}/{}", metric.namespace, metric.name);
        let others = others_on(&self.evidence.log_groups, filter, &metric);
        if let Some(obstacle) = sharing_obstacle(filter, transformation, &others) {
            return vec![obstacle.at(parent)];
        }
        if !others.is_empty() && self.concerns_others(filter, &metric) {
            advice.push(Advice {
                code: AdviceCode::Noise,
                message: format!("filters on other events publish to the metric {name} as well"),
            });
        }
        let published = published(filter, transformation, &metric, &others);
        let Some(alarms) = self.evidence.alarms.get(&metric).map(AsRef::as_ref) else {
            let message = format!("alarms on the metric {name} were not looked for");
            return vec![Obstacle::new(Link::Alarm, Reason::EvidenceGap, message).at(parent)];
        };
        let mut alternatives = Vec::new();
        let monitoring = alarms.monitoring.iter().map(|one| &one.found);
        for found in std::iter::once(&alarms.found).chain(monitoring) {
            match found {
                Err(gap) => {
                    let obstacle = Obstacle::gap(Link::Alarm, gap).at(parent);
                    alternatives.push((vec![obstacle], Vec::new()));
                }
                Ok(found) => {
                    for alarm in &found.metric_alarms {
                        let composites = &found.composite_alarms;
                        alternatives.push(self.alarm(parent, alarm, composites, &published));
                    }
                }
            }
        }
        // The advice of the alarm that counts.
        let Some((chosen, own_advice)) = best(alternatives) else {
            let message = format!(
                "no alarm in account {}, {} watches the metric {name}",
                place.account, place.region
            );
            return vec![Obstacle::new(Link::Alarm, Reason::AlarmAbsent, message).at(parent)];
        };
        advice.extend(own_advice);
        if published.value == Some(0.0) && !chosen.is_empty() {
            return [worthless(filter).at(parent)]
                .into_iter()
                .chain(chosen)
                .collect();
        }
        chosen
    }

    /// Whether another filter that matches events that nobody asked for publishes to the metric.
    fn concerns_others(&self, filter: &MetricFilter, metric: &MetricKey) -> bool {
        publishers(&self.evidence.log_groups, metric)
            .filter(|(other, _)| !std::ptr::eq(*other, filter))
            .any(|(other, _)| {
                let pattern = self.book.pattern(&other.pattern);
                !self.book.concerns(self.control, &pattern)
                    || self.book.noise(self.control, &pattern).is_some()
            })
    }

    /// What is in the way at an alarm and below it: its own topics, or those of a composite alarm
    /// that is in ALARM when it is.
    fn alarm(
        &mut self,
        parent: usize,
        alarm: &'e MetricAlarm,
        composites: &'e [CompositeAlarm],
        published: &Published<'_>,
    ) -> (Vec<Obstacle>, Vec<Advice>) {
        let mut advice = Vec::new();
        let mut own = alarm_obstacles(alarm, published, &mut advice);
        let candidate = Candidate {
            link: Link::Alarm,
            parent: Some(parent),
            resource: alarm.arn.to_string(),
            home: alarm.arn.home(),
            read: json!(alarm),
        };
        let node = self.node(candidate, &mut own, "one event takes it to ALARM");
        if own
            .iter()
            .any(|obstacle| obstacle.reason == Reason::AlarmOtherMetric)
        {
            return (own, advice);
        }
        let (telling, firing): (Vec<Obstacle>, Vec<Obstacle>) =
            own.into_iter().partition(|o| is_about_telling(o.reason));
        let through = composites_telling(alarm, composites);
        let mut alternatives = Vec::new();
        // An alarm without actions that stands in the rule of another is meant to tell through that.
        if through.is_empty() || !alarm.alarm_actions.is_empty() {
            alternatives.push(self.told(node, &alarm.arn, telling, &topics(alarm)));
        }
        for (composite, obstacles, advice) in through {
            alternatives.push(self.composite(node, composite, obstacles, advice));
        }
        let (below, own_advice) = best(alternatives).unwrap_or_default();
        advice.extend(own_advice);
        (firing.into_iter().chain(below).collect(), advice)
    }

    fn composite(
        &mut self,
        parent: usize,
        composite: &CompositeAlarm,
        mut obstacles: Vec<Obstacle>,
        mut advice: Vec<Advice>,
    ) -> (Vec<Obstacle>, Vec<Advice>) {
        let candidate = Candidate {
            link: Link::Alarm,
            parent: Some(parent),
            resource: composite.arn.to_string(),
            home: composite.arn.home(),
            read: json!(composite),
        };
        let node = self.node(candidate, &mut obstacles, "in ALARM whenever that alarm is");
        let topics = composite_topics(composite);
        let (below, own_advice) = self.told(node, &composite.arn, obstacles, &topics);
        advice.extend(own_advice);
        (below, advice)
    }

    /// What is in the way between an alarm, plain or composite, and a human: one good topic is enough.
    fn told(
        &mut self,
        node: usize,
        alarm: &Arn,
        own: Vec<Obstacle>,
        topics: &[Arn],
    ) -> (Vec<Obstacle>, Vec<Advice>) {
        let below: Vec<_> = topics
            .iter()
            .map(|topic| self.topic(node, alarm, topic))
            .collect();
        let (below, mut advice) = best(below).unwrap_or_default();
        let muted = self.evidence.mute_rules.get(alarm);
        if let Some(rules) = muted.and_then(|muted| muted.rules.as_ref().ok()) {
            advice.extend(rules.iter().map(|rule| Advice {
                code: AdviceCode::AlarmMuted,
                message: format!("the mute rule {rule} silences the alarm {alarm} at times"),
            }));
        }
        (own.into_iter().chain(below).collect(), advice)
    }

    fn topic(&mut self, parent: usize, alarm: &Arn, arn: &Arn) -> (Vec<Obstacle>, Vec<Advice>) {
        let topic = self.evidence.topics.get(arn).map(AsRef::as_ref);
        let mut advice = Vec::new();
        let mut own = topic_obstacles(alarm, arn, topic, &mut advice);
        let attributes = topic.and_then(|topic| topic.attributes.as_ref().ok());
        let candidate = Candidate {
            link: Link::Topic,
            parent: Some(parent),
            resource: arn.to_string(),
            home: arn.home(),
            read: json!(attributes),
        };
        let node = self.node(candidate, &mut own, "has a confirmed subscription");
        let Some(Ok(Presence::Present(subscriptions))) = topic.map(|topic| &topic.subscriptions)
        else {
            return (own, advice);
        };
        for subscription in subscriptions {
            let (state, reason, message) = match &subscription.state {
                SubscriptionState::Confirmed(_) => (NodeState::Holds, None, "confirmed"),
                SubscriptionState::Pending => (
                    NodeState::Broken,
                    Some(Reason::SubscriptionUnconfirmed),
                    "waits for its confirmation",
                ),
                SubscriptionState::Deleted => (
                    NodeState::Broken,
                    Some(Reason::SubscriptionUnconfirmed),
                    "deleted",
                ),
                SubscriptionState::Unrecognized => (
                    NodeState::Unknown,
                    Some(Reason::SubscriptionUndecided),
                    "in a state that this version does not know",
                ),
            };
            self.nodes.push(ChainNode {
                link: Link::Subscription,
                parent: Some(node),
                resource: match &subscription.state {
                    SubscriptionState::Confirmed(arn) => arn.to_string(),
                    _ => format!("{} {}", subscription.protocol, subscription.endpoint),
                },
                account: arn.account(),
                region: arn.region(),
                state,
                reason,
                message: format!(
                    "{} to {}, {message}",
                    subscription.protocol, subscription.endpoint
                ),
                read: json!(subscription),
            });
        }
        (own, advice)
    }
}

/// Every filter that publishes to a metric: those on the log groups of the evidence, and those on others
/// that were seen beside them.
fn publishers<'e>(
    groups: &'e BTreeMap<LogGroupArn, Arc<LogGroupEvidence>>,
    metric: &'e MetricKey,
) -> impl Iterator<Item = (&'e MetricFilter, &'e MetricTransformation)> {
    let is_here = |group: &LogGroupArn| {
        group.account() == metric.place.account && *group.region() == metric.place.region
    };
    let here = groups.values().filter(move |group| is_here(&group.arn));
    let own = here
        .clone()
        .filter_map(|group| match &group.metric_filters {
            Ok(Presence::Present(filters)) => Some(filters),
            _ => None,
        });
    // What stands on a log group of the evidence is counted there; two of them see the same others.
    let is_known = move |name: &str| {
        groups
            .keys()
            .any(|group| is_here(group) && group.name() == name)
    };
    let mut seen = BTreeSet::new();
    let others = here
        .filter_map(|group| group.other_publishers.as_ref())
        .flatten();
    let others = others.filter(move |other| {
        !is_known(&other.log_group) && seen.insert((&other.log_group, &other.filter.name))
    });
    own.flatten()
        .chain(others.map(|other| &other.filter))
        .flat_map(|filter| filter.transformations.iter().map(move |one| (filter, one)))
        .filter(|(_, one)| one.namespace == metric.namespace && one.metric_name == metric.name)
}

/// What filters other than this one publish to a metric.
fn others_on<'e>(
    groups: &'e BTreeMap<LogGroupArn, Arc<LogGroupEvidence>>,
    filter: &MetricFilter,
    metric: &'e MetricKey,
) -> Vec<&'e MetricTransformation> {
    publishers(groups, metric)
        .filter(|(other, _)| !std::ptr::eq(*other, filter))
        .map(|(_, transformation)| transformation)
        .collect()
}

/// Whether the reason is about who is told, not about whether the alarm fires: a composite alarm
/// may tell somebody instead.
fn is_about_telling(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::AlarmActionsDisabled | Reason::AlarmNoAction | Reason::ActionNotSns
    )
}
