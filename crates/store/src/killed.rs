//! A process that sweeps is killed at random moments: what it said it committed is there, and whole.
//!
//! The test is both processes: it starts itself anew, to be killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use drift::{AccountNow, SweepContext};
use jiff::Timestamp;
use model::{
    AccountId, ControlId, Finding, Reason, SweepHeader, SweepId, evidence::StorableEvidence,
};
use proof::Chain;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    FindingQuery, JudgedAccount, Store, Sweeper,
    fixture::{self, Folder, number},
};

const ACCOUNTS: u64 = 40;
const CONTROLS: usize = 15;
/// Accounts of a commit.
const GROUP: usize = 4;
/// How often it is killed, unless `STORE_KILLS` says otherwise.
const KILLS: u32 = 100;
/// Where the store is, for the process that is to be killed.
const STORE: &str = "STORE_TO_BE_KILLED";

fn controls() -> Vec<ControlId> {
    let names = (0..CONTROLS).map(|number| format!("control-{number:02}"));
    names.map(|name| name.parse().unwrap()).collect()
}

fn header() -> SweepHeader {
    let mut header = fixture::header();
    header.scope.controls = controls();
    header
}

/// What an account is like in a sweep: every third sweep it is another.
fn version(account: u64, sweep: SweepId) -> u64 {
    (sweep.0.unsigned_abs() + account) / 3
}

/// An account by one version, which stands in all that is said of it.
fn judged(account: u64, version: u64) -> JudgedAccount {
    let mut judged = fixture::judged(account, Reason::TrailAbsent);
    judged.account.name = format!("version-{version}");
    let evidence = fixture::evidence(account, version.is_multiple_of(2));
    judged.evidence = Some(StorableEvidence::read(evidence));
    judged.findings = (controls().into_iter())
        .map(|control| {
            let mut finding = fixture::finding(account, Reason::TrailAbsent);
            finding.control = control;
            finding.message = format!("version-{version} of {account}");
            finding
        })
        .collect();
    judged
}

/// Sweeps for ever, and says what is committed once it is.
async fn sweep_for_ever(path: &Path) {
    let sweeper = Store::open_sweeper(path).await.unwrap();
    loop {
        let resumed = sweeper
            .resume_sweep(&header(), Timestamp::MIN)
            .await
            .unwrap();
        let (sweep, done) = match resumed {
            Some(resumed) => (resumed.id, resumed.judged),
            None => (
                sweeper.begin_sweep(&header()).await.unwrap(),
                BTreeSet::new(),
            ),
        };
        say("begun", sweep, &done);
        let left: Vec<JudgedAccount> = (1..=ACCOUNTS)
            .filter(|account| !done.contains(&fixture::account_id(*account)))
            .map(|account| judged(account, version(account, sweep)))
            .collect();
        for group in left.chunks(GROUP) {
            let drifts = drifts(&sweeper, sweep, group).await;
            sweeper.commit(sweep, group, &drifts).await.unwrap();
            let ids = group.iter().map(|judged| judged.account.id).collect();
            say("committed", sweep, &ids);
        }
        let summary = fixture::summary();
        sweeper.finish_sweep(sweep, &summary).await.unwrap();
        say("sealed", sweep, &BTreeSet::new());
    }
}

async fn drifts(sweeper: &Sweeper, sweep: SweepId, group: &[JudgedAccount]) -> Vec<model::Drift> {
    let changed = sweeper.changed(sweep, group).await.unwrap();
    let context = SweepContext {
        sweep,
        management_account: None,
        knows_every_account: false,
        new_controls: BTreeSet::new(),
        judging_changed: false,
    };
    (group.iter())
        .filter_map(|judged| Some((judged, changed.get(&judged.account.id)?)))
        .flat_map(|(judged, remembered)| {
            let now = AccountNow {
                account: &judged.account,
                findings: &judged.findings,
                evidence: judged.evidence.as_ref().map(StorableEvidence::root),
            };
            drift::compare(&context, remembered.as_ref(), now)
        })
        .collect()
}

fn say(what: &str, sweep: SweepId, accounts: &BTreeSet<AccountId>) {
    let accounts: Vec<String> = accounts.iter().map(ToString::to_string).collect();
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{what} {sweep} {}.", accounts.join(" ")).unwrap();
    out.flush().unwrap();
}

/// What a process said before it died.
#[derive(Debug, Default)]
struct Said {
    /// The sweep that it took up first, with the accounts that were done.
    begun: Option<(SweepId, BTreeSet<AccountId>)>,
    committed: BTreeMap<SweepId, BTreeSet<AccountId>>,
    sealed: BTreeSet<SweepId>,
}

impl Said {
    fn take(&mut self, line: &str) {
        // A line without its end was cut off.
        let Some(line) = line.strip_suffix('.') else {
            return;
        };
        let mut words = line.split_whitespace();
        let (Some(what), Some(Ok(sweep))) = (words.next(), words.next().map(str::parse)) else {
            return;
        };
        let sweep = SweepId(sweep);
        let accounts: BTreeSet<AccountId> = words.map(|id| id.parse().unwrap()).collect();
        match what {
            "begun" => {
                self.begun.get_or_insert((sweep, accounts));
            }
            "committed" => self.committed.entry(sweep).or_default().extend(accounts),
            "sealed" => {
                self.sealed.insert(sweep);
            }
            _ => {}
        }
    }
}

