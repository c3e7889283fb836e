#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod author;
mod cause;
mod chain_diff;
mod compare;
mod difference;
mod draft;
mod field_diff;
mod flapping;
mod known_state;
mod request;
mod sentence;
mod severity;
mod suspects;
mod sweep_notices;

#[cfg(test)]
mod fixture;

pub use author::{Window, act, author_key, find_author, may_be_author};
pub use compare::{AccountNow, SweepContext, compare};
pub use difference::difference;
pub use flapping::{FlapRule, damped, is_flapping, settled};
pub use known_state::{Change, Known, KnownState, Step};
pub use suspects::{Suspect, suspects};
pub use sweep_notices::{
    EndedException, account_left, control_added, exception_expired, grouped, grouped_with_ids,
    groups,
};
