//! The store against a naive history that keeps every sweep in full: random sweeps of a small
//! organization, narrowed, stopped, resumed and abandoned.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Account, AccountId, ContentHash, ControlId, Finding, Reason, SweepHeader, SweepId, SweepState,
    SweepSummary, Verdict, evidence::StorableEvidence,
};
use proof::{Chain, MerkleTree};
use proptest::{collection::vec, prelude::*, test_runner::Config};

use crate::{
    FindingQuery, FindingRow, JudgedAccount, Sweeper, accounts, findings,
    fixture::{self, Folder, gap, noon, number},
    leaves,
};

const ACCOUNTS: u64 = 4;
const CONTROLS: [&str; 3] = ["organizations-changes", "root-usage", "vpc-changes"];
const REASONS: [Reason; 4] = [
    Reason::CoveredByOrganizationTrail,
    Reason::TrailAbsent,
    Reason::TrailNotLogging,
    Reason::AccountNotEntered,
];

/// What a sweep does with one account.
#[derive(Debug, Clone)]
struct Look {
    /// An index into the reasons for each control.
    reasons: [usize; CONTROLS.len()],
    is_logging: bool,
    is_renamed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Finished,
    /// Stopped after half of its accounts, and gone on with.
    Resumed,
    Interrupted,
    /// The process died.
    Died,
}

#[derive(Debug, Clone)]
struct Step {
    /// Which accounts are in the organization, and how they are.
    looks: Vec<Option<Look>>,
    /// Whether it looks at every account of the list.
    is_whole: bool,
    /// Which controls it judges by: at least one.
    controls: u8,
    end: End,
    /// Whether another process does it, which remembers nothing.
    is_new_process: bool,
}

fn look() -> impl Strategy<Value = Look> {
    (
        [0..4_usize, 0..4_usize, 0..4_usize],
        any::<bool>(),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(reasons, is_logging, is_renamed)| Look {
            reasons,
            is_logging,
            is_renamed,
        })
}

fn step() -> impl Strategy<Value = Step> {
    let accounts = usize::try_from(ACCOUNTS).unwrap();
    let end = prop_oneof![
        6 => Just(End::Finished),
        2 => Just(End::Resumed),
        1 => Just(End::Interrupted),
        1 => Just(End::Died),
    ];
    let controls = prop_oneof![3 => Just(0b111_u8), 1 => 1..0b111_u8];
    (
        vec(prop::option::weighted(0.8, look()), accounts),
        prop::bool::weighted(0.8),
        controls,
        end,
        prop::bool::weighted(0.3),
    )
        .prop_map(|(looks, is_whole, controls, end, is_new_process)| Step {
            looks,
            is_whole,
            controls,
            end,
            is_new_process,
        })
}

fn control(index: usize) -> ControlId {
    CONTROLS[index].parse().unwrap()
}

impl Step {
    fn controls(&self) -> Vec<ControlId> {
        (0..CONTROLS.len())
            .filter(|index| self.controls & (1 << index) != 0)
            .map(control)
            .collect()
    }

    fn header(&self) -> SweepHeader {
        let mut header = fixture::header();
        header.scope.controls = self.controls();
        header
    }

    fn members(&self) -> BTreeSet<AccountId> {
        (1..=ACCOUNTS)
            .zip(&self.looks)
            .filter(|(_, look)| look.is_some())
            .map(|(number, _)| fixture::account_id(number))
            .collect()
    }

    /// The accounts that it looks at: half of them where it is not a whole one.
    fn judged(&self, sweep: usize) -> Vec<JudgedAccount> {
        let looked_at = (1..=ACCOUNTS).zip(&self.looks);
        looked_at
            .filter(|(number, _)| self.is_whole || number % 2 == 0)
            .filter_map(|(number, look)| Some(self.judge(number, look.as_ref()?, sweep)))
            .collect()
    }

    fn judge(&self, number: u64, look: &Look, sweep: usize) -> JudgedAccount {
        let mut account = fixture::account(number);
        if look.is_renamed {
            account.name.push_str("-renamed");
        }
        let findings = (look.reasons.iter().enumerate())
            .filter(|(index, _)| self.controls & (1 << index) != 0)
            .map(|(index, reason)| {
                let mut finding = fixture::finding(number, REASONS[*reason]);
                finding.control = control(index);
                if finding.verdict() == Verdict::Unknown {
                    finding.gaps = vec![gap(&format!("request-{sweep}"))];
                }
                finding
            });
        JudgedAccount {
            account,
            evidence: Some(StorableEvidence::read(fixture::evidence(
                number,
                look.is_logging,
            ))),
            findings: findings.collect(),
            basis: None,
        }
    }
}

