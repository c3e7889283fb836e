//! What is accepted, since when and until when.

use jiff::SignedDuration;
use model::{Exception, ExceptionScope, ExceptionSource};

use super::*;
use crate::fixture::{Folder, account_id, noon};

fn exception(owner: &str, source: ExceptionSource) -> Exception {
    Exception {
        scope: ExceptionScope {
            account: Some(account_id(1)),
            ..ExceptionScope::default()
        },
        owner: owner.to_owned(),
        reason: "is being moved".to_owned(),
        ticket: Some("SEC-12".to_owned()),
        expires_at: noon() + SignedDuration::from_hours(240),
        source,
    }
}

fn later(hours: i64) -> Timestamp {
    noon() + SignedDuration::from_hours(hours)
}

#[tokio::test]
async fn an_exception_holds_until_it_is_removed_and_can_be_added_again() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    // Beside a sweeper that holds its lock.
    let journal = Store::open_journal(folder.file("store.db")).await.unwrap();
    let exception = exception("platform", ExceptionSource::Command);
    let id = journal.add_exception(noon(), &exception).await.unwrap();
    let id = id.unwrap();
    assert_eq!(
        journal.add_exception(later(1), &exception).await.unwrap(),
        None
    );
    assert!(
        journal
            .remove_exception(later(2), id, Some("me"))
            .await
            .unwrap()
    );
    assert!(!journal.remove_exception(later(3), id, None).await.unwrap());
    assert_eq!(
        journal.add_exception(later(4), &exception).await.unwrap(),
        Some(id)
    );

    let rows = sweeper.store().exceptions().await.unwrap();
    let in_force = |hours| {
        rows.iter()
            .filter(|row| row.was_in_force(later(hours)))
            .count()
    };
    assert_eq!(
        [in_force(-1), in_force(1), in_force(3), in_force(5)],
        [0, 1, 0, 1]
    );
    assert_eq!(in_force(240), 0, "it has expired");
    journal.close().await.unwrap();
}

#[tokio::test]
async fn the_configuration_adds_and_ends_its_own_and_no_other() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    let journal = Store::open_journal(folder.file("store.db")).await.unwrap();
    let by_hand = exception("by hand", ExceptionSource::Command);
    journal.add_exception(noon(), &by_hand).await.unwrap();
    let configured = exception("configured", ExceptionSource::Configuration);
    let list = [configured];
    for hours in [1, 2] {
        sweeper
            .reconcile_exceptions(later(hours), &list)
            .await
            .unwrap();
    }
    let owners = async |at| {
        let rows = sweeper.store().exceptions().await.unwrap();
        let in_force = rows.into_iter().filter(|row| row.was_in_force(at));
        in_force.map(|row| row.exception.owner).collect::<Vec<_>>()
    };
    assert_eq!(owners(later(2)).await, ["by hand", "configured"]);
    sweeper.reconcile_exceptions(later(3), &[]).await.unwrap();
    assert_eq!(owners(later(3)).await, ["by hand"]);
    let records = sweeper.store().journal(JournalKind::Exception, None).await;
    assert_eq!(records.unwrap().len(), 2, "nothing is said twice");
}
