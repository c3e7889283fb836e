//! Organizations of any size from a seed.
//!
//! A complete chain holds for all fifteen controls, so under a good organization trail they all
//! pass. The mix of a world of 30 accounts or more, where the organization's own chain works: some
//! 86 % of the accounts are covered by the organization's trail (one in thirty of them has a broken
//! trail of its own beside it, which does no harm), 2 % are not but have a good chain of their
//! own, 1 % have one in which a single control is broken, and never the one on AWS Organizations,
//! 7 % fail that one as well, each for another reason, most of them with all the others, 2 % cannot
//! be judged, and 1.5 % are suspended or closing. Uncovered accounts are those that the
//! organization's trail has not reached. Each kind has at least one account, so small worlds have
//! somewhat more of them.

mod broken;
mod names;
mod organization_chain;

use std::collections::HashSet;

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::world::{
    Account, AccountState, BenchmarkControl, Organization, Partition, Selectors, World,
};
use names::{HOSTILE, Namer};

/// What a generated organization is like.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateOptions {
    /// All accounts, the management account among them; at least one is made.
    pub accounts: usize,
    pub seed: u64,
    pub partition: Partition,
    /// Terminal escapes, quotes, markup and overlong text in names here and there.
    pub hostile_names: bool,
    /// Planted in every free text, to prove that none of it travels further.
    pub canary: Option<String>,
    pub organization_chain: OrganizationChain,
    /// No broken, unreadable or closed account, and an organization chain that works unless
    /// `organization_chain` says otherwise.
    pub healthy: bool,
    /// The share of accounts with a good chain of their own that the organization's trail has not
    /// reached, from 0 to 1; that of the usual mix if not set.
    pub own_trails: Option<f64>,
}

/// Whether the organization's own chain works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OrganizationChain {
    /// Three seeds of four give a working chain; every fourth (3, 7, 11, …) gives a broken one,
    /// under which nearly every account fails.
    #[default]
    BySeed,
    Works,
    Broken,
}

/// How many accounts of each kind a generated world has. The rest are covered members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mix {
    /// Uncovered, with a chain of their own that is broken: for the control on AWS Organizations,
    /// and for most of these accounts for all the others.
    pub failing: usize,
    /// Not readable where it matters.
    pub unknown: usize,
    /// Suspended, or about to be closed.
    pub not_applicable: usize,
    /// Uncovered, with a good chain of their own.
    pub own_chain: usize,
    /// Uncovered, with a chain of their own in which one control is broken, not that on AWS
    /// Organizations.
    pub one_control: usize,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            accounts: 50,
            seed: 1,
            partition: Partition::default(),
            hostile_names: false,
            canary: None,
            organization_chain: OrganizationChain::BySeed,
            healthy: false,
            own_trails: None,
        }
    }
}

/// Management, log archive and security tooling, which every organization here has.
const CORE: usize = 3;

impl GenerateOptions {
    /// What the world of these options holds, for tests that compare a sweep with it.
    pub fn mix(&self) -> Mix {
        let accounts = self.accounts.max(1);
        let mut left = accounts.saturating_sub(CORE);
        let mut share = |per_mille: usize| {
            let wanted = (accounts * per_mille).div_ceil(1000).max(1);
            // Half of a tiny world stays covered, so that it shows that as well.
            let given = wanted.min(left.div_ceil(2));
            left -= given;
            given
        };
        let mix = if self.healthy {
            Mix {
                own_chain: share(20),
                ..Mix::default()
            }
        } else {
            Mix {
                failing: share(70),
                unknown: share(20),
                not_applicable: share(15),
                own_chain: share(20),
                one_control: share(10),
            }
        };
        match self.own_trails {
            Some(wanted) => Mix {
                own_chain: part_of(accounts, wanted).min(left + mix.own_chain),
                ..mix
            },
            None => mix,
        }
    }

    /// Whether the organization's own chain works in this world.
    pub fn organization_chain_works(&self) -> bool {
        match self.organization_chain {
            OrganizationChain::BySeed => self.healthy || self.seed % 4 != 3,
            OrganizationChain::Works => true,
            OrganizationChain::Broken => false,
        }
    }
}

