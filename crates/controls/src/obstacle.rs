//! What stands between a filter and a human.

use model::{Advice, Gap, Link, Reason, Verdict};

/// One thing that keeps a path from working: broken, unread or not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Obstacle {
    pub(crate) link: Link,
    pub(crate) reason: Reason,
    /// The node it stands at; `None` where there is nothing to point at.
    pub(crate) node: Option<usize>,
    /// One sentence on it.
    pub(crate) message: String,
    /// What could not be read, for a gap.
    pub(crate) gap: Option<Gap>,
}

impl Obstacle {
    pub(crate) fn new(link: Link, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            link,
            reason,
            node: None,
            message: message.into(),
            gap: None,
        }
    }

    pub(crate) fn gap(link: Link, gap: &Gap) -> Self {
        Self {
            link,
            reason: Reason::EvidenceGap,
            node: None,
            message: gap.to_string(),
            gap: Some(gap.clone()),
        }
    }

    pub(crate) fn at(mut self, node: usize) -> Self {
        self.node.get_or_insert(node);
        self
    }

    /// Whether it is known to be in the way; otherwise it may be nothing.
    pub(crate) fn is_broken(&self) -> bool {
        self.reason.verdict() == Verdict::Fail
    }

    /// Whether two paths meet the same obstacle, so that mending it helps both.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.link, self.reason, self.node) == (other.link, other.reason, other.node)
    }
}

/// How near a list of obstacles, in the order of the chain, is to success: greater is nearer.
pub(crate) fn nearness(
    obstacles: &[Obstacle],
) -> (bool, Option<Link>, usize, std::cmp::Reverse<usize>) {
    let first = obstacles.iter().find(|o| o.is_broken());
    (
        first.is_none(),
        first.or(obstacles.first()).map(|obstacle| obstacle.link),
        first.map_or(usize::MAX, |obstacle| obstacle.reason.rank()),
        std::cmp::Reverse(obstacles.len()),
    )
}

/// The better of several alternatives, of which one is enough: the one with fewest and furthest
/// obstacles. Each comes with its advice.
pub(crate) fn best(
    alternatives: impl IntoIterator<Item = (Vec<Obstacle>, Vec<Advice>)>,
) -> Option<(Vec<Obstacle>, Vec<Advice>)> {
    let rank = |(obstacles, advice): &(Vec<Obstacle>, Vec<Advice>)| {
        (
            obstacles.is_empty(),
            nearness(obstacles),
            std::cmp::Reverse(advice.len()),
        )
    };
    // Of equals the first counts, so that more of them change nothing.
    alternatives.into_iter().reduce(|best, next| {
        if rank(&next) > rank(&best) {
            next
        } else {
            best
        }
    })
}