/// An answer and the sweep since which it is so.
#[derive(Debug, Clone)]
struct Since {
    finding: Finding,
    since: SweepId,
}

#[derive(Debug, Clone)]
struct Known {
    account: Account,
    evidence: Option<StorableEvidence>,
    findings: BTreeMap<ControlId, Since>,
}

/// Everything, over again for each sweep.
#[derive(Debug, Default)]
struct Naive {
    now: BTreeMap<AccountId, Known>,
    after: BTreeMap<SweepId, BTreeMap<AccountId, Known>>,
    /// What each sweep looked at.
    saw: BTreeSet<(AccountId, ControlId, SweepId)>,
    /// All answers that there ever were, in their order.
    ever: BTreeMap<(AccountId, ControlId), Vec<Since>>,
}

/// A finding as far as the store compares it.
fn said(finding: &Finding) -> (Reason, Option<model::Link>, String) {
    let text = findings::detail_text(&finding.judgement);
    (finding.reason, finding.link, text)
}

impl Naive {
    fn look(&mut self, sweep: SweepId, judged: &JudgedAccount) {
        let id = judged.account.id;
        let by: BTreeSet<&ControlId> = judged.findings.iter().map(|it| &it.control).collect();
        let known = self.now.entry(id).or_insert_with(|| Known {
            account: judged.account.clone(),
            evidence: judged.evidence.clone(),
            findings: BTreeMap::new(),
        });
        known.account = judged.account.clone();
        if known.findings.keys().all(|control| by.contains(control)) {
            known.evidence.clone_from(&judged.evidence);
        }
        for finding in &judged.findings {
            self.saw.insert((id, finding.control.clone(), sweep));
            let before = known.findings.get(&finding.control);
            if before.is_none_or(|before| said(&before.finding) != said(finding)) {
                let since = Since {
                    finding: finding.clone(),
                    since: sweep,
                };
                let ever = self.ever.entry((id, finding.control.clone()));
                ever.or_default().push(since.clone());
                known.findings.insert(finding.control.clone(), since);
            }
        }
    }

    fn keep(&mut self, sweep: SweepId) {
        self.after.insert(sweep, self.now.clone());
    }

    /// The first sweep after which an answer is no longer so.
    fn until(&self, account: AccountId, control: &ControlId, since: SweepId) -> Option<SweepId> {
        let mut later = self.after.range(since..);
        let ended = later.find(|(_, known)| {
            let now = known.get(&account).and_then(|it| it.findings.get(control));
            now.is_none_or(|now| now.since != since)
        });
        ended.map(|(sweep, _)| *sweep)
    }

    /// The last sweep before this one that saw an answer.
    fn confirmed(
        &self,
        account: AccountId,
        control: &ControlId,
        since: SweepId,
        before: SweepId,
    ) -> SweepId {
        let until = self.until(account, control, since).unwrap_or(before);
        let mut saw = (self.saw.iter()).filter(|(id, by, sweep)| {
            (*id, by) == (account, control) && (since..until.min(before)).contains(sweep)
        });
        saw.next_back().map_or(since, |(_, _, sweep)| *sweep)
    }
}

struct World {
    folder: Folder,
    sweeper: Option<Sweeper>,
    naive: Naive,
}

impl World {
    fn sweeper(&self) -> &Sweeper {
        self.sweeper.as_ref().unwrap()
    }

    async fn new_process(&mut self) {
        // Without a farewell: what is committed must do.
        drop(self.sweeper.take());
        self.sweeper = Some(self.folder.sweeper().await);
    }

    async fn commit(&mut self, sweep: SweepId, judged: &[JudgedAccount]) {
        let changed = self.sweeper().changed(sweep, judged).await.unwrap();
        for judged in judged {
            self.compare(sweep, judged, changed.get(&judged.account.id));
        }
        self.sweeper().commit(sweep, judged, &[]).await.unwrap();
        for judged in judged {
            self.naive.look(sweep, judged);
        }
    }

