//! What arrives, in which order, and what becomes of what does not: over real sockets.

use std::sync::{Arc, Mutex};

use alerts::{Channel, HttpClient, idempotency_key};
use jiff::SignedDuration;
use model::{AlertId, DeliveryState, DriftId, DriftKind, NoticeForm, Severity, SweepId};
use rand::SeedableRng as _;
use store::{Delivery, DeliveryQuery, NewAlert, NewNotice, Recipient, Resend};
use tokio::net::TcpListener;

use super::*;
use crate::{
    receiver::{BUSY, ELSEWHERE, GONE, Receiver, channel, nobody},
    small_world::{ORGANIZATION, SmallWorld},
};
use model::Reason;

impl SmallWorld {
    async fn with_sweep() -> Self {
        let world = Self::new().await;
        world
            .sweep(1, &[ORGANIZATION], |_, _| Reason::TrailAbsent)
            .await;
        world
    }

    fn sender(&self, channels: Vec<Channel>) -> DeliverAlerts {
        DeliverAlerts {
            channels: Channels::new(channels, HttpClient::new().unwrap(), None),
            settings: Arc::new(AlertSettings::default()),
            clock: self.clock.clone(),
            chance: Arc::new(Mutex::new(StdRng::seed_from_u64(7))),
            stop: CancellationToken::new(),
        }
    }

    /// An alert that is told to these channels, and its row.
    async fn tell(&self, number: u64, channels: &[&str]) -> i64 {
        let now = self.clock.now();
        let id = AlertId::of(&number);
        let kind = DriftKind::VerdictChanged;
        let alert = NewAlert {
            id,
            sweep: SweepId(1),
            at: now,
            kind,
            severity: Severity::High,
            drift: DriftId::of(kind, None, None, SweepId(1), "x"),
            title: "x".to_owned(),
            lasts_while: Some(model::LastsWhile::Broken),
            remind_at: None,
            rows: Vec::new(),
            notice: Some(self.notice(id, NoticeForm::Opened, channels)),
        };
        self.store.tell_alert(&alert).await.unwrap()
    }

    fn notice(&self, id: AlertId, form: NoticeForm, channels: &[&str]) -> NewNotice {
        let notice = Notice {
            form,
            alert: id,
            ..Notice::test("x", self.clock.now())
        };
        NewNotice {
            form,
            body: serde_json::to_value(&notice).unwrap(),
            recipients: (channels.iter())
                .map(|channel| Recipient {
                    channel: (*channel).to_owned(),
                    idempotency_key: idempotency_key(id, form, None, channel),
                })
                .collect(),
        }
    }

    async fn deliveries(&self) -> Vec<Delivery> {
        let query = DeliveryQuery::default();
        let mut deliveries = self.store.store().deliveries(&query).await.unwrap();
        deliveries.reverse();
        deliveries
    }

    async fn states(&self) -> Vec<DeliveryState> {
        self.deliveries()
            .await
            .iter()
            .map(|delivery| delivery.state)
            .collect()
    }
}

use DeliveryState::{Dead, Delivered as Arrived, Pending};

#[tokio::test]
async fn what_is_told_arrives_once_under_its_key() {
    let world = SmallWorld::with_sweep().await;
    let receiver = Receiver::anywhere().await;
    world.tell(1, &["hook"]).await;
    let sender = world.sender(vec![channel("hook", receiver.address)]);
    let came_to = sender.run(&world.store).await.unwrap();
    assert_eq!(
        (came_to.delivered, came_to.failed, came_to.next_at),
        (1, 0, None)
    );
    assert_eq!(
        sender.run(&world.store).await.unwrap(),
        Delivered::default()
    );
    let key = idempotency_key(AlertId::of(&1), NoticeForm::Opened, None, "hook");
    assert_eq!(receiver.taken(), [key]);
    assert_eq!(world.states().await, [Arrived]);
}

