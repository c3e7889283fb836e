//! From the paths of a walk to the answer: covered, broken at a link, or not known.

use std::sync::Arc;

use model::{Advice, AdviceCode, CoveredBy, Gap, Link, NearMiss, Reason, evidence::Trail};

use crate::{
    Control,
    chain::{Path, Walk},
    filter_coverage::{Answer, listed},
    obstacle::{Obstacle, nearness},
    pattern_book::{KnownPattern, PatternBook},
};

/// What the paths come to.
pub(crate) struct Decision {
    pub(crate) reason: Reason,
    pub(crate) link: Option<Link>,
    pub(crate) node: Option<usize>,
    pub(crate) message: String,
    pub(crate) covered_by: Option<CoveredBy>,
    pub(crate) advice: Vec<Advice>,
    /// What could not be read and would have decided.
    pub(crate) gap: Option<Gap>,
}

impl Decision {
    fn of(obstacle: Obstacle) -> Self {
        Self {
            reason: obstacle.reason,
            link: Some(obstacle.link),
            node: obstacle.node,
            message: obstacle.message,
            covered_by: None,
            advice: Vec::new(),
            gap: obstacle.gap,
        }
    }
}

/// What the paths' patterns come to together, by a control.
struct Question<'c> {
    control: &'c Control,
    book: &'c PatternBook,
}

impl Question<'_> {
    fn answer<'p>(&self, paths: impl IntoIterator<Item = &'p Path<'p>>) -> Arc<Answer> {
        let patterns = paths.into_iter().filter_map(|path| path.pattern.as_ref());
        self.book.answer(self.control, patterns)
    }

    fn alone(&self, pattern: &Arc<KnownPattern>) -> Arc<Answer> {
        self.book.answer(self.control, [pattern])
    }

    fn required(&self) -> usize {
        self.control.required_events().len()
    }
}

/// Decides by the paths: PASS if those that work cover everything together, UNKNOWN if those that
/// may work would, FAIL otherwise.
pub(crate) fn decide(control: &Control, walk: &Walk<'_>, book: &PatternBook) -> Decision {
    let question = Question { control, book };
    let working: Vec<&Path<'_>> = walk.paths.iter().filter(|path| path.works()).collect();
    let proven = question.answer(working.iter().copied());
    if proven.is_covered() {
        return covered(&question, &working, &proven);
    }
    let hopeful: Vec<&Path<'_>> = walk.paths.iter().filter(|path| path.may_work()).collect();
    // Behind what was not read or not understood there may be anything.
    let unseen = hopeful.iter().any(|path| path.pattern.is_none());
    let at_best = question.answer(hopeful.iter().copied());
    if unseen || at_best.may_be_covered() {
        return undecided(&hopeful, &at_best);
    }
    let advice = walk
        .paths
        .iter()
        .flat_map(|path| path.advice.iter().cloned())
        .collect();
    Decision {
        advice,
        ..Decision::of(broken_link(&question, walk, &working, &proven))
    }
}

/// How many near misses are told: the nearest ones.
const NEAR_MISSES: usize = 5;

/// Filters that match some of the required events and whose chain nearly works, the one that lacks
/// least first.
pub(crate) fn near_misses(control: &Control, walk: &Walk<'_>, book: &PatternBook) -> Vec<NearMiss> {
    let question = Question { control, book };
    let mut misses: Vec<(usize, usize, NearMiss)> = Vec::new();
    for path in &walk.paths {
        let (Some(pattern), Some(node), Some(filter)) = (&path.pattern, path.node, path.filter)
        else {
            continue;
        };
        let alone = question.alone(pattern);
        let mut in_the_way = path.obstacles.clone();
        if !alone.is_covered() {
            in_the_way.push(alone.obstacle("it"));
        }
        if alone.covered == 0 && !alone.may_be_covered() || in_the_way.is_empty() {
            continue;
        }
        in_the_way.sort_by_key(|obstacle| obstacle.link);
        misses.push((
            in_the_way.len(),
            alone.missed.len(),
            NearMiss {
                node,
                filter: filter.to_owned(),
                lacks: in_the_way.into_iter().map(|o| o.message).collect(),
            },
        ));
    }
    misses.sort_by_key(|(lacks, missed, miss)| (*lacks, *missed, miss.node));
    let mut seen = Vec::new();
    misses.retain(|(_, _, miss)| {
        !seen.contains(&miss.node) && {
            seen.push(miss.node);
            true
        }
    });
    misses.truncate(NEAR_MISSES);
    misses.into_iter().map(|(_, _, miss)| miss).collect()
}

