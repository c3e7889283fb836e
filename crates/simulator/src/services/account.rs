//! The Account service: which regions an account has.

use super::Call;
use crate::api_error::ApiError;
use crate::service::Service;
use crate::value::{Fields, Value};

const PAGE: usize = 50;
const LARGEST_PAGE: i64 = 50;

pub(super) fn answer(operation: &str, call: &Call<'_>) -> Result<Fields, ApiError> {
    if operation != "ListRegions" {
        return Err(Service::Account.unknown_operation(operation));
    }
    call.authorize("account:ListRegions", None)?;
    let asked_account = call.params.text("AccountId")?;
    if asked_account.is_some_and(|id| id != call.account.id) {
        // Needs trusted access for the Account service, which these worlds do not have.
        return Err(Service::Account.access_denied(
            "User is not authorized to access the account information of another account."
                .to_owned(),
        ));
    }
    let wanted = call.params.texts("RegionOptStatusContains")?;
    let partition = call.world.partition;
    let regions: Vec<(&str, &'static str)> = partition
        .regions()
        .iter()
        .map(|region| (*region, "ENABLED_BY_DEFAULT"))
        .chain(partition.opt_in_regions().iter().map(|region| {
            let enabled = call.account.has_region(partition, region);
            (*region, if enabled { "ENABLED" } else { "DISABLED" })
        }))
        .filter(|(_, status)| wanted.as_ref().is_none_or(|wanted| wanted.contains(status)))
        .collect();
    let asked = call.asked_size("MaxResults", LARGEST_PAGE)?;
    let page = call.page(regions.len(), PAGE, asked, "NextToken")?;
    let items: Vec<Value> = page
        .positions
        .into_iter()
        .map(|position| {
            let (region, status) = regions[position];
            Fields::new()
                .with("RegionName", region.to_owned())
                .with("RegionOptStatus", status)
                .into()
        })
        .collect();
    Ok(Fields::new()
        .with("Regions", items)
        .maybe("NextToken", page.next_token))
}