#[tokio::test]
async fn a_channel_that_is_down_for_an_hour_loses_and_doubles_nothing_and_blocks_nobody() {
    let world = SmallWorld::with_sweep().await;
    let down = nobody().await;
    let other = Receiver::anywhere().await;
    for number in 0..10 {
        world.tell(number, &["down", "other"]).await;
    }
    let sender = world.sender(vec![channel("down", down), channel("other", other.address)]);
    let came_to = sender.run(&world.store).await.unwrap();
    // A few were enough to see that nobody is there.
    assert_eq!((came_to.delivered, came_to.failed), (10, 3));
    assert_eq!(other.taken().len(), 10);
    for _ in 0..60 {
        world.later(SignedDuration::from_mins(1));
        sender.run(&world.store).await.unwrap();
    }
    assert_eq!(other.taken().len(), 10);
    let back = Receiver::at(down).await;
    // The longest wait, and no longer.
    for _ in 0..11 {
        world.later(SignedDuration::from_mins(1));
        sender.run(&world.store).await.unwrap();
    }
    let mut taken = back.taken();
    assert_eq!(taken.len(), 10);
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), 10);
    assert!(world.states().await.iter().all(|state| *state == Arrived));
    assert_eq!(world.store.store().alert_queue().await.unwrap().pending, 0);
}