/// The chain holds: say through which trail.
fn covered(question: &Question<'_>, working: &[&Path<'_>], proven: &Answer) -> Decision {
    let alone = |trail: &Trail| {
        let of_trail = working
            .iter()
            .filter(|path| path.trail.arn == trail.arn)
            .copied();
        question.answer(of_trail).is_covered()
    };
    // One trail that does it alone is the better explanation. Where it takes several, the account's
    // own counts: under the organization's alone others would not be covered.
    let sole = working.iter().find(|path| alone(path.trail));
    let path = sole
        .or_else(|| {
            working
                .iter()
                .find(|path| !path.trail.is_organization_trail)
        })
        .or(working.first());
    let counted: Vec<&Path<'_>> = working
        .iter()
        .filter(|path| sole.is_none_or(|sole| sole.trail.arn == path.trail.arn))
        .copied()
        .collect();
    let (counted, proven) = match sole {
        Some(_) => needed(question, counted),
        None => (counted, Arc::new(proven.clone())),
    };
    let mut advice: Vec<Advice> = counted
        .iter()
        .flat_map(|path| path.advice.iter().cloned())
        .collect();
    advice.extend(relies_on_optional(question.control, &proven));
    for path in &counted {
        if let Some(pattern) = &path.pattern
            && let Some(example) = question.book.noise(question.control, pattern)
        {
            advice.push(Advice {
                code: AdviceCode::Noise,
                message: format!(
                    "the filter `{}` also matches events that nobody asked for, such as {example}",
                    path.filter.unwrap_or_default(),
                ),
            });
        }
    }
    let mut filters: Vec<String> = counted
        .iter()
        .filter_map(|path| path.filter)
        .map(|name| format!("`{name}`"))
        .collect();
    filters.sort();
    filters.dedup();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    let Some(path) = path else {
        // Nothing is required: an empty control.
        return Decision {
            reason: Reason::CoveredByOwnTrail,
            link: None,
            node: None,
            message: "nothing is required".to_owned(),
            covered_by: None,
            advice,
            gap: None,
        };
    };
    let trail = path.trail;
    let owner = trail.arn.account();
    let (reason, by) = if trail.is_organization_trail {
        let owner = owner.map_or_else(String::new, |owner| format!(" of account {owner}"));
        (
            Reason::CoveredByOrganizationTrail,
            format!("the organization trail {}{owner}", trail.arn),
        )
    } else {
        (
            Reason::CoveredByOwnTrail,
            format!("its own trail {}", trail.arn),
        )
    };
    Decision {
        reason,
        link: None,
        node: None,
        message: format!(
            "covered by {by}{}, through {} {}",
            also(&counted, trail),
            plural(&filters),
            listed(&filters)
        ),
        covered_by: owner.map(|account| CoveredBy {
            trail: trail.arn.clone(),
            account,
            is_organization_trail: trail.is_organization_trail,
        }),
        advice,
        gap: None,
    }
}

/// Those of the paths that it takes: a log group has filters for other controls too, and what is to be
/// said of these is said there. A filter that is about something else goes before one that is not.
fn needed<'p>(
    question: &Question<'_>,
    mut paths: Vec<&'p Path<'p>>,
) -> (Vec<&'p Path<'p>>, Arc<Answer>) {
    let is_about_more = |path: &Path<'_>| {
        let noise = |pattern| question.book.noise(question.control, pattern);
        path.pattern.as_ref().and_then(noise).is_some()
    };
    let mut index = paths.len();
    paths.sort_by_key(|path| is_about_more(path));
    while index > 0 {
        index -= 1;
        let others = paths.iter().enumerate().filter(|(at, _)| *at != index);
        if question.answer(others.map(|(_, path)| *path)).is_covered() {
            paths.remove(index);
        }
    }
    let proven = question.answer(paths.iter().copied());
    (paths, proven)
}

/// Says that the proof rests on something that a record may lack.
fn relies_on_optional(control: &Control, proven: &Answer) -> Option<Advice> {
    let optional = control.optional_fields();
    let paths = proven.relies_on.iter().map(String::as_str);
    let paths: Vec<&str> = paths.filter(|path| optional.contains(path)).collect();
    (!paths.is_empty()).then(|| Advice {
        code: AdviceCode::ReliesOnReadOnly,
        message: format!(
            "the filter tells the required events by {}, which CloudTrail calls optional",
            paths.join(", ")
        ),
    })
}

