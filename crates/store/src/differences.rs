//! The accounts of which something is not the same after two sweeps, as they were after each.

use std::path::PathBuf;

use model::{AccountId, RememberedAccount, SweepId};
use sqlx::{Sqlite, Transaction};

use crate::{
    EarlierSweeps, Error, Store, earlier_sweeps::earlier, error::Cause, remembered::remembered,
    retention,
};

#[cfg(test)]
mod tests;

/// Accounts of a page: their chains are read, twice.
const PAGE: usize = 100;

/// One account after two sweeps.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoStates {
    /// The account.
    pub account: AccountId,
    /// As it was after the first one; `None` where nothing was known of it.
    pub before: Option<RememberedAccount>,
    /// As it was after the second one; `None` where it had left.
    pub after: Option<RememberedAccount>,
}

/// Accounts of which something may not be the same, read a page at a time.
#[derive(Debug)]
pub struct Differences {
    path: PathBuf,
    /// What is committed meanwhile does not show in it.
    transaction: Transaction<'static, Sqlite>,
    from: SweepId,
    to: SweepId,
    accounts: std::vec::IntoIter<AccountId>,
}

impl Store {
    /// The accounts of which something was written after `from` and until the end of `to`, by id.
    /// What was so again at the end may be among them.
    #[tracing::instrument(name = "db.account.differences", skip(self))]
    pub async fn differences(&self, from: SweepId, to: SweepId) -> Result<Differences, Error> {
        let begin = async {
            let mut transaction = self.readers.begin().await?;
            for sweep in [from, to] {
                if let Some(pruned) = retention::is_pruned(&mut transaction, Some(sweep)).await? {
                    return Ok(Err(pruned.error(&self.path)));
                }
            }
            let ids: Vec<String> = sqlx::query_scalar(ACCOUNTS)
                .bind(from.0)
                .bind(to.0)
                .fetch_all(&mut *transaction)
                .await?;
            Ok(Ok((transaction, ids)))
        };
        let (transaction, ids) = (begin.await)
            .map_err(|cause: Cause| cause.during("list the accounts", &self.path))??;
        let accounts: Vec<AccountId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        Ok(Differences {
            path: self.path.clone(),
            transaction,
            from,
            to,
            accounts: accounts.into_iter(),
        })
    }

    /// What was known after a sweep, from it and those before it.
    pub async fn known_after(&self, sweep: SweepId) -> Result<EarlierSweeps, Error> {
        let read = async {
            let mut connection = self.readers.acquire().await?;
            earlier(&mut connection, next(sweep)).await
        };
        (read.await).map_err(|cause: Cause| cause.during("list the sweeps", &self.path))
    }
}

/// Each part is served by an index on where rows begin or end.
const ACCOUNTS: &str = "
    SELECT account FROM findings WHERE valid_from > ?1 AND valid_from <= ?2
    UNION SELECT account FROM findings WHERE valid_until > ?1 AND valid_until <= ?2
    UNION SELECT account FROM account_states WHERE valid_from > ?1 AND valid_from <= ?2
    UNION SELECT account FROM account_states WHERE valid_until > ?1 AND valid_until <= ?2
    ORDER BY account";

impl Differences {
    /// The next accounts; `None` when there are no more.
    pub async fn next(&mut self) -> Result<Option<Vec<TwoStates>>, Error> {
        let ids: Vec<AccountId> = self.accounts.by_ref().take(PAGE).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let read = self.read(ids).await;
        (read.map(Some)).map_err(|cause| cause.during("compare what is remembered", &self.path))
    }

    async fn read(&mut self, ids: Vec<AccountId>) -> Result<Vec<TwoStates>, Cause> {
        let mut before = remembered(&mut self.transaction, next(self.from), &ids).await?;
        let mut after = remembered(&mut self.transaction, next(self.to), &ids).await?;
        Ok((ids.into_iter())
            .map(|account| TwoStates {
                account,
                before: before.remove(&account),
                after: after.remove(&account),
            })
            .collect())
    }
}

fn next(sweep: SweepId) -> SweepId {
    SweepId(sweep.0.saturating_add(1))
}
