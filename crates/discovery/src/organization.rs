//! The organization and the accounts in scope, page after page.

use std::collections::{BTreeMap, BTreeSet};

use aws::{Aws, CallError};
use model::{Account, AccountId, AccountState, DiscoveryState, Organization, OuPath};

use crate::{
    Selection,
    organizations_api::{AccountsPage, Organizations},
    tag_reading::{ReadTags, TagReading},
};

/// Where the account list comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// AWS Organizations.
    Organization,
    /// The accounts named in the selection, or the account of the credentials.
    NamedAccounts,
}

/// A scope that cannot be swept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoverError {
    /// The organization was listed in full and does not have them.
    #[error(
        "not in organization {organization}: {}\n  help: check the ids, or give --no-organization to look at accounts outside of it",
        join(.accounts)
    )]
    NotInOrganization {
        /// The organization.
        organization: String,
        /// The accounts that were asked for.
        accounts: Vec<AccountId>,
    },
    /// Without Organizations nothing but an account id can be selected by.
    #[error("`{0}` cannot be selected by without AWS Organizations: only account ids can")]
    NeedsOrganization(String),
}

fn join(accounts: &[AccountId]) -> String {
    accounts
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The accounts in scope, as they arrive.
///
/// Failed calls are part of the answer, not an error: what could be read is used, and the rest is
/// said at the end.
pub struct Listing {
    organization: Option<Organization>,
    selection: Selection,
    /// What was read and not taken yet.
    ready: Vec<Account>,
    /// The list that is still being read; `None` where there is no more to read.
    reading: Option<Reading>,
    /// Every account of the list, in scope or not; `None` where Organizations gave no list.
    members: Option<BTreeSet<AccountId>>,
    /// Accounts that were named and did not show yet.
    missing: BTreeSet<AccountId>,
    /// Where accounts hang, walked once if the list does not say so.
    walked: Option<BTreeMap<AccountId, OuPath>>,
    /// The first thing that could not be read.
    failure: Option<CallError>,
    is_asked: bool,
    tags: TagReading,
    notices: Vec<String>,
}

struct Reading {
    organizations: Organizations,
    next: Option<String>,
}

/// What is known once every page was asked for.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// Whether the list is the whole one.
    pub state: DiscoveryState,
    /// Every account of the organization, in scope or not; `None` where the list is not the whole
    /// one.
    pub members: Option<BTreeSet<AccountId>>,
    /// What could not be known and what follows from it, in sentences.
    pub notices: Vec<String>,
}

impl Listing {
    /// Asks for the organization and for its first accounts.
    ///
    /// Reads on until nothing in the selection can turn out to be wrong: accounts that are named by
    /// id must have shown. What it reads by then is in scope, so it is no more than was named.
    pub async fn open(
        aws: &Aws,
        source: Source,
        selection: &Selection,
        tags: ReadTags,
    ) -> Result<Self, DiscoverError> {
        if source == Source::NamedAccounts {
            return named_accounts(aws, selection);
        }
        let organizations = Organizations::new(aws);
        let organization = match organizations.describe().await {
            Ok(organization) => organization,
            Err(error) if error.code.as_deref() == Some("AWSOrganizationsNotInUseException") => {
                let mut listing = named_accounts(aws, selection)?;
                listing.notices = vec![format!(
                    "account {} is not part of an organization",
                    aws.caller()
                )];
                return Ok(listing);
            }
            Err(error) => return Ok(without_list(aws, selection, None, error)),
        };
        let mut listing = Self {
            organization: Some(organization),
            missing: selection.named_accounts().collect(),
            reading: Some(Reading {
                organizations,
                next: None,
            }),
            members: Some(BTreeSet::new()),
            tags: TagReading::of(tags),
            ..Self::of(selection, Vec::new())
        };
        while listing.is_empty() || !listing.missing.is_empty() {
            if !listing.read_page().await {
                break;
            }
        }
        if listing.is_empty()
            && let Some(error) = listing.failure
        {
            return Ok(without_list(aws, selection, listing.organization, error));
        }
        if let Some(organization) = &mut listing.organization {
            let organizations = Organizations::new(aws);
            organization.delegated_administrators = organizations.delegated_administrators().await;
        }
        let missing = std::mem::take(&mut listing.missing);
        if !missing.is_empty() {
            if listing.failure.is_none() {
                return Err(DiscoverError::NotInOrganization {
                    organization: listing.organization.map(|it| it.id).unwrap_or_default(),
                    accounts: missing.into_iter().collect(),
                });
            }
            // What was named but stands on a page that was not read is looked at all the same.
            listing
                .ready
                .extend(missing.into_iter().map(account_by_hand));
        }
        Ok(listing)
    }

    fn of(selection: &Selection, ready: Vec<Account>) -> Self {
        Self {
            organization: None,
            selection: selection.clone(),
            ready,
            reading: None,
            members: None,
            missing: BTreeSet::new(),
            walked: None,
            failure: None,
            is_asked: true,
            tags: TagReading::of(ReadTags::WhereTheyDecide),
            notices: Vec::new(),
        }
    }

    /// The organization, where one could be described.
    pub fn organization(&self) -> Option<&Organization> {
        self.organization.as_ref()
    }

    /// Whether AWS Organizations gives the accounts; otherwise they were named by hand.
    pub fn is_of_organization(&self) -> bool {
        self.members.is_some()
    }

