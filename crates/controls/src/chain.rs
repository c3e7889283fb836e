//! Walks everything that starts at the trails of an account.
//!
//! The walk keeps every candidate as a node, and each metric filter that may match a required event
//! as a path with the obstacles between its trail and a human.

use std::{collections::BTreeMap, sync::Arc};

use filter_pattern::{FilterPattern, may_match};
use model::{
    AccountId, Advice, AdviceCode, Arn, ChainNode, Gap, Link, LogGroupArn, NodeState, Reason,
    Region,
    evidence::{
        AccountEvidence, Alarms, LogGroupEvidence, MetricAlarm, MetricFilter, MetricKey,
        MetricTransformation, Place, Presence, SubscriptionState, Trail,
    },
};
use serde_json::json;

use crate::{
    Control,
    alarm_fires::{Published, alarm_obstacles, composite_obstacle, topics},
    metric_filter::{filter_obstacles, published, sharing_obstacle, worthless},
    obstacle::{Obstacle, best},
    subscription::topic_obstacle,
    trail_coverage::trail_obstacles,
};

/// One way from a trail to a human, through one filter; or as far as it goes.
pub(crate) struct Path<'e> {
    pub(crate) trail: &'e Trail,
    /// The filter's pattern; `None` where there is no filter, or none that is understood.
    pub(crate) pattern: Option<FilterPattern>,
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
    ) -> Self {
        let mut walk = Self {
            control,
            evidence,
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
        let mut obstacles =
            trail_obstacles(trail, detail, &self.control.event_sources(), &mut advice);
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
            obstacles.push(Obstacle::new(Link::LogGroup, Reason::TrailUndecided, message).at(node));
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
        candidate.read = json!({ "metric_filters": filters.len() });
        if let Some(obstacle) = obstacle {
            let mut own = [obstacle];
            self.node(candidate, &mut own, "");
            return self.dead_end(trail, above.iter().cloned().chain(own).collect());
        }
        let relevant: Vec<(&MetricFilter, Option<FilterPattern>)> = filters
            .iter()
            .map(|filter| (filter, FilterPattern::parse(&filter.pattern).ok()))
            .filter(|(_, pattern)| {
                let required = self.control.required_events();
                pattern
                    .as_ref()
                    .is_none_or(|p| required.iter().any(|event| may_match(event, p)))
            })
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
        pattern: Option<FilterPattern>,
        place: &Place,
        above: &[Obstacle],
        advice: &[Advice],
    ) {
        let mut own = filter_obstacles(filter);
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
        let found = match self.evidence.alarms.get(&metric).map(AsRef::as_ref) {
            Some(Alarms {
                found: Ok(found), ..
            }) => found,
            Some(Alarms {
                found: Err(gap), ..
            }) => return vec![Obstacle::gap(Link::Alarm, gap).at(parent)],
            None => {
                let message = format!("alarms on the metric {name} were not looked for");
                return vec![Obstacle::new(Link::Alarm, Reason::EvidenceGap, message).at(parent)];
            }
        };
        let absent = || {
            let message = format!(
                "no alarm in account {}, {} watches the metric {name}",
                place.account, place.region
            );
            vec![Obstacle::new(Link::Alarm, Reason::AlarmAbsent, message).at(parent)]
        };
        let mut alternatives = Vec::new();
        for alarm in &found.metric_alarms {
            let mut own_advice = Vec::new();
            let mut below = self.alarm(parent, alarm, &published, &mut own_advice);
            let silent = below.iter().filter(|o| o.is_broken());
            let only_silent =
                silent.clone().count() > 0 && silent.clone().all(|o| is_about_telling(o.reason));
            if only_silent
                && let Some(obstacle) = composite_obstacle(alarm, &found.composite_alarms)
            {
                below = vec![obstacle.at(parent)];
            }
            alternatives.push((below, own_advice));
        }
        // The advice of the alarm that counts.
        let Some(chosen) = best(alternatives.iter().map(|(below, _)| below.clone())) else {
            return absent();
        };
        if let Some((_, own_advice)) = alternatives.into_iter().find(|(below, _)| *below == chosen)
        {
            advice.extend(own_advice);
        }
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
        let required = self.control.required_events();
        publishers(&self.evidence.log_groups, metric).any(|(filter, _)| {
            FilterPattern::parse(&filter.pattern)
                .is_ok_and(|pattern| !required.iter().any(|event| may_match(event, &pattern)))
        })
    }

    fn alarm(
        &mut self,
        parent: usize,
        alarm: &MetricAlarm,
        published: &Published<'_>,
        advice: &mut Vec<Advice>,
    ) -> Vec<Obstacle> {
        let mut own = alarm_obstacles(alarm, published, advice);
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
            return own;
        }
        let below = topics(alarm)
            .into_iter()
            .map(|topic| self.topic(node, &topic))
            .collect::<Vec<_>>();
        own.extend(best(below).unwrap_or_default());
        own
    }

    fn topic(&mut self, parent: usize, arn: &Arn) -> Vec<Obstacle> {
        let topic = self.evidence.topics.get(arn).map(AsRef::as_ref);
        let mut own: Vec<Obstacle> = topic_obstacle(topic).into_iter().collect();
        let candidate = Candidate {
            link: Link::Topic,
            parent: Some(parent),
            resource: arn.to_string(),
            home: arn.home(),
            read: serde_json::Value::Null,
        };
        let node = self.node(candidate, &mut own, "has a confirmed subscription");
        let Some(Ok(Presence::Present(subscriptions))) = topic.map(|topic| &topic.subscriptions)
        else {
            return own;
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
                    Some(Reason::EvidenceGap),
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
        own
    }

    /// Every gap that the walk met.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        self.evidence.gaps().into_iter().cloned().collect()
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
        Reason::AlarmActionsDisabled
            | Reason::AlarmNoAction
            | Reason::ActionNotSns
            | Reason::TopicMissing
            | Reason::SubscriptionAbsent
            | Reason::SubscriptionUnconfirmed
    )
}
