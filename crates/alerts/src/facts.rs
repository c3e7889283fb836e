//! A notice in plain words: what every channel says, each in its own format.
//!
//! Account names, ARNs and sentences about them are written by whoever controls an account. All that comes
//! out of here is one harmless line each; a channel only escapes what its format gives a meaning to.

use jiff::{SignedDuration, Timestamp};
use model::{NoticeForm, Verdict};
use report::text::safe;

use crate::{
    headline::{counted, marked, name, thousands},
    message::{Notice, Place, SweepTime, Who},
};

/// The widest line.
const WIDTH: usize = 600;

/// The widest title.
const TITLE_WIDTH: usize = 200;

/// How many accounts a line names.
const NAMED: usize = 5;

/// One line of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is about, such as `Where`.
    pub label: &'static str,
    /// What is said of it.
    pub text: String,
}

/// The title, with what it is about before it.
pub(crate) fn title(notice: &Notice) -> String {
    safe(&marked(notice), TITLE_WIDTH)
}

/// What is said of a notice, line by line.
pub fn facts(notice: &Notice) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut fact = |label, text: String| {
        facts.push(Fact {
            label,
            text: safe(&text, WIDTH),
        });
    };
    let what = match notice.form {
        NoticeForm::Recovered => "It was",
        _ => "What",
    };
    fact(what, notice.message.clone());
    if notice.form == NoticeForm::Test {
        return facts;
    }
    if notice.is_flapping {
        fact(
            "Note",
            "it goes to and fro, so that it is told in a low voice".to_owned(),
        );
    }
    if let Some(text) = place(notice) {
        fact("Where", text);
    }
    if let Some(resource) = &notice.resource {
        let part = |label, part: Option<String>| {
            part.filter(|part| !resource.resource.contains(part.as_str()))
                .map_or_else(String::new, |part| format!(", {label} {part}"))
        };
        let text = format!(
            "{} {}{}{}",
            resource.link.in_words(),
            resource.resource,
            part("account", resource.account.map(|id| id.to_string())),
            part("region", resource.region.as_ref().map(ToString::to_string)),
        );
        fact("Resource", text);
    }
    if let Some(text) = controls(notice) {
        fact("Controls", text);
    }
    fact("Since", since(notice));
    if let Some(text) = who(notice) {
        fact("Who", text);
    }
    if let Some(text) = still(notice) {
        fact("Now", text);
    }
    if let Some(standing) = &notice.standing {
        let of = if standing.is_of_accounts {
            "accounts are covered for this control"
        } else {
            "controls hold in this account"
        };
        let (hold, all) = (thousands(standing.hold), thousands(standing.of));
        fact("Still standing", format!("{hold} of {all} {of}"));
    }
    if let Some(step) = notice.next_step() {
        fact("Mend it", step.to_owned());
    }
    if notice.form != NoticeForm::Recovered {
        fact(
            "Acknowledge",
            format!(
                "`scanner drift ack {} --same-cause` stops reminders; `scanner drift show {}` tells more",
                notice.drift, notice.drift
            ),
        );
    }
    if let Some(seal) = &notice.seal {
        fact(
            "Head seal",
            format!("{} of sweep {}", seal.hash, seal.sweep),
        );
    }
    facts
}

/// The links of a notice, by what they lead to.
pub(crate) fn links(notice: &Notice) -> Vec<(&'static str, &str)> {
    let dashboard = notice.dashboard.as_deref().map(|url| ("Dashboard", url));
    let console = notice.console.as_deref().map(|url| ("AWS console", url));
    dashboard.into_iter().chain(console).collect()
}

/// The whole notice as plain text.
pub fn plain_text(notice: &Notice) -> String {
    let mut text = title(notice);
    text.push_str("\n\n");
    for fact in facts(notice) {
        text.push_str(&format_line(fact.label, &fact.text));
    }
    for (label, url) in links(notice) {
        text.push_str(&format_line(label, url));
    }
    text
}