impl World {
    /// Makes an organization from a seed: equal options, equal world.
    pub fn generate(options: &GenerateOptions) -> Self {
        Generator::new(options).world()
    }
}

struct Generator<'a> {
    options: &'a GenerateOptions,
    rng: ChaCha8Rng,
    namer: Namer,
    ids: HashSet<u64>,
}

impl<'a> Generator<'a> {
    fn new(options: &'a GenerateOptions) -> Self {
        Self {
            options,
            rng: ChaCha8Rng::seed_from_u64(options.seed),
            namer: Namer::default(),
            ids: HashSet::new(),
        }
    }

    fn world(mut self) -> World {
        let mut accounts = self.core();
        let others = self.options.accounts.max(1) - accounts.len();
        let mut members: Vec<Account> = (0..others).map(|_| self.member()).collect();

        // The members are all alike so far, so the first ones may take the special parts; the
        // shuffle afterwards spreads them over the organization.
        let mix = self.options.mix();
        // A mix never shares out more members than there are, so each cut is within.
        let (failing, rest) = members.split_at_mut(mix.failing);
        let (unknown, rest) = rest.split_at_mut(mix.unknown);
        let (retired, rest) = rest.split_at_mut(mix.not_applicable);
        let (own_chain, rest) = rest.split_at_mut(mix.own_chain);
        let (one_control, rest) = rest.split_at_mut(mix.one_control);
        self.fail(failing);
        self.hide(unknown);
        retire(retired);
        for account in own_chain {
            account.sees_organization_trail = false;
            self.own_chain(account);
        }
        self.break_one_control(one_control);
        let burdened = if self.options.healthy {
            0
        } else {
            rest.len() / 30
        };
        for account in &mut rest[..burdened] {
            self.own_chain(account);
            let way = self.rng.random_range(0..broken::WAYS);
            broken::break_chain(account, self.options.partition, way);
        }
        if self.options.hostile_names {
            self.vandalize(&mut members);
        }
        members.shuffle(&mut self.rng);
        accounts.append(&mut members);
        self.assemble(accounts)
    }

    fn assemble(&mut self, accounts: Vec<Account>) -> World {
        let mut accounts = accounts.into_iter();
        // `core` made at least the management account.
        let management = accounts
            .next()
            .unwrap_or_else(|| Account::new("000000000000", "empty"));
        let mut world = World::new(self.options.partition, management);
        for account in accounts {
            world.add(account);
        }
        if let Some(organization) = &mut world.organization {
            let id = format!("o-{}", self.letters(10));
            let management = organization.management_account.clone();
            *organization = Organization::new(id, management);
            for unit in names::UNITS {
                organization.add_unit(unit);
            }
        }
        if let Some(canary) = &self.options.canary {
            world.plant_canary(canary);
        }
        world
    }

    fn member(&mut self) -> Account {
        let (name, unit) = self.namer.next(&mut self.rng);
        self.account(name, unit)
    }

    fn account(&mut self, name: String, unit: &str) -> Account {
        let mut number = self.rng.random_range(1..1_000_000_000_000);
        while !self.ids.insert(number) {
            number = self.rng.random_range(1..1_000_000_000_000);
        }
        let mut account = Account::new(format!("{number:012}"), name);
        account.email = format!("aws+{}@example.com", account.name);
        unit.clone_into(&mut account.unit);
        let owner = names::TEAMS
            .choose(&mut self.rng)
            .copied()
            .unwrap_or_default();
        account.tags.insert("owner".to_owned(), owner.to_owned());
        let cost_center = self.rng.random_range(1000..10_000).to_string();
        account.tags.insert("cost-center".to_owned(), cost_center);
        account
    }

    /// Accounts with chains that are each broken in another way.
    fn fail(&mut self, accounts: &mut [Account]) {
        // Neighbouring ways break the same link. The stride has no factor in common with their
        // number, so a small world shows several links and a large one still shows all.
        const STRIDE: usize = 7;
        let first: usize = self.rng.random_range(0..broken::WAYS);
        for (number, account) in accounts.iter_mut().enumerate() {
            account.sees_organization_trail = false;
            self.own_chain(account);
            let way = first.wrapping_add(number.wrapping_mul(STRIDE));
            broken::break_chain(account, self.options.partition, way);
        }
    }

