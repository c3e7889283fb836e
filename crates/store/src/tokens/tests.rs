//! Tokens come and go, beside a sweeper, and are no part of the history.

use jiff::SignedDuration;

use super::*;
use crate::{
    fixture::{Folder, noon},
    history_fixture::history,
};

fn token(name: &str, prefix: &str) -> TokenToAdd {
    TokenToAdd {
        name: name.to_owned(),
        role: TokenRole::Viewer,
        prefix: prefix.to_owned(),
        hash: TokenHash([7; 32]),
        expires_at: Some(noon() + SignedDuration::from_hours(1)),
    }
}

#[tokio::test]
async fn a_token_is_found_until_it_is_forgotten_and_its_name_is_free_once_it_is_revoked() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let journal = Store::open_journal(folder.file("store.db")).await.unwrap();
    let store = journal.store();
    let nothing = TokenFound {
        is_any_known: false,
        token: None,
    };
    assert_eq!(store.token(Some("scanner_1")).await.unwrap(), nothing);
    assert!(
        journal
            .add_token(noon(), &token("ci", "scanner_1"))
            .await
            .unwrap()
    );
    assert!(
        !journal
            .add_token(noon(), &token("ci", "scanner_2"))
            .await
            .unwrap()
    );

    let found = store.token(Some("scanner_1")).await.unwrap().token.unwrap();
    assert_eq!((found.name.as_str(), found.role), ("ci", TokenRole::Viewer));
    assert!(found.is_taken(noon()) && !found.has_expired(noon()));
    let later = noon() + SignedDuration::from_hours(1);
    assert!(!found.is_taken(later) && found.has_expired(later));
    let other = store.token(Some("scanner_9")).await.unwrap();
    assert_eq!((other.is_any_known, other.token), (true, None));
    assert!(store.token(None).await.unwrap().is_any_known);

    journal.note_token_use(found.id, later).await.unwrap();
    // What was noted late does not turn the clock back.
    journal.note_token_use(found.id, noon()).await.unwrap();
    assert_eq!(store.tokens().await.unwrap()[0].last_used_at, Some(later));

    let revoked = journal.revoke_token(noon(), "ci").await.unwrap().unwrap();
    assert!(!revoked.is_taken(noon()));
    assert_eq!(journal.revoke_token(noon(), "ci").await.unwrap(), None);
    assert!(
        journal
            .add_token(noon(), &token("ci", "scanner_2"))
            .await
            .unwrap()
    );
    let by_prefix = journal.revoke_token(noon(), "scanner_2").await.unwrap();
    assert_eq!(by_prefix.unwrap().name, "ci");
    assert!(store.token(None).await.unwrap().is_any_known);
    assert_eq!(journal.forget_revoked_tokens().await.unwrap(), 2);
    assert_eq!(store.token(Some("scanner_2")).await.unwrap(), nothing);
    sweeper.close().await.unwrap();
}

#[tokio::test]
async fn no_seal_and_no_archive_knows_of_tokens() {
    let folder = Folder::new();
    history(&folder).await.close().await.unwrap();
    let journal = Store::open_journal(folder.file("store.db")).await.unwrap();
    let store = journal.store();
    let seals = store.seals().await.unwrap();
    let last = seals.iter().map(|row| row.seal.sweep).max().unwrap();
    let before = store.export(last, None, Vec::new()).await.unwrap();
    let verified = store.verify(None).await.unwrap();
    assert!(
        journal
            .add_token(noon(), &token("ci", "scanner_1"))
            .await
            .unwrap()
    );
    assert_eq!(store.export(last, None, Vec::new()).await.unwrap(), before);
    assert_eq!(store.verify(None).await.unwrap(), verified);
    assert!(store.check().await.unwrap().is_sound());
}

#[test]
fn a_hash_is_not_shown() {
    let shown = format!("{:?}", token("ci", "scanner_1"));
    assert!(
        shown.contains("TokenHash(..)") && !shown.contains("7, 7"),
        "{shown}"
    );
}
