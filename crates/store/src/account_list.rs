//! Accounts that are asked for, with what their findings come to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use model::{Account, AccountId, ControlId, SweepId, Verdict};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Error, Store,
    accounts::account,
    column::Columns,
    coverage::LastSeen,
    error::Cause,
    finding_query::{push_hangs_in, push_is_so},
    moments::sweeps_begun,
};

#[cfg(test)]
mod tests;

/// Which accounts are asked for; what is `None` does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountQuery {
    /// This one.
    pub account: Option<AccountId>,
    /// Those that hung in this OU or root then.
    pub ou: Option<String>,
    /// Those with a finding of this control, and only that is counted.
    pub control: Option<ControlId>,
    /// Those with a finding of this verdict.
    pub verdict: Option<Verdict>,
    /// That became what they are with a sweep that began at this time or later.
    pub since: Option<Timestamp>,
    /// That became what they are with a sweep that began at this time or before.
    pub until: Option<Timestamp>,
    /// As they were after this sweep; `None`: as they are now.
    pub sweep: Option<SweepId>,
    /// Only what comes behind this account.
    pub after: Option<AccountId>,
    /// No more than this many.
    pub limit: Option<u32>,
}

/// An account as it is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountRow {
    /// What AWS Organizations said of it.
    pub account: Account,
    /// The first sweep to which it said so.
    pub since_sweep: SweepId,
    /// When that sweep began.
    pub since: Timestamp,
    /// How many of its findings have which verdict.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// The last sweep that looked at it.
    pub confirmed_sweep: SweepId,
    /// When that sweep began.
    pub confirmed: Timestamp,
}

/// The findings of an account, counted.
#[derive(Default)]
struct Counted {
    verdicts: BTreeMap<Verdict, u64>,
    /// The last sweep with which one of them began.
    begun: i64,
}

impl Store {
    /// Accounts, by id.
    #[tracing::instrument(name = "db.account.list_with_verdicts", skip(self))]
    pub async fn accounts(&self, query: &AccountQuery) -> Result<Vec<AccountRow>, Error> {
        let read = async {
            let mut transaction = self.readers.begin().await?;
            rows(&mut transaction, query).await
        };
        (read.await).map_err(|cause: Cause| cause.during("list the accounts", &self.path))
    }
}

async fn rows(
    connection: &mut SqliteConnection,
    query: &AccountQuery,
) -> Result<Vec<AccountRow>, Cause> {
    let begun = sweeps_begun(connection, query.since, query.until).await?;
    let states = states(query, begun)
        .build()
        .fetch_all(&mut *connection)
        .await?;
    let mut counted = counted(connection, query, &states).await?;
    // What is after it does not tell when it was last confirmed.
    let until = SweepId(query.sweep.map_or(i64::MAX, |sweep| sweep.0 + 1));
    let mut last_seen = LastSeen::before(until);
    let mut rows = Vec::new();
    for row in &states {
        let account = account(row)?;
        let counted = counted.remove(&account.id).unwrap_or_default();
        let columns = Columns::of("account_states", row)?;
        let since: i64 = columns.get("valid_from")?;
        // Both were written by a sweep that looked at it.
        let span = (SweepId(since.max(counted.begun)), until);
        let control = query.control.as_ref();
        let confirmed = (last_seen.of_account(connection, account.id, control, span)).await?;
        rows.push(AccountRow {
            account,
            since_sweep: SweepId(since),
            since: columns.required("valid_from", columns.time("since")?)?,
            verdicts: counted.verdicts,
            confirmed_sweep: confirmed,
            confirmed: Timestamp::UNIX_EPOCH,
        });
    }
    let confirmed: BTreeSet<i64> = rows.iter().map(|row| row.confirmed_sweep.0).collect();
    let begun = begun_at(connection, &confirmed).await?;
    for row in &mut rows {
        if let Some(time) = begun.get(&row.confirmed_sweep.0) {
            row.confirmed = *time;
        }
    }
    Ok(rows)
}

