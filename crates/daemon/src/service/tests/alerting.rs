//! What the service tells, in simulated time.

use alerts::{Route, Routes};
use model::Severity;

use super::*;
use crate::receiver::{Receiver, channel, nobody};

/// Everything goes to these channels, and nothing waits for an author.
pub(super) fn alerts_to(channels: &[&str]) -> AlertSettings {
    let everything = Route {
        kinds: Vec::new(),
        min_severity: Severity::Low,
        ous: Vec::new(),
        controls: Vec::new(),
        accounts: Vec::new(),
        channels: channels.iter().map(ToString::to_string).collect(),
    };
    AlertSettings {
        routes: Routes(vec![everything]),
        author_wait: SignedDuration::ZERO,
        ..AlertSettings::default()
    }
}

/// Waits until so much was taken there, without the name of the channel, in any order.
async fn taken(receiver: &Receiver, count: usize) -> Vec<String> {
    let wait = async {
        while receiver.taken().len() < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "{count}: {:?}", receiver.taken());
    let mut keys: Vec<String> = (receiver.taken().iter())
        .map(|key| key.rsplit_once('.').unwrap().0.to_owned())
        .collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn a_channel_that_is_down_for_an_hour_gets_all_of_it_once_and_another_at_once() {
    let world = World::from_toml(
        r#"
        [[account]]
        name = "management"
        chain = "complete"
        [[account]]
        name = "one"
        chain = "complete"
        [[account]]
        name = "another"
        chain = "complete"
        [[timeline]]
        account = "one"
        change = "stop-logging"
        [[timeline]]
        account = "one"
        change = "start-logging"
        [[timeline]]
        account = "another"
        change = "delete-topic"
        "#,
    );
    let (down, up) = (nobody().await, Receiver::anywhere().await);
    let address = up.address;
    let service = Service::start(world.unwrap(), |configuration| {
        configuration.alerts = alerts_to(&["down", "up"]);
        configuration.channels = vec![channel("down", down), channel("up", address)];
        let controls = &mut configuration.plan.controls;
        controls.retain(|control| control.id.as_str() == "organizations-changes");
    })
    .await;
    service.swept(1).await;
    // Four times a quarter of an hour.
    for number in 1..=4 {
        let happened = service.simulator.advance().unwrap();
        assert_eq!(happened.is_some(), number < 4);
        service.pass(INTERVAL);
        service.swept(number + 1).await;
        taken(&up, usize::try_from(number.min(3)).unwrap()).await;
    }
    let expected = taken(&up, 3).await;
    assert!(expected.iter().any(|key| key.ends_with(".recovered")));

    let back = Receiver::at(down).await;
    // The longest wait between two attempts goes by; and then two more sweeps.
    for number in 5..=7 {
        service.pass(INTERVAL);
        service.swept(number + 1).await;
        assert_eq!(taken(&back, 3).await, expected);
    }
    assert_eq!(taken(&up, 3).await, expected);
    let store = Store::open_reader(service.folder.path().join("scanner.db")).await;
    let queue = store.unwrap().alert_queue().await.unwrap();
    assert_eq!((queue.pending, queue.dead, queue.waiting_drifts), (0, 0, 0));
    assert_eq!(service.stop().await, Ended::InOrder);
}