fn format_line(label: &str, text: &str) -> String {
    format!("{label}: {text}\n")
}

fn place(notice: &Notice) -> Option<String> {
    let one = |place: &Place| {
        let path = place.ou_path.as_ref().map(ToString::to_string);
        let path = path.filter(|path| !path.is_empty());
        let path = path.map_or_else(String::new, |path| format!(", {path}"));
        format!("account {}{path}", name(place))
    };
    match notice.places.as_slice() {
        [] => None,
        [place] if notice.accounts < 2 => Some(one(place)),
        places => {
            let named: Vec<String> = places.iter().take(NAMED).map(name).collect();
            let more = notice.accounts.saturating_sub(named.len());
            let more = if more == 0 {
                String::new()
            } else {
                format!(
                    " and {} more",
                    thousands(u64::try_from(more).unwrap_or(u64::MAX))
                )
            };
            let count = counted(notice.accounts, "account");
            Some(format!("{count}: {}{more}", named.join(", ")))
        }
    }
}

fn controls(notice: &Notice) -> Option<String> {
    if notice.named_controls.is_empty() {
        return None;
    }
    let named: Vec<String> = (notice.named_controls.iter())
        .map(ToString::to_string)
        .collect();
    let more = notice.controls.saturating_sub(named.len());
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    Some(format!("{}{more}", named.join(", ")))
}

fn since(notice: &Notice) -> String {
    let sweep = |of: SweepTime| format!("{} (sweep {})", moment(of.at), of.sweep);
    let seen = sweep(notice.since.seen);
    match notice.since.not_before {
        Some(before) => format!("between {} and {seen}", sweep(before)),
        None => format!("seen at {seen}; before that nothing is known"),
    }
}

fn who(notice: &Notice) -> Option<String> {
    let text = match &notice.who {
        Who::Found { author } => {
            let actor = (author.actor.as_deref())
                .or(author.source_ip.as_deref())
                .unwrap_or(&author.event_source);
            let from = (author.source_ip.as_deref())
                .filter(|ip| *ip != actor)
                .map_or_else(String::new, |ip| format!(" from {ip}"));
            format!(
                "{actor} by {} at {}{from} (CloudTrail event {})",
                author.event_name,
                moment(author.time),
                author.event_id
            )
        }
        Who::NotYet => "not known yet; the history tells it as soon as CloudTrail does".to_owned(),
        Who::NotFound => "no call that could have done it was recorded".to_owned(),
        Who::Denied => "not known: CloudTrail denied the question, or did not answer".to_owned(),
        Who::Nobody => return None,
    };
    // It was told when the alert began.
    (notice.form != NoticeForm::Recovered).then_some(text)
}

fn still(notice: &Notice) -> Option<String> {
    let still = notice.still.as_ref()?;
    let count = |verdict| still.verdicts.get(&verdict).copied().unwrap_or_default();
    let words = [
        (Verdict::Fail, "fail"),
        (Verdict::Unknown, "cannot be seen"),
        (Verdict::Pass, "are well"),
        (Verdict::NotApplicable, "no longer apply"),
    ];
    let mut parts: Vec<String> = (words.into_iter())
        .filter(|(verdict, _)| count(*verdict) > 0)
        .map(|(verdict, word)| format!("{} {word}", thousands(count(verdict))))
        .collect();
    if parts.is_empty() {
        parts.push("none is left".to_owned());
    }
    let lasted = lasted(notice.at.duration_since(still.opened_at));
    Some(format!(
        "of the findings, {}; it was told {lasted} ago",
        parts.join(", ")
    ))
}

/// A moment to the second, in UTC.
fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// How long something lasted, in its largest unit.
fn lasted(duration: SignedDuration) -> String {
    let minutes = usize::try_from(duration.as_mins()).unwrap_or_default();
    match minutes {
        0..60 => counted(minutes, "minute"),
        60..2880 => counted(minutes / 60, "hour"),
        _ => counted(minutes / 1440, "day"),
    }
}
