//! The drifts of a sweep and who caused them: looked for after its end, and read back for its report.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws::Aws;
use daemon::{AuthorSearch, OpenQuestions, SweepOutcome};
use model::{AuthorOutcome, Clock, Drift, DriftId, DriftKind};
use report::drifts::DriftEntry;
use serde::Deserialize as _;
use store::{DriftQuery, JournalKind, Store, Sweeper};
use tokio_util::sync::CancellationToken;

use crate::output::say;

/// Looks for who caused the drifts of a sweep that ended, for no longer than `wait`, and of those before it
/// that may still be told. A sweep without drifts is not waited for.
pub(crate) async fn find_authors(
    aws: &Aws,
    clock: Arc<dyn Clock>,
    stop: &CancellationToken,
    sweeper: &Sweeper,
    outcome: &SweepOutcome,
    wait: Duration,
) -> Result<(), store::Error> {
    if wait.is_zero() || stop.is_cancelled() {
        return Ok(());
    }
    let questions = OpenQuestions::of(sweeper.store(), clock.now()).await?;
    if questions.is_empty() {
        return Ok(());
    }
    let patience = if outcome.drifts == 0 {
        Duration::ZERO
    } else {
        say(&format!(
            "asking CloudTrail who did it, for up to {} s; an interrupt ends that, and what is not found \
             by then is looked for after the next sweep",
            wait.as_secs()
        ));
        wait
    };
    let search = AuthorSearch {
        aws,
        clock,
        stop: stop.clone(),
        enough: stop.clone(),
    };
    search.look(sweeper, questions, patience).await?;
    Ok(())
}

/// The drifts of a sweep as the report tells them: those of one cause and one author as one.
pub(crate) async fn drifts_of(
    store: &Store,
    outcome: &SweepOutcome,
) -> Result<Vec<DriftEntry>, store::Error> {
    type Key = (DriftKind, String, Option<String>);
    let of_sweep = DriftQuery {
        from_sweep: Some(outcome.id),
        to_sweep: Some(outcome.id),
        ..DriftQuery::default()
    };
    let drifts: Vec<Drift> = (store.drifts(&of_sweep).await?.into_iter())
        .map(|row| row.drift)
        .collect();
    let ids: Vec<DriftId> = drifts.iter().map(|drift| drift.id).collect();
    let mut records = store.journal_of_drifts(JournalKind::Author, &ids).await?;
    let mut groups: BTreeMap<Key, (Vec<Drift>, Option<AuthorOutcome>)> = BTreeMap::new();
    for drift in drifts {
        let body = records.remove(&drift.id).map(|record| record.body);
        let key = (
            drift.kind,
            drift.cause.clone(),
            body.as_ref().map(model::canonical_json),
        );
        let group = groups.entry(key).or_insert_with(|| {
            // What a later version recorded is passed over.
            (
                Vec::new(),
                body.and_then(|body| AuthorOutcome::deserialize(body).ok()),
            )
        });
        group.0.push(drift);
    }
    Ok((groups.into_values())
        .flat_map(|(drifts, author)| {
            let told = drift::grouped_with_ids(drifts).into_iter();
            told.map(move |(drift, ids)| DriftEntry {
                drift,
                ids,
                author: author.clone(),
            })
        })
        .collect())
}
