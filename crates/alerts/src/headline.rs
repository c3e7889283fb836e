//! What happened, in one line: for a subject, a title, a list.

use model::{ControlId, DriftKind, NoticeForm, Reason};

use crate::message::{Notice, Place};

/// The line for an alert that begins.
pub(crate) fn opened(
    kind: DriftKind,
    is_recovery: bool,
    reason: Option<Reason>,
    (accounts, place): (usize, Option<&Place>),
    (controls, named): (usize, &[ControlId]),
) -> String {
    let who = match (accounts, place) {
        (0 | 1, Some(place)) => name(place),
        (0, None) => "the organization".to_owned(),
        (count, _) => counted(count, "account"),
    };
    let because = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    let (what, one) = match (controls, named.first()) {
        // Of accounts as a whole.
        (0, _) | (_, None) => ("everything".to_owned(), true),
        (1, Some(control)) => (control.to_string(), true),
        (several, Some(_)) => (counted(several, "control"), false),
    };
    let verb = |singular: &'static str, plural: &'static str| if one { singular } else { plural };
    match kind {
        DriftKind::VerdictChanged if is_recovery => {
            format!("{who}: {what} {} well again", verb("is", "are"))
        }
        DriftKind::VerdictChanged => format!("{who}: {what} {}{because}", verb("fails", "fail")),
        DriftKind::ReasonChanged => {
            format!(
                "{who}: {what} {} for another reason{because}",
                verb("fails", "fail")
            )
        }
        DriftKind::EvidenceChanged => {
            format!(
                "{who}: what {what} {} on has changed",
                verb("rests", "rest")
            )
        }
        DriftKind::BecameUnknown if controls == 0 => {
            format!("{who}: nothing can be seen any more{because}")
        }
        DriftKind::BecameUnknown => format!("{who}: {what} can no longer be seen{because}"),
        DriftKind::VisibleAgain => format!("{who}: {what} can be seen again"),
        DriftKind::AccountJoined => format!("{who} joined the organization"),
        DriftKind::AccountLeft => format!("{who} left the organization"),
        DriftKind::AccountMoved => format!("{who} moved within the organization"),
        DriftKind::AccountStateChanged => format!("{who}: the state of the account changed"),
        DriftKind::AccountRenamed => format!("{who}: the name of the account changed"),
        DriftKind::ControlAdded => {
            format!("{what} {} judged for the first time", verb("is", "are"))
        }
        DriftKind::Rejudged => {
            format!(
                "{who}: {what} {} judged otherwise by this scanner",
                verb("is", "are")
            )
        }
        DriftKind::ExceptionExpired => {
            format!("{who}: {what} {} no longer accepted", verb("is", "are"))
        }
    }
}

/// The line with what it is about before it.
pub(crate) fn marked(notice: &Notice) -> String {
    match notice.form {
        NoticeForm::Opened => format!("[{}] {}", notice.severity, notice.title),
        NoticeForm::Reminder => format!("[{}, still] {}", notice.severity, notice.title),
        NoticeForm::Recovered => format!("[recovered] {}", notice.title),
        NoticeForm::Test => format!("[test] {}", notice.title),
    }
}

/// An account by its name, where it has one, and its id.
pub(crate) fn name(place: &Place) -> String {
    if place.name.is_empty() {
        place.account.to_string()
    } else {
        format!("{} ({})", place.name, place.account)
    }
}

/// `1 account`, `10,000 accounts`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    format!("{} {noun}{plural}", thousands(number))
}

/// `10,000`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
