//! Who caused the drifts of the last sweeps: asked of CloudTrail after a sweep, again and again as long as
//! events are still on their way.
//!
//! Nothing is handed in but how long to wait: what is to be looked for is what the store remembers, so
//! that it may be stopped and begun anew at any time, by another process too.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws::Aws;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use model::{AuthorOutcome, Clock, Gap, LookedFor, evidence::Place};
use scanner::{LookedUp, look_up_events};
use store::{JournalKind, Sweeper};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

mod open_questions;

pub use open_questions::OpenQuestions;
use open_questions::Question;

/// How long to wait before each next look. CloudTrail shows most events within minutes, some within
/// seconds, and all but a few within a quarter of an hour.
const PAUSES: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(2),
];
const LAST_PAUSE: Duration = Duration::from_mins(5);

/// Even without patience one look is given as long as it takes to ask for a few names, one a second.
const FIRST_LOOK: Duration = Duration::from_secs(10);

/// What is kept of the patience for the last look.
const LAST_LOOK: Duration = Duration::from_secs(3);

/// How many accounts and regions are asked at the same time. Each answers twice a second.
const AT_ONCE: usize = 16;

/// What looking for authors takes.
pub struct AuthorSearch<'a> {
    /// The connection to AWS.
    pub aws: &'a Aws,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Cancelled to stop at once; what was found by then is kept.
    pub stop: CancellationToken,
    /// Cancelled to stop waiting for events that are still on their way. A look that has begun is brought to its
    /// end: LookupEvents answers twice a second, and whoever calls for something new more often than that would
    /// otherwise never see one.
    pub enough: CancellationToken,
}

/// How many drifts are explained, and how many are not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuthorsFound {
    /// Those whose author is known now.
    pub found: usize,
    /// Those for which no call can be seen.
    pub not_found: usize,
    /// Those for which the event history could not be read.
    pub denied: usize,
    /// Those for which a later search has to look.
    pub open: usize,
}

/// What was answered so far, by what was asked: the events of one look, and for good what no look will
/// ever show.
#[derive(Default)]
struct Answers {
    latest: BTreeMap<LookedFor, Result<LookedUp, Gap>>,
    refused: BTreeMap<LookedFor, Gap>,
}

