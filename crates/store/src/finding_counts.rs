//! How many findings have which verdict, by control.

use std::collections::BTreeMap;

use model::{ControlId, SweepId, Verdict};
use sqlx::QueryBuilder;

use crate::{Error, Store, column::Columns, error::Cause, finding_query::push_is_so, retention};

/// What the findings of a moment come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingCounts {
    /// How many accounts are known.
    pub accounts: u64,
    /// How many findings have which verdict, by control.
    pub controls: BTreeMap<ControlId, BTreeMap<Verdict, u64>>,
}

impl FindingCounts {
    /// The same by all controls together.
    pub fn verdicts(&self) -> BTreeMap<Verdict, u64> {
        let mut all = BTreeMap::new();
        for (verdict, count) in self.controls.values().flatten() {
            *all.entry(*verdict).or_default() += count;
        }
        all
    }
}

impl Store {
    /// What the findings come to as of the end of a sweep. This looks at each finding that was so then:
    /// a tenth of a second for ten thousand accounts, and never another answer for the same sweep.
    #[tracing::instrument(name = "db.finding.count", skip(self))]
    pub async fn finding_counts(&self, sweep: SweepId) -> Result<FindingCounts, Error> {
        let read = async {
            let mut transaction = self.readers.begin().await?;
            if let Some(pruned) = retention::is_pruned(&mut transaction, Some(sweep)).await? {
                return Ok(Err(pruned.error(&self.path)));
            }
            let mut select = QueryBuilder::new(
                "SELECT max(id) AS id, control, verdict, count(*) AS number FROM findings WHERE ",
            );
            push_is_so(&mut select, Some(sweep));
            select.push(" GROUP BY control, verdict");
            let rows = select.build().fetch_all(&mut *transaction).await?;
            let mut counts = FindingCounts::default();
            for row in &rows {
                let columns = Columns::of("findings", row)?;
                let of_control = counts
                    .controls
                    .entry(columns.parsed("control")?)
                    .or_default();
                of_control.insert(columns.parsed("verdict")?, columns.count("number")?);
            }
            let mut select =
                QueryBuilder::new("SELECT 1 AS id, count(*) AS number FROM account_states WHERE ");
            push_is_so(&mut select, Some(sweep));
            let row = select.build().fetch_one(&mut *transaction).await?;
            counts.accounts = Columns::of("account_states", &row)?.count("number")?;
            Ok(Ok(counts))
        };
        (read.await).map_err(|cause: Cause| cause.during("count the findings", &self.path))?
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::SweepId;

    use crate::{AccountQuery, FindingQuery, fixture::Folder, history_fixture::history};

    #[tokio::test]
    async fn counts_are_those_of_the_lists() {
        let folder = Folder::new();
        let sweeper = history(&folder).await;
        let store = sweeper.store();
        for sweep in (1..=8).map(SweepId) {
            let query = FindingQuery {
                sweep: Some(sweep),
                ..FindingQuery::default()
            };
            let mut expected = BTreeMap::new();
            for row in store.findings(&query).await.unwrap() {
                *expected.entry(row.finding.verdict()).or_insert(0) += 1;
            }
            let counts = store.finding_counts(sweep).await.unwrap();
            assert_eq!(counts.verdicts(), expected, "sweep {sweep}");
            let query = AccountQuery {
                sweep: Some(sweep),
                ..AccountQuery::default()
            };
            let accounts = store.accounts(&query).await.unwrap();
            assert_eq!(counts.accounts, accounts.len() as u64, "sweep {sweep}");
        }
    }
}