    /// What the store says was known of an account, if it says that anything changed.
    fn compare(
        &self,
        sweep: SweepId,
        judged: &JudgedAccount,
        changed: Option<&Option<model::RememberedAccount>>,
    ) {
        let id = judged.account.id;
        let known = self.naive.now.get(&id);
        let Some(remembered) = changed else {
            let known = known.expect("nothing changed in an account that is not known");
            assert_eq!(known.account, judged.account);
            assert_eq!(known.evidence, judged.evidence);
            for finding in &judged.findings {
                let before = &known.findings[&finding.control].finding;
                assert_eq!(said(before), said(finding));
            }
            return;
        };
        assert_eq!(remembered.is_some(), known.is_some(), "{id} before {sweep}");
        let (Some(remembered), Some(known)) = (remembered, known) else {
            return;
        };
        assert_eq!(remembered.account, known.account);
        assert!(remembered.findings.keys().eq(known.findings.keys()));
        for (control, remembered) in &remembered.findings {
            let now = &known.findings[control];
            let seen = |seen: &model::SeenFinding, known: &Since| {
                assert_eq!(seen.finding, known.finding);
                assert_eq!(seen.since, known.since);
                let confirmed = self.naive.confirmed(id, control, known.since, sweep);
                assert_eq!(seen.confirmed, confirmed, "{id} {control} before {sweep}");
                let then = &self.naive.after[&confirmed][&id];
                assert_eq!(
                    seen.evidence,
                    then.evidence.as_ref().map(StorableEvidence::root)
                );
            };
            seen(&remembered.latest, now);
            let ever = &self.naive.ever[&(id, control.clone())];
            let mut told = ever.iter().rev();
            let before_unknown =
                told.find(|it| it.since < now.since && it.finding.verdict() != Verdict::Unknown);
            let before_unknown =
                before_unknown.filter(|_| now.finding.verdict() == Verdict::Unknown);
            assert_eq!(
                remembered.before_unknown.is_some(),
                before_unknown.is_some()
            );
            if let Some((remembered, known)) =
                remembered.before_unknown.as_ref().zip(before_unknown)
            {
                seen(remembered, known);
            }
        }
    }

    async fn take(&mut self, number: usize, step: &Step) {
        if step.is_new_process {
            self.new_process().await;
        }
        let header = step.header();
        let sweep = self.sweeper().begin_sweep(&header).await.unwrap();
        let judged = step.judged(number);
        let (first, second) = judged.split_at(judged.len() / 2);
        self.commit(sweep, first).await;
        let stopped = SweepSummary {
            state: SweepState::Interrupted,
            discovery: None,
            ..fixture::summary()
        };
        match step.end {
            End::Finished => {}
            End::Resumed => {
                if step.is_new_process {
                    self.new_process().await;
                } else {
                    self.sweeper().finish_sweep(sweep, &stopped).await.unwrap();
                }
                let resumed = self.sweeper().resume_sweep(&header, noon()).await.unwrap();
                let resumed = resumed.unwrap();
                assert_eq!(resumed.id, sweep);
                let ids: BTreeSet<AccountId> = first.iter().map(|it| it.account.id).collect();
                assert_eq!(resumed.judged, ids);
            }
            End::Interrupted => {
                self.sweeper().finish_sweep(sweep, &stopped).await.unwrap();
                return self.naive.keep(sweep);
            }
            End::Died => {
                self.new_process().await;
                return self.naive.keep(sweep);
            }
        }
        self.commit(sweep, second).await;
        let ids: BTreeSet<AccountId> = judged.iter().map(|it| it.account.id).collect();
        let gone = self
            .sweeper()
            .departed(&step.members(), &ids)
            .await
            .unwrap();
        let named = self.naive.now.keys();
        let expected: Vec<AccountId> = named
            .filter(|id| !step.members().contains(id))
            .copied()
            .collect();
        assert_eq!(gone, expected);
        self.sweeper()
            .record_departures(sweep, &gone, &[])
            .await
            .unwrap();
        self.naive.now.retain(|id, _| !gone.contains(id));
        let summary = fixture::summary();
        let seal = self.sweeper().finish_sweep(sweep, &summary).await.unwrap();
        assert!(seal.is_some());
        self.naive.keep(sweep);
    }

    /// Every sweep as the store gives it back.
    async fn check_history(&self) {
        let store = self.sweeper().store();
        for (sweep, known) in &self.naive.after {
            let query = FindingQuery {
                sweep: Some(*sweep),
                ..FindingQuery::default()
            };
            let all = store.findings(&query).await.unwrap();
            self.check(&all, known, *sweep);
            for verdict in [Verdict::Fail, Verdict::Unknown, Verdict::Pass] {
                let query = FindingQuery {
                    verdict: Some(verdict),
                    ..query.clone()
                };
                let of_verdict = (all.iter()).filter(|row| row.finding.verdict() == verdict);
                assert_eq!(
                    store.findings(&query).await.unwrap(),
                    of_verdict.cloned().collect::<Vec<_>>(),
                    "{verdict} after sweep {sweep}"
                );
            }
        }
    }

