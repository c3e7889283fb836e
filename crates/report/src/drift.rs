//! One drift in full: before and after, field by field, when, who, and what to do next.

use model::{
    AccountSide, ChangeKind, Drift, DriftSide, FieldChange, FindingSide, OuPath, Reason, Verdict,
};
use serde_json::Value;

use crate::{
    Acknowledged, Options, PastDrift, Who, palette,
    text::{NAME_WIDTH, moment, push_line, push_wrapped, safe, sentence},
};

#[cfg(test)]
mod tests;

/// The widest value that is shown whole.
const VALUE_WIDTH: usize = 1200;

/// Renders one drift; `store` is the path that must be named for it to be found again, if it must.
pub fn render(past: &PastDrift, store: Option<&str>, options: &Options) -> String {
    let mut out = String::new();
    let drift = &past.drift;
    push_head(&mut out, past, options);
    push_when(&mut out, past, options);
    push_section(&mut out, "Before", options);
    push_side(&mut out, drift.before.as_ref(), options);
    push_section(&mut out, "After", options);
    push_side(&mut out, drift.after.as_ref(), options);
    if !drift.changes.is_empty() {
        push_section(&mut out, "What changed, the cause first", options);
        for change in &drift.changes {
            push_change(&mut out, change, options);
        }
    }
    push_section(&mut out, "Who", options);
    push_who(&mut out, past.who.as_ref(), options);
    push_section(&mut out, "Acknowledged", options);
    let seen = (past.acknowledged.as_ref()).map_or_else(
        || {
            let store =
                store.map_or_else(String::new, |store| format!(" --store {}", sentence(store)));
            format!("not yet: `scanner drift ack {}{store}`", drift.id)
        },
        acknowledged,
    );
    push_wrapped(&mut out, "  ", &seen, options.width);
    if let Some(step) = next_step(drift) {
        push_section(&mut out, "Next", options);
        push_wrapped(&mut out, "  ", step, options.width);
    }
    out
}

/// What to do about it; `None` where there is nothing to do.
pub(crate) fn next_step(drift: &Drift) -> Option<&'static str> {
    match &drift.after {
        Some(DriftSide::Finding(finding)) => {
            Some(Reason::next_step(finding.reason)).filter(|step| !step.is_empty())
        }
        _ => None,
    }
}

/// Who did it, in one line.
pub(crate) fn who(who: &Who) -> String {
    match who {
        Who::Found(author) => {
            let actor = (author.actor.as_deref())
                .or(author.source_ip.as_deref())
                .unwrap_or(&author.event_source);
            format!(
                "by {} ({} at {})",
                sentence(actor),
                safe(&author.event_name, NAME_WIDTH),
                moment(author.time)
            )
        }
        Who::NotFound => {
            "CloudTrail showed no call that could have done it; events may take a quarter of an hour"
                .to_owned()
        }
        Who::Denied(Some(gap)) => {
            format!("who did it is not known: {}", sentence(&gap.to_string()))
        }
        Who::Denied(None) => "who did it is not known: CloudTrail could not be asked".to_owned(),
        Who::Pending => {
            "who did it is looked for once more: CloudTrail is some minutes late".to_owned()
        }
    }
}

/// Who has seen it, in one line.
pub(crate) fn acknowledged(acknowledged: &Acknowledged) -> String {
    let note = (acknowledged.note.as_deref())
        .map_or_else(String::new, |note| format!(": {}", sentence(note)));
    format!(
        "acknowledged by {} at {}{note}",
        safe(&acknowledged.by, NAME_WIDTH),
        moment(acknowledged.at)
    )
}

fn push_section(out: &mut String, title: &str, options: &Options) {
    out.push('\n');
    push_line(out, &palette::strong(title, options));
}

fn push_head(out: &mut String, past: &PastDrift, options: &Options) {
    let drift = &past.drift;
    let severity = palette::severity(drift.severity.as_str(), drift.severity, options);
    push_line(
        out,
        &format!("Drift {}: {severity} {}", drift.id, drift.kind),
    );
    push_wrapped(out, "  ", &sentence(&drift.message), options.width);
    push_wrapped(out, "  ", drift.kind.meaning(), options.width);
    if let Some(undamped) = drift.undamped {
        let told = format!(
            "It goes to and fro, so that it is told in a low voice; it would be {undamped}."
        );
        push_wrapped(out, "  ", &told, options.width);
    }
    if let Some(account) = drift.account {
        let name = match past.account_name.as_str() {
            "" => String::new(),
            name => format!(" ({})", safe(name, NAME_WIDTH)),
        };
        push_line(out, &format!("Account {account}{name}"));
    }
    if !drift.accounts.is_empty() {
        let accounts: Vec<String> = drift.accounts.iter().map(ToString::to_string).collect();
        push_wrapped(out, "Accounts ", &accounts.join(", "), options.width);
    }
    if let Some(control) = &drift.control {
        push_line(out, &format!("Control {control}"));
    }
    push_wrapped(out, "Cause ", &sentence(&drift.cause), options.width);
}

