//! Accounts: what AWS Organizations said of each, as intervals.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use model::{Account, AccountId, ContentHash, Drift, SweepId, Tags};
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Error, Store, Sweeper, column::Columns, database, drifts, error::Cause,
    evidence::ROWS_A_STATEMENT, finding_query::push_is_so,
};

#[cfg(test)]
mod tests;

impl Store {
    /// The organization's accounts as they were last seen, without those that left it.
    ///
    /// Accounts that were only ever named by hand are not among them: they have no name.
    #[tracing::instrument(name = "db.account.list", skip(self))]
    pub async fn remembered_accounts(&self) -> Result<Vec<Account>, Error> {
        let read = async {
            // In one row: ten thousand would take ten times as long.
            let rows: String = sqlx::query_scalar(
                "SELECT json_group_array(json_array(id, account, name, state, ou_path, tags))
                 FROM account_states INDEXED BY account_states_open
                 WHERE valid_until IS NULL AND name <> ''",
            )
            .fetch_one(&self.readers)
            .await?;
            let rows: Vec<StateRow> = serde_json::from_str(&rows)
                .map_err(|source| Cause::damaged("account_states", "name", 0, source))?;
            let mut accounts = (rows.into_iter())
                .map(account_of)
                .collect::<Result<Vec<_>, Cause>>()?;
            accounts.sort_unstable_by_key(|account| account.id);
            Ok(accounts)
        };
        (read.await).map_err(|cause: Cause| cause.during("list the accounts", &self.path))
    }
}

impl Store {
    /// Whether some sweep read the whole account list: who is not remembered since then is no member, or
    /// became one later.
    #[tracing::instrument(name = "db.account.list_is_whole", skip(self))]
    pub async fn knows_every_account(&self) -> Result<bool, Error> {
        let read = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM sweeps WHERE saw_all AND state = 'finished'
                 AND json_array_length(scope, '$.accounts') = 0
                 AND json_extract(discovery, '$.state') = 'complete')",
        );
        (read.fetch_one(&self.readers).await)
            .map_err(|cause| Cause::from(cause).during("list the sweeps", &self.path))
    }
}

impl Sweeper {
    /// The accounts that left the organization: the whole list of its members does not show them.
    ///
    /// Not among them is what this very sweep judged: such an account left after it was looked at,
    /// which the next sweep will say. Accounts that were only ever named by hand were never members.
    #[tracing::instrument(name = "db.account.departed", skip_all)]
    pub async fn departed(
        &self,
        members: &BTreeSet<AccountId>,
        judged: &BTreeSet<AccountId>,
    ) -> Result<Vec<AccountId>, Error> {
        let is_there = |account| members.contains(&account) || judged.contains(&account);
        if (self.memory.lock().accounts()).is_some_and(|mut accounts| accounts.all(is_there)) {
            return Ok(Vec::new());
        }
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let seen: BTreeSet<&AccountId> = members.union(judged).collect();
        let gone: Result<Vec<String>, Cause> = (sqlx::query_scalar(
            "SELECT account FROM account_states INDEXED BY account_states_open
             WHERE valid_until IS NULL AND name <> ''
                 AND account NOT IN (SELECT value FROM json_each(?1)) ORDER BY account",
        )
        .bind(model::canonical_json(&seen))
        .fetch_all(&mut *writer)
        .await)
            .map_err(Cause::from);
        let gone = gone.map_err(|cause| cause.during("list the accounts", &self.store.path))?;
        Ok(gone.iter().filter_map(|id| id.parse().ok()).collect())
    }

