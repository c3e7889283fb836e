//! The OU tree, walked from the root: for answers that carry no `Paths`.

use std::collections::{BTreeMap, VecDeque};

use aws::{Api, CallError, Session};
use aws_sdk_organizations::Client;
use model::{AccountId, OuPath, Region};

/// The path of every account, by one walk over the tree.
pub(crate) async fn paths_by_walk(
    client: &Client,
    session: &Session,
    region: &Region,
) -> Result<BTreeMap<AccountId, OuPath>, CallError> {
    let mut paths = BTreeMap::new();
    let mut open: VecDeque<Vec<String>> = roots(client, session, region)
        .await?
        .into_iter()
        .map(|root| vec![root])
        .collect();
    while let Some(path) = open.pop_front() {
        let Some(parent) = path.last() else { continue };
        for account in accounts_of(client, session, region, parent).await? {
            paths.insert(account, OuPath(path.clone()));
        }
        for child in children_of(client, session, region, parent).await? {
            // An OU is at most five levels below the root (Organizations quotas): a deeper path
            // would be a loop.
            if path.len() <= 6 {
                open.push_back(path.iter().cloned().chain([child]).collect());
            }
        }
    }
    Ok(paths)
}

async fn roots(
    client: &Client,
    session: &Session,
    region: &Region,
) -> Result<Vec<String>, CallError> {
    let mut ids = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let page = session
            .call(Api::ListRoots, region, None, |target| {
                let request = client.list_roots().set_next_token(token.clone());
                request
                    .customize()
                    .config_override(target.organizations())
                    .send()
            })
            .await?;
        ids.extend(
            page.roots
                .unwrap_or_default()
                .into_iter()
                .filter_map(|root| root.id),
        );
        token = page.next_token;
        if token.is_none() {
            return Ok(ids);
        }
    }
}

async fn children_of(
    client: &Client,
    session: &Session,
    region: &Region,
    parent: &str,
) -> Result<Vec<String>, CallError> {
    let mut ids = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let page = session
            .call(
                Api::ListOrganizationalUnitsForParent,
                region,
                Some(parent),
                |target| {
                    let request = client
                        .list_organizational_units_for_parent()
                        .parent_id(parent);
                    let request = request.set_next_token(token.clone());
                    request
                        .customize()
                        .config_override(target.organizations())
                        .send()
                },
            )
            .await?;
        ids.extend(
            page.organizational_units
                .unwrap_or_default()
                .into_iter()
                .filter_map(|ou| ou.id),
        );
        token = page.next_token;
        if token.is_none() {
            return Ok(ids);
        }
    }
}

async fn accounts_of(
    client: &Client,
    session: &Session,
    region: &Region,
    parent: &str,
) -> Result<Vec<AccountId>, CallError> {
    let mut ids = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let page = session
            .call(Api::ListAccountsForParent, region, Some(parent), |target| {
                let request = client.list_accounts_for_parent().parent_id(parent);
                let request = request.set_next_token(token.clone());
                request
                    .customize()
                    .config_override(target.organizations())
                    .send()
            })
            .await?;
        let accounts = page
            .accounts
            .unwrap_or_default()
            .into_iter()
            .filter_map(|account| account.id);
        ids.extend(accounts.filter_map(|id| id.parse::<AccountId>().ok()));
        token = page.next_token;
        if token.is_none() {
            return Ok(ids);
        }
    }
}
