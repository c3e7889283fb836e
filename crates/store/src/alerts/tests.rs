//! Alerts beside drifts: written together, kept as long as they are needed, and no part of history.

use jiff::SignedDuration;
use model::{DeliveryState, NoticeForm};
use serde_json::json;

use super::*;
use crate::{
    Attempt, DeliveryQuery, KeepFrom, Recipient, Resend,
    fixture::{Folder, account_id, noon},
    history_fixture::{ABSENT, drift, history, judged, no_drifts, whole},
};

fn alert(number: u64, sweep: SweepId, rows: Vec<i64>, lasts_while: Option<LastsWhile>) -> NewAlert {
    let id = AlertId::of(&number);
    NewAlert {
        id,
        sweep,
        at: noon(),
        kind: DriftKind::VerdictChanged,
        severity: Severity::High,
        drift: drift(sweep, &[account_id(1)]).id,
        title: "x".to_owned(),
        lasts_while,
        remind_at: None,
        rows,
        notice: Some(NewNotice {
            form: NoticeForm::Opened,
            body: json!({"x": 1}),
            recipients: vec![Recipient {
                channel: "all".to_owned(),
                idempotency_key: format!("{id}.opened.all"),
            }],
        }),
    }
}

async fn waiting(sweeper: &Sweeper, sweep: i64) -> Vec<i64> {
    let waiting = sweeper
        .store()
        .waiting_drifts(SweepId(sweep), 0)
        .await
        .unwrap();
    waiting.iter().map(|drift| drift.row).collect()
}

#[tokio::test]
async fn a_drift_waits_from_its_commit_until_it_is_dealt_with() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let store = sweeper.store();
    let sweeps: Vec<(i64, u64)> = (store.waiting_sweeps().await.unwrap().iter())
        .map(|sweep| (sweep.sweep.0, sweep.drifts))
        .collect();
    assert_eq!(sweeps, [(3, 3), (6, 1)]);
    let rows = waiting(&sweeper, 3).await;
    let head = store.head().await.unwrap().unwrap();
    let number = sweeper
        .tell_alert(&alert(1, SweepId(3), vec![rows[0]], None))
        .await
        .unwrap();
    sweeper.let_rest(&rows[1..2]).await.unwrap();
    sweeper.leave_untold(&rows[2..]).await.unwrap();
    assert!(waiting(&sweeper, 3).await.is_empty());
    let resting = store.resting_drifts(0).await.unwrap();
    assert_eq!(
        resting.iter().map(|drift| drift.row).collect::<Vec<_>>(),
        rows[1..2]
    );
    // What was dealt with is not dealt with again.
    sweeper.attach_drifts(number, &rows).await.unwrap();
    let listed = &store.alerts(&AlertQuery::default()).await.unwrap()[0];
    assert_eq!((listed.drifts, listed.number), (2, number));
    assert!(!listed.lasts(), "it was told once, and that is all");
    // No seal is over it.
    let verified = store.verify(Some(head.seal.hash)).await.unwrap();
    assert_eq!(verified.drifts, 4);
    assert!(store.check().await.unwrap().is_sound());
}

#[tokio::test]
async fn an_alert_of_one_name_is_one_alert() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let rows = waiting(&sweeper, 3).await;
    let first = alert(1, SweepId(3), rows[..1].to_vec(), Some(LastsWhile::Broken));
    let number = sweeper.tell_alert(&first).await.unwrap();
    let again = NewAlert {
        rows: rows[1..].to_vec(),
        severity: Severity::Critical,
        ..first
    };
    assert_eq!(sweeper.tell_alert(&again).await.unwrap(), number);
    let query = AlertQuery {
        lasts: Some(true),
        ..AlertQuery::default()
    };
    let listed = sweeper.store().alerts(&query).await.unwrap();
    assert_eq!(
        (listed.len(), listed[0].drifts, listed[0].severity),
        (1, 3, Severity::Critical)
    );
    // The key keeps it from being told twice.
    let deliveries = sweeper
        .store()
        .deliveries(&DeliveryQuery::default())
        .await
        .unwrap();
    assert_eq!(deliveries.len(), 1);
    assert!(sweeper.end_alert(number, noon(), None).await.unwrap());
    assert!(!sweeper.end_alert(number, noon(), None).await.unwrap());
    assert!(sweeper.store().alerts(&query).await.unwrap().is_empty());
}

