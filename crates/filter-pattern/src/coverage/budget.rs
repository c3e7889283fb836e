//! How much work a decision may cost.

/// Steps that one call may take: a step is about one transition of one automaton or one look at
/// one part of a formula, a few nanoseconds. Deciding coverage is co-NP-hard in the length of the
/// patterns, so there must be some bound; with this one the hardest patterns known to us end
/// within tens of milliseconds. The decisions for real filters take a thousandth of it, so a larger
/// value would buy nothing but a longer wait before `Undecided`.
const STEPS: usize = 500_000;
/// Steps more for each candidate: many filters are long without being hard.
const STEPS_PER_CANDIDATE: usize = 20_000;

#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    /// What deciding one of `events` for so many candidates may cost.
    pub(super) fn new(events: usize, candidates: usize) -> Self {
        Self {
            left: (STEPS + STEPS_PER_CANDIDATE * candidates) / events.max(1),
        }
    }

    /// Takes `steps`, if so many are left.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        let rest = self.left.checked_sub(steps);
        self.left = rest.unwrap_or(0);
        rest.is_some()
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }
}
