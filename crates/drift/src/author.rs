//! Who caused a drift, among the calls that CloudTrail recorded.

use jiff::Timestamp;
use model::{Author, ContentHash, Drift, DriftKind, FieldChange, Organization, RecordedCall};

use crate::{
    request::{Target, asks_for, is_about},
    suspects::{Suspicion, suspicions},
};

#[cfg(test)]
mod tests;

/// The time within which it happened, both ends included: from when it was last seen as before until
/// it was seen as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The beginning of the last sweep that saw it as before.
    pub from: Timestamp,
    /// The end of the sweep that saw it as it is.
    pub to: Timestamp,
}

/// The latest of the calls that could have led to what is seen now; `None` where there is none, or
/// where it cannot be told which.
///
/// A call that AWS refused led to nothing. An account that was made is named only by the result that
/// Organizations records; its `createAccountStatus` is expected as request parameters, and whoever asked
/// for an account in that time is the author only if nobody else did.
pub fn find_author(
    drift: &Drift,
    organization: Option<&Organization>,
    window: Window,
    calls: &[RecordedCall],
) -> Option<Author> {
    let suspicions = suspicions(drift, organization);
    let fitting = |suspicion: &Suspicion| -> Vec<&RecordedCall> {
        let of = |call: &&RecordedCall| fits(suspicion, window, call);
        calls.iter().filter(of).collect()
    };
    let was_made = suspicions
        .iter()
        .any(|one| matches!(one.target, Target::Created(_)) && !fitting(one).is_empty());
    suspicions
        .iter()
        .filter(|one| !matches!(one.target, Target::Created(_)))
        .flat_map(
            |one| match (one.suspect.event_name.as_str(), fitting(one)) {
                ("CreateAccount", calls) if !was_made || calls.len() != 1 => Vec::new(),
                (_, calls) => calls,
            },
        )
        .max_by_key(|call| (call.author.time, &call.author.event_id))
        .map(|call| call.author.clone())
}

/// Whether [`find_author`] would look at the call: all others may be forgotten before it is asked.
pub fn may_be_author(
    drift: &Drift,
    organization: Option<&Organization>,
    window: Window,
    call: &RecordedCall,
) -> bool {
    let suspicions = suspicions(drift, organization);
    suspicions.iter().any(|one| fits(one, window, call))
}

/// What decides who caused a drift. Drifts with equal keys have the same suspects and, among the same
/// calls, the same author: those of ten thousand accounts that one change broke need to be asked for once.
pub fn author_key(drift: &Drift) -> ContentHash {
    let of_cause: Vec<&FieldChange> = (drift.changes.iter())
        .filter(|change| change.of.cause() == drift.cause)
        .collect();
    let account = is_act_of_its_own(drift).then_some((drift.account, &drift.after));
    ContentHash::of(&(drift.kind, drift.between, account, of_cause))
}

/// What tells the act behind a drift from others of its kind: who did it and by which call, empty where
/// that is not known. `None` where one change does it to any number of accounts, and the cause tells it already.
///
/// Accounts join, leave and move one by one: that two left between the same sweeps does not make one
/// person of those who removed them.
pub fn act(drift: &Drift, author: Option<&Author>) -> Option<String> {
    let act = |author: &Author| {
        let who = (author.actor.as_deref()).or(author.session_issuer.as_deref());
        format!("{} by {}", author.event_name, who.unwrap_or_default())
    };
    is_act_of_its_own(drift).then(|| author.map(act).unwrap_or_default())
}

/// Whether it takes a call of its own for each account.
fn is_act_of_its_own(drift: &Drift) -> bool {
    matches!(
        drift.kind,
        DriftKind::AccountJoined
            | DriftKind::AccountLeft
            | DriftKind::AccountMoved
            | DriftKind::AccountStateChanged
            | DriftKind::AccountRenamed
    )
}

fn fits(suspicion: &Suspicion, window: Window, call: &RecordedCall) -> bool {
    let (suspect, author) = (&suspicion.suspect, &call.author);
    call.error_code.is_none()
        && (window.from..=window.to).contains(&author.time)
        && suspect.event_name == author.event_name
        && suspect.event_source == author.event_source
        && suspect.account == author.account
        && suspect.region == author.region
        && is_about(&suspicion.target, &call.request_parameters)
        && asks_for(&suspicion.asks, &call.request_parameters)
}
