//! The leaf of an account: one hash over everything that is known of it.
//!
//! Equal leaves mean that a sweep saw nothing new, which is nearly always so: then nothing is read
//! from the database and nothing but progress is written to it.

use std::collections::{BTreeMap, HashMap};

use model::{Account, AccountId, ContentHash, ControlId, Link, Reason, SweepId};
use serde::Serialize;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::{column::Columns, error::Cause, evidence::ROWS_A_STATEMENT, sweeps};

/// What makes one finding another one than before.
///
/// The gaps' samples are not in it: the same call that is denied in the same way leaves the finding
/// as it is, with what AWS said the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct FindingIdentity {
    pub(crate) reason: Reason,
    pub(crate) link: Option<Link>,
    pub(crate) detail: ContentHash,
}

/// Everything that is known of an account.
#[derive(Debug, Serialize)]
pub(crate) struct Leaf<'a> {
    pub(crate) account: &'a Account,
    pub(crate) evidence: Option<ContentHash>,
    pub(crate) findings: BTreeMap<&'a ControlId, FindingIdentity>,
}

impl Leaf<'_> {
    pub(crate) fn hash(&self) -> ContentHash {
        ContentHash::of(self)
    }
}

/// The open row of an account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenLeaf {
    row: i64,
    /// `None` in what an earlier version wrote.
    pub(crate) leaf: Option<ContentHash>,
    pub(crate) evidence: Option<ContentHash>,
}

/// The leaves of all accounts that are known; none of what an earlier version wrote.
pub(crate) async fn known(
    connection: &mut SqliteConnection,
) -> Result<HashMap<AccountId, ContentHash>, Cause> {
    let rows = sqlx::query(
        "SELECT id, account, leaf FROM account_leaves INDEXED BY account_leaves_open
         WHERE valid_until IS NULL",
    )
    .fetch_all(connection)
    .await?;
    let mut known = HashMap::with_capacity(rows.len());
    for row in &rows {
        let columns = Columns::of("account_leaves", row)?;
        if let Some(leaf) = columns.hash("leaf")? {
            known.insert(columns.parsed("account")?, leaf);
        }
    }
    Ok(known)
}

/// The open rows of these accounts.
pub(crate) async fn open(
    connection: &mut SqliteConnection,
    accounts: &[AccountId],
) -> Result<HashMap<AccountId, OpenLeaf>, Cause> {
    let rows = sqlx::query(
        "SELECT account_leaves.id, account, leaf, documents.hash
         FROM account_leaves INDEXED BY account_leaves_open
         LEFT JOIN documents ON documents.id = account_leaves.evidence
         WHERE valid_until IS NULL AND account IN (SELECT value FROM json_each(?1))",
    )
    .bind(model::canonical_json(accounts))
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("account_leaves", row)?;
            let open = OpenLeaf {
                row: columns.id(),
                leaf: columns.hash("leaf")?,
                evidence: columns.hash("hash")?,
            };
            Ok((columns.parsed("account")?, open))
        })
        .collect()
}

/// A leaf that an account has from now on.
pub(crate) struct NewLeaf {
    pub(crate) account: AccountId,
    pub(crate) leaf: ContentHash,
    pub(crate) evidence: Option<ContentHash>,
    pub(crate) replaces: Option<OpenLeaf>,
}

/// Records leaves that are not as they were.
pub(crate) async fn record(
    connection: &mut SqliteConnection,
    sweep: SweepId,
    leaves: &[NewLeaf],
    documents: &HashMap<ContentHash, i64>,
) -> Result<(), Cause> {
    let outdated: Vec<i64> = (leaves.iter())
        .filter_map(|new| new.replaces.map(|open| open.row))
        .collect();
    sweeps::close_rows(connection, sweep, CLOSE, DROP, &outdated).await?;
    for some in leaves.chunks(ROWS_A_STATEMENT) {
        QueryBuilder::<Sqlite>::new(
            "INSERT INTO account_leaves (account, leaf, evidence, valid_from) ",
        )
        .push_values(some, |mut row, new| {
            let evidence = new.evidence.and_then(|root| documents.get(&root).copied());
            row.push_bind(new.account.to_string())
                .push_bind(new.leaf.as_bytes().to_vec())
                .push_bind(evidence)
                .push_bind(sweep.0);
        })
        .build()
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

const CLOSE: &str = "UPDATE account_leaves SET valid_until = ?1
    WHERE valid_from < ?1 AND id IN (SELECT value FROM json_each(?2))";

const DROP: &str = "DELETE FROM account_leaves
    WHERE valid_from = ?1 AND id IN (SELECT value FROM json_each(?2))";
