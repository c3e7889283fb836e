//! An organization that changes: what a sweep would find in it at each hour.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use controls::{Catalog, Control, Judge, JudgeContext};
use model::{
    Account, AccountId, AccountState, ControlId, Finding, OuPath, SweepId, Verdict,
    evidence::AccountEvidence,
};
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use store::JudgedAccount;

use crate::{
    Outcome,
    evidence::{Defect, chain, not_entered},
};

/// The management account, whose trail covers most accounts.
const OWNER: u64 = 100_000_000_000;

/// One account of twenty has a chain of its own.
const OWN_CHAINS: u64 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Whole,
    Broken(Defect),
    /// It has lost sight of the organization's trail.
    NoTrail,
    NotEntered,
    Suspended,
}

struct Member {
    account: Account,
    has_own_chain: bool,
    condition: Condition,
    found: JudgedAccount,
}

pub(crate) struct World {
    judge: Judge,
    context: JudgeContext,
    /// What the organization's trail shows to its members.
    shared: AccountEvidence,
    members: BTreeMap<AccountId, Member>,
    /// Members that are not whole, the longest first.
    broken: Vec<AccountId>,
    next: u64,
    chance: ChaCha8Rng,
}

impl World {
    pub(crate) fn new(accounts: u64, seed: u64) -> Outcome<Self> {
        let catalog = Catalog::embedded()?;
        let controls: Vec<Control> = catalog.controls().cloned().collect();
        let shared = chain(id(OWNER)?, true, &controls, None)?;
        let mut world = Self {
            judge: Judge::new(controls),
            context: JudgeContext {
                organization_trails: shared.trails.clone().unwrap_or_default(),
            },
            shared,
            members: BTreeMap::new(),
            broken: Vec::new(),
            next: OWNER + 1,
            chance: ChaCha8Rng::seed_from_u64(seed),
        };
        for _ in 0..accounts {
            world.join()?;
        }
        Ok(world)
    }

    pub(crate) fn controls(&self) -> Vec<ControlId> {
        let controls = self.judge.controls().iter();
        controls.map(|control| control.id.clone()).collect()
    }

    pub(crate) fn owner() -> Outcome<AccountId> {
        id(OWNER)
    }

    pub(crate) fn ids(&self) -> BTreeSet<AccountId> {
        self.members.keys().copied().collect()
    }

    /// What a sweep finds. What accounts share is shared; what was judged of one alone is another
    /// judgement in each sweep, as a judge makes it.
    pub(crate) fn found(&self, sweep: SweepId) -> impl Iterator<Item = JudgedAccount> {
        self.members.values().map(move |member| {
            let mut found = member.found.clone();
            for finding in &mut found.findings {
                if member.has_own_chain || member.condition != Condition::Whole {
                    let mut judgement = (*finding.judgement).clone();
                    for gap in &mut judgement.gaps {
                        // Each call has an id of its own.
                        gap.sample.request_id = Some(format!("{sweep}-{}", finding.account));
                    }
                    finding.judgement = Arc::new(judgement);
                }
            }
            found
        })
    }

    /// One thing changes.
    pub(crate) fn change(&mut self) -> Outcome<()> {
        if !self.broken.is_empty() && self.chance.random_bool(0.45) {
            let account = self.broken.remove(0);
            return self.set(account, Condition::Whole);
        }
        let ids: Vec<AccountId> = self.members.keys().copied().collect();
        let any = ids.choose(&mut self.chance).copied();
        let own: Vec<AccountId> = (self.members.values())
            .filter(|member| member.has_own_chain && member.condition == Condition::Whole)
            .map(|member| member.account.id)
            .collect();
        let own = own.choose(&mut self.chance).copied();
        let (Some(any), Some(own)) = (any, own) else {
            return Ok(());
        };
        let control = self.chance.random_range(0..self.judge.controls().len());
        match self.chance.random_range(0..100) {
            0..30 => self.spoil(own, Condition::Broken(Defect::AlarmGone(control))),
            30..45 => self.spoil(own, Condition::Broken(Defect::ActionsDisabled(control))),
            45..53 => self.spoil(own, Condition::Broken(Defect::NoSubscriber)),
            53..73 => self.spoil(any, Condition::NotEntered),
            73..78 => self.spoil(any, Condition::NoTrail),
            78..82 => self.spoil(any, Condition::Suspended),
            82..92 => self.alter(any),
            92..96 => self.join(),
            _ => {
                self.members.remove(&any);
                self.broken.retain(|account| *account != any);
                Ok(())
            }
        }
    }