impl AuthorSearch<'_> {
    /// Looks until every question is answered or `patience` is over, and records what came of it. Without
    /// patience it looks once.
    ///
    /// What was not found is recorded as such with the time until when was looked; a later search may
    /// still find it, for as long as events may be on their way.
    pub async fn look(
        &self,
        store: &Sweeper,
        questions: OpenQuestions,
        patience: Duration,
    ) -> Result<AuthorsFound, store::Error> {
        let OpenQuestions {
            mut questions,
            left_out,
        } = questions;
        let mut came_to = AuthorsFound {
            open: left_out,
            ..AuthorsFound::default()
        };
        let begun = Instant::now();
        let deadline = begun + patience;
        let mut answers = Answers::default();
        let mut looked_until = self.clock.now();
        let mut pauses = PAUSES.into_iter();
        while !questions.is_empty() {
            let now = self.clock.now();
            let until = deadline.max(begun + FIRST_LOOK);
            let look = tokio::time::timeout_at(until, self.look_once(&questions, &mut answers));
            // What one look leaves out, an earlier one may have told.
            if let Some(Ok(())) = self.stop.run_until_cancelled(look).await {
                looked_until = now;
            }
            let mut open = Vec::new();
            for question in questions {
                let is_last = looked_until >= question.concludes_at;
                let outcome = answers.outcome(&question, looked_until);
                match outcome.filter(|outcome| is_last || outcome.is_final) {
                    Some(outcome) => {
                        self.record(store, &question, &outcome, &mut came_to)
                            .await?;
                    }
                    None => open.push(question),
                }
            }
            questions = open;
            let left = deadline
                .saturating_duration_since(Instant::now())
                .saturating_sub(LAST_LOOK);
            let is_worth_it =
                (questions.iter()).any(|question| self.clock.now() < question.concludes_at);
            if left.is_zero() || !is_worth_it {
                break;
            }
            let pause = pauses.next().unwrap_or(LAST_PAUSE).min(left);
            let sleep = tokio::time::sleep(pause);
            let waited = self
                .stop
                .run_until_cancelled(self.enough.run_until_cancelled(sleep));
            if waited.await.flatten().is_none() {
                break;
            }
        }
        for question in questions {
            match answers.outcome(&question, looked_until) {
                Some(outcome) if !outcome.is_passing => {
                    self.record(store, &question, &outcome, &mut came_to)
                        .await?;
                }
                _ => came_to.open += question.ids.len(),
            }
        }
        tracing::info!(
            found = came_to.found,
            not_found = came_to.not_found,
            denied = came_to.denied,
            open = came_to.open,
            "looked for the authors of drifts",
        );
        Ok(came_to)
    }

    /// Asks for everything that any question needs, each account, region and operation once.
    async fn look_once(&self, questions: &[Question], answers: &mut Answers) {
        let mut wanted: BTreeMap<&LookedFor, Vec<&Question>> = BTreeMap::new();
        for question in questions {
            for lookup in &question.lookups {
                if !answers.refused.contains_key(lookup) {
                    wanted.entry(lookup).or_default().push(question);
                }
            }
        }
        let asked = wanted
            .into_iter()
            .map(|(lookup, questions)| async move { (lookup, self.ask(lookup, &questions).await) });
        let mut arriving = stream::iter(asked).buffer_unordered(AT_ONCE);
        while let Some((lookup, answer)) = arriving.next().await {
            match answer {
                Err(gap) if !gap.class.is_passing() => {
                    tracing::debug!(%gap, "an event history cannot be read");
                    answers.refused.insert(lookup.clone(), gap);
                }
                answer => {
                    answers.latest.insert(lookup.clone(), answer);
                }
            }
        }
    }

    /// The calls of an operation that may answer one of the questions; what else was asked for may be
    /// anything, and is forgotten at once.
    async fn ask(&self, lookup: &LookedFor, questions: &[&Question]) -> Result<LookedUp, Gap> {
        let place = Place {
            account: lookup.account,
            region: lookup.region.clone(),
        };
        let window = scanner::Window {
            start: (questions.iter().map(|question| question.window.from))
                .min()
                .unwrap_or(Timestamp::MIN),
            end: (questions.iter().map(|question| question.window.to))
                .max()
                .unwrap_or(Timestamp::MAX),
        };
        let mut found = look_up_events(self.aws, &place, &lookup.event_name, window).await?;
        (found.calls).retain(|call| questions.iter().any(|question| question.may_be(call)));
        Ok(found)
    }

    async fn record(
        &self,
        store: &Sweeper,
        question: &Question,
        outcome: &Outcome,
        came_to: &mut AuthorsFound,
    ) -> Result<(), store::Error> {
        let count = match &outcome.body {
            AuthorOutcome::Found { .. } => &mut came_to.found,
            AuthorOutcome::NotFound { .. } => &mut came_to.not_found,
            AuthorOutcome::Denied { .. } => &mut came_to.denied,
        };
        *count += question.ids.len();
        let Ok(body) = serde_json::to_value(&outcome.body) else {
            debug_assert!(false, "an outcome is plain JSON");
            return Ok(());
        };
        for id in &question.ids {
            (store.record_in_journal(
                self.clock.now(),
                JournalKind::Author,
                &id.to_string(),
                &body,
            ))
            .await?;
        }
        Ok(())
    }
}

/// What came of a question by now.
struct Outcome {
    body: AuthorOutcome,
    /// Whether looking again would change nothing.
    is_final: bool,
    /// Whether it is so for a reason that passes.
    is_passing: bool,
}

impl Outcome {
    fn not_yet(body: AuthorOutcome) -> Self {
        Self {
            body,
            is_final: false,
            is_passing: false,
        }
    }
}

impl Answers {
    /// What is known by now; `None` as long as not everything was asked.
    fn outcome(&self, question: &Question, looked_until: Timestamp) -> Option<Outcome> {
        let mut calls = Vec::new();
        let mut gaps: Vec<&Gap> = Vec::new();
        let mut is_whole = true;
        let mut refused = 0;
        for lookup in &question.lookups {
            match (self.refused.get(lookup), self.latest.get(lookup)) {
                (Some(gap), _) => {
                    refused += 1;
                    gaps.push(gap);
                }
                (None, Some(Ok(found))) => {
                    is_whole &= found.is_whole;
                    calls.extend(found.calls.iter().cloned());
                }
                (None, Some(Err(gap))) => gaps.push(gap),
                (None, None) => return None,
            }
        }
        if let Some(author) = question.author(&calls) {
            return Some(Outcome {
                is_final: true,
                ..Outcome::not_yet(AuthorOutcome::Found { author })
            });
        }
        // One that stays says more than one that passes.
        let gap = gaps
            .iter()
            .find(|gap| !gap.class.is_passing())
            .or(gaps.first());
        Some(match gap {
            Some(gap) => Outcome {
                is_final: refused == question.lookups.len(),
                is_passing: gap.class.is_passing(),
                body: AuthorOutcome::Denied {
                    gap: (*gap).clone(),
                },
            },
            None => Outcome::not_yet(AuthorOutcome::NotFound {
                looked_until,
                is_whole,
                asked: question.lookups.iter().cloned().collect(),
            }),
        })
    }
}