fn push_when(out: &mut String, past: &PastDrift, options: &Options) {
    push_section(out, "When", options);
    let between = past.drift.between;
    match (between.last_before, past.last_before_at) {
        (Some(sweep), Some(at)) => {
            let last = format!(
                "last seen as before by sweep {sweep}, which began at {}",
                moment(at)
            );
            push_wrapped(out, "  ", &last, options.width);
        }
        (Some(sweep), None) => {
            push_wrapped(
                out,
                "  ",
                &format!("last seen as before by sweep {sweep}"),
                options.width,
            );
        }
        (None, _) => push_line(out, "  nothing was there before"),
    }
    let first = format!(
        "first seen as it is by sweep {}, which began at {}",
        between.seen,
        moment(past.seen_at)
    );
    push_wrapped(out, "  ", &first, options.width);
}

fn push_side(out: &mut String, side: Option<&DriftSide>, options: &Options) {
    match side {
        None => push_line(out, "  nothing"),
        Some(DriftSide::Finding(finding)) => push_finding(out, finding, options),
        Some(DriftSide::Account(account)) => push_account(out, account, options),
    }
}

fn push_finding(out: &mut String, finding: &FindingSide, options: &Options) {
    let link =
        (finding.link).map_or_else(String::new, |link| format!(", at the {}", link.in_words()));
    let verdict = palette::verdict(finding.verdict.as_str(), finding.verdict, options);
    push_line(out, &format!("  {verdict} {}{link}", finding.reason));
    push_wrapped(out, "  ", &sentence(&finding.message), options.width);
    if let Some(resource) = finding
        .resource
        .as_ref()
        .filter(|_| finding.verdict != Verdict::Pass)
    {
        push_wrapped(out, "  ", &sentence(resource), options.width);
    }
    if let Some(covered_by) = &finding.covered_by {
        let trail = format!("covered by {}", sentence(&covered_by.trail.to_string()));
        push_wrapped(out, "  ", &trail, options.width);
    }
}

fn push_account(out: &mut String, account: &AccountSide, options: &Options) {
    let path = (account.ou_path.as_ref()).map_or_else(
        || "a place that is not known".to_owned(),
        |path: &OuPath| sentence(&path.to_string()),
    );
    let name = safe(&account.name, NAME_WIDTH);
    push_wrapped(
        out,
        "  ",
        &format!("{name}, {}, in {path}", account.state),
        options.width,
    );
}

fn push_change(out: &mut String, change: &FieldChange, options: &Options) {
    let of = &change.of;
    let (sign, word) = match change.change {
        ChangeKind::Removed => ("-", "gone"),
        ChangeKind::Changed => ("~", "changed"),
        ChangeKind::Added => ("+", "new"),
    };
    let place = match (of.account, &of.region) {
        _ if of.resource.starts_with("arn:") => String::new(),
        (Some(account), Some(region)) => format!(" in {account}, {region}"),
        (Some(account), None) => format!(" in {account}"),
        (None, _) => String::new(),
    };
    let head = format!("{}: {word}: {}{place}", of.link.in_words(), of.resource);
    push_wrapped(out, &format!("  {sign} "), &sentence(&head), options.width);
    if change.path.is_empty() {
        return;
    }
    let field = safe(change.path.trim_start_matches('/'), NAME_WIDTH);
    push_wrapped(
        out,
        &format!("    · {field}: "),
        &value(&change.before),
        options.width,
    );
    push_wrapped(out, "      → ", &value(&change.after), options.width);
}

fn value(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    safe(&text, VALUE_WIDTH)
}

fn push_who(out: &mut String, found: Option<&Who>, options: &Options) {
    let Some(found) = found else {
        push_line(out, "  nobody has looked for it");
        return;
    };
    push_wrapped(out, "  ", &who(found), options.width);
    let Some(author) = found.author() else {
        return;
    };
    let of = |text: &Option<String>| text.as_deref().map(sentence);
    let rows = [
        ("session of", of(&author.session_issuer)),
        ("from", of(&author.source_ip)),
        ("with", of(&author.user_agent)),
        (
            "recorded in",
            Some(format!("{}, {}", author.account, author.region)),
        ),
        ("event", Some(sentence(&author.event_id))),
    ];
    for (name, text) in rows {
        if let Some(text) = text {
            push_wrapped(out, &format!("    · {name} "), &text, options.width);
        }
    }
}