#[tokio::test]
async fn a_channel_that_does_not_answer_holds_up_nobody() {
    let world = SmallWorld::with_sweep().await;
    let mute = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let other = Receiver::anywhere().await;
    world.tell(1, &["mute", "other"]).await;
    let address = mute.local_addr().unwrap();
    let sender = world.sender(vec![
        channel("mute", address),
        channel("other", other.address),
    ]);
    let meanwhile = async {
        let (unanswered, _) = mute.accept().await.unwrap();
        until_taken(&other, 1).await;
        // It is told, and sent, while the other has not answered.
        world.tell(2, &["other"]).await;
        // It is noted as delivered after it was taken.
        while world.states().await != [Pending, Arrived, Arrived] {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(other.taken().len(), 2);
        drop((unanswered, mute));
    };
    let (came_to, ()) = tokio::join!(sender.run(&world.store), meanwhile);
    let came_to = came_to.unwrap();
    assert_eq!((came_to.delivered, came_to.failed), (2, 1));
}

async fn until_taken(receiver: &Receiver, count: usize) {
    while receiver.taken().len() < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_receiver_says_how_long_to_wait() {
    let world = SmallWorld::with_sweep().await;
    let receiver = Receiver::anywhere().await;
    receiver.will_answer(&[BUSY]);
    world.tell(1, &["hook"]).await;
    let sender = world.sender(vec![channel("hook", receiver.address)]);
    let came_to = sender.run(&world.store).await.unwrap();
    assert_eq!(
        came_to.next_at,
        Some(world.clock.now() + SignedDuration::from_mins(2))
    );
    let error = world.deliveries().await[0].last_error.clone().unwrap();
    assert!(error.contains("503") && error.contains("busy"), "{error}");
    world.later(SignedDuration::from_secs(119));
    assert_eq!(sender.run(&world.store).await.unwrap().delivered, 0);
    world.later(SignedDuration::from_secs(1));
    assert_eq!(sender.run(&world.store).await.unwrap().delivered, 1);
}

#[tokio::test]
async fn what_is_refused_is_given_up_until_somebody_sends_it_again() {
    let world = SmallWorld::with_sweep().await;
    let receiver = Receiver::anywhere().await;
    receiver.will_answer(&[GONE, ELSEWHERE]);
    world.tell(1, &["hook"]).await;
    world.tell(2, &["hook"]).await;
    let sender = world.sender(vec![channel("hook", receiver.address)]);
    let came_to = sender.run(&world.store).await.unwrap();
    assert_eq!(
        (came_to.dead, came_to.failed, came_to.next_at),
        (2, 0, None)
    );
    let errors: Vec<String> = (world.deliveries().await.into_iter())
        .map(|delivery| delivery.last_error.unwrap())
        .collect();
    assert!(
        errors[0].contains("410") && errors[0].contains("no such hook"),
        "{errors:?}"
    );
    assert!(
        errors[1].contains("redirects are not followed"),
        "{errors:?}"
    );
    assert!(!errors.concat().contains("sixteen"), "{errors:?}");
    assert_eq!(world.states().await, [Dead, Dead]);
    let now = world.clock.now();
    let one = Resend::Alert(AlertId::of(&1));
    assert_eq!(world.store.resend(now, &one).await.unwrap(), 1);
    assert_eq!(sender.run(&world.store).await.unwrap().delivered, 1);
    assert_eq!(world.states().await, [Arrived, Dead]);
    let of_channel = |name: &str| Resend::Channel(name.to_owned());
    assert_eq!(world.store.resend(now, &of_channel("x")).await.unwrap(), 0);
    assert_eq!(
        world.store.resend(now, &of_channel("hook")).await.unwrap(),
        1
    );
    assert_eq!(sender.run(&world.store).await.unwrap().delivered, 1);
    assert_eq!(world.states().await, [Arrived, Arrived]);
}

#[tokio::test]
async fn what_is_tried_for_long_enough_is_given_up() {
    let world = SmallWorld::with_sweep().await;
    world.tell(1, &["down", "unknown"]).await;
    let sender = world.sender(vec![channel("down", nobody().await)]);
    // Whoever was away for days still tries.
    world.later(SignedDuration::from_hours(100));
    let came_to = sender.run(&world.store).await.unwrap();
    assert_eq!((came_to.failed, came_to.dead), (2, 0));
    for _ in 0..3 {
        world.later(SignedDuration::from_mins(11));
        sender.run(&world.store).await.unwrap();
    }
    assert_eq!(world.states().await, [Dead, Dead]);
    let errors: Vec<String> = (world.deliveries().await.into_iter())
        .map(|delivery| delivery.last_error.unwrap())
        .collect();
    assert!(errors[0].contains("cannot be reached"), "{errors:?}");
    assert!(errors[1].contains("no channel of this name"), "{errors:?}");
}

#[tokio::test]
async fn nothing_is_over_before_it_began() {
    let world = SmallWorld::with_sweep().await;
    let receiver = Receiver::anywhere().await;
    receiver.will_answer(&[BUSY]);
    let alert = world.tell(1, &["hook"]).await;
    let over = world.notice(AlertId::of(&1), NoticeForm::Recovered, &["hook"]);
    let now = world.clock.now();
    assert!(
        world
            .store
            .end_alert(alert, now, Some(&over))
            .await
            .unwrap()
    );
    assert!(
        !world
            .store
            .end_alert(alert, now, Some(&over))
            .await
            .unwrap()
    );
    let sender = world.sender(vec![channel("hook", receiver.address)]);
    sender.run(&world.store).await.unwrap();
    assert_eq!(world.states().await, [Pending, Pending]);
    world.later(SignedDuration::from_mins(2));
    sender.run(&world.store).await.unwrap();
    let forms: Vec<String> = (receiver.taken().iter())
        .map(|key| key.split('.').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(forms, ["opened", "recovered"]);
}

#[tokio::test]
async fn another_process_sends_what_one_did_not_get_to() {
    let world = SmallWorld::with_sweep().await;
    world.tell(1, &["hook"]).await;
    let world = world.reopened().await;
    let receiver = Receiver::anywhere().await;
    let sender = world.sender(vec![channel("hook", receiver.address)]);
    assert_eq!(sender.run(&world.store).await.unwrap().delivered, 1);
    assert_eq!(receiver.taken().len(), 1);
}

#[tokio::test]
async fn who_is_told_to_stop_leaves_the_rest_for_later() {
    let world = SmallWorld::with_sweep().await;
    let receiver = Receiver::anywhere().await;
    world.tell(1, &["hook"]).await;
    let sender = world.sender(vec![channel("hook", receiver.address)]);
    sender.stop.cancel();
    assert_eq!(sender.run(&world.store).await.unwrap().delivered, 0);
    assert_eq!(world.states().await, [Pending]);
}