#[tokio::test]
async fn pruning_keeps_what_is_still_to_be_told() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let rows = waiting(&sweeper, 3).await;
    // One lasts, one was told once and is on its way; the third drift still waits.
    let lasting = alert(1, SweepId(3), rows[..1].to_vec(), Some(LastsWhile::Broken));
    let lasting = sweeper.tell_alert(&lasting).await.unwrap();
    sweeper
        .tell_alert(&alert(2, SweepId(3), rows[1..2].to_vec(), None))
        .await
        .unwrap();
    let keep = KeepFrom::Sweep(SweepId(8));
    let drifts = async || {
        let all = crate::DriftQuery::default();
        sweeper.store().drifts(&all).await.unwrap().len()
    };
    let alerts = async || {
        let all = AlertQuery::default();
        sweeper.store().alerts(&all).await.unwrap().len()
    };
    let before = drifts().await;
    let pruned = sweeper.prune(keep).await.unwrap();
    assert_eq!(
        (pruned.drifts, pruned.alerts),
        (1, 0),
        "the one that was told"
    );
    assert_eq!((drifts().await, alerts().await), (before - 1, 2));
    // Delivered, over, decided: all of it may go.
    let now = noon() + SignedDuration::from_hours(1);
    for delivery in sweeper
        .store()
        .deliveries(&DeliveryQuery::default())
        .await
        .unwrap()
    {
        sweeper
            .record_attempt(delivery.number, now, &Attempt::Delivered)
            .await
            .unwrap();
    }
    sweeper.leave_untold(&rows[2..]).await.unwrap();
    assert_eq!(sweeper.prune(keep).await.unwrap().alerts, 1);
    sweeper.end_alert(lasting, now, None).await.unwrap();
    let pruned = sweeper.prune(keep).await.unwrap();
    assert_eq!(pruned.alerts, 1);
    assert_eq!(alerts().await, 0);
    assert!(
        sweeper
            .store()
            .deliveries(&DeliveryQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
    sweeper.store().verify(None).await.unwrap();
    assert!(sweeper.store().check().await.unwrap().is_sound());
}

#[tokio::test]
async fn without_anybody_who_tells_nothing_is_kept_for_it() {
    let folder = Folder::new();
    let sweeper = history(&folder).await;
    let pruned = sweeper.prune(KeepFrom::Sweep(SweepId(8))).await.unwrap();
    assert_eq!(pruned.drifts, 3);
}

#[tokio::test]
async fn what_was_given_up_is_sent_again_by_a_process_beside_the_sweeper() {
    let folder = Folder::new();
    let sweeper = folder.sweeper().await;
    whole(&sweeper, 0, &[judged(1, ABSENT)], no_drifts).await;
    sweeper
        .tell_alert(&alert(1, SweepId(1), Vec::new(), None))
        .await
        .unwrap();
    let due = sweeper
        .store()
        .deliveries_due(noon(), &[].into(), 10)
        .await
        .unwrap();
    assert_eq!(
        (due.len(), due[0].attempts, &due[0].body),
        (1, 0, &json!({"x": 1}))
    );
    let not_to = [due[0].channel.clone()].into();
    assert!(
        sweeper
            .store()
            .deliveries_due(noon(), &not_to, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let error = "no".to_owned();
    sweeper
        .record_attempt(due[0].number, noon(), &Attempt::Dead { error })
        .await
        .unwrap();
    assert!(
        sweeper
            .store()
            .deliveries_due(noon(), &[].into(), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(sweeper.store().alert_queue().await.unwrap().dead, 1);
    let beside = Store::open_journal(folder.file("store.db")).await.unwrap();
    assert_eq!(beside.resend(noon(), &Resend::All).await.unwrap(), 1);
    beside.close().await.unwrap();
    let delivery = &sweeper
        .store()
        .deliveries(&DeliveryQuery::default())
        .await
        .unwrap()[0];
    assert_eq!(
        (delivery.state, delivery.attempts),
        (DeliveryState::Pending, 0)
    );
    assert_eq!(delivery.last_error.as_deref(), Some("no"));
}
