//! A small organization on a real socket, and the scanner in front of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws::{Api, Aws, AwsSettings, RoleSettings, SimulatorAccess, Timing};
use jiff::{SignedDuration, Timestamp};
use model::{AccountId, Clock as _, FixedClock, Gap, RecordedCall, SystemClock, evidence::Place};
use serde_json::Value;
use simulator::{
    Simulator, SimulatorOptions, World,
    world::{Change, EventDelay},
};

use crate::{Collector, LookedUp, RegionScope, SESSION_APIS, Window, look_up_events};

/// The management account calls with its own credentials; `member` is entered through its role.
const ORGANIZATION: &str = r#"
    [[account]]
    name = "management"
    chain = "complete"
    [[account]]
    name = "member"
    unit = "Workloads"
    chain = "complete"
"#;

/// Who changes something, unless a test says otherwise.
pub(super) const ALICE: &str = "assumed-role/Administrator/alice";

pub(super) struct Scene {
    pub(super) simulator: Simulator,
    pub(super) clock: Arc<FixedClock>,
    began: Timestamp,
}

impl Scene {
    /// The organization with these lines behind it, and every event visible at once.
    pub(super) async fn new(more: &str) -> Self {
        Self::with(more, |world| {
            world.event_history.settings.delay = EventDelay::fixed(SignedDuration::ZERO);
        })
        .await
    }

    pub(super) async fn with(more: &str, prepare: impl FnOnce(&mut World)) -> Self {
        let mut world = World::from_toml(&format!("{ORGANIZATION}{more}")).unwrap();
        prepare(&mut world);
        // The SDK compares the expiry of credentials with the real time.
        let began = SystemClock.now();
        let clock = Arc::new(FixedClock::new(began));
        let options = SimulatorOptions {
            clock: clock.clone(),
            ..SimulatorOptions::default()
        };
        Self {
            simulator: Simulator::start(world, options).await.unwrap(),
            clock,
            began,
        }
    }

    /// A connection without any session yet.
    pub(super) async fn aws(&self) -> Aws {
        let access = self.simulator.caller_credentials();
        let settings = AwsSettings {
            role: RoleSettings {
                role_name: "OrganizationAccountAccessRole".to_owned(),
                overrides: BTreeMap::new(),
                external_id: None,
                session_name: "scanner-test".to_owned(),
                source_identity: None,
                session_seconds: 3600,
            },
            session_apis: SESSION_APIS.to_vec(),
            quota_share: 1.0,
            timing: Timing {
                attempts: 2,
                backoff: Duration::from_millis(1),
                ..Timing::default()
            },
            profile: None,
            seed: 1,
            simulator: Some(SimulatorAccess {
                endpoint_url: self.simulator.endpoint_url(),
                access_key_id: access.access_key_id,
                secret_access_key: access.secret_access_key,
                region: "us-east-1".parse().unwrap(),
            }),
        };
        Aws::connect(settings, self.clock.clone()).await.unwrap()
    }

    pub(super) fn id(&self, name: &str) -> AccountId {
        let world = self.simulator.world();
        world.named(name).unwrap().id.parse().unwrap()
    }

    /// Makes the next change of the timeline, five minutes later.
    pub(super) fn advance(&self) -> Change {
        self.clock.advance(SignedDuration::from_mins(5));
        self.simulator.advance().unwrap().expect("a change is left")
    }

    /// All that is read of an account, as text.
    pub(super) async fn evidence(&self, name: &str) -> String {
        let account = self.id(name);
        let collector = Collector::new(
            self.aws().await,
            self.clock.clone(),
            Arc::new(|_| true),
            &[],
        );
        let regions = RegionScope::Probe(vec!["us-east-1".parse().unwrap()]);
        let evidence = collector.collect(account, &regions).await;
        let documents = evidence.documents().parts;
        documents.into_values().collect::<Vec<_>>().join("\n")
    }

    /// The list of accounts as the management account gets it: ids, states and paths.
    pub(super) async fn accounts(&self) -> String {
        let aws = self.aws().await;
        let client = &aws.clients().organizations;
        let region = "us-east-1".parse().unwrap();
        let answer = aws
            .ambient_session()
            .call(Api::ListAccounts, &region, None, |target| {
                let request = client.list_accounts();
                request
                    .customize()
                    .config_override(target.organizations())
                    .send()
            })
            .await;
        let told = answer.unwrap().accounts.unwrap_or_default();
        let told = told.into_iter().map(|account| {
            let id = account.id.unwrap();
            format!("{id} {:?} {:?}\n", account.state, account.paths)
        });
        told.collect()
    }

    pub(super) async fn look_up_in(
        &self,
        name: &str,
        region: &str,
        event_name: &str,
    ) -> Result<LookedUp, Gap> {
        let place = Place {
            account: self.id(name),
            region: region.parse().unwrap(),
        };
        let window = Window {
            start: self.began,
            end: self.clock.now(),
        };
        look_up_events(&self.aws().await, &place, event_name, window).await
    }

    pub(super) async fn look_up(&self, event_name: &str) -> LookedUp {
        let found = self.look_up_in("member", "us-east-1", event_name).await;
        found.unwrap()
    }

    /// The one call by Alice that did something, and what it asked for.
    pub(super) async fn recorded(&self, name: &str, region: &str, event_name: &str) -> Value {
        let found = self.look_up_in(name, region, event_name).await.unwrap();
        assert!(found.is_whole, "{found:#?}");
        let mut calls = found.calls.into_iter().filter(is_by_alice);
        let call = calls.next().expect("the call is found");
        assert_eq!(calls.next(), None, "one call");
        assert_eq!(call.error_code, None);
        assert_eq!(call.author.event_name, event_name);
        assert_eq!(call.author.account, self.id(name));
        assert_eq!(call.author.time.as_second(), self.clock.now().as_second());
        call.request_parameters
    }
}

pub(super) fn is_by_alice(call: &RecordedCall) -> bool {
    let actor = call.author.actor.as_deref();
    actor.is_some_and(|actor| actor.ends_with(ALICE))
}
