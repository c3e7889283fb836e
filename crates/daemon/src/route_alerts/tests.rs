//! What is told, to whom and how often, over sweeps that a test judges.

use std::{cell::RefCell, collections::BTreeMap};

use alerts::{Route, Routes, Who};
use jiff::SignedDuration;
use model::{
    Author, AuthorOutcome, Exception, ExceptionScope, ExceptionSource, Reason, Severity, Verdict,
};
use proptest::prelude::*;
use serde::Deserialize as _;
use serde_json::json;
use store::{AlertQuery, AlertRow, Delivery, DeliveryQuery, JournalKind};

use super::*;
use crate::small_world::{ORGANIZATION, ROOT, SmallWorld, account_id};

mod standing;

const WELL: Reason = Reason::CoveredByOrganizationTrail;
const STOPPED: Reason = Reason::TrailNotLogging;
const UNSEEN: Reason = Reason::EvidenceGap;

fn to(channel: &str, min_severity: Severity) -> Route {
    Route {
        kinds: Vec::new(),
        min_severity,
        ous: Vec::new(),
        controls: Vec::new(),
        accounts: Vec::new(),
        channels: vec![channel.to_owned()],
    }
}

fn settings() -> AlertSettings {
    AlertSettings {
        routes: Routes(vec![to("all", Severity::Medium)]),
        author_wait: SignedDuration::ZERO,
        ..AlertSettings::default()
    }
}

impl SmallWorld {
    async fn route(&self, settings: &AlertSettings) -> Routed {
        let route = RouteAlerts {
            settings: Arc::new(settings.clone()),
            clock: self.clock.clone(),
        };
        let routed = route.run(&self.store).await.unwrap();
        // Nothing is left to decide that was decided.
        let again = route.run(&self.store).await.unwrap();
        assert!(!again.is_news(), "{again:?}");
        routed
    }

    async fn alerts(&self) -> Vec<AlertRow> {
        let mut alerts = self
            .store
            .store()
            .alerts(&AlertQuery::default())
            .await
            .unwrap();
        alerts.reverse();
        alerts
    }

    /// What lies in the outbox, the first one first: form and channel.
    async fn outbox(&self) -> Vec<String> {
        let deliveries = self
            .store
            .store()
            .deliveries(&DeliveryQuery::default())
            .await
            .unwrap();
        let line = |delivery: &Delivery| format!("{} {}", delivery.form, delivery.channel);
        deliveries.iter().rev().map(line).collect()
    }

    /// What each notice in the outbox says, the first one first.
    async fn notices(&self) -> Vec<Notice> {
        let mut notices = BTreeMap::new();
        for row in self.alerts().await {
            let told = self.store.store().told_of_alert(row.number).await.unwrap();
            let notice = Notice::deserialize(told.body.unwrap()).unwrap();
            notices.insert(row.number, notice);
        }
        notices.into_values().collect()
    }

    async fn record_author(&self, drift: model::DriftId, outcome: &AuthorOutcome) {
        let body = serde_json::to_value(outcome).unwrap();
        let now = self.clock.now();
        self.store
            .record_in_journal(now, JournalKind::Author, &drift.to_string(), &body)
            .await
            .unwrap();
    }
}

fn found(at: Timestamp) -> AuthorOutcome {
    AuthorOutcome::Found {
        author: Author {
            event_id: "1".to_owned(),
            event_source: "cloudtrail.amazonaws.com".to_owned(),
            event_name: "StopLogging".to_owned(),
            time: at,
            account: account_id(1),
            region: "us-east-1".parse().unwrap(),
            actor: Some("arn:aws:iam::000000000001:user/mallory".to_owned()),
            session_issuer: None,
            source_ip: None,
            user_agent: None,
        },
    }
}

