//! Which drifts nobody knows the author of yet: what the store remembers of the last sweeps, grouped so
//! that drifts of one cause are asked for once.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use model::{
    Author, AuthorOutcome, ContentHash, DiscoveryState, Drift, DriftId, LookedFor, Organization,
    RecordedCall, SweepId, SweepState,
};
use serde::Deserialize as _;
use store::{DriftQuery, DriftRow, JournalKind, JournalRecord, Store, SweepRow};

/// How long after a sweep's end an event of what it saw may still show up: by AWS's word a quarter of an
/// hour and seldom more.
const EVENTS_ARRIVE_WITHIN: SignedDuration = SignedDuration::from_mins(20);

/// How far back questions may still be open: a sweep a day, and one that was missed.
const OPEN_FOR: SignedDuration = SignedDuration::from_hours(48);

/// More sweeps than anybody makes in that time; the list is read in one piece.
const MOST_SWEEPS: u32 = 1000;

/// CloudTrail's clock and ours may differ by this much. It rounds down to a second besides.
const SLACK: SignedDuration = SignedDuration::from_secs(10);

/// How many lookups are made in one search, each again and again. What is worth knowing of a change
/// everywhere is known long before.
const MOST_LOOKUPS: usize = 200;

/// Drifts whose author is to be looked for.
#[derive(Debug, Default)]
pub struct OpenQuestions {
    pub(super) questions: Vec<Question>,
    /// How many drifts a later search has to look for.
    pub(super) left_out: usize,
}

/// Drifts that have one answer.
#[derive(Debug)]
pub(super) struct Question {
    /// One of them, which stands for all.
    drift: Drift,
    pub(super) ids: Vec<DriftId>,
    organization: Option<Arc<Organization>>,
    pub(super) window: drift::Window,
    pub(super) lookups: BTreeSet<LookedFor>,
    /// When looking again is of no use any more.
    pub(super) concludes_at: Timestamp,
}

impl Question {
    pub(super) fn may_be(&self, call: &RecordedCall) -> bool {
        drift::may_be_author(&self.drift, self.organization.as_deref(), self.window, call)
    }

    pub(super) fn author(&self, calls: &[RecordedCall]) -> Option<Author> {
        drift::find_author(
            &self.drift,
            self.organization.as_deref(),
            self.window,
            calls,
        )
    }
}

impl OpenQuestions {
    /// Reads which drifts of the last sweeps have no author yet, and may still get one: nobody looked for
    /// it, or only when its event could still be on its way.
    pub async fn of(store: &Store, now: Timestamp) -> Result<Self, store::Error> {
        let since = now.saturating_sub(OPEN_FOR).unwrap_or(Timestamp::MIN);
        let sweeps = store.sweeps(Some(MOST_SWEEPS)).await?;
        let ended: BTreeMap<SweepId, Ended> = (sweeps.iter().enumerate())
            .filter(|(_, sweep)| sweep.started_at >= since)
            .filter_map(|(place, sweep)| Some((sweep.id, Ended::of(sweep, &sweeps[place + 1..])?)))
            .collect();
        let Some(first) = ended.keys().next() else {
            return Ok(Self::default());
        };
        let of_these = DriftQuery {
            from_sweep: Some(*first),
            ..DriftQuery::default()
        };
        let rows = store.drifts(&of_these).await?;
        let ids: Vec<DriftId> = rows.iter().map(|row| row.drift.id).collect();
        let records = store.journal_of_drifts(JournalKind::Author, &ids).await?;
        let mut groups: BTreeMap<ContentHash, Question> = BTreeMap::new();
        for row in rows {
            let Some(ended) = ended.get(&row.drift.between.seen) else {
                continue;
            };
            let is_concluded = (records.get(&row.drift.id))
                .is_some_and(|record| is_concluded(record, ended.concludes_at));
            if is_concluded {
                continue;
            }
            let key = drift::author_key(&row.drift);
            if let Some(group) = groups.get_mut(&key) {
                group.ids.push(row.drift.id);
            } else if let Some(question) = ended.question(row) {
                groups.insert(key, question);
            }
        }
        Ok(Self::bounded(groups.into_values().collect()))
    }

    /// The gravest questions, and the latest of those, as far as they can be asked in one search.
    fn bounded(mut questions: Vec<Question>) -> Self {
        questions
            .sort_by_key(|one| Reverse((one.drift.severity, one.drift.between.seen, one.drift.id)));
        let mut lookups = BTreeSet::new();
        let mut bounded = Self::default();
        for question in questions {
            let more = question.lookups.difference(&lookups).count();
            if lookups.len() + more > MOST_LOOKUPS {
                bounded.left_out += question.ids.len();
            } else {
                lookups.extend(question.lookups.iter().cloned());
                bounded.questions.push(question);
            }
        }
        bounded
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty()
    }

    /// How many drifts wait for an answer that this search looks for.
    pub fn drifts(&self) -> usize {
        self.questions
            .iter()
            .map(|question| question.ids.len())
            .sum()
    }
}

