//! AWS Organizations: what it answers, as our types.

use aws::{Api, Aws, CallError, Malformed, Session, Target};
use model::{Account, AccountId, AccountState, Gap, Organization, OuPath, Region};

use crate::Selection;

/// AWS Organizations, asked with the ambient credentials.
pub(crate) struct Organizations<'a> {
    aws: &'a Aws,
    pub(crate) session: Session,
    pub(crate) region: Region,
}

impl<'a> Organizations<'a> {
    pub(crate) fn new(aws: &'a Aws) -> Self {
        let region = aws.partition().default_region();
        Self {
            aws,
            session: aws.ambient_session(),
            region,
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

    /// The accounts of all pages up to the first that failed.
    pub(crate) async fn accounts(&self) -> (Vec<Account>, Option<CallError>) {
        let client = &self.aws.clients().organizations;
        let mut accounts = Vec::new();
        let send = |target: Target, token| {
            let request = client.list_accounts().max_results(20).set_next_token(token);
            request
                .customize()
                .config_override(target.organizations())
                .send()
        };
        let read = self
            .session
            .pages(Api::ListAccounts, &self.region, None, send, |page| {
                for listed in page.accounts.unwrap_or_default() {
                    accounts.push(account(&listed).ok_or(Malformed)?);
                }
                Ok(page.next_token)
            });
        let failure = read.await.err();
        (accounts, failure)
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

    /// The accounts that the selection takes. One whose tags would decide and cannot be read is
    /// looked at all the same.
    pub(crate) async fn in_scope(
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