#[tokio::test]
async fn a_baseline_is_not_told_and_a_break_is_told_once_to_each_channel() {
    let world = SmallWorld::new().await;
    let settings = AlertSettings {
        routes: Routes(vec![
            to("all", Severity::Medium),
            to("urgent", Severity::Critical),
            to("urgent", Severity::High),
            Route {
                ous: vec!["ou-root-nowhere".to_owned()],
                ..to("others", Severity::Info)
            },
        ]),
        ..settings()
    };
    world
        .sweep(
            3,
            &[ORGANIZATION],
            |number, _| if number == 3 { STOPPED } else { WELL },
        )
        .await;
    assert_eq!(world.route(&settings).await, Routed::default());
    world.later(SignedDuration::from_hours(1));
    world
        .sweep(
            3,
            &[ORGANIZATION],
            |number, _| if number == 1 { WELL } else { STOPPED },
        )
        .await;
    let routed = world.route(&settings).await;
    assert_eq!((routed.alerts, routed.told), (1, 1));
    assert_eq!(world.outbox().await, ["opened all", "opened urgent"]);
    let alert = &world.alerts().await[0];
    assert_eq!(
        alert.title,
        "account-2 (000000000002): organizations-changes fails (trail-not-logging)"
    );
    assert_eq!(alert.severity, Severity::Critical);
    assert!(alert.lasts());
    let notice = &world.notices().await[0];
    assert_eq!(notice.places[0].name, "account-2");
    assert_eq!(notice.seal.as_ref().unwrap().sweep, notice.since.seen.sweep);
    assert_eq!(notice.since.not_before.unwrap().sweep.0, 1);
}

#[tokio::test]
async fn accounts_that_left_keep_their_names_and_each_its_author() {
    let world = SmallWorld::new().await;
    let controls = [ORGANIZATION];
    world.sweep(5, &controls, |_, _| WELL).await;
    let sweep = world.begin(&controls).await;
    world.commit(sweep, 1..=2, &controls, |_, _| WELL).await;
    let gone: Vec<_> = (3..=5).map(account_id).collect();
    let remembered = world.store.remembered(sweep, &gone).await.unwrap();
    let context = drift::SweepContext {
        sweep,
        management_account: Some(account_id(1)),
        knows_every_account: true,
        new_controls: std::collections::BTreeSet::new(),
        judging_changed: false,
    };
    let drifts: Vec<model::Drift> = (gone.iter())
        .map(|account| drift::account_left(&context, &remembered[account]))
        .collect();
    (world.store.record_departures(sweep, &gone, &drifts).await).unwrap();
    world.finish(sweep).await;
    for (drift, who) in drifts.iter().zip(["ivan", "alice", "ivan"]) {
        let mut outcome = found(world.clock.now());
        if let AuthorOutcome::Found { author } = &mut outcome {
            author.actor = Some(who.to_owned());
        }
        world.record_author(drift.id, &outcome).await;
    }
    let routed = world.route(&settings()).await;
    assert_eq!((routed.alerts, routed.told), (2, 3));
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    for notice in world.notices().await {
        let Who::Found { author } = &notice.who else {
            panic!("{notice:#?}");
        };
        assert!(notice.places.iter().all(|place| place.ou_path.is_some()));
        let names = notice.places.iter().map(|place| place.name.clone());
        told.push((author.actor.clone().unwrap(), names.collect()));
    }
    told.sort();
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(
        told,
        [
            ("alice".to_owned(), names(&["account-4"])),
            ("ivan".to_owned(), names(&["account-3", "account-5"])),
        ]
    );
}

#[tokio::test]
async fn a_storm_of_one_cause_is_one_alert_and_one_recovery() {
    const ACCOUNTS: u64 = 10_000;
    let world = SmallWorld::new().await;
    let controls = [ORGANIZATION];
    world.sweep(ACCOUNTS, &controls, |_, _| WELL).await;
    world.sweep(ACCOUNTS, &controls, |_, _| STOPPED).await;
    let routed = world.route(&settings()).await;
    assert_eq!((routed.alerts, routed.told), (1, 10_000));
    assert_eq!(world.outbox().await, ["opened all"]);
    let notice = &world.notices().await[0];
    assert_eq!(
        notice.title,
        "10,000 accounts: organizations-changes fails (trail-not-logging)"
    );
    let standing = notice.standing.unwrap();
    assert_eq!((standing.hold, standing.of), (0, 10_000));
    // All but one are well again: it lasts.
    world
        .sweep(ACCOUNTS, &controls, |number, _| {
            if number == 7 { STOPPED } else { WELL }
        })
        .await;
    let routed = world.route(&settings()).await;
    assert_eq!((routed.recovered, routed.told), (0, 9_999));
    let sweep = world.begin(&controls).await;
    world.commit(sweep, [7], &controls, |_, _| WELL).await;
    world.finish(sweep).await;
    let routed = world.route(&settings()).await;
    assert_eq!((routed.recovered, routed.told, routed.alerts), (1, 1, 0));
    assert_eq!(world.outbox().await, ["opened all", "recovered all"]);
}

