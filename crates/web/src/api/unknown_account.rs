//! Why nothing is known of an account, and as of when something would be.

use model::{AccountId, SweepId};

use crate::{State, problem::Problem};

/// A 404 with what could be asked instead; `otherwise` says why where the account never left.
pub(crate) async fn unknown_account(
    state: &State,
    code: &'static str,
    account: AccountId,
    as_of: SweepId,
    otherwise: String,
) -> Result<Problem, Problem> {
    let Some(departure) = state.store().departure(account, Some(as_of)).await? else {
        return Ok(Problem::not_found(code, otherwise));
    };
    let left = answers::left(account, &departure);
    let ask = departure.last_known.map_or_else(String::new, |sweep| {
        format!(" Ask with as_of={sweep} for what it was like.")
    });
    let detail = format!("A{}.{ask}", left.trim_start_matches('a'));
    Ok(Problem::not_found(code, detail))
}