    /// The next accounts in scope; `None` after the last ones.
    ///
    /// Where only accounts that are named by id are wanted, the list is not read further than to the last
    /// of them, which has shown by now: whoever looks at one account again need not list ten thousand.
    pub async fn next(&mut self) -> Option<Vec<Account>> {
        while self.ready.is_empty() {
            if self.selection.is_of_named_accounts_only() {
                self.is_asked &= self.reading.is_none();
                return None;
            }
            if !self.read_page().await {
                return None;
            }
        }
        Some(std::mem::take(&mut self.ready))
    }

    /// What the list came to; what was not asked for by then counts as read.
    pub fn finish(mut self) -> Discovery {
        if let (Some(error), true) = (&self.failure, self.members.is_some()) {
            self.notices
                .push(format!("the account list is incomplete: {error}"));
        }
        self.notices.extend(self.tags.notice());
        let state = match self.failure {
            Some(error) => DiscoveryState::Incomplete { gap: error.into() },
            None if self.is_asked => DiscoveryState::Complete,
            None => DiscoveryState::NotAsked,
        };
        Discovery {
            members: self.members.filter(|_| state == DiscoveryState::Complete),
            state,
            notices: self.notices,
        }
    }

    fn is_empty(&self) -> bool {
        self.members.as_ref().is_none_or(BTreeSet::is_empty)
    }

    /// Reads one page and keeps what is in scope. Whether there is another one.
    async fn read_page(&mut self) -> bool {
        let Some(reading) = &mut self.reading else {
            return false;
        };
        match reading.organizations.accounts(reading.next.take()).await {
            Ok(AccountsPage { accounts, next }) => {
                reading.next = next;
                let is_last = reading.next.is_none();
                self.take_in_scope(accounts).await;
                if is_last {
                    self.reading = None;
                }
            }
            Err(error) => {
                self.failure.get_or_insert(error);
                self.reading = None;
            }
        }
        true
    }

    async fn take_in_scope(&mut self, mut accounts: Vec<Account>) {
        // A list that changes while it is read may show an account twice.
        let members = self.members.get_or_insert_default();
        accounts.retain(|account| members.insert(account.id));
        let Some(Reading { organizations, .. }) = &self.reading else {
            return;
        };
        let lacks_paths = accounts.iter().any(|account| account.ou_path.is_none());
        if lacks_paths && self.selection.asks_about_ous() {
            if self.walked.is_none() {
                let paths = organizations.paths().await.unwrap_or_else(|error| {
                    self.notices.push(
                        "the OU tree could not be read, so accounts of the chosen OUs are missing"
                            .to_owned(),
                    );
                    self.failure.get_or_insert(error);
                    BTreeMap::new()
                });
                self.walked = Some(paths);
            }
            for account in &mut accounts {
                let walked = self.walked.as_mut();
                let walked = walked.and_then(|paths| paths.remove(&account.id));
                account.ou_path = account.ou_path.take().or(walked);
            }
        }
        for account in &accounts {
            self.missing.remove(&account.id);
        }
        let (taken, unread) = organizations
            .in_scope(accounts, &self.selection, &mut self.tags, &mut self.notices)
            .await;
        if let Some(error) = unread {
            self.failure.get_or_insert(error);
        }
        self.ready.extend(taken);
    }
}

/// The accounts that the selection names, or the one of the credentials.
fn named_accounts(aws: &Aws, selection: &Selection) -> Result<Listing, DiscoverError> {
    use crate::Selector::Account as ById;
    if let Some(other) = selection
        .include
        .iter()
        .chain(&selection.exclude)
        .chain(&selection.only)
        .find(|s| !matches!(s, ById(_)))
    {
        return Err(DiscoverError::NeedsOrganization(other.to_string()));
    }
    let notice = "AWS Organizations was not asked: names, OUs and states of accounts, and which account \
                  manages the organization, are not known";
    Ok(Listing {
        is_asked: false,
        notices: vec![notice.to_owned()],
        ..Listing::of(selection, by_hand(aws, selection))
    })
}

/// What can be looked at when Organizations does not list accounts.
fn without_list(
    aws: &Aws,
    selection: &Selection,
    organization: Option<Organization>,
    error: CallError,
) -> Listing {
    let accounts = by_hand(aws, selection);
    let notice = format!(
        "the organization's accounts could not be listed, only {} looked at: {error}; run with \
         credentials of the management account or of a delegated administrator, or give \
         --no-organization --account ID",
        if accounts.len() == 1 {
            "one account is"
        } else {
            "the accounts given by hand are"
        },
    );
    Listing {
        organization,
        failure: Some(error),
        notices: vec![notice],
        ..Listing::of(selection, accounts)
    }
}

fn by_hand(aws: &Aws, selection: &Selection) -> Vec<Account> {
    let mut ids: Vec<AccountId> = selection.named_accounts().collect();
    if ids.is_empty() {
        ids.push(aws.caller());
    }
    ids.sort();
    ids.dedup();
    let excluded = Selection {
        include: Vec::new(),
        ..selection.clone()
    };
    ids.into_iter()
        .map(account_by_hand)
        .filter(|account| excluded.takes(account))
        .collect()
}

/// Nobody said that it is suspended; whether it can be entered will show.
fn account_by_hand(id: AccountId) -> Account {
    Account {
        id,
        name: String::new(),
        state: AccountState::Active,
        ou_path: None,
        tags: None,
    }
}
