//! Walks everything that starts at the trails of an account.
//!
//! The walk keeps every candidate as a node, and each metric filter that may match a required event
//! as a path with the obstacles between its trail and a human.

use std::{collections::BTreeMap, sync::Arc};

use model::{
    AccountId, Advice, AdviceCode, Arn, ChainNode, Gap, Link, LogGroupArn, NodeState, Reason,
    Region,
    evidence::{
        AccountEvidence, CompositeAlarm, LogGroupEvidence, MetricAlarm, MetricFilter, MetricKey,
        MetricTransformation, Place, Presence, SubscriptionState, Trail,
    },
};
use serde_json::json;

use crate::{
    Control,
    alarm_fires::{
        Published, ToldThrough, alarm_obstacles, composite_topics, composites_telling, topics,
    },
    metric_filter::{filter_obstacles, published, sharing_obstacle, worthless},
    obstacle::{Obstacle, best},
    pattern_book::{KnownPattern, PatternBook},
    topic_access::topic_obstacles,
    trail_coverage::{Wanted, trail_obstacles},
};

/// One way from a trail to a human, through one filter; or as far as it goes.
pub(crate) struct Path<'e> {
    pub(crate) trail: &'e Trail,
    /// The filter's pattern; `None` where there is no filter, or none that is understood.
    pub(crate) pattern: Option<Arc<KnownPattern>>,
    /// The filter's name.
    pub(crate) filter: Option<&'e str>,
    /// The node of the filter.
    pub(crate) node: Option<usize>,
    /// What is in the way, in the order of the chain, the pattern's coverage apart.
    pub(crate) obstacles: Vec<Obstacle>,
    /// What is worth knowing if the path counts.
    pub(crate) advice: Vec<Advice>,
}

impl Path<'_> {
    pub(crate) fn works(&self) -> bool {
        self.obstacles.is_empty()
    }

    pub(crate) fn may_work(&self) -> bool {
        !self.obstacles.iter().any(Obstacle::is_broken)
    }
}

/// What the walk over one account's evidence found.
pub(crate) struct Walk<'e> {
    control: &'e Control,
    evidence: &'e AccountEvidence,
    book: &'e PatternBook,
    pub(crate) nodes: Vec<ChainNode>,
    pub(crate) paths: Vec<Path<'e>>,
}

/// A node before it is known how it stands.
struct Candidate {
    link: Link,
    parent: Option<usize>,
    resource: String,
    home: Option<(AccountId, Region)>,
    read: serde_json::Value,
}

impl<'e> Walk<'e> {
    pub(crate) fn over(
        control: &'e Control,
        evidence: &'e AccountEvidence,
        trails: &'e [Trail],
        book: &'e PatternBook,
    ) -> Self {
        let mut walk = Self {
            control,
            evidence,
            book,
            nodes: Vec::new(),
            paths: Vec::new(),
        };
        for trail in trails {
            walk.trail(trail);
        }
        walk
    }

    /// Adds a node; the first obstacle says how it stands. All obstacles point at it.
    fn node(&mut self, candidate: Candidate, obstacles: &mut [Obstacle], otherwise: &str) -> usize {
        let index = self.nodes.len();
        for obstacle in obstacles.iter_mut() {
            *obstacle = obstacle.clone().at(index);
        }
        let first = obstacles
            .iter()
            .find(|o| o.is_broken())
            .or(obstacles.first());
        let (account, region) = candidate
            .home
            .map_or((None, None), |(a, r)| (Some(a), Some(r)));
        self.nodes.push(ChainNode {
            link: candidate.link,
            parent: candidate.parent,
            resource: candidate.resource,
            account,
            region,
            state: match first {
                None => NodeState::Holds,
                Some(obstacle) if obstacle.is_broken() => NodeState::Broken,
                Some(_) => NodeState::Unknown,
            },
            reason: first.map(|obstacle| obstacle.reason),
            message: first
                .map_or_else(|| otherwise.to_owned(), |obstacle| obstacle.message.clone()),
            read: candidate.read,
        });
        index
    }

    fn dead_end(&mut self, trail: &'e Trail, obstacles: Vec<Obstacle>) {
        self.paths.push(Path {
            trail,
            pattern: None,
            filter: None,
            node: None,
            obstacles,
            advice: Vec::new(),
        });
    }