    /// Accounts with chains in which one control is broken, each another one in another way.
    fn break_one_control(&mut self, accounts: &mut [Account]) {
        // All but the last, which is the one on AWS Organizations.
        let controls = &BenchmarkControl::ALL[..BenchmarkControl::ALL.len() - 1];
        let first: usize = self.rng.random_range(0..controls.len());
        for (number, account) in accounts.iter_mut().enumerate() {
            account.sees_organization_trail = false;
            self.own_chain(account);
            let control = controls[(first + number) % controls.len()];
            let way = self.rng.random_range(0..broken::WAYS_OF_A_CONTROL);
            broken::break_control(account, control, way);
        }
    }

    /// Accounts of which something decisive cannot be read.
    fn hide(&mut self, accounts: &mut [Account]) {
        let first: usize = self.rng.random_range(0..4);
        for (number, account) in accounts.iter_mut().enumerate() {
            match (first + number) % 4 {
                // Nobody has rolled out the role.
                0 => account.roles.clear(),
                1 => {
                    account.sees_organization_trail = false;
                    self.own_chain(account);
                    account.deny = vec!["cloudwatch:Describe*".to_owned()];
                }
                2 => account.region_deny = vec!["*".to_owned()],
                _ => {
                    account.sees_organization_trail = false;
                    self.own_chain(account);
                    account.scp_deny = vec!["sns:List*".to_owned(), "sns:Get*".to_owned()];
                }
            }
        }
    }

    /// A complete chain in the account, in one of a few regions and by one of a few conventions.
    fn own_chain(&mut self, account: &mut Account) {
        let partition = self.options.partition;
        let region = if self.rng.random_bool(0.7) {
            partition.default_region()
        } else {
            partition
                .regions()
                .choose(&mut self.rng)
                .copied()
                .unwrap_or_default()
        };
        let names = names::conventions(self.rng.random_range(0..3));
        account.add_complete_chain(partition, region, &names);
        if self.rng.random_bool(0.3) {
            account.trails[0].selectors = Selectors::advanced(&[None]);
        }
        if self.rng.random_bool(0.2) {
            let filters = account
                .log_groups
                .iter_mut()
                .flat_map(|it| &mut it.metric_filters);
            for filter in filters {
                filter.default_value = Some(0.0);
            }
        }
    }

    /// Puts text where a careless program would run, break or misalign on it.
    fn vandalize(&mut self, accounts: &mut [Account]) {
        let mut texts = HOSTILE.iter().cycle();
        for account in accounts.iter_mut().filter(|_| self.rng.random_bool(0.15)) {
            let Some(text) = texts.next() else { return };
            account.name = format!("{text}{}", account.name);
            account
                .tags
                .insert("description".to_owned(), (*text).to_owned());
            for alarm in &mut account.alarms {
                alarm.name = format!("{text}{}", alarm.name);
                (*text).clone_into(&mut alarm.description);
            }
            for filter in account
                .log_groups
                .iter_mut()
                .flat_map(|it| &mut it.metric_filters)
            {
                // AWS forbids these two in the names of filters.
                filter.name = format!("{text}{}", filter.name).replace([':', '*'], "");
            }
        }
    }

    fn letters(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(self.rng.random_range(b'a'..=b'z')))
            .collect()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and organizations are small"
)]
fn part_of(accounts: usize, share: f64) -> usize {
    (accounts as f64 * share).round() as usize
}

fn retire(accounts: &mut [Account]) {
    for (number, account) in accounts.iter_mut().enumerate() {
        account.state = match number % 3 {
            0 => AccountState::Suspended,
            1 => AccountState::PendingClosure,
            _ => AccountState::Closed,
        };
        "Suspended".clone_into(&mut account.unit);
    }
}

#[cfg(test)]
mod tests;