    /// Something happens to the organization's trail, and so to every member below it.
    pub(crate) fn change_for_all(&mut self, defect: Option<Defect>) -> Outcome<()> {
        self.shared = chain(id(OWNER)?, true, self.judge.controls(), defect)?;
        let members = self.members.values();
        let below: Vec<AccountId> = members
            .filter(|member| !member.has_own_chain && member.condition == Condition::Whole)
            .map(|member| member.account.id)
            .collect();
        for account in below {
            self.look_at(account)?;
        }
        Ok(())
    }

    fn join(&mut self) -> Outcome<()> {
        let number = self.next;
        self.next += 1;
        let account = Account {
            id: id(number)?,
            name: format!("workload-{}-production", number - OWNER),
            state: AccountState::Active,
            ou_path: Some(ou(number)),
            tags: None,
        };
        let id = account.id;
        let member = Member {
            found: JudgedAccount {
                account: account.clone(),
                evidence: None,
                findings: Vec::new(),
                basis: None,
            },
            account,
            has_own_chain: number.is_multiple_of(OWN_CHAINS),
            condition: Condition::Whole,
        };
        self.members.insert(id, member);
        self.look_at(id)
    }

    /// It is moved, or called another name.
    fn alter(&mut self, account: AccountId) -> Outcome<()> {
        let number = self.chance.random_range(0..1000);
        if let Some(member) = self.members.get_mut(&account) {
            if number % 5 == 0 {
                member.account.name = format!("workload-{number}-renamed");
            } else {
                member.account.ou_path = Some(ou(number));
            }
        }
        self.look_at(account)
    }

    fn spoil(&mut self, account: AccountId, condition: Condition) -> Outcome<()> {
        if !self.broken.contains(&account) {
            self.broken.push(account);
        }
        self.set(account, condition)
    }

    fn set(&mut self, account: AccountId, condition: Condition) -> Outcome<()> {
        if let Some(member) = self.members.get_mut(&account) {
            member.condition = condition;
            member.account.state = match condition {
                Condition::Suspended => AccountState::Suspended,
                _ => AccountState::Active,
            };
        }
        self.look_at(account)
    }

    fn look_at(&mut self, account: AccountId) -> Outcome<()> {
        let Some(member) = self.members.get_mut(&account) else {
            return Ok(());
        };
        let controls = self.judge.controls();
        let evidence = match member.condition {
            Condition::Suspended => None,
            Condition::NotEntered => Some(not_entered(account)),
            Condition::NoTrail => Some(AccountEvidence::of_trails(account, Vec::new())),
            Condition::Whole if !member.has_own_chain => Some(AccountEvidence {
                account,
                ..self.shared.clone()
            }),
            Condition::Whole => Some(chain(account, false, controls, None)?),
            Condition::Broken(defect) => Some(chain(account, false, controls, Some(defect))?),
        };
        let findings: Vec<Finding> =
            (self.judge).findings(&self.context, &member.account, evidence.as_ref());
        member.found = JudgedAccount {
            account: member.account.clone(),
            evidence: evidence.map(|it| self.judge.storable(it)),
            // As in a sweep, which looks closer at what fails.
            basis: (findings
                .iter()
                .all(|finding| finding.verdict() != Verdict::Fail))
            .then(|| self.judge.basis(&self.context)),
            findings,
        };
        Ok(())
    }
}

fn id(number: u64) -> Outcome<AccountId> {
    Ok(format!("{number:012}").parse()?)
}

/// One of forty units, two levels below the root.
fn ou(number: u64) -> OuPath {
    let (outer, inner) = (number % 4, number % 40);
    OuPath(vec![
        "r-ab12".to_owned(),
        format!("ou-ab12-{outer:08}"),
        format!("ou-ab12-{:08}", 100 + inner),
    ])
}
