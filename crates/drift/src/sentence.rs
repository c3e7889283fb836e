//! Sentences that a human would say of a drift.

use model::{Account, Arn, ChainResource, ChangeKind, FieldChange, Link};
use serde_json::Value;

/// How much of a value is shown in a sentence: the whole of it stands in the changes.
const SHOWN: usize = 60;

/// An account by its name, where it has one, and its id.
pub(crate) fn account(account: &Account) -> String {
    if account.name.is_empty() {
        account.id.to_string()
    } else {
        format!("{} ({})", account.name, account.id)
    }
}

/// What changed: the first change in words, and how many more there are.
pub(crate) fn changes(changes: &[FieldChange]) -> Option<String> {
    let first = change(changes.first()?);
    Some(match changes.len() - 1 {
        0 => first,
        1 => format!("{first}, and 1 more change"),
        more => format!("{first}, and {more} more changes"),
    })
}

fn change(change: &FieldChange) -> String {
    let what = resource(&change.of);
    match change.change {
        ChangeKind::Removed => format!("{what} is gone"),
        ChangeKind::Added => format!("{what} is new"),
        ChangeKind::Changed if change.path.is_empty() => {
            format!(
                "{what} is {} instead of {}",
                value(&change.after),
                value(&change.before)
            )
        }
        ChangeKind::Changed => format!(
            "{} of {what} is {} instead of {}",
            change.path.trim_start_matches('/').replace('/', "."),
            value(&change.after),
            value(&change.before)
        ),
    }
}

fn resource(of: &ChainResource) -> String {
    let name = match of.resource.parse::<Arn>() {
        Ok(arn) if of.link != Link::Subscription => last_part(arn.resource()),
        _ => of.resource.clone(),
    };
    format!("the {} {}", of.link.in_words(), short(&name))
}

fn last_part(resource: &str) -> String {
    let named = ["trail/", "log-group:", "alarm:"]
        .into_iter()
        .find_map(|prefix| resource.strip_prefix(prefix));
    named.unwrap_or(resource).to_owned()
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => format!("`{}`", short(text)),
        other => short(&other.to_string()),
    }
}

/// The beginning of a text, fit for one line.
pub(crate) fn short(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