#[tokio::test]
async fn one_cause_by_several_controls_is_one_alert() {
    let world = SmallWorld::new().await;
    let controls = [ORGANIZATION, ROOT];
    world.sweep(50, &controls, |_, _| WELL).await;
    world.sweep(50, &controls, |_, _| STOPPED).await;
    assert_eq!(world.route(&settings()).await.alerts, 1);
    let alert = &world.alerts().await[0];
    assert_eq!((alert.drifts, alert.accounts), (100, 50));
    assert_eq!(
        alert.title,
        "50 accounts: 2 controls fail (trail-not-logging)"
    );
}

#[tokio::test]
async fn an_alert_waits_for_its_author_and_no_longer_than_it_may() {
    let settings = AlertSettings {
        author_wait: SignedDuration::from_mins(3),
        ..settings()
    };
    for knows_at in [1, 4] {
        let world = SmallWorld::new().await;
        world.sweep(2, &[ORGANIZATION], |_, _| WELL).await;
        world.sweep(2, &[ORGANIZATION], |_, _| STOPPED).await;
        let ended = world.clock.now();
        let routed = world.route(&settings).await;
        assert_eq!((routed.alerts, routed.waiting), (0, 2));
        assert_eq!(routed.next_at, Some(ended + SignedDuration::from_mins(3)));
        // One looked too early, which says nothing.
        let lead = world
            .store
            .store()
            .drifts(&DriftQuery::default())
            .await
            .unwrap()
            .pop()
            .unwrap();
        let not_yet = AuthorOutcome::NotFound {
            looked_until: ended,
            is_whole: true,
            asked: Vec::new(),
        };
        world.record_author(lead.drift.id, &not_yet).await;
        assert_eq!(world.route(&settings).await.alerts, 0);
        world.later(SignedDuration::from_mins(1));
        if knows_at == 1 {
            world.record_author(lead.drift.id, &found(ended)).await;
            assert_eq!(world.route(&settings).await.alerts, 1);
            assert!(matches!(world.notices().await[0].who, Who::Found { .. }));
            continue;
        }
        world.later(SignedDuration::from_mins(2));
        assert_eq!(world.route(&settings).await.alerts, 1);
        assert_eq!(world.notices().await[0].who, Who::NotYet);
        // A late author goes into the history, and not into a second alert.
        world.record_author(lead.drift.id, &found(ended)).await;
        assert_eq!(
            world.route(&settings).await,
            Routed {
                next_at: world.alerts().await[0].remind_at,
                ..Routed::default()
            }
        );
        assert_eq!(world.outbox().await, ["opened all"]);
    }
}

#[tokio::test]
async fn what_cannot_be_seen_is_told_and_hides_no_failure() {
    let world = SmallWorld::new().await;
    let controls = [ORGANIZATION];
    let sweep = async |one: Reason, two: Reason| {
        world.later(SignedDuration::from_hours(1));
        world
            .sweep(
                2,
                &controls,
                |number, _| if number == 1 { one } else { two },
            )
            .await;
        world.route(&settings()).await
    };
    sweep(WELL, WELL).await;
    sweep(WELL, STOPPED).await;
    assert_eq!(world.outbox().await, ["opened all"]);
    // The broken one can no longer be seen: that is of low severity, and no recovery.
    assert_eq!(sweep(WELL, UNSEEN).await.recovered, 0);
    assert_eq!(world.outbox().await, ["opened all"]);
    // The good one can no longer be seen either: that is told.
    sweep(UNSEEN, UNSEEN).await;
    assert_eq!(world.outbox().await, ["opened all", "opened all"]);
    let unseen = &world.alerts().await[1];
    assert_eq!(unseen.lasts_while, Some(model::LastsWhile::Unseen));
    // It can be seen again, and the broken one is as broken as before.
    let routed = sweep(WELL, STOPPED).await;
    assert_eq!(routed.recovered, 1);
    assert_eq!(
        world.outbox().await,
        ["opened all", "opened all", "recovered all"]
    );
    assert!(world.alerts().await[0].lasts());
    assert_eq!(sweep(WELL, WELL).await.recovered, 1);
}

