//! That the text of each document hashes to its name, and that evidence has its parts.

use std::collections::{BTreeSet, HashMap, HashSet};

use model::ContentHash;
use proof::{Misfit, archive::parts_of_evidence};
use sqlx::SqliteConnection;

use super::{Fault, VerifiedStore, same};
use crate::{column::Columns, evidence};

/// How many documents are held at a time; most have some kilobytes.
const DOCUMENTS: i64 = 128;

pub(super) async fn verify(
    connection: &mut SqliteConnection,
    verified: &mut VerifiedStore,
) -> Result<(), Fault> {
    let roots: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT evidence FROM account_leaves WHERE evidence IS NOT NULL",
    )
    .fetch_all(&mut *connection)
    .await?;
    let roots: BTreeSet<i64> = roots.into_iter().collect();
    let mut there: HashSet<ContentHash> = HashSet::new();
    // Each with a document that names it.
    let mut parts: HashMap<ContentHash, i64> = HashMap::new();
    let mut last = i64::MIN;
    loop {
        let rows = sqlx::query(
            "SELECT id, hash, size, body FROM documents WHERE id > ?1 ORDER BY id LIMIT ?2",
        )
        .bind(last)
        .bind(DOCUMENTS)
        .fetch_all(&mut *connection)
        .await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let columns = Columns::of("documents", row)?;
            last = columns.id();
            let place = format!("row {last} of documents");
            let name = columns.required("hash", columns.hash("hash")?)?;
            let text = evidence::text(&columns)?;
            same("SHA-256", &place, &name, &ContentHash::of_text(&text))?;
            if roots.contains(&last) {
                let of_root = parts_of_evidence(&text).ok_or_else(|| {
                    Misfit::new("text", &place, &"an account's evidence", &"something else")
                })?;
                for part in of_root {
                    parts.entry(part).or_insert(last);
                }
            }
            there.insert(name);
            verified.documents += 1;
        }
    }
    let missing = parts.iter().filter(|(part, _)| !there.contains(part));
    // The first, and not any.
    match missing.min_by_key(|(part, root)| (**root, **part)) {
        None => Ok(()),
        Some((part, root)) => {
            let place = format!("row {root} of documents");
            let expected = format!("its part {part} in documents");
            Err(Misfit::new("evidence", &place, &expected, &"no such document").into())
        }
    }
}
