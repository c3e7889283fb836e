//! Accounts: what AWS Organizations said of each, as intervals.

use std::collections::{BTreeMap, HashMap};

use model::{Account, AccountId, SweepId};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::{column::Columns, error::Cause, evidence::ROWS_A_STATEMENT};

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
            "INSERT INTO account_states (account, name, state, ou_path, valid_from) ",
        )
        .push_values(some, |mut row, account| {
            row.push_bind(account.id.to_string())
                .push_bind(account.name.as_str())
                .push_bind(account.state.as_str())
                .push_bind(account.ou_path.as_ref().map(model::canonical_json))
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
        "SELECT id, account, name, state, ou_path
         FROM account_states INDEXED BY account_states_open
         WHERE valid_until IS NULL AND account IN (SELECT value FROM json_each(?1))",
    )
    .bind(model::canonical_json(&ids))
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("account_states", row)?;
            let id: AccountId = columns.parsed("account")?;
            let account = Account {
                id,
                name: columns.get("name")?,
                state: columns.variant("state")?,
                ou_path: columns.json("ou_path")?,
            };
            Ok((id, (columns.id(), account)))
        })
        .collect()
}