/// Says that other trails have a part in it.
fn also(counted: &[&Path<'_>], trail: &Trail) -> String {
    let mut others: Vec<&str> = counted
        .iter()
        .map(|path| path.trail.arn.as_str())
        .filter(|arn| *arn != trail.arn.as_str())
        .collect();
    others.sort_unstable();
    others.dedup();
    if others.is_empty() {
        String::new()
    } else {
        format!(" together with {}", listed(&others))
    }
}

fn plural(filters: &[&str]) -> &'static str {
    if filters.len() == 1 {
        "the metric filter"
    } else {
        "the metric filters"
    }
}

/// Something unread or not understood decides: name what lies nearest to success.
fn undecided(hopeful: &[&Path<'_>], at_best: &Answer) -> Decision {
    let nearest = hopeful
        .iter()
        .filter(|path| !path.works())
        .max_by(|a, b| nearness(&a.obstacles).cmp(&nearness(&b.obstacles)));
    if let Some(obstacle) = nearest.and_then(|path| path.obstacles.first()) {
        return Decision::of(obstacle.clone());
    }
    let reason = at_best
        .undecided
        .as_deref()
        .unwrap_or("the pattern is not decided");
    let message =
        format!("whether the metric filters match every required event is not decided: {reason}");
    Decision::of(Obstacle::new(
        Link::MetricFilter,
        Reason::FilterUndecided,
        message,
    ))
}

/// The broken link whose mending restores most coverage; where no single one does, the one that
/// lies furthest down the chain.
fn broken_link(
    question: &Question<'_>,
    walk: &Walk<'_>,
    working: &[&Path<'_>],
    proven: &Answer,
) -> Obstacle {
    if walk.paths.is_empty() {
        let message = "the account has no trail, and no organization trail shows in it";
        return Obstacle::new(Link::Trail, Reason::TrailAbsent, message);
    }
    let mut mendings: Vec<(usize, Obstacle)> = Vec::new();
    for path in &walk.paths {
        let mut broken = path.obstacles.iter().filter(|o| o.is_broken());
        let (Some(only), None) = (broken.next(), broken.next()) else {
            continue;
        };
        if mendings.iter().any(|(_, known)| known.is_same(only)) {
            continue;
        }
        let mended = walk.paths.iter().filter(|path| {
            path.pattern.is_some()
                && path
                    .obstacles
                    .iter()
                    .all(|o| o.is_same(only) || !o.is_broken())
        });
        let with = question.answer(mended);
        mendings.push((with.covered.saturating_sub(proven.covered), only.clone()));
    }
    // Filters whose chain works, but which do not match everything.
    if !working.is_empty() {
        let names: Vec<String> = working
            .iter()
            .filter_map(|path| path.filter)
            .map(|name| format!("`{name}`"))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let subject = match names.as_slice() {
            [one] => format!("the metric filter {one}"),
            _ => format!("the metric filters {} together", listed(&names)),
        };
        let node = working.iter().find_map(|path| path.node);
        let mut obstacle = proven.obstacle(&subject);
        obstacle.node = node;
        mendings.push((question.required().saturating_sub(proven.covered), obstacle));
    }
    let most = mendings
        .into_iter()
        .filter(|(gain, _)| *gain > 0)
        .max_by(|(a, x), (b, y)| (a, x.link, x.reason.rank()).cmp(&(b, y.link, y.reason.rank())));
    if let Some((_, obstacle)) = most {
        return obstacle;
    }
    furthest(question, walk)
}

fn furthest(question: &Question<'_>, walk: &Walk<'_>) -> Obstacle {
    let firsts = walk.paths.iter().filter_map(|path| {
        let mut in_order: Vec<Obstacle> = path
            .obstacles
            .iter()
            .filter(|o| o.is_broken())
            .cloned()
            .collect();
        if let Some(pattern) = &path.pattern {
            let alone = question.alone(pattern);
            if !alone.may_be_covered() {
                in_order.push(alone.obstacle(&format!(
                    "the metric filter `{}`",
                    path.filter.unwrap_or_default()
                )));
            }
        }
        in_order.sort_by_key(|obstacle| obstacle.link);
        in_order.into_iter().next()
    });
    firsts
        .max_by_key(|obstacle| (obstacle.link, obstacle.reason.rank()))
        .unwrap_or_else(|| {
            Obstacle::new(
                Link::Trail,
                Reason::TrailAbsent,
                "no trail of the account leads anywhere",
            )
        })
}
