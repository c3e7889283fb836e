//! AWS Organizations: what it answers, as our types.

use std::collections::BTreeMap;

use aws::{Api, Aws, CallError, Session, Target};
use model::{Account, AccountId, AccountState, Gap, Organization, OuPath, Region, Tags};

use crate::{Selection, ou_tree::paths_by_walk, tag_reading::TagReading};

/// AWS Organizations, asked with the ambient credentials.
pub(crate) struct Organizations {
    aws: Aws,
    session: Session,
    region: Region,
}

/// Some of the organization's accounts, and how to ask for the next ones.
pub(crate) struct AccountsPage {
    pub(crate) accounts: Vec<Account>,
    /// `None` after the last page.
    pub(crate) next: Option<String>,
}

impl Organizations {
    pub(crate) fn new(aws: &Aws) -> Self {
        Self {
            aws: aws.clone(),
            session: aws.ambient_session(),
            region: aws.partition().default_region(),
        }
    }

    pub(crate) async fn describe(&self) -> Result<Organization, CallError> {
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

    /// The page of accounts that `token` names; the first one without.
    ///
    /// A page may be empty and still not be the last.
    pub(crate) async fn accounts(&self, token: Option<String>) -> Result<AccountsPage, CallError> {
        let client = &self.aws.clients().organizations;
        let page = self
            .session
            .call(Api::ListAccounts, &self.region, None, |target: Target| {
                client
                    .list_accounts()
                    .max_results(20)
                    .set_next_token(token.clone())
                    .customize()
                    .config_override(target.organizations())
                    .send()
            })
            .await?;
        let next = page.next_token.filter(|next| !next.is_empty());
        // The same page over and over would never end.
        if next.is_some() && next == token {
            return Err(self.malformed(Api::ListAccounts));
        }
        let accounts = page.accounts.unwrap_or_default();
        let accounts = accounts.iter().map(account).collect::<Option<_>>();
        Ok(AccountsPage {
            accounts: accounts.ok_or_else(|| self.malformed(Api::ListAccounts))?,
            next,
        })
    }

    /// Where every account hangs, for answers that do not say so.
    pub(crate) async fn paths(&self) -> Result<BTreeMap<AccountId, OuPath>, CallError> {
        let client = &self.aws.clients().organizations;
        paths_by_walk(client, &self.session, &self.region).await
    }

    pub(crate) async fn delegated_administrators(&self) -> Result<Vec<AccountId>, Gap> {
        let client = &self.aws.clients().organizations;
        let mut ids = Vec::new();
        let send = |target: Target, token| {
            let request = client.list_delegated_administrators().set_next_token(token);
            request
                .customize()
                .config_override(target.organizations())
                .send()
        };
        self.session
            .pages(
                Api::ListDelegatedAdministrators,
                &self.region,
                None,
                send,
                |page| {
                    let administrators = page
                        .delegated_administrators
                        .unwrap_or_default()
                        .into_iter();
                    ids.extend(administrators.filter_map(|one| one.id?.parse::<AccountId>().ok()));
                    Ok(page.next_token)
                },
            )
            .await?;
        ids.sort();
        Ok(ids)
    }

    /// The accounts that the selection takes, with the tags that were read. One whose tags would decide and
    /// cannot be read is looked at all the same.
    pub(crate) async fn in_scope(
        &self,
        listed: Vec<Account>,
        selection: &Selection,
        reading: &mut TagReading,
        notices: &mut Vec<String>,
    ) -> (Vec<Account>, Option<CallError>) {
        let mut accounts = Vec::new();
        let mut failure = None;
        for mut account in listed {
            let decide = selection.needs_tags_of(&account);
            if decide {
                match self.tags(account.id).await {
                    Ok(tags) => account.tags = Some(tags),
                    Err(error) => {
                        notices.push(format!(
                            "the tags of account {} could not be read; it is looked at all the same",
                            account.id
                        ));
                        failure.get_or_insert(error);
                        accounts.push(account);
                        continue;
                    }
                }
            }
            if !selection.takes(&account) {
                continue;
            }
            if !decide && reading.is_wanted() {
                match self.tags(account.id).await {
                    Ok(tags) => account.tags = Some(tags),
                    Err(error) => reading.failed(account.id, error),
                }
            }
            accounts.push(account);
        }
        (accounts, failure)
    }

    async fn tags(&self, account: AccountId) -> Result<Tags, CallError> {
        let client = &self.aws.clients().organizations;
        let resource = account.to_string();
        let mut tags = Tags::new();
        let send = |target: Target, token| {
            let request = client.list_tags_for_resource().resource_id(&resource);
            request
                .set_next_token(token)
                .customize()
                .config_override(target.organizations())
                .send()
        };
        self.session
            .pages(
                Api::ListTagsForResource,
                &self.region,
                Some(&resource),
                send,
                |page| {
                    tags.extend(
                        page.tags
                            .unwrap_or_default()
                            .into_iter()
                            .map(|tag| (tag.key, tag.value)),
                    );
                    Ok(page.next_token)
                },
            )
            .await?;
        Ok(tags)
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
        tags: None,
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