fn states(query: &AccountQuery, begun: (i64, i64)) -> QueryBuilder<Sqlite> {
    let mut select = QueryBuilder::new(
        "SELECT account_states.id, account, name, account_states.state, ou_path, tags, valid_from,
             sweeps.started_at AS since
         FROM account_states JOIN sweeps ON sweeps.id = valid_from WHERE ",
    );
    push_is_so(&mut select, query.sweep);
    if let Some(account) = query.account {
        select
            .push(" AND account = ")
            .push_bind(account.to_string());
    }
    if let Some(after) = query.after {
        select.push(" AND account > ").push_bind(after.to_string());
    }
    if let Some(ou) = &query.ou {
        push_hangs_in(&mut select, ou);
    }
    if query.verdict.is_some() || query.control.is_some() {
        push_has_finding(&mut select, query);
    }
    select
        .push(" AND +valid_from BETWEEN ")
        .push_bind(begun.0)
        .push(" AND ")
        .push_bind(begun.1)
        .push(" ORDER BY account LIMIT ")
        .push_bind(query.limit.map_or(-1, i64::from));
    select
}

/// Narrows to accounts with a finding that is asked for.
fn push_has_finding(select: &mut QueryBuilder<Sqlite>, query: &AccountQuery) {
    select.push(
        " AND EXISTS (SELECT 1 FROM findings WHERE findings.account = account_states.account AND ",
    );
    push_is_so(select, query.sweep);
    if let Some(control) = &query.control {
        select
            .push(" AND control = ")
            .push_bind(control.to_string());
    }
    if let Some(verdict) = query.verdict {
        select.push(" AND verdict = ").push_bind(verdict.as_str());
    }
    select.push(")");
}

/// Counts the findings of these accounts, which are in the order of their ids.
async fn counted(
    connection: &mut SqliteConnection,
    query: &AccountQuery,
    states: &[SqliteRow],
) -> Result<HashMap<AccountId, Counted>, Cause> {
    let mut select = QueryBuilder::new(
        "SELECT max(id) AS id, account, verdict, count(*) AS number, max(valid_from) AS begun
         FROM findings WHERE ",
    );
    push_is_so(&mut select, query.sweep);
    let (Some(first), Some(last)) = (states.first(), states.last()) else {
        return Ok(HashMap::new());
    };
    let name = |row| Columns::of("account_states", row)?.get::<String>("account");
    select
        .push(" AND account BETWEEN ")
        .push_bind(name(first)?)
        .push(" AND ")
        .push_bind(name(last)?);
    if let Some(control) = &query.control {
        select
            .push(" AND control = ")
            .push_bind(control.to_string());
    }
    select.push(" GROUP BY account, verdict");
    let mut counted: HashMap<AccountId, Counted> = HashMap::new();
    for row in select.build().fetch_all(connection).await? {
        let columns = Columns::of("findings", &row)?;
        let of_account = counted.entry(columns.parsed("account")?).or_default();
        (of_account.verdicts).insert(columns.parsed("verdict")?, columns.count("number")?);
        of_account.begun = of_account.begun.max(columns.get("begun")?);
    }
    Ok(counted)
}

/// When these sweeps began.
async fn begun_at(
    connection: &mut SqliteConnection,
    sweeps: &BTreeSet<i64>,
) -> Result<HashMap<i64, Timestamp>, Cause> {
    let rows = sqlx::query(
        "SELECT id, started_at FROM sweeps WHERE id IN (SELECT value FROM json_each(?1))",
    )
    .bind(model::canonical_json(sweeps))
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("sweeps", row)?;
            let time = columns.required("started_at", columns.time("started_at")?)?;
            Ok((columns.id(), time))
        })
        .collect()
}

impl Store {
    /// The names of these accounts as they were last seen, of those that have one: also of accounts that
    /// left.
    pub async fn account_names(
        &self,
        accounts: &BTreeSet<AccountId>,
    ) -> Result<HashMap<AccountId, String>, Error> {
        let read = async {
            let rows = sqlx::query(
                "SELECT id, account, name FROM account_states
                 WHERE account IN (SELECT value FROM json_each(?1)) AND name <> ''
                 ORDER BY account, valid_from",
            )
            .bind(model::canonical_json(accounts))
            .fetch_all(&self.readers)
            .await?;
            (rows.iter())
                .map(|row| {
                    let columns = Columns::of("account_states", row)?;
                    Ok((columns.parsed("account")?, columns.get("name")?))
                })
                .collect::<Result<_, Cause>>()
        };
        (read.await).map_err(|cause: Cause| cause.during("list the accounts", &self.path))
    }
}
