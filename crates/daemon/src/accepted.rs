//! What exceptions come to in a sweep: what they accept, which accept nothing, which have ended.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use drift::{EndedException, SweepContext};
use jiff::Timestamp;
use model::{AccountId, ControlId, Drift, ExceptionSource, SweepId, Verdict};
use store::{ExceptionRow, FindingQuery, Store, SweepRow, Sweeper};

/// What the exceptions of a store come to in one sweep.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    /// How many findings that the sweep judged are accepted, by verdict.
    pub(crate) verdicts: BTreeMap<Verdict, u64>,
    /// Exceptions that accept nothing, each in a sentence.
    pub(crate) notices: Vec<String>,
    /// Findings that are no longer accepted.
    pub(crate) expired: Vec<Drift>,
}

/// What is compared with the exceptions.
pub(crate) struct Judged<'a> {
    pub(crate) accounts: &'a BTreeSet<AccountId>,
    pub(crate) controls: &'a [ControlId],
}

/// The last sweep before this one that came as far as this: one whose process died told nobody.
async fn last_ended(store: &Store, sweep: SweepId) -> Result<Option<SweepRow>, store::Error> {
    for number in (1..sweep.0).rev() {
        let row = store.sweep(SweepId(number)).await?;
        if row.as_ref().is_some_and(|row| row.finished_at.is_some()) {
            return Ok(row);
        }
    }
    Ok(None)
}

/// Lays the exceptions over everything that fails or is not known.
pub(crate) async fn accepted(
    store: &Sweeper,
    context: &SweepContext,
    started_at: Timestamp,
    judged: &Judged<'_>,
) -> Result<Accepted, store::Error> {
    let store = store.store();
    let rows = store.exceptions().await?;
    if rows.is_empty() {
        return Ok(Accepted::default());
    }
    let (in_force, others): (Vec<_>, Vec<_>) =
        (rows.iter()).partition(|row| row.was_in_force(started_at));
    let before = last_ended(store, context.sweep).await?;
    // Those that the sweep before still had, the last to end first: it is the one that still accepted.
    let mut ended: Vec<(&ExceptionRow, EndedException<'_>)> = (others.into_iter())
        .filter(|row| (before.as_ref()).is_some_and(|before| row.was_in_force(before.started_at)))
        .map(|row| {
            let (exception, removed_at) = (&row.exception, row.removed_at);
            let ended = EndedException {
                exception,
                removed_at,
            };
            (row, ended)
        })
        .collect();
    ended.sort_by_key(|(row, ended)| Reverse((ended.ended_at(), row.id)));

    let mut accepted = Accepted::default();
    let mut is_used = vec![false; in_force.len()];
    for verdict in [Verdict::Fail, Verdict::Unknown] {
        let query = FindingQuery {
            verdict: Some(verdict),
            without_chains: true,
            ..FindingQuery::default()
        };
        let mut pages = store.finding_pages(&query).await?;
        while let Some(page) = pages.next().await? {
            for row in page {
                let finding = &row.finding;
                let covers = |by: &&ExceptionRow| by.exception.covers(finding, &row.account);
                let mut is_accepted = false;
                for (index, _) in in_force.iter().enumerate().filter(|(_, by)| covers(by)) {
                    is_accepted = true;
                    if let Some(used) = is_used.get_mut(index) {
                        *used = true;
                    }
                }
                if is_accepted {
                    let is_of_sweep = judged.accounts.contains(&finding.account)
                        && judged.controls.contains(&finding.control);
                    *accepted.verdicts.entry(verdict).or_default() += u64::from(is_of_sweep);
                } else if let Some((_, of)) = ended.iter().find(|(by, _)| covers(by)) {
                    let last_before = before.as_ref().map(|before| before.id);
                    (accepted.expired).extend(drift::exception_expired(
                        context,
                        finding,
                        &row.account,
                        *of,
                        last_before,
                    ));
                }
            }
        }
    }
    let standing = rows.iter().filter(|row| row.removed_at.is_none());
    for row in standing.filter(|row| row.exception.source == ExceptionSource::Configuration) {
        if !row.exception.is_in_force(started_at) {
            accepted.notices.push(format!(
                "the exception {} of {} in the configuration expired at {:.0} and accepts nothing; take it out, or \
                 give it a new date",
                row.id, row.exception.owner, row.exception.expires_at
            ));
        }
    }
    for (row, _) in in_force.iter().zip(is_used).filter(|(_, used)| !used) {
        accepted.notices.push(format!(
            "the exception {} of {} accepts nothing: no finding of {} fails or is unknown",
            row.id,
            row.exception.owner,
            match row.exception.scope.to_string() {
                scope if scope.is_empty() => "the organization".to_owned(),
                scope => scope,
            }
        ));
    }
    Ok(accepted)
}