/// Whether looking again can change nothing. The last record counts.
fn is_concluded(record: &JournalRecord, concludes_at: Timestamp) -> bool {
    match AuthorOutcome::deserialize(&record.body) {
        Ok(AuthorOutcome::NotFound { looked_until, .. }) => looked_until >= concludes_at,
        Ok(AuthorOutcome::Denied { .. }) => record.recorded_at >= concludes_at,
        // A later version wrote it, and knows better.
        Ok(AuthorOutcome::Found { .. }) | Err(_) => true,
    }
}

/// What is known of a sweep that came to an end.
struct Ended {
    finished_at: Timestamp,
    concludes_at: Timestamp,
    organization: Option<Arc<Organization>>,
    /// When the last sweep before it began that read the whole account list.
    listed_before: Option<Timestamp>,
}

impl Ended {
    fn of(sweep: &SweepRow, before: &[SweepRow]) -> Option<Self> {
        let finished_at = sweep.finished_at?;
        let concludes_at = finished_at.saturating_add(EVENTS_ARRIVE_WITHIN);
        let has_whole_list = |sweep: &&SweepRow| {
            sweep.state == SweepState::Finished
                && sweep.scope.accounts.is_empty()
                && sweep.discovery == Some(DiscoveryState::Complete)
        };
        Some(Self {
            finished_at,
            concludes_at: concludes_at.unwrap_or(Timestamp::MAX),
            organization: sweep.organization.clone().map(Arc::new),
            listed_before: before
                .iter()
                .find(has_whole_list)
                .map(|sweep| sweep.started_at),
        })
    }

    /// Nothing where nobody can have done it.
    fn question(&self, row: DriftRow) -> Option<Question> {
        let suspects = drift::suspects(&row.drift, self.organization.as_deref());
        let lookups: BTreeSet<LookedFor> = (suspects.into_iter())
            .map(|suspect| LookedFor {
                account: suspect.account,
                region: suspect.region,
                event_name: suspect.event_name,
            })
            .collect();
        // What was not there before was not there when the accounts were listed last.
        let from = row.last_before_at.or(self.listed_before)?;
        (!lookups.is_empty()).then(|| Question {
            ids: vec![row.drift.id],
            organization: self.organization.clone(),
            window: drift::Window {
                from: from.saturating_sub(SLACK).unwrap_or(from),
                to: self
                    .finished_at
                    .saturating_add(SLACK)
                    .unwrap_or(self.finished_at),
            },
            lookups,
            concludes_at: self.concludes_at,
            drift: row.drift,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{DriftKind, Severity, SweepPair};
    use serde_json::{Value, json};

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_760_000_000 + 60 * minutes).unwrap()
    }

    #[track_caller]
    fn check(body: Value, recorded_at: i64, expected: bool) {
        let record = JournalRecord {
            id: 1,
            recorded_at: at(recorded_at),
            kind: JournalKind::Author,
            subject: "14f44d9d2eb8617f".to_owned(),
            body,
        };
        let concludes_at = at(20);
        assert_eq!(is_concluded(&record, concludes_at), expected, "{record:?}");
    }

    #[test]
    fn only_what_was_looked_for_too_early_is_looked_for_again() {
        let not_found = |minutes| json!({ "outcome": "not_found", "looked_until": at(minutes), "is_whole": true, "asked": [] });
        check(not_found(1), 1, false);
        check(not_found(20), 20, true);
        // Late to be recorded is not late to look.
        check(not_found(19), 30, false);
        let gap = json!({
            "class": "access-denied", "api": "cloudtrail:LookupEvents", "resource": null,
            "account": null, "region": null,
        });
        let denied = json!({ "outcome": "denied", "gap": gap });
        check(denied.clone(), 1, false);
        check(denied, 20, true);
        check(json!({ "outcome": "told by a later version" }), 1, true);
        check(json!(7), 1, true);
    }

    fn question(number: i64, severity: Severity, lookups: usize) -> Question {
        let kind = DriftKind::EvidenceChanged;
        let id = DriftId::of(kind, None, None, SweepId(number), "");
        Question {
            drift: Drift {
                id,
                kind,
                severity,
                account: None,
                control: None,
                cause: String::new(),
                message: String::new(),
                between: SweepPair {
                    last_before: None,
                    seen: SweepId(number),
                },
                before: None,
                after: None,
                changes: Vec::new(),
                accounts: Vec::new(),
                undamped: None,
            },
            ids: vec![id, id],
            organization: None,
            window: drift::Window {
                from: at(0),
                to: at(1),
            },
            lookups: (0..lookups)
                .map(|name| LookedFor {
                    account: "111111111111".parse().unwrap(),
                    region: "us-east-1".parse().unwrap(),
                    event_name: format!("{number}-{name}"),
                })
                .collect(),
            concludes_at: at(20),
        }
    }

    #[test]
    fn one_search_asks_for_so_much_and_for_the_gravest_first() {
        let questions = vec![
            question(1, Severity::Low, 1),
            question(2, Severity::Medium, MOST_LOOKUPS),
            question(3, Severity::Critical, 1),
            question(4, Severity::High, MOST_LOOKUPS - 1),
        ];
        let bounded = OpenQuestions::bounded(questions);
        let asked: Vec<i64> = (bounded.questions.iter())
            .map(|question| question.drift.between.seen.0)
            .collect();
        assert_eq!(asked, [3, 4]);
        assert_eq!(bounded.left_out, 4);
    }
}
