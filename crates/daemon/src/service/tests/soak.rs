//! Days of the service: what it holds stays as much as it was.

use model::Verdict;
use simulator::world::{Actor, ChainNames, Change, Operation};
use store::{AlertQuery, DeliveryQuery, DriftQuery, FindingQuery};

use super::{alerting::alerts_to, *};
use crate::receiver::{Receiver, channel};

const ACCOUNTS: usize = 6;

/// How much this process holds.
#[derive(Debug, Clone, Copy)]
struct Weight {
    /// Resident memory, in KiB.
    memory: u64,
    /// Open files and sockets.
    files: u64,
    /// Tasks that have not ended.
    tasks: u64,
}

impl Weight {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.unwrap().trim().trim_end_matches(" kB");
        let files = std::fs::read_dir("/proc/self/fd").unwrap().count();
        let tasks = tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks();
        Self {
            memory: resident.parse().unwrap(),
            files: files as u64,
            tasks: tasks as u64,
        }
    }

    /// The most of each.
    fn most(weights: &[Self]) -> Self {
        let most = |of: fn(&Self) -> u64| weights.iter().map(of).max().unwrap();
        Self {
            memory: most(|weight| weight.memory),
            files: most(|weight| weight.files),
            tasks: most(|weight| weight.tasks),
        }
    }
}

/// Somebody stops a trail, or lets it go on.
fn happens(service: &Service, number: u64) {
    let account = format!("member-{}", number % ACCOUNTS as u64 + 1);
    let trail = ChainNames::default().trail;
    let (id, is_logging) = {
        let world = service.simulator.world();
        let account = world.named(&account).unwrap();
        (account.id.clone(), account.trails[0].is_logging)
    };
    let operation = if is_logging {
        Operation::StopLogging { trail }
    } else {
        Operation::StartLogging { trail }
    };
    let by = Actor::with_arn(format!("arn:aws:iam::{id}:user/mallory"));
    let change = Change::new(&id, "us-east-1", operation);
    service.simulator.change(&change, &by).unwrap();
}

/// What the API asks of the store, and of the service.
async fn somebody_reads(service: &Service, store: &Store) {
    let _events = service.handle.events();
    let limit = Some(100);
    store.newest().await.unwrap();
    let findings = FindingQuery {
        verdict: Some(Verdict::Fail),
        limit,
        ..FindingQuery::default()
    };
    store.findings(&findings).await.unwrap();
    let drifts = DriftQuery {
        limit,
        ..DriftQuery::default()
    };
    store.drifts(&drifts).await.unwrap();
    let alerts = AlertQuery {
        limit,
        ..AlertQuery::default()
    };
    store.alerts(&alerts).await.unwrap();
    let deliveries = DeliveryQuery {
        limit,
        ..DeliveryQuery::default()
    };
    store.deliveries(&deliveries).await.unwrap();
}

/// Two days of a sweep each hour, with a change before each, alerts that arrive, authors that are looked for,
/// old history that is dropped, and somebody who reads all along.
#[tokio::test]
async fn a_day_of_sweeps_and_alerts_leaves_nothing_behind() {
    let hour = SignedDuration::from_hours(1);
    let world = World::from_toml(&format!(
        "[event_history]\ndelay = \"0s\"\n\
         [[account]]\nname = \"management\"\nchain = \"complete\"\n\
         [[account]]\nname = \"member\"\nchain = \"complete\"\ncount = {ACCOUNTS}\n"
    ));
    let receiver = Receiver::anywhere().await;
    let service = Service::start(world.unwrap(), |configuration| {
        configuration.schedule.interval = hour;
        configuration.recheck.accounts_at_most = 5;
        configuration.author_patience = Duration::from_mins(1);
        configuration.keep_history = Some(SignedDuration::from_hours(12));
        configuration.alerts = alerts_to(&["hook"]);
        configuration.channels = vec![channel("hook", receiver.address)];
    })
    .await;
    let store = Store::open_reader(service.folder.path().join("scanner.db"))
        .await
        .unwrap();
    let sweeps = 48;
    let mut weights = Vec::new();
    for number in 1..=sweeps {
        service.swept(number).await;
        somebody_reads(&service, &store).await;
        weights.push(Weight::now());
        happens(&service, number);
        service.pass(hour);
    }
    let status = service.swept(sweeps + 1).await;
    assert_eq!(status.sweep_error, None);
    // Everything was told: an alert, or that one is over, for most of what happened.
    assert!(receiver.taken().len() > 24, "{:?}", receiver.taken());
    // What is made once is made on the first day: connections, threads' buffers. By then old history is
    // dropped as fast as new is written, so that the store, and with it SQLite's caches, no longer grow.
    let first_day = Weight::most(&weights[12..24]);
    let second_day = Weight::most(&weights[24..]);
    assert!(second_day.files <= first_day.files + 4, "{weights:#?}");
    assert!(second_day.tasks <= first_day.tasks + 8, "{weights:#?}");
    let (morning, evening) = (Weight::most(&weights[24..36]), Weight::most(&weights[36..]));
    assert!(evening.memory <= morning.memory + 4 * 1024, "{weights:#?}");
    store.close().await;
    let whole = service.sweeps().await;
    let whole = whole.iter().filter(|sweep| sweep.scope.accounts.is_empty());
    assert_eq!(whole.count() as u64, sweeps + 1, "one for each interval");
    assert_eq!(service.stop().await, Ended::InOrder);
}
