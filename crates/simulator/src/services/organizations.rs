//! Organizations: accounts, units and who administers what.

use super::Call;
use crate::api_error::ApiError;
use crate::service::Service;
use crate::value::{Fields, Value};
use crate::world::{Account, Organization, OrganizationalUnit};

/// The most that any list of Organizations holds.
const PAGE: usize = 20;
const LARGEST_PAGE: i64 = 20;

pub(super) fn answer(operation: &str, call: &Call<'_>) -> Result<Fields, ApiError> {
    let known: fn(&Call<'_>, &Organization) -> Result<Fields, ApiError> = match operation {
        "DescribeOrganization" => {
            |call, organization| Ok(describe_organization(call, organization))
        }
        "DescribeAccount" => describe_account,
        "ListAccounts" => list_accounts,
        "ListAccountsForParent" => list_accounts_for_parent,
        "ListDelegatedAdministrators" => list_delegated_administrators,
        "ListOrganizationalUnitsForParent" => list_units,
        "ListParents" => list_parents,
        "ListRoots" => list_roots,
        "ListTagsForResource" => list_tags,
        other => return Err(Service::Organizations.unknown_operation(other)),
    };
    call.authorize(&format!("organizations:{operation}"), None)?;
    let organization = call
        .world
        .organization
        .as_ref()
        .filter(|_| call.account.is_member)
        .ok_or_else(|| {
            ApiError::new(
                400,
                "AWSOrganizationsNotInUseException",
                "Your account is not a member of an organization.",
            )
        })?;
    let is_administrator = call.account.id == organization.management_account
        || !call.account.delegated_services.is_empty();
    if operation != "DescribeOrganization" && !is_administrator {
        return Err(Service::Organizations
            .access_denied("You don't have permissions to access this resource.".to_owned()));
    }
    known(call, organization)
}

fn describe_organization(call: &Call<'_>, organization: &Organization) -> Fields {
    let management = &organization.management_account;
    let email = call.world.account(management).map(|account| &account.email);
    Fields::new().with(
        "Organization",
        Fields::new()
            .with("Id", &organization.id)
            .with(
                "Arn",
                arn(
                    call,
                    organization,
                    &format!("organization/{}", organization.id),
                ),
            )
            .with("FeatureSet", &organization.feature_set)
            .with(
                "MasterAccountArn",
                account_arn(call, organization, management),
            )
            .with("MasterAccountId", management)
            .maybe("MasterAccountEmail", email)
            .with("AvailablePolicyTypes", Vec::new()),
    )
}

fn describe_account(call: &Call<'_>, organization: &Organization) -> Result<Fields, ApiError> {
    let id = call.params.required("AccountId")?;
    let account = call
        .world
        .account(id)
        .filter(|account| account.is_member)
        .ok_or_else(|| {
            ApiError::new(
                400,
                "AccountNotFoundException",
                "You specified an account that doesn't exist.",
            )
        })?;
    Ok(Fields::new().with("Account", account_fields(call, organization, account)))
}

fn list_accounts(call: &Call<'_>, organization: &Organization) -> Result<Fields, ApiError> {
    let (accounts, members) = (call.world.accounts(), call.world.members());
    pages(call, "Accounts", members.len(), |position| {
        account_fields(call, organization, &accounts[members[position]])
    })
}

fn list_accounts_for_parent(
    call: &Call<'_>,
    organization: &Organization,
) -> Result<Fields, ApiError> {
    let unit_path = parent_path(call, organization)?;
    let children: Vec<&Account> = call
        .world
        .accounts()
        .iter()
        .filter(|account| account.is_member && account.unit == unit_path)
        .collect();
    pages(call, "Accounts", children.len(), |position| {
        account_fields(call, organization, children[position])
    })
}

fn list_units(call: &Call<'_>, organization: &Organization) -> Result<Fields, ApiError> {
    parent_path(call, organization)?;
    let parent = call.params.required("ParentId")?;
    let units: Vec<&OrganizationalUnit> = organization
        .units()
        .iter()
        .filter(|unit| unit.parent_id == parent)
        .collect();
    pages(call, "OrganizationalUnits", units.len(), |position| {
        let unit = units[position];
        let resource = format!("ou/{}/{}", organization.id, unit.id);
        Fields::new()
            .with("Id", &unit.id)
            .with("Arn", arn(call, organization, &resource))
            .with("Name", &unit.name)
            .only_if(
                call.world.quirks.account_paths,
                "Path",
                organization.id_path(&unit.path),
            )
    })
}

