#![doc = include_str!("../README.md")]

mod organization;
mod organizations_api;
mod ou_tree;
mod regions;
mod selection;
mod tag_reading;

pub use organization::{DiscoverError, Discovery, Listing, Source};
pub use regions::enabled_regions;
pub use selection::{Selection, SelectionError, Selector};
pub use tag_reading::ReadTags;

use aws::Api;

/// The calls that assumed sessions make for discovery; the rest goes through the ambient
/// credentials.
pub fn session_apis(all_regions: bool) -> Vec<Api> {
    if all_regions {
        vec![Api::ListRegions]
    } else {
        Vec::new()
    }
}