fn killed_after(path: &Path, patience: Duration) -> Said {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(STORE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let out = child.stdout.take().unwrap();
    let listener = std::thread::spawn(move || {
        let mut said = Said::default();
        for line in BufReader::new(out).lines() {
            said.take(&line.unwrap());
        }
        said
    });
    std::thread::sleep(patience);
    assert!(child.try_wait().unwrap().is_none(), "it died by itself");
    child.kill().unwrap();
    child.wait().unwrap();
    listener.join().unwrap()
}

const NAME: &str = "killed::what_a_killed_process_committed_is_there_and_whole";

/// How many of the processes went on with a sweep, and how many seals there are.
#[derive(Debug, Default)]
struct Seen {
    resumed: u32,
    seals: usize,
}

/// What every account must be like, as far as it was said.
#[derive(Debug, Default)]
struct Expected {
    /// The last sweep that said that it committed the account.
    committed: BTreeMap<AccountId, SweepId>,
    /// The accounts that the sweep has that was under way at the last look.
    under_way: Option<(SweepId, BTreeSet<AccountId>)>,
}

impl Expected {
    fn hear(&mut self, said: &Said, seen: &mut Seen) {
        if let Some((sweep, done)) = &said.begun {
            if let Some((before, accounts)) = self.under_way.take() {
                assert_eq!(
                    (*sweep, done),
                    (before, &accounts),
                    "it goes on where it stopped"
                );
                seen.resumed += 1;
            } else {
                assert!(done.is_empty());
            }
        }
        for (sweep, accounts) in &said.committed {
            let accounts = accounts.iter().map(|account| (*account, *sweep));
            self.committed.extend(accounts);
        }
    }

    /// Opens the store as the next process would, and looks at all of it.
    async fn look(&mut self, path: &Path, said: &Said, seen: &mut Seen) {
        let sweeper = Store::open_sweeper(path).await.unwrap();
        let store = sweeper.store();
        let Some(latest) = store.latest_sweep().await.unwrap() else {
            return;
        };
        let mut found: BTreeMap<AccountId, Vec<Finding>> = BTreeMap::new();
        let mut names = BTreeMap::new();
        for row in store.findings(&FindingQuery::default()).await.unwrap() {
            names.insert(row.finding.account, row.account.name.clone());
            found
                .entry(row.finding.account)
                .or_default()
                .push(row.finding);
        }
        let mut whole = Vec::new();
        for account in 1..=ACCOUNTS {
            let id = fixture::account_id(account);
            let Some(findings) = found.get(&id) else {
                assert!(!self.committed.contains_key(&id), "account {id} is lost");
                continue;
            };
            let name = &names[&id];
            let version: u64 = name.strip_prefix("version-").unwrap().parse().unwrap();
            let expected = judged(account, version);
            assert_eq!(*findings, expected.findings, "account {id} is not whole");
            let committed = self.committed.get(&id).copied();
            let may_be = [Some(latest.id), committed]
                .map(|sweep| sweep.map(|sweep| self::version(account, sweep)));
            assert!(
                may_be.contains(&Some(version)),
                "account {id} is of another time"
            );
            if committed == Some(latest.id) {
                assert_eq!(
                    version,
                    self::version(account, latest.id),
                    "account {id} is lost"
                );
            }
            whole.push(expected);
        }
        // Its leaf is that of its rows: otherwise it would count as changed.
        let next = SweepId(latest.id.0 + 1);
        assert!(sweeper.changed(next, &whole).await.unwrap().is_empty());

        let mut chain = Chain::default();
        let mut sealed = BTreeSet::new();
        for row in store.seals().await.unwrap() {
            chain.follow(&row.seal, &row.header).unwrap();
            sealed.insert(row.seal.sweep);
        }
        assert!(said.sealed.is_subset(&sealed), "a seal is lost");
        seen.seals = sealed.len();
        self.under_way = None;
        if !sealed.contains(&latest.id) {
            let resumed = sweeper
                .resume_sweep(&header(), Timestamp::MIN)
                .await
                .unwrap();
            let done = resumed.unwrap().judged;
            assert_eq!(latest.accounts_seen, done.len() as u64);
            if let Some(committed) = said.committed.get(&latest.id) {
                assert!(committed.is_subset(&done));
            }
            self.committed
                .extend(done.iter().map(|id| (*id, latest.id)));
            self.under_way = Some((latest.id, done));
        }
    }
}

#[tokio::test]
async fn what_a_killed_process_committed_is_there_and_whole() {
    if let Some(path) = std::env::var_os(STORE) {
        return sweep_for_ever(Path::new(&path)).await;
    }
    let kills = std::env::var("STORE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let folder = Folder::new();
    let path = folder.file("store.db");
    let (mut expected, mut seen) = (Expected::default(), Seen::default());
    let mut chance = ChaCha8Rng::seed_from_u64(u64::from(kills));
    for _ in 0..kills {
        let patience = Duration::from_micros(chance.random_range(10_000..300_000));
        let said = killed_after(&path, patience);
        expected.hear(&said, &mut seen);
        expected.look(&path, &said, &mut seen).await;
    }
    assert!(seen.resumed > 0, "{seen:?} of {kills} kills");
    let sound = "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'";
    assert_eq!(number(&path, sound).await, 1);
}
