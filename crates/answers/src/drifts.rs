//! Drifts with the names of their accounts and what the journal says of them.

use std::collections::BTreeSet;

use model::{AccountId, Author, Gap};
use report::{Acknowledged, PastDrift, Who};
use serde::Deserialize;
use store::{DriftRow, JournalKind, JournalRecord, Store};

/// Drifts with the names of their accounts and what the journal says of them.
pub async fn with_journal(
    store: &Store,
    rows: Vec<DriftRow>,
) -> Result<Vec<PastDrift>, store::Error> {
    let ids: Vec<_> = rows.iter().map(|row| row.drift.id).collect();
    let accounts: BTreeSet<AccountId> = rows.iter().filter_map(|row| row.drift.account).collect();
    let names = store.account_names(&accounts).await?;
    let authors = store.journal_of_drifts(JournalKind::Author, &ids).await?;
    let seen = store
        .journal_of_drifts(JournalKind::Acknowledgement, &ids)
        .await?;
    let drifts = rows.into_iter().map(|row| {
        let id = row.drift.id;
        let name = row.drift.account.and_then(|account| names.get(&account));
        PastDrift {
            account_name: name.cloned().unwrap_or_default(),
            seen_at: row.seen_at,
            last_before_at: row.last_before_at,
            who: authors.get(&id).and_then(who),
            acknowledged: seen.get(&id).map(acknowledged),
            drift: row.drift,
        }
    });
    Ok(drifts.collect())
}

/// What the journal says of the author of a drift.
#[derive(Deserialize)]
struct AuthorBody {
    outcome: String,
    author: Option<Box<Author>>,
    #[serde(default)]
    gap: serde_json::Value,
}

/// `None` for what a later version may have written.
fn who(record: &JournalRecord) -> Option<Who> {
    let body = AuthorBody::deserialize(&record.body).ok()?;
    match (body.outcome.as_str(), body.author) {
        ("found", Some(author)) => Some(Who::Found(author)),
        ("not_found", _) => Some(Who::NotFound),
        ("denied", _) => Some(Who::Denied(Gap::deserialize(&body.gap).ok().map(Box::new))),
        ("pending", _) => Some(Who::Pending),
        _ => None,
    }
}

fn acknowledged(record: &JournalRecord) -> Acknowledged {
    let text = |field: &str| record.body[field].as_str().map(ToOwned::to_owned);
    Acknowledged {
        at: record.recorded_at,
        by: text("by").unwrap_or_default(),
        note: text("note"),
    }
}
