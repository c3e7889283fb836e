//! What is said of an account that is known no more.

use model::AccountId;
use store::Departure;

/// When an account left, in a sentence without its end.
pub fn left(account: AccountId, departure: &Departure) -> String {
    format!(
        "account {account} left the organization: sweep {}, which began at {:.0}, no longer found it",
        departure.sweep, departure.at
    )
}
