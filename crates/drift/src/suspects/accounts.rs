//! Which calls change what AWS Organizations says of an account.

use model::{AccountId, AccountState, Drift, DriftKind, DriftSide, Organization};

use super::{Suspect, Suspicion};
use crate::request::{Asks, Target};

const ORGANIZATIONS: &str = "organizations.amazonaws.com";
const ACCOUNT: &str = "account.amazonaws.com";

pub(super) fn of_account_change(
    drift: &Drift,
    account: AccountId,
    organization: &Organization,
) -> Vec<Suspicion> {
    let management = organization.management_account;
    let region = organization.partition.default_region();
    let one = |recorded: AccountId, source: &str, name: &str, target: Target| Suspicion {
        suspect: Suspect {
            account: recorded,
            region: region.clone(),
            event_source: source.to_owned(),
            event_name: name.to_owned(),
            resource: account.to_string(),
        },
        target,
        asks: Asks::Anything,
    };
    let by_management = |name, target| one(management, ORGANIZATIONS, name, target);
    let by_itself = |name| one(account, ORGANIZATIONS, name, Target::Itself(account));
    let of_account = Target::Account(account);
    match drift.kind {
        DriftKind::AccountJoined => vec![
            by_itself("AcceptHandshake"),
            by_management("InviteAccountToOrganization", Target::Invited(account)),
            // Who asked for an account is told before it has its id; the result has the id alone.
            by_management("CreateAccount", Target::Itself(account)),
            by_management("CreateAccountResult", Target::Created(account)),
        ],
        DriftKind::AccountLeft => vec![
            by_management("RemoveAccountFromOrganization", of_account),
            by_itself("LeaveOrganization"),
        ],
        DriftKind::AccountMoved => vec![by_management("MoveAccount", of_account)],
        DriftKind::AccountStateChanged if is_ending(drift) => {
            vec![by_management("CloseAccount", of_account)]
        }
        DriftKind::AccountRenamed => {
            vec![
                one(management, ACCOUNT, "PutAccountName", of_account),
                one(account, ACCOUNT, "PutAccountName", Target::Itself(account)),
            ]
        }
        _ => Vec::new(),
    }
}

fn is_ending(drift: &Drift) -> bool {
    matches!(
        &drift.after,
        Some(DriftSide::Account(side))
            if matches!(side.state, AccountState::Suspended | AccountState::PendingClosure | AccountState::Closed)
    )
}