    fn check(&self, rows: &[FindingRow], known: &BTreeMap<AccountId, Known>, sweep: SweepId) {
        let expected: Vec<(&Known, &Since)> = (known.values())
            .flat_map(|known| known.findings.values().map(move |since| (known, since)))
            .collect();
        assert_eq!(rows.len(), expected.len(), "after sweep {sweep}");
        for (row, (known, since)) in rows.iter().zip(expected) {
            let finding = &since.finding;
            assert_eq!(row.finding, *finding, "after sweep {sweep}");
            let samples = |finding: &Finding| -> Vec<_> {
                finding.gaps.iter().map(|gap| gap.sample.clone()).collect()
            };
            assert_eq!(samples(&row.finding), samples(finding));
            assert_eq!(*row.account, known.account);
            assert_eq!(row.since_sweep, since.since);
            let until = self
                .naive
                .until(finding.account, &finding.control, since.since);
            assert_eq!(row.until_sweep, until);
            let root: Option<ContentHash> = known.evidence.as_ref().map(StorableEvidence::root);
            assert_eq!(row.evidence_root, root);
        }
    }

    /// A sweep of exactly what is known adds no interval.
    async fn sweep_the_same(&mut self) {
        const INTERVALS: &str = "SELECT (SELECT count(*) FROM findings)
            + (SELECT count(*) FROM account_states) + (SELECT count(*) FROM account_leaves)
            + (SELECT count(*) FROM findings WHERE valid_until IS NOT NULL)";
        let path = self.folder.file("store.db");
        let before = number(&path, INTERVALS).await;
        let judged: Vec<JudgedAccount> = (self.naive.now.values())
            .map(|known| JudgedAccount {
                account: known.account.clone(),
                evidence: known.evidence.clone(),
                findings: known
                    .findings
                    .values()
                    .map(|it| it.finding.clone())
                    .collect(),
                basis: None,
            })
            .collect();
        let header = fixture::header();
        let sweep = self.sweeper().begin_sweep(&header).await.unwrap();
        self.commit(sweep, &judged).await;
        let summary = fixture::summary();
        self.sweeper().finish_sweep(sweep, &summary).await.unwrap();
        self.naive.keep(sweep);
        assert_eq!(number(&path, INTERVALS).await, before);
    }

    /// The leaves are those of the rows, the last seal is over them, and each seal on the one before.
    async fn check_leaves_and_seals(&self) {
        let mut writer = self.sweeper().writer.lock().await;
        let ids: Vec<AccountId> = self.naive.now.keys().copied().collect();
        let open = leaves::open(&mut writer, &ids).await.unwrap();
        let rows = findings::open(&mut writer, &ids).await.unwrap();
        let states = accounts::now(&mut writer, &ids).await.unwrap();
        drop(writer);
        assert_eq!(open.len(), ids.len());
        let mut tree = Vec::new();
        for id in &ids {
            let of_controls = rows.get(id).into_iter().flatten();
            let of_controls = of_controls
                .map(|(control, open)| (control.clone(), open.leaf))
                .collect();
            let leaf = leaves::leaf(&states[id], open[id].evidence, &of_controls);
            assert_eq!(open[id].leaf, Some(leaf), "{id}");
            tree.push((*id, leaf));
        }
        let mut chain = Chain::default();
        for row in self.sweeper().store().seals().await.unwrap() {
            chain.follow(&row.seal, &row.header).unwrap();
        }
        let head = MerkleTree::new(tree).head();
        assert_eq!(chain.last().map(|seal| seal.accounts), Some(head));
    }
}

async fn live_through(steps: &[Step]) {
    let folder = Folder::new();
    let mut world = World {
        sweeper: Some(folder.sweeper().await),
        folder,
        naive: Naive::default(),
    };
    for (number, step) in steps.iter().enumerate() {
        world.take(number, step).await;
    }
    world.check_history().await;
    world.sweep_the_same().await;
    world.check_history().await;
    world.check_leaves_and_seals().await;
    let sweeper = world.sweeper.take().unwrap();
    sweeper.close().await.unwrap();
    let path = world.folder.file("store.db");
    let sound = "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'";
    assert_eq!(number(&path, sound).await, 1);
    let broken = "SELECT count(*) FROM pragma_foreign_key_check";
    assert_eq!(number(&path, broken).await, 0);
}

/// A store takes a while to make; `PROPTEST_CASES` asks for more.
fn config() -> Config {
    let default = Config::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    Config {
        cases: if asked { default.cases } else { 24 },
        ..default
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn intervals_give_back_what_a_copy_of_every_sweep_would(steps in vec(step(), 1..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(live_through(&steps));
    }
}
