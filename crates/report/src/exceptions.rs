//! Exceptions: what somebody accepts, and until when.

use comfy_table::Cell;
use jiff::Timestamp;
use model::{Exception, ExceptionId, ExceptionSource};
use serde::Serialize;

use crate::{
    Options,
    json::{self, Listed},
    list_table::{lines, table},
    text::{NAME_WIDTH, moment, safe, sentence},
};

/// Whether an exception holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionState {
    /// It holds.
    InForce,
    /// Its time is over.
    Expired,
    /// It was removed before its time was over.
    Removed,
}

/// An exception as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastException {
    /// Its name.
    pub id: ExceptionId,
    /// The exception.
    pub exception: Exception,
    /// When it was added.
    pub added_at: Timestamp,
    /// When it was removed before it expired.
    pub removed_at: Option<Timestamp>,
    /// Whether it holds.
    pub state: ExceptionState,
}

/// Renders exceptions, in the order given.
pub fn render(exceptions: &[PastException], options: &Options) -> String {
    if exceptions.is_empty() {
        return "No exception is in force.\n".to_owned();
    }
    let mut table = table(options);
    table.set_header(["EXCEPTION", "STATE", "UNTIL", "ACCEPTS", "OWNER", "WHY"]);
    for past in exceptions {
        let exception = &past.exception;
        let state = match past.state {
            ExceptionState::InForce => "in force",
            ExceptionState::Expired => "expired",
            ExceptionState::Removed => "removed",
        };
        let ticket = (exception.ticket.as_ref()).map_or_else(String::new, |ticket| {
            format!("\n{}", safe(ticket, NAME_WIDTH))
        });
        table.add_row(vec![
            Cell::new(past.id),
            Cell::new(state),
            Cell::new(moment(exception.expires_at)),
            Cell::new(sentence(&exception.scope.to_string())),
            Cell::new(safe(&exception.owner, NAME_WIDTH)),
            Cell::new(format!("{}{ticket}", sentence(&exception.reason))),
        ]);
    }
    lines(table)
}

#[derive(Serialize)]
struct ExceptionsShape<T> {
    schema_version: u32,
    exceptions: Vec<T>,
}

#[derive(Serialize)]
struct PastShape<'a> {
    #[serde(flatten)]
    exception: ExceptionShape<'a>,
    state: ExceptionState,
    added_at: Timestamp,
    removed_at: Option<Timestamp>,
}

/// An exception as a finding shows it.
#[derive(Serialize)]
pub(crate) struct ExceptionShape<'a> {
    id: ExceptionId,
    account_id: Option<model::AccountId>,
    ou_id: Option<&'a str>,
    control_id: Option<&'a model::ControlId>,
    reason_code: Option<model::Reason>,
    owner: &'a str,
    reason: &'a str,
    ticket: Option<&'a str>,
    expires_at: Timestamp,
    source: ExceptionSource,
}

impl<'a> ExceptionShape<'a> {
    pub(crate) fn of(exception: &'a Exception) -> Self {
        let scope = &exception.scope;
        Self {
            id: exception.id(),
            account_id: scope.account,
            ou_id: scope.ou.as_deref(),
            control_id: scope.control.as_ref(),
            reason_code: scope.reason_code,
            owner: &exception.owner,
            reason: &exception.reason,
            ticket: exception.ticket.as_deref(),
            expires_at: exception.expires_at,
            source: exception.source,
        }
    }
}

impl Listed for PastException {
    const LIST: &'static str = "exceptions";
    const ITEM: &'static str = "exception";

    fn shape(&self) -> impl Serialize + '_ {
        PastShape {
            exception: ExceptionShape::of(&self.exception),
            state: self.state,
            added_at: self.added_at,
            removed_at: self.removed_at,
        }
    }
}

/// The list as JSON.
pub fn render_json(exceptions: &[PastException]) -> String {
    let shape = ExceptionsShape {
        schema_version: json::SCHEMA_VERSION,
        exceptions: exceptions.iter().map(Listed::shape).collect::<Vec<_>>(),
    };
    json::rendered(|out| json::write_document(&shape, out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ExceptionScope;

    fn past(reason: &str) -> PastException {
        let exception = Exception {
            scope: ExceptionScope {
                account: "111111111111".parse().ok(),
                reason_code: Some(model::Reason::AlarmAbsent),
                ..ExceptionScope::default()
            },
            owner: "platform".to_owned(),
            reason: reason.to_owned(),
            ticket: Some("SEC-12".to_owned()),
            expires_at: "2027-01-31T00:00:00Z".parse().unwrap(),
            source: ExceptionSource::Command,
        };
        PastException {
            id: exception.id(),
            exception,
            added_at: "2026-11-01T00:00:00Z".parse().unwrap(),
            removed_at: None,
            state: ExceptionState::InForce,
        }
    }

    #[test]
    fn a_list_says_what_is_accepted_by_whom_and_until_when() {
        let wide = Options {
            width: 160,
            ..Options::default()
        };
        let text = render(&[past("is being moved")], &wide);
        for word in [
            "in force",
            "2027-01-31",
            "account 111111111111",
            "platform",
            "SEC-12",
        ] {
            assert!(text.contains(word), "{text}");
        }
        let json: serde_json::Value = serde_json::from_str(&render_json(&[past("x")])).unwrap();
        assert_eq!(json["exceptions"][0]["reason_code"], "alarm-absent");
        assert_eq!(json["exceptions"][0]["state"], "in_force");
    }

    #[test]
    fn a_list_fits_the_terminal() {
        let past = past("is being moved into another organization");
        let id = past.id.to_string();
        crate::fixture::assert_fits(
            |look| render(std::slice::from_ref(&past), look),
            &[&id, "111111111111"],
        );
    }

    #[test]
    fn hostile_words_are_shown_and_not_obeyed() {
        let hostile = past("\u{1b}[2J\u{202e}x");
        for text in [
            render(std::slice::from_ref(&hostile), &Options::default()),
            render_json(&[hostile]),
        ] {
            assert!(
                !text
                    .chars()
                    .any(|c| c != '\n' && crate::text::is_hostile(c)),
                "{text:?}"
            );
        }
    }
}
