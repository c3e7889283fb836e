//! That the leaves make the tree of each seal, from the base on.

use std::collections::BTreeMap;

use model::{AccountId, SweepId};
use proof::{LeafHash, MerkleTree};
use sqlx::{QueryBuilder, SqliteConnection, sqlite::SqliteRow};

use super::{Fault, same};
use crate::{column::Columns, finding_query::push_is_so, seals::SealPages};

pub(super) async fn verify(connection: &mut SqliteConnection, base: SweepId) -> Result<(), Fault> {
    let mut pages = SealPages::default();
    let mut tree: Option<(MerkleTree, SweepId)> = None;
    loop {
        let page = pages.next(connection).await?;
        if page.is_empty() {
            return Ok(());
        }
        for seal in page
            .iter()
            .map(|row| &row.seal)
            .filter(|seal| seal.sweep >= base)
        {
            let now = match tree.take() {
                None => MerkleTree::new(as_of(connection, seal.sweep).await?),
                Some((mut tree, last)) => {
                    let changes = changes(connection, last, seal.sweep).await?;
                    if !changes.is_empty() {
                        tree.update(changes);
                    }
                    tree
                }
            };
            let head = now.head();
            let place = format!("account_leaves as of sweep {}", seal.sweep);
            same(
                "number of accounts",
                &place,
                &seal.accounts.accounts,
                &head.accounts,
            )?;
            same("Merkle root", &place, &seal.accounts.root, &head.root)?;
            tree = Some((now, seal.sweep));
        }
    }
}

fn leaf(row: &SqliteRow) -> Result<(AccountId, LeafHash), Fault> {
    let columns = Columns::of("account_leaves", row)?;
    let leaf = columns
        .get::<Option<&[u8]>>("leaf")?
        .and_then(LeafHash::from_bytes);
    Ok((columns.parsed("account")?, columns.required("leaf", leaf)?))
}

async fn as_of(
    connection: &mut SqliteConnection,
    sweep: SweepId,
) -> Result<Vec<(AccountId, LeafHash)>, Fault> {
    let mut select = QueryBuilder::new("SELECT id, account, leaf FROM account_leaves WHERE ");
    push_is_so(&mut select, Some(sweep));
    let rows = select.build().fetch_all(connection).await?;
    rows.iter().map(leaf).collect()
}

/// What became of the leaves after one sweep, as of another.
async fn changes(
    connection: &mut SqliteConnection,
    after: SweepId,
    until: SweepId,
) -> Result<BTreeMap<AccountId, Option<LeafHash>>, Fault> {
    let mut changes = BTreeMap::new();
    let ended = sqlx::query(
        "SELECT id, account FROM account_leaves INDEXED BY account_leaves_valid_until
         WHERE valid_until > ?1 AND valid_until <= ?2",
    )
    .bind(after.0)
    .bind(until.0)
    .fetch_all(&mut *connection)
    .await?;
    for row in &ended {
        changes.insert(Columns::of("account_leaves", row)?.parsed("account")?, None);
    }
    let begun = sqlx::query(
        "SELECT id, account, leaf FROM account_leaves INDEXED BY account_leaves_valid_from
         WHERE valid_from > ?1 AND valid_from <= ?2 AND (valid_until IS NULL OR valid_until > ?2)",
    )
    .bind(after.0)
    .bind(until.0)
    .fetch_all(connection)
    .await?;
    for row in &begun {
        let (account, leaf) = leaf(row)?;
        changes.insert(account, Some(leaf));
    }
    Ok(changes)
}
