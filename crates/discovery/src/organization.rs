//! The organization and the accounts in scope.

use std::collections::BTreeSet;

use aws::{Aws, CallError};
use model::{Account, AccountId, AccountState, DiscoveryState, Organization};

use crate::{Selection, organizations_api::Organizations, ou_tree::paths_by_walk};

/// Where the account list comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// AWS Organizations.
    Organization,
    /// The accounts named in the selection, or the account of the credentials.
    NamedAccounts,
}

/// What exists and is in scope.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// The organization, where one could be described.
    pub organization: Option<Organization>,
    /// The accounts in scope, sorted by id.
    pub accounts: Vec<Account>,
    /// How many accounts the selection left out.
    pub out_of_scope: usize,
    /// Whether the list is the whole one.
    pub state: DiscoveryState,
    /// What could not be known and what follows from it, in sentences.
    pub notices: Vec<String>,
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

/// Finds the accounts in scope.
///
/// Failed calls are part of the answer, not an error: what could be read is used, and the rest is
/// said.
pub async fn discover(
    aws: &Aws,
    source: Source,
    selection: &Selection,
) -> Result<Discovery, DiscoverError> {
    if source == Source::NamedAccounts {
        return named_accounts(aws, selection);
    }
    let organizations = Organizations::new(aws);
    let mut organization = match organizations.describe().await {
        Ok(organization) => organization,
        Err(error) if error.code.as_deref() == Some("AWSOrganizationsNotInUseException") => {
            let mut discovery = named_accounts(aws, selection)?;
            discovery.notices = vec![format!(
                "account {} is not part of an organization",
                aws.caller()
            )];
            return Ok(discovery);
        }
        Err(error) => return Ok(without_list(aws, selection, None, error)),
    };
    let (mut listed, mut failure) = organizations.accounts().await;
    if listed.is_empty()
        && let Some(error) = failure
    {
        return Ok(without_list(aws, selection, Some(organization), error));
    }
    organization.delegated_administrators = organizations.delegated_administrators().await;

    let mut notices = Vec::new();
    let lacks_paths = listed.iter().any(|account| account.ou_path.is_none());
    if lacks_paths && selection.asks_about_ous() {
        match paths_by_walk(
            &aws.clients().organizations,
            &organizations.session,
            &organizations.region,
        )
        .await
        {
            Ok(mut paths) => {
                for account in &mut listed {
                    account.ou_path = account.ou_path.take().or_else(|| paths.remove(&account.id));
                }
            }
            Err(error) => {
                notices.push(
                    "the OU tree could not be read, so accounts of the chosen OUs are missing"
                        .to_owned(),
                );
                failure = failure.or(Some(error));
            }
        }
    }
    let total = listed.len();
    let ids: BTreeSet<AccountId> = listed.iter().map(|account| account.id).collect();
    let (mut accounts, unread) = organizations
        .in_scope(listed, selection, &mut notices)
        .await;
    failure = failure.or(unread);
    let strangers: Vec<_> = selection
        .named_accounts()
        .filter(|id| !ids.contains(id))
        .collect();
    if failure.is_none() && !strangers.is_empty() {
        let organization = organization.id;
        return Err(DiscoverError::NotInOrganization {
            organization,
            accounts: strangers,
        });
    }
    // What was named but stands on a page that was not read is looked at all the same.
    accounts.extend(strangers.into_iter().map(account_by_hand));
    accounts.sort_by_key(|account| account.id);
    if let Some(error) = &failure {
        notices.push(format!("the account list is incomplete: {error}"));
    }
    Ok(Discovery {
        organization: Some(organization),
        out_of_scope: total.saturating_sub(accounts.len()),
        accounts,
        state: failure.map_or(DiscoveryState::Complete, |error| {
            DiscoveryState::Incomplete { gap: error.into() }
        }),
        notices,
    })
}

/// The accounts that the selection names, or the one of the credentials.
fn named_accounts(aws: &Aws, selection: &Selection) -> Result<Discovery, DiscoverError> {
    use crate::Selector::Account as ById;
    if let Some(other) = selection
        .include
        .iter()
        .chain(&selection.exclude)
        .find(|s| !matches!(s, ById(_)))
    {
        return Err(DiscoverError::NeedsOrganization(other.to_string()));
    }
    let notice = "AWS Organizations was not asked: names, OUs and states of accounts, and which account \
                  manages the organization, are not known";
    Ok(Discovery {
        organization: None,
        accounts: by_hand(aws, selection),
        out_of_scope: 0,
        state: DiscoveryState::NotAsked,
        notices: vec![notice.to_owned()],
    })
}

/// What can be looked at when Organizations does not list accounts.
fn without_list(
    aws: &Aws,
    selection: &Selection,
    organization: Option<Organization>,
    error: CallError,
) -> Discovery {
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
    Discovery {
        organization,
        accounts,
        out_of_scope: 0,
        state: DiscoveryState::Incomplete { gap: error.into() },
        notices: vec![notice],
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
        exclude: selection.exclude.clone(),
    };
    ids.into_iter()
        .map(account_by_hand)
        .filter(|account| excluded.takes(account, &[]))
        .collect()
}

/// Nobody said that it is suspended; whether it can be entered will show.
fn account_by_hand(id: AccountId) -> Account {
    Account {
        id,
        name: String::new(),
        state: AccountState::Active,
        ou_path: None,
    }
}