#[tokio::test]
async fn what_lasts_is_called_to_mind_until_somebody_has_seen_it() {
    let world = SmallWorld::new().await;
    world.sweep(2, &[ORGANIZATION], |_, _| WELL).await;
    world.sweep(2, &[ORGANIZATION], |_, _| STOPPED).await;
    world.route(&settings()).await;
    world.later(SignedDuration::from_hours(23));
    assert_eq!(world.route(&settings()).await.reminders, 0);
    for number in 1..=2 {
        world.later(SignedDuration::from_hours(24));
        assert_eq!(world.route(&settings()).await.reminders, 1, "{number}");
    }
    let deliveries = world
        .store
        .store()
        .deliveries(&DeliveryQuery::default())
        .await
        .unwrap();
    let keys: Vec<&str> = (deliveries.iter().rev())
        .map(|delivery| delivery.idempotency_key.split_once('.').unwrap().1)
        .collect();
    assert_eq!(keys, ["opened.all", "reminder-1.all", "reminder-2.all"]);
    let drift = world.alerts().await[0].drift.to_string();
    let body = json!({"by": "x"});
    let now = world.clock.now();
    (world
        .store
        .record_in_journal(now, JournalKind::Acknowledgement, &drift, &body))
    .await
    .unwrap();
    assert!(world.alerts().await[0].is_acknowledged);
    world.later(SignedDuration::from_hours(100));
    assert_eq!(world.route(&settings()).await.reminders, 0);
    // That it is over is told all the same.
    world.sweep(2, &[ORGANIZATION], |_, _| WELL).await;
    assert_eq!(world.route(&settings()).await.recovered, 1);
}