    fn trail(&mut self, trail: &'e Trail) {
        let detail = self
            .evidence
            .trail_details
            .get(&trail.arn)
            .map(AsRef::as_ref);
        let mut advice = Vec::new();
        let wanted = Wanted {
            sources: self.control.event_sources(),
            are_writes: self.control.are_writes(),
        };
        let mut obstacles = trail_obstacles(trail, detail, &wanted, &mut advice);
        let candidate = Candidate {
            link: Link::Trail,
            parent: None,
            resource: trail.arn.to_string(),
            home: trail
                .arn
                .account()
                .map(|owner| (owner, trail.home_region.clone())),
            read: json!({
                "is_multi_region": trail.is_multi_region,
                "is_organization_trail": trail.is_organization_trail,
                "log_group": trail.log_group,
                "status": detail.and_then(|detail| detail.status.as_ref().ok()),
                "selectors": detail.and_then(|detail| detail.selectors.as_ref().ok()),
            }),
        };
        let holds = if trail.is_organization_trail {
            "organization trail, records every region and all management events"
        } else {
            "records every region and all management events"
        };
        let node = self.node(candidate, &mut obstacles, holds);
        if !trail.is_multi_region {
            return self.dead_end(trail, obstacles);
        }
        let Some(named) = &trail.log_group else {
            let message = "the trail does not deliver to CloudWatch Logs";
            obstacles.push(
                Obstacle::new(Link::LogGroup, Reason::LogGroupNotConfigured, message).at(node),
            );
            return self.dead_end(trail, obstacles);
        };
        let group = trail
            .log_group_arn()
            .and_then(|arn| self.evidence.log_groups.get(&arn));
        if let Some(group) = group {
            self.log_group(trail, node, group, &obstacles, &advice);
        } else {
            let message = format!("the log group `{named}` cannot be understood");
            obstacles
                .push(Obstacle::new(Link::LogGroup, Reason::LogGroupUndecided, message).at(node));
            self.dead_end(trail, obstacles);
        }
    }

    fn log_group(
        &mut self,
        trail: &'e Trail,
        parent: usize,
        group: &'e LogGroupEvidence,
        above: &[Obstacle],
        advice: &[Advice],
    ) {
        let mut candidate = Candidate {
            link: Link::LogGroup,
            parent: Some(parent),
            resource: group.arn.to_string(),
            home: Some((group.arn.account(), group.arn.region().clone())),
            read: serde_json::Value::Null,
        };
        let name = group.arn.name();
        let (filters, obstacle) = match &group.metric_filters {
            Ok(Presence::Present(filters)) => (filters.as_slice(), None),
            Ok(Presence::Missing) => {
                let message = format!("the log group `{name}` does not exist");
                (
                    &[][..],
                    Some(Obstacle::new(
                        Link::LogGroup,
                        Reason::LogGroupMissing,
                        message,
                    )),
                )
            }
            Err(gap) => (&[][..], Some(Obstacle::gap(Link::MetricFilter, gap))),
        };
        candidate.read = json!({
            "class": group.class.as_ref().ok(),
            "metric_filters": filters.len(),
        });
        if let Some(obstacle) = obstacle.or_else(|| class_obstacle(group)) {
            let mut own = [obstacle];
            self.node(candidate, &mut own, "");
            return self.dead_end(trail, above.iter().cloned().chain(own).collect());
        }
        let known = |filter: &'e MetricFilter| (filter, self.book.pattern(&filter.pattern));
        let relevant: Vec<(&MetricFilter, Arc<KnownPattern>)> = filters
            .iter()
            .map(known)
            .filter(|(_, pattern)| self.book.concerns(self.control, pattern))
            .collect();
        let holds = match (filters.len(), filters.len() - relevant.len()) {
            (1, 0) => "1 metric filter".to_owned(),
            (all, 0) => format!("{all} metric filters"),
            (all, others) => {
                format!("{all} metric filters, of which {others} concern other events")
            }
        };
        let node = self.node(candidate, &mut [], &holds);
        if relevant.is_empty() {
            let message = match filters.len() {
                0 => format!("the log group `{name}` has no metric filter"),
                _ => format!(
                    "no metric filter on the log group `{name}` concerns the required events"
                ),
            };
            let absent = Obstacle::new(Link::MetricFilter, Reason::FilterAbsent, message).at(node);
            return self.dead_end(trail, above.iter().cloned().chain([absent]).collect());
        }
        for (filter, pattern) in relevant {
            let place = Place {
                account: group.arn.account(),
                region: group.arn.region().clone(),
            };
            self.filter(trail, node, filter, pattern, &place, above, advice);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one step of the walk: where it comes from and what it carries"
    )]
    fn filter(
        &mut self,
        trail: &'e Trail,
        parent: usize,
        filter: &'e MetricFilter,
        pattern: Arc<KnownPattern>,
        place: &Place,
        above: &[Obstacle],
        advice: &[Advice],
    ) {
        let mut own = filter_obstacles(filter);
        let pattern = Some(pattern).filter(|pattern| pattern.parsed.is_ok());
        let candidate = Candidate {
            link: Link::MetricFilter,
            parent: Some(parent),
            resource: filter.name.clone(),
            home: Some((place.account, place.region.clone())),
            read: json!({
                "pattern": filter.pattern,
                "transformations": filter.transformations,
                "field_selection_criteria": filter.field_selection_criteria,
                "emit_system_field_dimensions": filter.emit_system_field_dimensions,
                "apply_on_transformed_logs": filter.apply_on_transformed_logs,
            }),
        };
        let node = self.node(candidate, &mut own, "");
        for transformation in &filter.transformations {
            let mut advice = advice.to_vec();
            let below = self.metric(node, filter, transformation, place, &mut advice);
            let obstacles = above
                .iter()
                .cloned()
                .chain(own.iter().cloned())
                .chain(below)
                .collect();
            let pattern = pattern.clone();
            self.paths.push(Path {
                trail,
                pattern,
                filter: Some(&filter.name),
                node: Some(node),
                obstacles,
                advice,
            });
        }
        if filter.transformations.is_empty() {
            let obstacles = above.iter().cloned().chain(own).collect();
            self.paths.push(Path {
                trail,
                pattern,
                filter: Some(&filter.name),
                node: Some(node),
                obstacles,
                advice: Vec::new(),
            });
        }
    }

