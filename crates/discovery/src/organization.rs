//! The organization and the accounts in scope.

use std::collections::BTreeSet;

use aws::{Api, Aws, CallError, Session};
use model::{Account, AccountId, AccountState, DiscoveryState, Gap, Organization, OuPath, Region};

use crate::{Selection, ou_tree::paths_by_walk};

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
    let organizations = Organizations {
        aws,
        session: aws.ambient_session(),
        region: aws.partition().default_region(),
    };
    let mut organization = match organizations.describe().await {
        Ok(organization) => organization,
        Err(error) if error.code.as_deref() == Some("AWSOrganizationsNotInUseException") => {
            let mut discovery = named_accounts(aws, selection)?;
            discovery.notices.insert(
                0,
                format!("account {} is not part of an organization", aws.caller()),
            );
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
    if failure.is_none() {
        let strangers: Vec<_> = selection
            .named_accounts()
            .filter(|id| !ids.contains(id))
            .collect();
        if !strangers.is_empty() {
            let accounts = strangers;
            return Err(DiscoverError::NotInOrganization {
                organization: organization.id,
                accounts,
            });
        }
    }
    accounts.sort_by_key(|account| account.id);
    if let Some(error) = &failure {
        notices.push(format!("the account list is incomplete: {error}"));
    }
    Ok(Discovery {
        organization: Some(organization),
        out_of_scope: total - accounts.len(),
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
        "the organization's accounts could not be listed, only {} looked at: {error}\n  help: run with \
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
        // Nobody said that it is suspended; whether it can be entered will show.
        .map(|id| Account {
            id,
            name: String::new(),
            state: AccountState::Active,
            ou_path: None,
        })
        .filter(|account| excluded.takes(account, &[]))
        .collect()
}

/// AWS Organizations, asked with the ambient credentials.
struct Organizations<'a> {
    aws: &'a Aws,
    session: Session,
    region: Region,
}

impl Organizations<'_> {
    async fn describe(&self) -> Result<Organization, CallError> {
        let client = &self.aws.clients().organizations;
        let answer = self
            .session
            .call(Api::DescribeOrganization, &self.region, None, |target| {
                client
                    .describe_organization()
                    .customize()
                    .config_override(target.organizations())
                    .send()
            })
            .await?;
        let described = answer.organization.and_then(|organization| {
            let management_account = organization.master_account_id?.parse().ok()?;
            Some(Organization {
                id: organization.id?,
                management_account,
                partition: self.aws.partition(),
                delegated_administrators: Ok(Vec::new()),
            })
        });
        described.ok_or_else(|| self.malformed(Api::DescribeOrganization))
    }

    /// The accounts of all pages up to the first that failed. A page may be empty and still not be
    /// the last: only a missing token ends the list (Organizations API Reference, ListAccounts).
    async fn accounts(&self) -> (Vec<Account>, Option<CallError>) {
        let client = &self.aws.clients().organizations;
        let mut accounts = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .session
                .call(Api::ListAccounts, &self.region, None, |target| {
                    let request = client
                        .list_accounts()
                        .max_results(20)
                        .set_next_token(token.clone());
                    request
                        .customize()
                        .config_override(target.organizations())
                        .send()
                })
                .await;
            let page = match page {
                Ok(page) => page,
                Err(error) => return (accounts, Some(error)),
            };
            for listed in page.accounts.unwrap_or_default() {
                match account(&listed) {
                    Some(account) => accounts.push(account),
                    None => return (accounts, Some(self.malformed(Api::ListAccounts))),
                }
            }
            token = page.next_token;
            if token.is_none() {
                return (accounts, None);
            }
        }
    }

    async fn delegated_administrators(&self) -> Result<Vec<AccountId>, Gap> {
        let client = &self.aws.clients().organizations;
        let mut ids = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .session
                .call(
                    Api::ListDelegatedAdministrators,
                    &self.region,
                    None,
                    |target| {
                        let request = client
                            .list_delegated_administrators()
                            .set_next_token(token.clone());
                        request
                            .customize()
                            .config_override(target.organizations())
                            .send()
                    },
                )
                .await?;
            let administrators = page.delegated_administrators.unwrap_or_default();
            ids.extend(
                administrators
                    .into_iter()
                    .filter_map(|one| one.id?.parse::<AccountId>().ok()),
            );
            token = page.next_token;
            if token.is_none() {
                ids.sort();
                return Ok(ids);
            }
        }
    }

    /// The accounts that the selection takes. One whose tags would decide and cannot be read is
    /// looked at all the same.
    async fn in_scope(
        &self,
        listed: Vec<Account>,
        selection: &Selection,
        notices: &mut Vec<String>,
    ) -> (Vec<Account>, Option<CallError>) {
        let mut accounts = Vec::new();
        let mut failure = None;
        for account in listed {
            let tags = if selection.needs_tags_of(&account) {
                self.tags(account.id).await
            } else {
                Ok(Vec::new())
            };
            let taken = match tags {
                Ok(tags) => selection.takes(&account, &tags),
                Err(error) => {
                    notices.push(format!(
                        "the tags of account {} could not be read; it is looked at all the same",
                        account.id
                    ));
                    failure.get_or_insert(error);
                    true
                }
            };
            if taken {
                accounts.push(account);
            }
        }
        (accounts, failure)
    }

    async fn tags(&self, account: AccountId) -> Result<Vec<(String, String)>, CallError> {
        let client = &self.aws.clients().organizations;
        let resource = account.to_string();
        let mut tags = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .session
                .call(
                    Api::ListTagsForResource,
                    &self.region,
                    Some(&resource),
                    |target| {
                        let request = client.list_tags_for_resource().resource_id(&resource);
                        let request = request.set_next_token(token.clone());
                        request
                            .customize()
                            .config_override(target.organizations())
                            .send()
                    },
                )
                .await?;
            tags.extend(
                page.tags
                    .unwrap_or_default()
                    .into_iter()
                    .map(|tag| (tag.key, tag.value)),
            );
            token = page.next_token;
            if token.is_none() {
                return Ok(tags);
            }
        }
    }

    fn malformed(&self, api: Api) -> CallError {
        self.session.malformed_answer(api, &self.region, None)
    }
}

