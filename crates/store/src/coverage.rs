//! Which accounts a sweep saw: what tells when something was last confirmed.

use std::collections::{BTreeMap, BTreeSet};

use model::{AccountId, ContentHash, ControlId, SweepId, SweepScope};
use sqlx::SqliteConnection;

use crate::{
    column::Columns,
    error::Cause,
    evidence::{self, Documents},
};

/// What a sweep saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// Every account that was known when it ended.
    All,
    /// These accounts.
    Only(BTreeSet<AccountId>),
}

impl Coverage {
    fn has(&self, account: AccountId) -> bool {
        match self {
            Self::All => true,
            Self::Only(accounts) => accounts.contains(&account),
        }
    }
}

/// Notes what a sweep saw: everything where that is known for certain, else what its progress tells.
pub(crate) async fn record(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    saw_all_for_certain: bool,
) -> Result<(), Cause> {
    let saw_all = saw_all_for_certain || saw_all(connection, sweep).await?;
    let list = if saw_all {
        None
    } else {
        let text = model::canonical_json(&seen_so_far(connection, sweep).await?);
        let hash = ContentHash::of_text(&text);
        let documents = Documents::from([(hash, text.as_str())]);
        evidence::put(&mut *connection, &documents)
            .await?
            .get(&hash)
            .copied()
    };
    sqlx::query("UPDATE sweeps SET saw_all = ?2, seen = ?3 WHERE id = ?1")
        .bind(sweep.0)
        .bind(saw_all)
        .bind(list)
        .execute(connection)
        .await?;
    Ok(())
}

async fn saw_all(connection: &mut SqliteConnection, sweep: SweepId) -> Result<bool, Cause> {
    let saw_all = sqlx::query_scalar(
        "SELECT NOT EXISTS (
             SELECT 1 FROM account_states INDEXED BY account_states_open
             WHERE valid_until IS NULL AND account NOT IN (
                 SELECT value FROM sweep_progress, json_each(accounts) WHERE sweep = ?1
             )
         )",
    )
    .bind(sweep.0)
    .fetch_one(connection)
    .await?;
    Ok(saw_all)
}

/// The accounts that a sweep has committed, while its progress is kept.
pub(crate) async fn seen_so_far(
    connection: &mut SqliteConnection,
    sweep: SweepId,
) -> Result<BTreeSet<AccountId>, Cause> {
    let rows = sqlx::query("SELECT sweep AS id, accounts FROM sweep_progress WHERE sweep = ?1")
        .bind(sweep.0)
        .fetch_all(connection)
        .await?;
    let mut seen = BTreeSet::new();
    for row in &rows {
        let group: Option<Vec<AccountId>> = Columns::of("sweep_progress", row)?.json("accounts")?;
        seen.extend(group.into_iter().flatten());
    }
    Ok(seen)
}

/// Sweeps that are looked through, the latest first, for the last one that saw something.
#[derive(Debug)]
pub(crate) struct LastSeen {
    /// Those before this one are not read yet; `None` when all are.
    next: Option<SweepId>,
    sweeps: BTreeMap<SweepId, (SweepScope, Coverage)>,
}

/// How many sweeps are read at a time: nearly always the one before has seen everything.
const SWEEPS: i64 = 8;

impl LastSeen {
    /// Of the sweeps before this one.
    pub(crate) fn before(sweep: SweepId) -> Self {
        Self {
            next: Some(sweep),
            sweeps: BTreeMap::new(),
        }
    }

    /// The last sweep before `until` that saw the account by this control, but none before `since`.
    /// Where that was never noted, it is `since` itself, which did.
    pub(crate) async fn of(
        &mut self,
        connection: &mut SqliteConnection,
        account: AccountId,
        control: &ControlId,
        span: (SweepId, SweepId),
    ) -> Result<SweepId, Cause> {
        self.of_account(connection, account, Some(control), span)
            .await
    }

    /// The same by any control, if none is named.
    pub(crate) async fn of_account(
        &mut self,
        connection: &mut SqliteConnection,
        account: AccountId,
        control: Option<&ControlId>,
        (since, until): (SweepId, SweepId),
    ) -> Result<SweepId, Cause> {
        loop {
            let read = self.sweeps.range(since..until).rev();
            let has = |(scope, coverage): &(SweepScope, Coverage)| {
                coverage.has(account)
                    && control.is_none_or(|control| scope.controls.contains(control))
            };
            let mut found = read.filter(|(_, sweep)| has(sweep)).map(|(id, _)| *id);
            if let Some(sweep) = found.next() {
                return Ok(sweep);
            }
            match self.next {
                Some(next) if next > since => self.read(connection, next).await?,
                _ => return Ok(since),
            }
        }
    }

    async fn read(
        &mut self,
        connection: &mut SqliteConnection,
        next: SweepId,
    ) -> Result<(), Cause> {
        let rows = sqlx::query(
            "SELECT sweeps.id, scope, saw_all, seen, state, size, body
             FROM sweeps LEFT JOIN documents ON documents.id = seen
             WHERE sweeps.id < ?1 ORDER BY sweeps.id DESC LIMIT ?2",
        )
        .bind(next.0)
        .bind(SWEEPS)
        .fetch_all(connection)
        .await?;
        self.next = None;
        for row in &rows {
            let columns = Columns::of("sweeps", row)?;
            let id = SweepId(columns.id());
            self.next = Some(id);
            let coverage = if columns.get("saw_all")? {
                Coverage::All
            } else if columns.get::<Option<i64>>("seen")?.is_some() {
                let text = evidence::text(&columns)?;
                let seen = serde_json::from_str(&text)
                    .map_err(|source| columns.damaged("seen", source))?;
                Coverage::Only(seen)
            } else {
                continue;
            };
            let scope = columns.required("scope", columns.json("scope")?)?;
            self.sweeps.insert(id, (scope, coverage));
        }
        Ok(())
    }
}
