//! The regions that are enabled in an account.

use aws::{Api, Aws, CallError, Target};
use aws_sdk_account::types::RegionOptStatus;
use model::{AccountId, Region};

/// Asks the Account API which regions are enabled, by default or by choice; all pages.
///
/// The API has no endpoint in GovCloud, where the answer is the error of the call.
pub async fn enabled_regions(aws: &Aws, account: AccountId) -> Result<Vec<Region>, CallError> {
    let session = aws.session(account);
    let home = aws.partition().default_region();
    let client = &aws.clients().account;
    let mut regions = Vec::new();
    let send = |target: Target, token| {
        client
            .list_regions()
            .region_opt_status_contains(RegionOptStatus::Enabled)
            .region_opt_status_contains(RegionOptStatus::EnabledByDefault)
            .max_results(50)
            .set_next_token(token)
            .customize()
            .config_override(target.account())
            .send()
    };
    session
        .pages(Api::ListRegions, &home, None, send, |page| {
            let listed = page.regions.unwrap_or_default().into_iter();
            let names = listed.filter_map(|region| region.region_name);
            regions.extend(names.filter_map(|name| name.parse::<Region>().ok()));
            Ok(page.next_token)
        })
        .await?;
    regions.sort();
    regions.dedup();
    Ok(regions)
}