/// An account as ListAccounts shows it. `State` replaces `Status`, which AWS is retiring.
fn account(listed: &aws_sdk_organizations::types::Account) -> Option<Account> {
    let state = (listed
        .state
        .as_ref()
        .map(aws_sdk_organizations::types::AccountState::as_str))
    .or(listed
        .status
        .as_ref()
        .map(aws_sdk_organizations::types::AccountStatus::as_str));
    Some(Account {
        id: listed.id.as_deref()?.parse().ok()?,
        name: listed.name.clone().unwrap_or_default(),
        state: state.map_or(AccountState::Unknown, AccountState::from_aws),
        ou_path: listed
            .paths
            .as_deref()
            .and_then(<[String]>::first)
            .map(|path| ou_path(path)),
    })
}

/// Reads `o-…/r-…/ou-…/111111111111/`.
fn ou_path(path: &str) -> OuPath {
    let is_place = |part: &&str| part.starts_with("r-") || part.starts_with("ou-");
    OuPath(
        path.split('/')
            .filter(is_place)
            .map(str::to_owned)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_organizations::types::{Account as Listed, AccountStatus};

    #[test]
    fn an_old_answer_without_state_and_paths_is_understood() {
        let listed = Listed::builder()
            .id("111111111111")
            .name("old")
            .status(AccountStatus::Suspended)
            .build();
        let account = account(&listed).unwrap();
        assert_eq!(account.state, AccountState::Suspended);
        assert_eq!(account.ou_path, None);
    }

    #[test]
    fn a_path_is_reduced_to_root_and_ous() {
        let path = ou_path("o-a1b2c3/r-ab12/ou-ab12-11111111/ou-ab12-22222222/111111111111/");
        assert_eq!(path.to_string(), "r-ab12/ou-ab12-11111111/ou-ab12-22222222");
        assert!(path.is_within("r-ab12") && !path.is_within("o-a1b2c3"));
    }

    #[test]
    fn an_account_without_a_readable_id_is_no_account() {
        assert_eq!(account(&Listed::builder().id("12").build()), None);
        assert_eq!(account(&Listed::builder().build()), None);
    }
}
