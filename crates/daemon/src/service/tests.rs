//! The service against a simulated organization, in simulated time: a day of sweeps, a machine that sleeps,
//! and what is asked of it meanwhile.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    AlertSettings, Configuration, Ended, RecheckRule, Refusal, Regions, Schedule, ServiceHandle,
    ServiceParts, ServiceStatus, Stop, SweepPlan, SweepRequest, SweepRequested, TaskName, serve,
    service_handle, session_apis,
};
use aws::{AwsSettings, RoleSettings, SimulatorAccess, Timing};
use controls::Catalog;
use discovery::{Selection, Source};
use jiff::{SignedDuration, Timestamp};
use model::{AccountId, Clock, FixedClock, SweepState, SystemClock};
use simulator::{GenerateOptions, Simulator, SimulatorOptions, World};
use store::{Store, SweepRow};
use tempfile::TempDir;
use tokio::task::JoinHandle;

mod alerting;
mod soak;

/// Nothing here takes longer than this, on any machine.
const PATIENCE: Duration = Duration::from_mins(2);

const INTERVAL: SignedDuration = SignedDuration::from_mins(15);

/// A service in this process, whose time is moved by hand.
struct Service {
    simulator: Simulator,
    folder: TempDir,
    clock: Arc<FixedClock>,
    handle: ServiceHandle,
    stop: Stop,
    /// What it is to read when it is told to read its configuration again.
    next: Arc<Mutex<Result<Configuration, String>>>,
    ended: JoinHandle<Ended>,
}

fn configuration(simulator: &Simulator) -> Configuration {
    let credentials = simulator.caller_credentials();
    Configuration {
        alerts: AlertSettings::default(),
        channels: Vec::new(),
        plan: SweepPlan {
            source: Source::Organization,
            selection: Selection::default(),
            regions: Regions::Probe,
            monitoring_accounts: Vec::new(),
            read_tags: discovery::ReadTags::WhereTheyDecide,
            controls: Catalog::embedded().unwrap().controls().cloned().collect(),
            exceptions: None,
            accounts_at_once: 8,
            account_deadline: Duration::from_mins(5),
            resume_within: Some(SignedDuration::from_hours(6)),
            scanner_version: "test".to_owned(),
        },
        aws: AwsSettings {
            role: RoleSettings {
                role_name: "OrganizationAccountAccessRole".to_owned(),
                overrides: std::collections::BTreeMap::new(),
                external_id: None,
                session_name: "scanner-test".to_owned(),
                source_identity: None,
                session_seconds: 3600,
            },
            session_apis: session_apis(&Regions::Probe),
            quota_share: 1.0,
            timing: Timing::default(),
            profile: None,
            seed: 1,
            simulator: Some(SimulatorAccess {
                endpoint_url: simulator.endpoint_url(),
                access_key_id: credentials.access_key_id,
                secret_access_key: credentials.secret_access_key,
                region: "us-east-1".parse().unwrap(),
            }),
        },
        schedule: Schedule {
            interval: INTERVAL,
            jitter: SignedDuration::ZERO,
        },
        recheck: RecheckRule {
            after_drift: SignedDuration::from_mins(2),
            after_unknown: SignedDuration::from_mins(5),
            accounts_at_most: 0,
        },
        author_patience: Duration::ZERO,
        keep_history: None,
        shutdown_grace: Duration::from_secs(30),
    }
}

impl Service {
    async fn start(world: World, change: impl FnOnce(&mut Configuration)) -> Self {
        let simulator = Simulator::start(world, SimulatorOptions::default())
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        // The store keeps microseconds.
        let now = Timestamp::from_second(SystemClock.now().as_second()).unwrap();
        let clock = Arc::new(FixedClock::new(now));
        let sweeper = Store::open_sweeper(folder.path().join("scanner.db"))
            .await
            .unwrap();
        let mut configuration = configuration(&simulator);
        change(&mut configuration);
        let (handle, end) = service_handle(clock.now());
        let stop = Stop::new();
        let next = Arc::new(Mutex::new(Err("nothing is prepared".to_owned())));
        let read = Arc::clone(&next);
        let ended = tokio::spawn(serve(ServiceParts {
            configuration,
            reload: Box::new(move || read.lock().unwrap().clone()),
            sweeper: Arc::new(sweeper),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            seed: 7,
            handle: handle.clone(),
            end,
            stop: stop.clone(),
            sign: Box::new(|_| {}),
            beat: Duration::from_millis(5),
        }));
        Self {
            simulator,
            folder,
            clock,
            handle,
            stop,
            next,
            ended,
        }
    }

