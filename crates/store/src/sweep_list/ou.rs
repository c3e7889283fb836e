//! Sweeps that looked at accounts in an OU, as they hung when each of them looked.

use std::collections::{BTreeMap, BTreeSet};

use model::AccountId;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::{column::Columns, error::Cause, evidence, finding_query::push_hangs_in};

/// From which sweep on, and before which one.
type Span = (i64, i64);

/// Which sweeps may have looked into an OU.
pub(super) struct LookedInto {
    /// While at least one account hung there: whoever saw all accounts saw one of them.
    spans: Vec<Span>,
    /// Those that did not see all, and did see one that hung there.
    narrow: Vec<i64>,
}

impl LookedInto {
    pub(super) async fn of(connection: &mut SqliteConnection, ou: &str) -> Result<Self, Cause> {
        let hung = hung(connection, ou).await?;
        Ok(Self {
            narrow: narrow(connection, &hung).await?,
            spans: merged(hung.into_values().flatten().collect()),
        })
    }

    /// Narrows to these sweeps.
    pub(super) fn push(&self, select: &mut QueryBuilder<Sqlite>) {
        select
            .push(" AND (sweeps.id IN (SELECT value FROM json_each(")
            .push_bind(model::canonical_json(&self.narrow))
            .push(")) OR sweeps.saw_all AND EXISTS (SELECT 1 FROM json_each(")
            .push_bind(model::canonical_json(&self.spans))
            .push(") WHERE sweeps.id >= value ->> 0 AND sweeps.id < value ->> 1))");
    }
}

/// When each account hung in the OU.
async fn hung(
    connection: &mut SqliteConnection,
    ou: &str,
) -> Result<BTreeMap<AccountId, Vec<Span>>, Cause> {
    let mut select = QueryBuilder::new(
        "SELECT id, account, valid_from, valid_until FROM account_states WHERE ou_path IS NOT NULL",
    );
    push_hangs_in(&mut select, ou);
    let mut hung: BTreeMap<AccountId, Vec<Span>> = BTreeMap::new();
    for row in select.build().fetch_all(connection).await? {
        let columns = Columns::of("account_states", &row)?;
        let until = columns.get::<Option<i64>>("valid_until")?;
        let span = (columns.get("valid_from")?, until.unwrap_or(i64::MAX));
        hung.entry(columns.parsed("account")?)
            .or_default()
            .push(span);
    }
    Ok(hung)
}

/// The sweeps with a list of what they saw, on which one stands that hung there then.
async fn narrow(
    connection: &mut SqliteConnection,
    hung: &BTreeMap<AccountId, Vec<Span>>,
) -> Result<Vec<i64>, Cause> {
    let rows = sqlx::query("SELECT id, seen FROM sweeps WHERE seen IS NOT NULL")
        .fetch_all(&mut *connection)
        .await?;
    let mut sweeps_by_list: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for row in &rows {
        let columns = Columns::of("sweeps", row)?;
        let sweeps = sweeps_by_list.entry(columns.get("seen")?).or_default();
        sweeps.push(columns.id());
    }
    let lists: BTreeSet<i64> = sweeps_by_list.keys().copied().collect();
    let mut narrow = Vec::new();
    for (list, text) in evidence::texts(connection, &lists).await? {
        let seen: BTreeSet<AccountId> = serde_json::from_str(&text)
            .map_err(|source| Cause::damaged("documents", "body", list, source))?;
        let spans: Vec<Span> = (hung.iter())
            .filter(|(account, _)| seen.contains(account))
            .flat_map(|(_, spans)| spans.iter().copied())
            .collect();
        let spans = merged(spans);
        let sweeps = sweeps_by_list.remove(&list).unwrap_or_default();
        let looked = |sweep: &i64| {
            spans
                .iter()
                .any(|(from, until)| from <= sweep && sweep < until)
        };
        narrow.extend(sweeps.into_iter().filter(looked));
    }
    narrow.sort_unstable();
    Ok(narrow)
}

/// The same spans, without those that overlap or touch.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::new();
    for (from, until) in spans {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_overlap_or_touch_are_one() {
        assert_eq!(
            merged(vec![(5, 7), (1, 3), (3, 4), (2, 3)]),
            [(1, 4), (5, 7)]
        );
        assert_eq!(merged(vec![(4, i64::MAX), (1, 9)]), [(1, i64::MAX)]);
        assert_eq!(merged(Vec::new()), []);
    }
}
