//! The leaf of an account: one hash over everything that is known of it, as it is sealed.

use std::collections::{BTreeMap, HashMap};

use model::{Account, AccountId, ContentHash, ControlId, SweepId};
use proof::{AccountLeaf, FindingLeaf, LeafHash};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::{
    accounts, column::Columns, error::Cause, evidence::ROWS_A_STATEMENT, findings, sweeps,
};

/// The open row of an account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenLeaf {
    row: i64,
    /// `None` in what an earlier version wrote.
    pub(crate) leaf: Option<LeafHash>,
    pub(crate) evidence: Option<ContentHash>,
    /// The row of that document.
    evidence_row: Option<i64>,
}

/// The leaves of all accounts that are known; those that an earlier version did not write are made.
pub(crate) async fn known(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<AccountId, LeafHash>, Cause> {
    make_missing(connection).await?;
    let rows = sqlx::query(
        "SELECT id, account, leaf FROM account_leaves INDEXED BY account_leaves_open
         WHERE valid_until IS NULL",
    )
    .fetch_all(connection)
    .await?;
    (rows.iter())
        .map(|row| {
            let columns = Columns::of("account_leaves", row)?;
            let leaf = columns.required("leaf", digest(&columns)?)?;
            Ok((columns.parsed("account")?, leaf))
        })
        .collect()
}

fn digest(columns: &Columns<'_>) -> Result<Option<LeafHash>, Cause> {
    (columns.get::<Option<&[u8]>>("leaf")?)
        .map(|bytes| {
            LeafHash::from_bytes(bytes)
                .ok_or_else(|| columns.damaged("leaf", "a SHA-256 has 32 bytes"))
        })
        .transpose()
}

/// Makes the leaves of open rows that have none: once, after a store was brought up to date.
async fn make_missing(connection: &mut SqliteConnection) -> Result<(), Cause> {
    let missing: Vec<String> = sqlx::query_scalar(
        "SELECT account FROM account_leaves INDEXED BY account_leaves_open
         WHERE valid_until IS NULL AND leaf IS NULL",
    )
    .fetch_all(&mut *connection)
    .await?;
    let missing: Vec<AccountId> = missing.iter().filter_map(|id| id.parse().ok()).collect();
    for some in missing.chunks(ROWS_A_STATEMENT) {
        let open = open(connection, some).await?;
        let findings = findings::open(connection, some).await?;
        let states = accounts::now(connection, some).await?;
        for (id, account) in &states {
            let (Some(open), Some(findings)) = (open.get(id), findings.get(id)) else {
                continue;
            };
            let findings = (findings.iter())
                .map(|(control, open)| (control.clone(), open.leaf))
                .collect();
            sqlx::query("UPDATE account_leaves SET leaf = ?2 WHERE id = ?1")
                .bind(open.row)
                .bind(
                    leaf(account, open.evidence, &findings)
                        .as_bytes()
                        .as_slice(),
                )
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// The leaf of an account that is like this.
pub(crate) fn leaf(
    account: &Account,
    evidence: Option<ContentHash>,
    findings: &BTreeMap<ControlId, FindingLeaf>,
) -> LeafHash {
    let leaf = AccountLeaf {
        account,
        evidence,
        findings,
    };
    leaf.hash()
}

/// The open rows of these accounts.
pub(crate) async fn open(
    connection: &mut SqliteConnection,
    accounts: &[AccountId],
) -> Result<HashMap<AccountId, OpenLeaf>, Cause> {
    let rows = sqlx::query(
        "SELECT account_leaves.id, account, leaf, evidence, documents.hash
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
                leaf: digest(&columns)?,
                evidence: columns.hash("hash")?,
                evidence_row: columns.get("evidence")?,
            };
            Ok((columns.parsed("account")?, open))
        })
        .collect()
}

/// A leaf that an account has from now on.
pub(crate) struct NewLeaf {
    pub(crate) account: AccountId,
    pub(crate) leaf: LeafHash,
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
            // What is kept from the leaf before is not among the documents of this commit.
            let kept = (new.replaces).filter(|before| before.evidence == new.evidence);
            let evidence = (new.evidence)
                .and_then(|root| documents.get(&root).copied())
                .or_else(|| kept.and_then(|before| before.evidence_row));
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