    /// Moves the time, here and in AWS.
    fn pass(&self, time: SignedDuration) {
        self.simulator.advance_by(time).unwrap();
        self.clock.advance(time);
    }

    async fn until(&self, what: &str, is: impl Fn(&ServiceStatus) -> bool) -> Arc<ServiceStatus> {
        let wait = async {
            loop {
                let status = self.handle.status();
                if is(&status) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| panic!("not {what}: {:#?}", self.handle.status()))
    }

    /// Waits until so many sweeps have ended and nothing is due.
    async fn swept(&self, times: u64) -> Arc<ServiceStatus> {
        self.until(&format!("swept {times} times"), |status| {
            let runs = (status.tasks.get(&TaskName::Sweep)).map_or(0, |task| task.runs);
            runs >= times && status.running.is_none()
        })
        .await
    }

    async fn sweeps(&self) -> Vec<SweepRow> {
        let path: PathBuf = self.folder.path().join("scanner.db");
        let store = Store::open_reader(path).await.unwrap();
        let mut sweeps = store.sweeps(None).await.unwrap();
        store.close().await;
        sweeps.reverse();
        sweeps
    }

    async fn stop(self) -> Ended {
        self.stop.ask();
        let ended = tokio::time::timeout(PATIENCE, self.ended).await;
        self.simulator.shutdown().await;
        ended.expect("it stops").expect("it does not panic")
    }
}

fn organization(accounts: usize) -> World {
    World::generate(&GenerateOptions {
        accounts,
        seed: 3,
        ..GenerateOptions::default()
    })
}

#[tokio::test]
async fn a_machine_that_slept_makes_up_for_it_once() {
    let service = Service::start(organization(3), |_| {}).await;
    service.swept(1).await;
    // Seven intervals at once, as a monotonic clock does not see them.
    service.pass(SignedDuration::from_mins(7 * 15 + 1));
    let status = service.swept(2).await;
    let expected = service.clock.now().checked_add(INTERVAL).unwrap();
    assert_eq!(status.next_sweep_at, Some(expected));
    // Nothing more is due.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let status = service.handle.status();
    assert_eq!(status.tasks[&TaskName::Sweep].runs, 2);
    assert_eq!(service.sweeps().await.len(), 2);
    // A clock that is set back does not put it off for ever.
    service.clock.advance(SignedDuration::from_hours(-5));
    assert_eq!(service.stop().await, Ended::InOrder);
}

#[tokio::test]
async fn a_part_is_looked_at_when_somebody_asks_for_it() {
    let service = Service::start(organization(6), |_| {}).await;
    service.swept(1).await;
    let account: AccountId = {
        let world = service.simulator.world();
        world.accounts()[2].id.parse().unwrap()
    };
    let request = SweepRequest {
        accounts: vec![account],
        ous: Vec::new(),
    };
    let asked = service.handle.sweep(request.clone()).await;
    assert_eq!(asked, Ok(SweepRequested::Queued));
    let status = service.swept(2).await;
    let last = status.last.clone().unwrap();
    assert_eq!(last.request, request);
    assert_eq!(last.state, SweepState::Finished);
    let sweeps = service.sweeps().await;
    assert_eq!(sweeps[1].scope.accounts, [format!("&{account}")]);
    assert_eq!(sweeps[1].accounts_seen, 1);
    // It changes nothing about when everything is looked at.
    assert_eq!(sweeps.len(), 2);
    let next = status.next_sweep_at.unwrap();
    assert_eq!(next, sweeps[0].started_at.checked_add(INTERVAL).unwrap());

    let nowhere = SweepRequest {
        accounts: Vec::new(),
        ous: vec!["Production".to_owned()],
    };
    let refused = service.handle.sweep(nowhere).await;
    assert!(
        matches!(refused, Err(Refusal::OutOfScope(_))),
        "{refused:?}"
    );
    // One that is not in the organization is an error of that request alone.
    let unknown = SweepRequest {
        accounts: vec!["999999999999".parse().unwrap()],
        ous: Vec::new(),
    };
    service.handle.sweep(unknown).await.unwrap();
    let status = service.swept(3).await;
    assert!(
        status
            .sweep_error
            .as_ref()
            .unwrap()
            .contains("999999999999")
    );
    service.pass(INTERVAL);
    assert_eq!(service.swept(4).await.sweep_error, None);
    let handle = service.handle.clone();
    assert_eq!(service.stop().await, Ended::InOrder);
    assert_eq!(handle.reload().await, Err(Refusal::Stopping));
}

#[tokio::test]
async fn a_store_that_is_taken_away_ends_the_service() {
    let service = Service::start(organization(3), |_| {}).await;
    service.swept(1).await;
    let path = service.folder.path().join("scanner.db");
    std::fs::rename(&path, path.with_extension("elsewhere")).unwrap();
    let ended = tokio::time::timeout(PATIENCE, service.ended).await;
    assert_eq!(ended.unwrap().unwrap(), Ended::ByForce);
    assert!(service.stop.soft().is_cancelled());
    service.simulator.shutdown().await;
}

#[tokio::test]
async fn what_changed_is_looked_at_again_soon_and_not_again_and_again() {
    let world = World::from_toml(
        r#"
        [[account]]
        name = "management"
        chain = "complete"
        [[account]]
        name = "workload"
        chain = "complete"
        [[timeline]]
        account = "workload"
        change = "put-metric-filter"
        except = ["LeaveOrganization"]
        "#,
    );
    let service = Service::start(world.unwrap(), |configuration| {
        configuration.recheck.accounts_at_most = 3;
        let controls = &mut configuration.plan.controls;
        controls.retain(|control| control.id.as_str() == "organizations-changes");
    })
    .await;
    service.swept(1).await;
    assert!(service.simulator.advance().unwrap().is_some());
    service.pass(INTERVAL);
    let found = service.swept(2).await;
    assert!(found.last.as_ref().unwrap().drifts > 0);
    service.pass(SignedDuration::from_mins(2));
    service.swept(3).await;
    let workload = service
        .simulator
        .world()
        .named("workload")
        .unwrap()
        .id
        .clone();
    assert_eq!(
        service.sweeps().await[2].scope.accounts,
        [format!("&{workload}")]
    );
    // It is still so: nothing new is found, and nothing more is looked at.
    for _ in 0..3 {
        service.pass(SignedDuration::from_mins(4));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(service.handle.status().tasks[&TaskName::Sweep].runs, 3);
    }
    service.pass(SignedDuration::from_mins(1));
    service.swept(4).await;
    assert_eq!(service.sweeps().await[3].scope.accounts, [""; 0]);
    assert_eq!(service.stop().await, Ended::InOrder);
}

#[tokio::test]
async fn a_configuration_is_used_when_it_can_be_and_otherwise_the_old_one_stays() {
    let service = Service::start(organization(3), |_| {}).await;
    let first = service.swept(1).await;
    let refused = service.handle.reload().await;
    assert_eq!(
        refused,
        Err(Refusal::Configuration("nothing is prepared".to_owned()))
    );
    assert_eq!(service.handle.status().configured_at, first.configured_at);
    service.pass(SignedDuration::from_secs(1));
    let mut other = configuration(&service.simulator);
    other.plan.controls.truncate(1);
    // Another connection as well.
    other.aws.seed = 2;
    *service.next.lock().unwrap() = Ok(other);
    service.handle.reload().await.unwrap();
    // What is judged by other rules is judged anew at once.
    service.swept(2).await;
    let sweeps = service.sweeps().await;
    assert_eq!(sweeps[1].scope.controls.len(), 1);
    assert!(service.handle.status().configured_at > first.configured_at);
    assert_eq!(service.stop().await, Ended::InOrder);
}
