//! Walks everything that starts at the trails of an account.
//!
//! The walk keeps every candidate as a node, and each metric filter that may match a required event
//! as a path with the obstacles between its trail and a human.

mod below_filter;

use std::sync::Arc;

use model::{
    AccountId, Advice, ChainNode, Gap, Link, NodeState, Reason, Region,
    evidence::{AccountEvidence, LogGroupEvidence, MetricFilter, Place, Presence, Trail},
};
use serde_json::json;

use crate::{
    Control,
    metric_filter::filter_obstacles,
    obstacle::Obstacle,
    pattern_book::{KnownPattern, PatternBook},
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

/// Which metric filters are walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filters {
    /// Those that were made for the control: what a human would look at.
    Meant,
    /// Every one that may match a required event, as a filter on something else may: what the verdict
    /// rests on.
    All,
}

/// What the walk over one account's evidence found.
pub(crate) struct Walk<'e> {
    filters: Filters,
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
        filters: Filters,
    ) -> Self {
        let mut walk = Self {
            filters,
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
            .filter(|(_, pattern)| match self.filters {
                Filters::Meant => self.book.is_meant(self.control, pattern),
                Filters::All => self.book.concerns(self.control, pattern),
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
        pattern: Arc<KnownPattern>,
        place: &Place,
        above: &[Obstacle],
        advice: &[Advice],
    ) {
        let mut own = filter_obstacles(filter, pattern.parsed.as_ref().err().map(String::as_str));
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
            // What only shows below the filter may be the filter's own fault.
            let own_fault = below.iter().find(|o| o.link == Link::MetricFilter);
            if let (Some(fault), Some(shown)) = (own_fault, self.nodes.get_mut(node))
                && shown.state == NodeState::Holds
            {
                shown.state = if fault.is_broken() {
                    NodeState::Broken
                } else {
                    NodeState::Unknown
                };
                shown.reason = Some(fault.reason);
                shown.message.clone_from(&fault.message);
            }
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
