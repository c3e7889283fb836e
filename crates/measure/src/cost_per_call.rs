//! What a call costs the client: `cargo xtask bench calls`; the figures are in `docs/performance.md`.
//!
//! Modes: `tasks` (64 tasks on the multi-thread runtime), `one-future` (one future on the
//! multi-thread runtime, as a sweep is), `one-core` (that future on a current-thread runtime) and
//! `each-core` (two threads, each with a current-thread runtime and a connection of its own).
//!
//! The simulator answers in a thread of its own, whose CPU is not counted.

#![expect(clippy::expect_used, reason = "a measurement fails by panicking")]
#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Barrier, mpsc},
    time::{Duration, Instant},
};

use aws::{Api, Aws, AwsSettings, RoleSettings, SimulatorAccess, Timing};
use futures::stream::{self, StreamExt as _};
use model::{AccountId, Region, SystemClock};
use simulator::{Simulator, SimulatorOptions, World};
use tokio::runtime::Builder;

const REGIONS: [&str; 4] = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"];
/// Few enough for each quota that nothing waits: the cost is measured, not the quotas.
const CALLS_PER_REGION: usize = 9;
const AT_ONCE: usize = 64;

/// Measures the mode that the command line names.
pub fn main() {
    let mode = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "one-future".to_owned());
    let accounts = std::env::args().nth(2);
    let lab = Lab::start(accounts.as_deref().unwrap_or("1000"));
    let (first, second) = lab.accounts.split_at(lab.accounts.len() / 2);
    let multi_thread = || Builder::new_multi_thread().worker_threads(2).build_both();
    let one_core = || Builder::new_current_thread().build_both();
    let all: &[AccountId] = &lab.accounts;
    let (cpu, wall) = match mode.as_str() {
        "tasks" => lab.measure(&[all], multi_thread, true),
        "one-future" => lab.measure(&[all], multi_thread, false),
        "one-core" => lab.measure(&[all], one_core, false),
        "each-core" => lab.measure(&[first, second], one_core, false),
        other => return println!("there is no mode {other}"),
    };
    let calls = lab.accounts.len() * REGIONS.len() * (CALLS_PER_REGION - 1);
    let calls = f64::from(u32::try_from(calls).expect("few calls"));
    println!(
        "{mode}: {calls} calls, {:.1} us of CPU each, {:.0} calls a second",
        cpu.as_secs_f64() * 1e6 / calls,
        calls / wall.as_secs_f64(),
    );
}

/// Both kinds of runtime are built alike.
trait BuildBoth {
    fn build_both(&mut self) -> tokio::runtime::Runtime;
}

impl BuildBoth for Builder {
    fn build_both(&mut self) -> tokio::runtime::Runtime {
        self.enable_all().build().expect("a runtime")
    }
}

/// A simulator in a thread of its own, and how to reach it.
struct Lab {
    settings: AwsSettings,
    accounts: Vec<AccountId>,
    thread: String,
}

impl Lab {
    fn start(accounts: &str) -> Self {
        let world = format!(
            "[[account]]\nname = \"management\"\n[[account]]\nname = \"member\"\ncount = {accounts}\n"
        );
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().build_both();
            runtime.block_on(async {
                let world = World::from_toml(&world).expect("the world is valid");
                let simulator = Simulator::start(world, SimulatorOptions::default()).await;
                let simulator = simulator.expect("a free port");
                let ids = simulator.world().accounts()[1..]
                    .iter()
                    .map(|account| account.id.parse().expect("an id"))
                    .collect();
                let access = simulator.caller_credentials();
                tell.send((simulator.endpoint_url(), access, ids, this_thread()))
                    .expect("somebody listens");
                std::future::pending::<()>().await;
            });
        });
        let (endpoint_url, access, accounts, thread) = told.recv().expect("it starts");
        let role = RoleSettings {
            role_name: "OrganizationAccountAccessRole".to_owned(),
            overrides: BTreeMap::new(),
            external_id: None,
            session_name: "scanner-measurement".to_owned(),
            source_identity: None,
            session_seconds: 3600,
        };
        let settings = AwsSettings {
            role,
            session_apis: Api::ALL.to_vec(),
            quota_share: 1.0,
            timing: Timing::default(),
            profile: None,
            seed: 1,
            simulator: Some(SimulatorAccess {
                endpoint_url,
                access_key_id: access.access_key_id,
                secret_access_key: access.secret_access_key,
                region: REGIONS[0].parse().expect("a region"),
            }),
        };
        Self {
            settings,
            accounts,
            thread,
        }
    }

    /// Calls in each part of the accounts on a runtime of its own. The sessions are there before
    /// the clock runs.
    fn measure(
        &self,
        parts: &[&[AccountId]],
        runtime: impl Fn() -> tokio::runtime::Runtime + Sync,
        spawn: bool,
    ) -> (Duration, Duration) {
        let (warm, done) = (Barrier::new(parts.len() + 1), Barrier::new(parts.len() + 1));
        let (warm, done, runtime) = (&warm, &done, &runtime);
        std::thread::scope(|scope| {
            for part in parts {
                scope.spawn(move || {
                    let runtime = runtime();
                    let aws = runtime.block_on(async {
                        let clock = Arc::new(SystemClock);
                        let aws = Aws::connect(self.settings.clone(), clock).await;
                        let aws = aws.expect("the simulator answers");
                        call_all(&aws, part, 1, spawn).await;
                        aws
                    });
                    warm.wait();
                    runtime.block_on(call_all(&aws, part, CALLS_PER_REGION - 1, spawn));
                    done.wait();
                    // Threads that have ended are not counted: they end after it.
                    done.wait();
                });
            }
            warm.wait();
            let (cpu, start) = (self.client_cpu(), Instant::now());
            done.wait();
            let result = (self.client_cpu().saturating_sub(cpu), start.elapsed());
            done.wait();
            result
        })
    }

    /// CPU of all threads of this process but the simulator's.
    fn client_cpu(&self) -> Duration {
        let threads = fs::read_dir("/proc/self/task").expect("Linux");
        threads
            .filter_map(Result::ok)
            .filter(|thread| thread.file_name().to_str() != Some(&self.thread))
            .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
            .filter_map(|text| text.split(' ').next()?.parse().ok())
            .map(Duration::from_nanos)
            .sum()
    }
}

async fn call_all(aws: &Aws, accounts: &[AccountId], times: usize, spawn: bool) {
    let places = accounts
        .iter()
        .flat_map(|account| REGIONS.map(|region| (*account, region)));
    stream::iter(places)
        .map(|(account, region)| {
            let calls = call(aws.clone(), account, region, times);
            async move {
                if spawn {
                    tokio::spawn(calls).await.expect("no panic");
                } else {
                    calls.await;
                }
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect::<()>()
        .await;
}

async fn call(aws: Aws, account: AccountId, region: &'static str, times: usize) {
    let region: Region = region.parse().expect("a region");
    let session = aws.session(account);
    for _ in 0..times {
        let client = &aws.clients().cloudtrail;
        session
            .call(Api::DescribeTrails, &region, None, |target| {
                let call = client.describe_trails().customize();
                call.config_override(target.cloudtrail()).send()
            })
            .await
            .expect("an answer");
    }
}

fn this_thread() -> String {
    let link = fs::read_link("/proc/thread-self").expect("Linux");
    let name = link.file_name().expect("a thread id");
    name.to_string_lossy().into_owned()
}
