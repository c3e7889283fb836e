//! The OU tree, walked from the root: for answers that carry no `Paths`.

use std::collections::{BTreeMap, VecDeque};

use aws::{Api, CallError, Session, Target};
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
    let send = |target: Target, token| {
        let request = client.list_roots().set_next_token(token);
        request
            .customize()
            .config_override(target.organizations())
            .send()
    };
    session
        .pages(Api::ListRoots, region, None, send, |page| {
            ids.extend(
                page.roots
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|root| root.id),
            );
            Ok(page.next_token)
        })
        .await?;
    Ok(ids)
}

async fn children_of(
    client: &Client,
    session: &Session,
    region: &Region,
    parent: &str,
) -> Result<Vec<String>, CallError> {
    let mut ids = Vec::new();
    let send = |target: Target, token| {
        let request = client
            .list_organizational_units_for_parent()
            .parent_id(parent);
        request
            .set_next_token(token)
            .customize()
            .config_override(target.organizations())
            .send()
    };
    session
        .pages(
            Api::ListOrganizationalUnitsForParent,
            region,
            Some(parent),
            send,
            |page| {
                let units = page.organizational_units.unwrap_or_default();
                ids.extend(units.into_iter().filter_map(|unit| unit.id));
                Ok(page.next_token)
            },
        )
        .await?;
    Ok(ids)
}

async fn accounts_of(
    client: &Client,
    session: &Session,
    region: &Region,
    parent: &str,
) -> Result<Vec<AccountId>, CallError> {
    let mut ids = Vec::new();
    let send = |target: Target, token| {
        let request = client.list_accounts_for_parent().parent_id(parent);
        request
            .set_next_token(token)
            .customize()
            .config_override(target.organizations())
            .send()
    };
    session
        .pages(
            Api::ListAccountsForParent,
            region,
            Some(parent),
            send,
            |page| {
                let accounts = page.accounts.unwrap_or_default().into_iter();
                ids.extend(accounts.filter_map(|account| account.id?.parse::<AccountId>().ok()));
                Ok(page.next_token)
            },
        )
        .await?;
    Ok(ids)
}