    /// Closes what is known of accounts that left the organization, and notes that they did.
    #[tracing::instrument(name = "db.account.depart", skip_all, fields(sweep.id = sweep.0))]
    pub async fn record_departures(
        &self,
        sweep: SweepId,
        gone: &[AccountId],
        drifts: &[Drift],
    ) -> Result<(), Error> {
        let mut writer = database::locked(&self.writer, &self.store.canonical).await;
        let record = async {
            let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
            let ids = model::canonical_json(gone);
            for close in [STATES_END, FINDINGS_END, LEAVES_END] {
                sqlx::query(close)
                    .bind(sweep.0)
                    .bind(&ids)
                    .execute(&mut *transaction)
                    .await?;
            }
            drifts::record(&mut transaction, drifts).await?;
            transaction.commit().await?;
            Ok(())
        };
        (record.await)
            .map_err(|cause: Cause| cause.during("record departures", &self.store.path))?;
        self.memory.lock().forget(gone);
        Ok(())
    }
}

const STATES_END: &str = "UPDATE account_states SET valid_until = ?1
    WHERE valid_until IS NULL AND valid_from < ?1
        AND account IN (SELECT value FROM json_each(?2))";

const LEAVES_END: &str = "UPDATE account_leaves SET valid_until = ?1
    WHERE valid_until IS NULL AND valid_from < ?1
        AND account IN (SELECT value FROM json_each(?2))";

const FINDINGS_END: &str = "UPDATE findings SET valid_until = ?1
    WHERE valid_until IS NULL AND valid_from < ?1
        AND account IN (SELECT value FROM json_each(?2))";

/// These accounts as they are now.
pub(crate) async fn now(
    connection: &mut SqliteConnection,
    ids: &[AccountId],
) -> Result<HashMap<AccountId, Account>, Cause> {
    let rows = sqlx::query(
        "SELECT id, account, name, state, ou_path, tags
         FROM account_states INDEXED BY account_states_open
         WHERE valid_until IS NULL AND account IN (SELECT value FROM json_each(?1))",
    )
    .bind(model::canonical_json(ids))
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let account = account(row)?;
            Ok((account.id, account))
        })
        .collect()
}

/// The tags of accounts as they were last read, of those whose tags ever were.
pub(crate) async fn known_tags(
    connection: &mut SqliteConnection,
) -> Result<HashMap<AccountId, Tags>, Cause> {
    let rows = sqlx::query(
        "SELECT id, account, tags FROM account_states INDEXED BY account_states_open
         WHERE valid_until IS NULL AND tags IS NOT NULL",
    )
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("account_states", row)?;
            let tags = columns.required("tags", columns.json("tags")?)?;
            Ok((columns.parsed("account")?, tags))
        })
        .collect()
}

/// An account as it was at some time, and its evidence.
#[derive(Debug)]
pub(crate) struct AccountAt {
    pub(crate) account: Arc<Account>,
    pub(crate) evidence: Option<ContentHash>,
}

/// These accounts as they were after a sweep, or are now.
pub(crate) async fn at(
    connection: &mut SqliteConnection,
    sweep: Option<SweepId>,
    accounts: &BTreeSet<&str>,
) -> Result<HashMap<AccountId, AccountAt>, Cause> {
    let named = model::canonical_json(accounts);
    let mut leaves = QueryBuilder::new(
        "SELECT account_leaves.id, account, documents.hash FROM account_leaves
         LEFT JOIN documents ON documents.id = evidence WHERE ",
    );
    push_is_so(&mut leaves, sweep);
    leaves
        .push(" AND account IN (SELECT value FROM json_each(")
        .push_bind(&named)
        .push("))");
    let mut evidence: HashMap<AccountId, ContentHash> = HashMap::new();
    for row in leaves.build().fetch_all(&mut *connection).await? {
        let columns = Columns::of("account_leaves", &row)?;
        if let Some(hash) = columns.hash("hash")? {
            evidence.insert(columns.parsed("account")?, hash);
        }
    }
    let mut states = QueryBuilder::new(
        "SELECT id, account, name, state, ou_path, tags FROM account_states WHERE ",
    );
    push_is_so(&mut states, sweep);
    states
        .push(" AND account IN (SELECT value FROM json_each(")
        .push_bind(&named)
        .push("))");
    let rows = states.build().fetch_all(&mut *connection).await?;
    (rows.iter())
        .map(|row| {
            let account = account(row)?;
            let at = AccountAt {
                evidence: evidence.get(&account.id).copied(),
                account: Arc::new(account),
            };
            Ok((at.account.id, at))
        })
        .collect()
}