fn list_parents(call: &Call<'_>, organization: &Organization) -> Result<Fields, ApiError> {
    let child = call.params.required("ChildId")?;
    let parent = if child.starts_with("ou-") {
        organization.unit(child).map(|unit| unit.parent_id.as_str())
    } else {
        call.world
            .account(child)
            .filter(|account| account.is_member)
            .map(|account| organization.parent_of(account))
    };
    let parent = parent.ok_or_else(|| {
        ApiError::new(
            400,
            "ChildNotFoundException",
            "You specified an organizational unit or account that doesn't exist.",
        )
    })?;
    let kind = if parent == organization.root_id {
        "ROOT"
    } else {
        "ORGANIZATIONAL_UNIT"
    };
    pages(call, "Parents", 1, |_| {
        Fields::new()
            .with("Id", parent.to_owned())
            .with("Type", kind)
    })
}

fn list_roots(call: &Call<'_>, organization: &Organization) -> Result<Fields, ApiError> {
    pages(call, "Roots", 1, |_| {
        let resource = format!("root/{}/{}", organization.id, organization.root_id);
        Fields::new()
            .with("Id", &organization.root_id)
            .with("Arn", arn(call, organization, &resource))
            .with("Name", "Root")
            .with("PolicyTypes", Vec::new())
    })
}

fn list_tags(call: &Call<'_>, organization: &Organization) -> Result<Fields, ApiError> {
    let id = call.params.required("ResourceId")?;
    let account = call.world.account(id).filter(|account| account.is_member);
    if account.is_none() && organization.unit(id).is_none() && id != organization.root_id {
        return Err(ApiError::new(
            400,
            "TargetNotFoundException",
            "You specified a target that doesn't exist.",
        ));
    }
    let tags: Vec<(&String, &String)> = account
        .map(|account| account.tags.iter().collect())
        .unwrap_or_default();
    pages(call, "Tags", tags.len(), |position| {
        let (key, value) = tags[position];
        Fields::new().with("Key", key).with("Value", value)
    })
}

fn list_delegated_administrators(
    call: &Call<'_>,
    organization: &Organization,
) -> Result<Fields, ApiError> {
    let service = call.params.text("ServicePrincipal")?;
    let administers = |account: &&Account| match service {
        Some(service) => account.delegated_services.iter().any(|it| it == service),
        None => !account.delegated_services.is_empty(),
    };
    let administrators: Vec<&Account> = call.world.accounts().iter().filter(administers).collect();
    pages(
        call,
        "DelegatedAdministrators",
        administrators.len(),
        |position| {
            let account = administrators[position];
            described(call, organization, account)
                .with("DelegationEnabledDate", account.made_at("delegation"))
        },
    )
}

/// The path of names of the unit that `ParentId` means, empty for the root.
fn parent_path<'a>(call: &Call<'_>, organization: &'a Organization) -> Result<&'a str, ApiError> {
    let parent = call.params.required("ParentId")?;
    if parent == organization.root_id {
        return Ok("");
    }
    organization
        .unit(parent)
        .map(|unit| unit.path.as_str())
        .ok_or_else(|| {
            ApiError::new(
                400,
                "ParentNotFoundException",
                "You specified a root or organizational unit that doesn't exist.",
            )
        })
}

fn account_fields(call: &Call<'_>, organization: &Organization, account: &Account) -> Fields {
    let path = format!("{}{}/", organization.id_path(&account.unit), account.id);
    described(call, organization, account).only_if(
        call.world.quirks.account_paths,
        "Paths",
        vec![Value::from(path)],
    )
}

fn described(call: &Call<'_>, organization: &Organization, account: &Account) -> Fields {
    let quirks = &call.world.quirks;
    let is_management = account.id == organization.management_account;
    Fields::new()
        .with("Id", &account.id)
        .with("Arn", account_arn(call, organization, &account.id))
        .with("Email", &account.email)
        .with("Name", &account.name)
        .only_if(quirks.account_status, "Status", account.state.old_name())
        .only_if(quirks.account_state, "State", account.state.name())
        .with(
            "JoinedMethod",
            if is_management { "INVITED" } else { "CREATED" },
        )
        .with("JoinedTimestamp", account.made_at("joined"))
}

fn account_arn(call: &Call<'_>, organization: &Organization, id: &str) -> String {
    arn(
        call,
        organization,
        &format!("account/{}/{id}", organization.id),
    )
}

/// ARNs of Organizations carry the management account and no region.
fn arn(call: &Call<'_>, organization: &Organization, resource: &str) -> String {
    call.arn_in(
        "organizations",
        "",
        &organization.management_account,
        resource,
    )
}

fn pages(
    call: &Call<'_>,
    list: &'static str,
    length: usize,
    item: impl Fn(usize) -> Fields,
) -> Result<Fields, ApiError> {
    let asked = call.asked_size("MaxResults", LARGEST_PAGE)?;
    let page = call.page(length, PAGE, asked, "NextToken")?;
    let items: Vec<Value> = page
        .positions
        .into_iter()
        .map(|position| item(position).into())
        .collect();
    Ok(Fields::new()
        .with(list, items)
        .maybe("NextToken", page.next_token))
}