    /// What is in the way below one metric: one good alarm is enough.
    fn metric(
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
        if !others.is_empty() && self.concerns_others(&metric) {
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

    /// Whether a filter that matches none of the required events publishes to the metric.
    fn concerns_others(&self, metric: &MetricKey) -> bool {
        publishers(&self.evidence.log_groups, metric).any(|(filter, _)| {
            let pattern = self.book.pattern(&filter.pattern);
            !self.book.concerns(self.control, &pattern)
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
        let mut alternatives = vec![self.told(node, &alarm.arn, telling, &topics(alarm))];
        for told in composites_telling(alarm, composites) {
            alternatives.push(self.composite(node, told));
        }
        let (below, own_advice) = best(alternatives).unwrap_or_default();
        advice.extend(own_advice);
        (firing.into_iter().chain(below).collect(), advice)
    }

    fn composite(&mut self, parent: usize, told: ToldThrough<'e>) -> (Vec<Obstacle>, Vec<Advice>) {
        let ToldThrough {
            composite,
            mut obstacles,
            mut advice,
        } = told;
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

    /// What could not be read on the way.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        self.evidence.shared_gaps().into_iter().cloned().collect()
    }
}

/// What makes a log group's filters worthless: only one class supports them, and it cannot be changed
/// (CloudWatch Logs User Guide, log classes).
fn class_obstacle(group: &LogGroupEvidence) -> Option<Obstacle> {
    let name = group.arn.name();
    let class = match &group.class {
        Err(gap) => return Some(Obstacle::gap(Link::LogGroup, gap)),
        // The list of its filters says better whether it exists.
        Ok(Presence::Missing) => return None,
        Ok(Presence::Present(class)) => class,
    };
    match class.as_str() {
        LogGroupEvidence::STANDARD => None,
        "INFREQUENT_ACCESS" | "DELIVERY" => Some(Obstacle::new(
            Link::LogGroup,
            Reason::LogGroupClass,
            format!(
                "the log group `{name}` is of the class {class}, which supports no metric filters"
            ),
        )),
        _ => Some(Obstacle::new(
            Link::LogGroup,
            Reason::LogGroupUndecided,
            format!(
                "the log group `{name}` is of the class `{class}`, which this version does not know"
            ),
        )),
    }
}

/// Every filter that publishes to a metric, as far as the log groups of the evidence go.
fn publishers<'e>(
    groups: &'e BTreeMap<LogGroupArn, Arc<LogGroupEvidence>>,
    metric: &'e MetricKey,
) -> impl Iterator<Item = (&'e MetricFilter, &'e MetricTransformation)> {
    let here = groups.values().filter(|group| {
        group.arn.account() == metric.place.account && *group.arn.region() == metric.place.region
    });
    here.filter_map(|group| match &group.metric_filters {
        Ok(Presence::Present(filters)) => Some(filters),
        _ => None,
    })
    .flatten()
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