/// Records what these accounts are like now; writes nothing for one that is as it was.
pub(crate) async fn record(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    accounts: &BTreeMap<AccountId, &Account>,
) -> Result<(), Cause> {
    let known = open_states(connection, accounts).await?;
    let mut changed = Vec::new();
    let mut outdated = Vec::new();
    for (id, account) in accounts {
        match known.get(id) {
            Some((_, before)) if before == *account => {}
            Some((row, _)) => {
                outdated.push(*row);
                changed.push(*account);
            }
            None => changed.push(*account),
        }
    }
    crate::sweeps::close_rows(connection, sweep, CLOSE, DROP, &outdated).await?;
    for some in changed.chunks(ROWS_A_STATEMENT) {
        QueryBuilder::<Sqlite>::new("INSERT INTO accounts (id, first_sweep) ")
            .push_values(some, |mut row, account| {
                row.push_bind(account.id.to_string()).push_bind(sweep.0);
            })
            .push(" ON CONFLICT (id) DO NOTHING")
            .build()
            .execute(&mut *connection)
            .await?;
        QueryBuilder::<Sqlite>::new(
            "INSERT INTO account_states (account, name, state, ou_path, tags, valid_from) ",
        )
        .push_values(some, |mut row, account| {
            row.push_bind(account.id.to_string())
                .push_bind(account.name.as_str())
                .push_bind(account.state.as_str())
                .push_bind(account.ou_path.as_ref().map(model::canonical_json))
                .push_bind(account.tags.as_ref().map(model::canonical_json))
                .push_bind(sweep.0);
        })
        .build()
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

const CLOSE: &str = "UPDATE account_states SET valid_until = ?1
    WHERE valid_from < ?1 AND id IN (SELECT value FROM json_each(?2))";

const DROP: &str = "DELETE FROM account_states
    WHERE valid_from = ?1 AND id IN (SELECT value FROM json_each(?2))";

/// The open rows of these accounts.
async fn open_states(
    connection: &mut SqliteConnection,
    accounts: &BTreeMap<AccountId, &Account>,
) -> Result<HashMap<AccountId, (i64, Account)>, Cause> {
    let ids: Vec<&AccountId> = accounts.keys().collect();
    let rows = sqlx::query(
        "SELECT id, account, name, state, ou_path, tags
         FROM account_states INDEXED BY account_states_open
         WHERE valid_until IS NULL AND account IN (SELECT value FROM json_each(?1))",
    )
    .bind(model::canonical_json(&ids))
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let account = account(row)?;
            let row = Columns::of("account_states", row)?.id();
            Ok((account.id, (row, account)))
        })
        .collect()
}

/// The row's number, the account, its name, its state, its path and its tags.
type StateRow = (i64, String, String, String, Option<String>, Option<String>);

fn account_of((row, account, name, state, ou_path, tags): StateRow) -> Result<Account, Cause> {
    fn damaged<E>(column: &'static str, row: i64) -> impl FnOnce(E) -> Cause
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |source| Cause::damaged("account_states", column, row, source)
    }
    Ok(Account {
        id: account.parse().map_err(damaged("account", row))?,
        name,
        state: serde_json::from_value(state.into()).map_err(damaged("state", row))?,
        ou_path: ou_path
            .map(|path| serde_json::from_str(&path).map_err(damaged("ou_path", row)))
            .transpose()?,
        tags: tags
            .map(|tags| serde_json::from_str(&tags).map_err(damaged("tags", row)))
            .transpose()?,
    })
}

pub(crate) fn account(row: &SqliteRow) -> Result<Account, Cause> {
    let columns = Columns::of("account_states", row)?;
    Ok(Account {
        id: columns.parsed("account")?,
        name: columns.get("name")?,
        state: columns.variant("state")?,
        ou_path: columns.json("ou_path")?,
        tags: columns.json("tags")?,
    })
}