#[tokio::test]
async fn what_goes_to_and_fro_is_told_when_it_comes_to_rest() {
    let world = SmallWorld::new().await;
    let sweep = async |reason: Reason| {
        world.later(SignedDuration::from_mins(10));
        world
            .sweep(
                2,
                &[ORGANIZATION],
                |number, _| if number == 2 { reason } else { WELL },
            )
            .await;
        world.route(&settings()).await
    };
    sweep(WELL).await;
    let mut resting = 0;
    for _ in 0..5 {
        resting += sweep(STOPPED).await.resting;
        resting += sweep(WELL).await.resting;
    }
    let aloud = world.outbox().await;
    // The fourth change in a day makes it flap; what was told before is said to be over.
    assert_eq!(
        aloud,
        ["opened all", "recovered all", "opened all", "recovered all"]
    );
    assert!(resting > 0);
    sweep(STOPPED).await;
    assert_eq!(world.outbox().await, aloud);
    world.later(SignedDuration::from_hours(23));
    assert_eq!(world.route(&settings()).await.alerts, 0);
    world.later(SignedDuration::from_hours(2));
    assert_eq!(world.route(&settings()).await.alerts, 1);
    let settled = world.alerts().await.pop().unwrap();
    assert_eq!(settled.severity, Severity::Critical);
    assert!(settled.lasts());
    assert!(
        world
            .store
            .store()
            .resting_drifts(0)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn what_is_accepted_is_not_told() {
    let world = SmallWorld::new().await;
    world.sweep(3, &[ORGANIZATION], |_, _| WELL).await;
    let exception = Exception {
        scope: ExceptionScope {
            ou: Some("ou-root-1".to_owned()),
            ..ExceptionScope::default()
        },
        owner: "x".to_owned(),
        reason: "y".to_owned(),
        ticket: None,
        expires_at: world.clock.now() + SignedDuration::from_hours(24),
        source: ExceptionSource::Configuration,
    };
    let now = world.clock.now();
    world
        .store
        .reconcile_exceptions(now, &[exception])
        .await
        .unwrap();
    world.sweep(3, &[ORGANIZATION], |_, _| STOPPED).await;
    let routed = world.route(&settings()).await;
    assert_eq!((routed.alerts, routed.told, routed.untold), (1, 1, 2));
    assert_eq!(world.notices().await[0].places[0].account, account_id(2));
}

#[tokio::test]
async fn a_long_sweep_is_told_of_before_it_ends_and_its_storm_stays_one() {
    let world = SmallWorld::new().await;
    let controls = [ORGANIZATION];
    world.sweep(40, &controls, |_, _| WELL).await;
    let sweep = world.begin(&controls).await;
    world.commit(sweep, 1..=20, &controls, |_, _| STOPPED).await;
    let routed = world.route(&settings()).await;
    assert_eq!((routed.alerts, routed.waiting), (0, 20));
    world.later(SignedDuration::from_mins(5));
    assert_eq!(world.route(&settings()).await.alerts, 1);
    // What it leaves standing is not known before it ends.
    assert_eq!(world.notices().await[0].standing, None);
    world
        .commit(sweep, 21..=40, &controls, |_, _| STOPPED)
        .await;
    world.finish(sweep).await;
    let routed = world.route(&settings()).await;
    assert_eq!(routed.told, 20);
    assert_eq!(world.outbox().await, ["opened all"]);
    let alerts = world.alerts().await;
    assert_eq!((alerts.len(), alerts[0].accounts), (1, 40));
    world.sweep(40, &controls, |_, _| WELL).await;
    world.route(&settings()).await;
    assert_eq!(world.outbox().await, ["opened all", "recovered all"]);
}

#[tokio::test]
async fn what_nobody_looked_at_for_long_is_not_told() {
    let world = SmallWorld::new().await;
    world.sweep(2, &[ORGANIZATION], |_, _| WELL).await;
    world.sweep(2, &[ORGANIZATION], |_, _| STOPPED).await;
    world.later(SignedDuration::from_hours(8 * 24));
    let routed = world.route(&settings()).await;
    assert_eq!((routed.alerts, routed.untold), (0, 2));
}

#[tokio::test]
async fn who_asks_for_kinds_gets_them_and_a_recovery_that_was_not_told_of_goes_by_the_routes() {
    let world = SmallWorld::new().await;
    let settings = AlertSettings {
        routes: Routes(vec![Route {
            kinds: vec![model::DriftKind::VerdictChanged],
            ..to("log", Severity::Info)
        }]),
        ..settings()
    };
    world.sweep(1, &[ORGANIZATION], |_, _| STOPPED).await;
    world.sweep(1, &[ORGANIZATION], |_, _| WELL).await;
    world.route(&settings).await;
    let alert = &world.alerts().await[0];
    assert_eq!(
        alert.title,
        "account-1 (000000000001): organizations-changes is well again"
    );
    assert!(!alert.lasts());
    assert_eq!(world.outbox().await, ["opened log"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_drift_is_lost_or_told_twice(
        sweeps in prop::collection::vec((prop::collection::vec(0..3_usize, 4), 1..40_i64, any::<bool>()), 1..10),
        min_severity in 0..5_usize,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let world = SmallWorld::new().await;
            let settings = AlertSettings {
                routes: Routes(vec![to("all", Severity::ALL[min_severity])]),
                reminder_interval: None,
                ..settings()
            };
            let accounts = u64::try_from(sweeps[0].0.len()).unwrap();
            let came_to = RefCell::new((0, 0));
            let route = async || {
                let routed = world.route(&settings).await;
                let mut came_to = came_to.borrow_mut();
                came_to.0 += routed.told;
                came_to.1 += routed.untold;
            };
            for (reasons, hours, is_routed) in &sweeps {
                let reason = |number: u64, _: &str| {
                    let index = reasons[usize::try_from(number - 1).unwrap()];
                    [WELL, STOPPED, UNSEEN][index]
                };
                world.sweep(accounts, &[ORGANIZATION], reason).await;
                world.later(SignedDuration::from_hours(*hours));
                if *is_routed {
                    route().await;
                }
            }
            // What goes to and fro is decided when it rests.
            world.later(SignedDuration::from_hours(25));
            route().await;
            let all = world.store.store().drifts(&DriftQuery::default()).await.unwrap();
            let (told, untold) = *came_to.borrow();
            assert_eq!(told + untold, all.len());
            let alerts = world.alerts().await;
            let in_alerts: u64 = alerts.iter().map(|alert| alert.drifts).sum();
            assert_eq!(in_alerts, u64::try_from(told).unwrap());
            assert!(world.store.store().waiting_sweeps().await.unwrap().is_empty());
            assert!(world.store.store().resting_drifts(0).await.unwrap().is_empty());
            // What lasts is what the last sweep says, and each alert is told once at each end.
            let outbox = world.outbox().await;
            let count = |line: &str| outbox.iter().filter(|one| *one == line).count();
            assert_eq!(count("opened all"), alerts.len());
            let over = alerts.iter().filter(|alert| alert.lasts_while.is_some() && !alert.lasts()).count();
            assert_eq!(count("recovered all"), over);
            let last = &sweeps.last().unwrap().0;
            for alert in alerts.iter().filter(|alert| alert.lasts()) {
                let standing = world.store.store().alert_standing(alert.number, alert.lasts_while.unwrap()).await.unwrap();
                assert!(!standing.accounts.is_empty());
                let unwell = last.iter().filter(|index| **index != 0).count();
                assert!(standing.accounts.len() <= unwell);
                let _: Option<&u64> = standing.verdicts.get(&Verdict::Fail);
            }
            // The history knows nothing of all that.
            world.store.store().verify(None).await.unwrap();
        });
    }
}
